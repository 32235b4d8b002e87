//! What stands behind the question mark: `from=1795449600&to=1795453200&pixels=800`.
//!
//! Parameters that are not known are passed over, as later pages may send more. What is known and not understood is
//! said so, never guessed.

use axum::http::Uri;

use super::answer::{Problem, Result};

/// Parameters of one request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Query(Vec<(String, String)>);

/// No request has more.
const MOST: usize = 32;
/// Times are within ten thousand years of 1970.
const FARTHEST_S: f64 = 1e11;

/// A time that is asked for, as it was said.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Asked {
    pub(super) from: Option<f64>,
    pub(super) to: Option<f64>,
}

impl Query {
    pub(super) fn of(uri: &Uri) -> Result<Self> {
        let mut all: Vec<(String, String)> = Vec::new();
        for pair in uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (Some(name), Some(value)) = (decoded(name), decoded(value)) else {
                let hint = "percent-encoded UTF-8, as filter=caf%C3%A9";
                return Err(Problem::not_understood("a parameter that is no text", hint));
            };
            if all.iter().any(|(known, _)| *known == name) {
                return Err(Problem::not_understood(format!("{name}: said twice"), "say it once"));
            }
            if all.len() == MOST {
                return Err(Problem::not_understood("too many parameters", "at most 32"));
            }
            all.push((name, value));
        }
        Ok(Self(all))
    }

    /// A parameter's text; an empty one is none.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
            .filter(|v| !v.is_empty())
    }

    /// A moment.
    pub(super) fn time(&self, name: &str) -> Result<Option<f64>> {
        let Some(text) = self.text(name) else { return Ok(None) };
        match text.parse::<f64>() {
            Ok(at) if at.is_finite() && at.abs() <= FARTHEST_S => Ok(Some(at)),
            _ => Err(Problem::not_understood(
                format!("{name}: not a time: {text:?}"),
                "Unix seconds, as 1795449600",
            )),
        }
    }

    /// From when to when, by the names of both.
    pub(super) fn times(&self, from: &str, to: &str) -> Result<Asked> {
        let asked = Asked { from: self.time(from)?, to: self.time(to)? };
        if let (Some(a), Some(b)) = (asked.from, asked.to)
            && a >= b
        {
            let hint = format!("{from} is before {to}");
            return Err(Problem::not_understood(format!("{from}: not before {to}"), hint));
        }
        Ok(asked)
    }

    /// A whole number between two others.
    pub(super) fn number(&self, name: &str, usual: usize, least: usize, most: usize) -> Result<usize> {
        let Some(text) = self.text(name) else { return Ok(usual) };
        let number = text.parse::<usize>().ok().filter(|number| (least..=most).contains(number));
        number.ok_or_else(|| {
            let hint = format!("a whole number from {least} to {most}");
            Problem::not_understood(format!("{name}: {text:?} is no such number"), hint)
        })
    }

    /// How many columns a chart has room for.
    pub(super) fn pixels(&self) -> Result<usize> {
        self.number("pixels", 600, 16, 4_096)
    }

    /// One of some words; the first is the usual one.
    pub(super) fn one_of<T: Copy>(&self, name: &str, words: &[(&str, T)], usual: T) -> Result<T> {
        let Some(text) = self.text(name) else { return Ok(usual) };
        words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value).ok_or_else(|| {
            let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            Problem::not_understood(format!("{name}: {text:?} is none of them"), words.join(", "))
        })
    }

    /// Yes (`1`) or no (`0`).
    pub(super) fn flag(&self, name: &str, usual: bool) -> Result<bool> {
        self.one_of(name, &[("1", true), ("0", false)], usual)
    }
}

/// Percent and plus signs taken for what they stand for; `None` for what is no UTF-8, or has a NUL.
pub(super) fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || char::from(rest.next()?).to_digit(16);
                let (high, low) = (digit()?, digit()?);
                (high * 16 + low) as u8
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok().filter(|text| !text.contains('\0'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn query(text: &str) -> Result<Query> {
        Query::of(&format!("/api/v1/x?{text}").parse().unwrap())
    }

    #[test]
    fn parameters_are_read_as_browsers_write_them() {
        let all = query("from=1.5&to=2e9&pixels=800&filter=caf%C3%A9+%26%3C&x").unwrap();
        assert_eq!(all.times("from", "to").unwrap(), Asked { from: Some(1.5), to: Some(2e9) });
        assert_eq!(all.pixels().unwrap(), 800);
        assert_eq!(all.text("filter"), Some("café &<"));
        assert_eq!((all.text("x"), all.text("none")), (None, None));
        assert_eq!(query("").unwrap().pixels().unwrap(), 600);
    }

    #[test]
    fn what_is_not_understood_is_said() {
        for wrong in ["a=%", "a=%4", "a=%zz", "a=%ff", "a=%00", "a=1&a=2"] {
            assert!(query(wrong).is_err(), "{wrong}");
        }
        for wrong in ["nan", "NaN", "inf", "-inf", "1e400", "1e12", "yesterday", "0x1", "1,5"] {
            let error = query(&format!("from={wrong}")).unwrap().times("from", "to").unwrap_err();
            assert_eq!(error.error, format!("from: not a time: {wrong:?}"));
        }
        assert!(query("from=2&to=1").unwrap().times("from", "to").is_err());
        assert!(query("from=1&to=1").unwrap().times("from", "to").is_err());
        for wrong in ["15", "4097", "1e9", "-1", "1.5", "99999999999999999999"] {
            assert!(query(&format!("pixels={wrong}")).unwrap().pixels().is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(text in "\\PC{0,64}") {
            let _ = decoded(&text);
            if let Ok(uri) = format!("/x?{text}").parse::<Uri>() {
                let _ = Query::of(&uri).map(|query| (query.pixels(), query.times("from", "to")));
            }
        }
    }
}
