//! Series as others write them: CSV, or Prometheus's answer to a range query.
//!
//! ```text
//! seconds,value                      {"status":"success","data":{"resultType":"matrix","result":[
//! 0,41                                 {"metric":{"job":"torquebox"},"values":[[1354000000,"41"],[1354000010,"42"]]}
//! 2012-11-27T07:06:50Z,42            ]}}
//! ```

use std::collections::BTreeMap;

use serde_json::Value;

/// Points of one file, and series in one answer, at most: a month at a second, and what anybody judges at once.
const MOST_POINTS: usize = 4_000_000;
const MOST_SERIES: usize = 10_000;

/// Bytes of a wrong field that are shown.
const SHOWN: usize = 40;

/// One series with what names it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Labelled {
    /// A metric's labels; none for CSV.
    pub(crate) labels: BTreeMap<String, String>,
    /// (seconds, value), sorted by time.
    pub(crate) points: Vec<(f64, f64)>,
}

/// What is wrong with the input, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// Line, from 1; 0 when it concerns all of it.
    pub(crate) line: usize,
    /// What is wrong, with the field.
    pub(crate) what: String,
    /// What to do.
    pub(crate) hint: &'static str,
}

/// Reads whichever of the two it is.
pub(crate) fn read(text: &str) -> Result<Vec<Labelled>, Fault> {
    let text = text.trim_start_matches('\u{feff}');
    if text.trim_start().starts_with('{') { prometheus(text) } else { csv(text).map(|series| vec![series]) }
}

const CSV_HINT: &str = "each line is seconds,value, the time as a number or as 2012-11-27T07:06:40Z";

fn csv(text: &str) -> Result<Labelled, Fault> {
    let mut points = Vec::new();
    let mut lines = text.lines().enumerate().filter(|(_, line)| {
        let line = line.trim();
        !line.is_empty() && !line.starts_with('#')
    });
    let mut first = true;
    for (at, line) in &mut lines {
        let fault = |what: String| Fault { line: at + 1, what, hint: CSV_HINT };
        let is_header = std::mem::take(&mut first) && is_header(line);
        if is_header {
            continue;
        }
        let mut fields = line.split([',', ';', '\t']).map(|field| field.trim().trim_matches('"'));
        let (time, value) = (fields.next().unwrap_or_default(), fields.next());
        let Some(value) = value else {
            return Err(fault(format!("no value after the time {:?}", shown(time))));
        };
        let Some(seconds) = seconds(time) else {
            return Err(fault(format!("the time {:?} is none", shown(time))));
        };
        if let Some(extra) = fields.find(|field| !field.is_empty()) {
            return Err(fault(format!("a third field, {:?}: one series to a file", shown(extra))));
        }
        match number(value) {
            Some(value) if value.is_finite() => points.push((seconds, value)),
            // Nothing was measured: a gap.
            Some(_) => {}
            None => return Err(fault(format!("the value {:?} is no number", shown(value)))),
        }
        if points.len() > MOST_POINTS {
            let what = format!("more than {MOST_POINTS} points");
            return Err(Fault { line: at + 1, what, hint: "give every tenth, or a part of the time" });
        }
    }
    if points.is_empty() {
        return Err(Fault { line: 0, what: "it has no points".to_owned(), hint: CSV_HINT });
    }
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    Ok(Labelled { labels: BTreeMap::new(), points })
}

/// Words in both fields, where a time and a value should be.
fn is_header(line: &str) -> bool {
    let mut fields = line.split([',', ';', '\t']).map(|field| field.trim().trim_matches('"'));
    let word = |field: Option<&str>| {
        field.is_some_and(|field| {
            field.starts_with(|c: char| c.is_alphabetic() || c == '_')
                && number(field).is_none_or(f64::is_finite)
        })
    };
    word(fields.next()) && word(fields.next())
}

/// Seconds: a number, or a time of day with its offset.
fn seconds(field: &str) -> Option<f64> {
    let plain = field.parse::<f64>().ok().filter(|seconds| seconds.is_finite());
    plain.or_else(|| {
        let time: jiff::Timestamp = field.parse().ok()?;
        Some(time.as_millisecond() as f64 / 1e3)
    })
}

/// A number; not a finite one where none was measured: empty, NaN, null, infinite.
fn number(field: &str) -> Option<f64> {
    if field.is_empty() || ["nan", "null", "none", "-"].iter().any(|word| field.eq_ignore_ascii_case(word)) {
        return Some(f64::NAN);
    }
    field.parse().ok()
}

const PROMETHEUS_HINT: &str = "GET /api/v1/query_range?query=…&start=…&end=…&step=… answers with a matrix";

fn prometheus(text: &str) -> Result<Vec<Labelled>, Fault> {
    let fault = |what: String| Fault { line: 0, what, hint: PROMETHEUS_HINT };
    let answer: Value = serde_json::from_str(text).map_err(|e| Fault {
        line: e.line(),
        what: format!("no JSON: {e}"),
        hint: PROMETHEUS_HINT,
    })?;
    if answer.get("status").and_then(Value::as_str) == Some("error") {
        let why = answer.get("error").and_then(Value::as_str).unwrap_or("no reason given");
        return Err(fault(format!("the query failed: {}", shown(why))));
    }
    let data = answer.get("data").unwrap_or(&answer);
    let kind = data.get("resultType").and_then(Value::as_str).unwrap_or_default();
    if kind != "matrix" {
        return Err(fault(format!("resultType is {:?}, not \"matrix\"", shown(kind))));
    }
    let Some(result) = data.get("result").and_then(Value::as_array) else {
        return Err(fault("result is no list".to_owned()));
    };
    if result.is_empty() {
        return Err(fault("the query matched no series".to_owned()));
    }
    if result.len() > MOST_SERIES {
        return Err(fault(format!("{} series, more than {MOST_SERIES}", result.len())));
    }
    result.iter().enumerate().map(|(at, series)| one(at, series).map_err(fault)).collect()
}

fn one(at: usize, series: &Value) -> Result<Labelled, String> {
    let labels = series.get("metric").and_then(Value::as_object).into_iter().flatten();
    let labels = labels.map(|(k, v)| (k.clone(), v.as_str().unwrap_or_default().to_owned())).collect();
    let values = series.get("values").and_then(Value::as_array);
    let values = values.ok_or_else(|| format!("result[{at}].values is no list"))?;
    if values.len() > MOST_POINTS {
        return Err(format!("result[{at}].values has more than {MOST_POINTS} points"));
    }
    let mut points = Vec::with_capacity(values.len());
    for (k, pair) in values.iter().enumerate() {
        let wrong = || format!("result[{at}].values[{k}] is not [seconds, \"value\"]");
        let time = pair.get(0).and_then(Value::as_f64).ok_or_else(wrong)?;
        let value = match pair.get(1) {
            Some(Value::String(text)) => number(text).ok_or_else(wrong)?,
            Some(Value::Number(value)) => value.as_f64().unwrap_or(f64::NAN),
            _ => return Err(wrong()),
        };
        points.extend(value.is_finite().then_some((time, value)));
    }
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    Ok(Labelled { labels, points })
}

/// So much of a field as may be shown, without control characters.
fn shown(field: &str) -> String {
    field.chars().filter(|c| !c.is_control()).take(SHOWN).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(text: &str) -> Vec<(f64, f64)> {
        read(text).unwrap()[0].points.clone()
    }

    #[test]
    fn csv_in_its_variants() {
        assert_eq!(points("seconds,value\n0,41\n10,42\n"), [(0.0, 41.0), (10.0, 42.0)]);
        assert_eq!(points("10;2\n\n# later\n0;1"), [(0.0, 1.0), (10.0, 2.0)], "sorted");
        assert_eq!(points("\"t\"\t\"v\"\n1\t2"), [(1.0, 2.0)]);
        assert_eq!(points("0,1\n10,NaN\n20,\n30,inf\n40,5"), [(0.0, 1.0), (40.0, 5.0)], "gaps");
        let times = points("2012-11-27T07:06:40Z,1\n2012-11-27T08:06:50+01:00,2");
        assert_eq!(times, [(1_354_000_000.0, 1.0), (1_354_000_010.0, 2.0)]);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        for (text, line, what) in [
            ("0,1\n10,abc", 2, "the value \"abc\" is no number"),
            ("0,1\nyesterday,2", 2, "the time \"yesterday\" is none"),
            ("0,1\n10", 2, "no value after the time \"10\""),
            ("0,1,2", 1, "a third field, \"2\": one series to a file"),
            ("", 0, "it has no points"),
            ("NaN,1", 1, "the time \"NaN\" is none"),
            ("{\"data\":{\"resultType\":\"vector\"}}", 0, "resultType is \"vector\", not \"matrix\""),
            ("{\"status\":\"error\",\"error\":\"bad\"}", 0, "the query failed: bad"),
            ("{\"data\":{\"resultType\":\"matrix\",\"result\":[]}}", 0, "the query matched no series"),
        ] {
            let fault = read(text).unwrap_err();
            assert_eq!((fault.line, fault.what.as_str()), (line, what), "{text:?}");
        }
        assert_eq!(read("{\n\n]").unwrap_err().line, 3);
    }

    #[test]
    fn a_range_query_has_its_labels() {
        let text = r#"{"status":"success","data":{"resultType":"matrix","result":[
            {"metric":{"job":"a"},"values":[[20,"2"],[10,"1"],[30,"NaN"]]},{"metric":{},"values":[]}]}}"#;
        let series = read(text).unwrap();
        assert_eq!(series[0].labels["job"], "a");
        assert_eq!(series[0].points, [(10.0, 1.0), (20.0, 2.0)]);
        assert!(series[1].points.is_empty());
    }
}
