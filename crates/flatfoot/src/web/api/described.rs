//! Is docs/api.md true? What it names is in the documents' schemas, what the documents have is named by it, and the
//! parameters of its requests are read.

use std::collections::BTreeSet;

use schemars::{Schema, schema_for};
use serde_json::Value;

use super::documents;
use crate::present::compare::CompareDocument;
use crate::present::map::MapDocument;
use crate::present::threads::ThreadsDocument;
use crate::web::events::{FindingsEvent, TickEvent};
use crate::web::query::Query;

const TEXT: &str = include_str!("../../../../../docs/api.md");

/// The text under the heading that begins so.
#[track_caller]
fn section(heading: &str) -> &'static str {
    let begin = TEXT.find(heading).unwrap_or_else(|| panic!("no heading {heading}"));
    let rest = &TEXT[begin..];
    let level = heading.split(' ').next().unwrap_or_default();
    let next = rest[1..].find(&format!("\n{level} ")).map_or(rest.len(), |at| at + 1);
    let upper = rest[1..].find("\n## ").map_or(rest.len(), |at| at + 1);
    &rest[..next.min(upper)]
}

/// What is between backticks and in blocks of code.
fn code(text: &str) -> String {
    text.split('`').skip(1).step_by(2).filter(|code| !code.is_empty()).collect::<Vec<_>>().join("\n")
        + &text.split("```").skip(1).step_by(2).collect::<String>()
}

/// `"name":`, `"name",` and `"name"}`: names of fields. Values stand behind a colon.
fn named(text: &str) -> BTreeSet<String> {
    let code = code(text);
    let parts: Vec<&str> = code.split('"').collect();
    let is_value = |before: &str| before.trim_end().ends_with([':', '|', '[']);
    let names = parts.windows(2).enumerate().filter(|(at, _)| at % 2 == 0);
    names.filter(|(_, pair)| !is_value(pair[0])).map(|(_, pair)| pair[1].to_owned()).collect()
}

fn words(text: &str) -> BTreeSet<&str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').collect()
}

/// The fields of an object alone, without those of objects in it.
fn own(schema: &Value) -> BTreeSet<String> {
    schema["properties"].as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect()
}

fn every(value: &Value, names: &mut BTreeSet<String>) {
    names.extend(own(value));
    match value {
        Value::Object(all) => all.values().for_each(|one| every(one, names)),
        Value::Array(all) => all.iter().for_each(|one| every(one, names)),
        _ => {}
    }
}

fn schema(name: &str) -> Value {
    let (_, schema) = documents().into_iter().find(|(known, _)| *known == name).expect("a schema");
    schema.to_value()
}

#[test]
fn every_field_is_described_and_every_description_is_of_a_field() {
    // A request, its document, what that has from elsewhere, and the objects that are its own.
    let nothing = || -> Schema { schema_for!(()) };
    let requests = [
        ("### `GET /api/v1`\n", "api", nothing(), &["Recorded"][..]),
        ("### `GET /api/v1/overview", "overview", nothing(), &["Range"]),
        ("### `GET /api/v1/processes?", "processes", nothing(), &["Spark"]),
        ("### `GET /api/v1/processes/ID?", "process", nothing(), &["Range", "Who", "Restart"]),
        (
            "### `GET /api/v1/processes/ID/threads",
            "threads-page",
            schema_for!(ThreadsDocument),
            &["Birth", "Node"],
        ),
        (
            "### `GET /api/v1/processes/ID/map",
            "map-page",
            schema_for!(MapDocument),
            &["SameSize", "Mappings", "Whose"],
        ),
        ("### `GET /api/v1/findings/ID", "finding", nothing(), &["Seen"]),
        ("### `GET /api/v1/compare", "compare-page", schema_for!(CompareDocument), &[]),
        ("## Charts", "overview", nothing(), &["Chart", "Line", "Growth", "Marker", "Hole"]),
    ];
    let shared = section("## What all share");
    for (heading, name, base, objects) in requests {
        let (text, schema) = (section(heading), schema(name));
        let mut known = BTreeSet::new();
        every(&schema, &mut known);
        for name in named(text) {
            assert!(known.contains(&name), "{heading}: {name:?} is in no document");
        }
        let mut fields = if heading.starts_with("###") { own(&schema) } else { BTreeSet::new() };
        for object in objects {
            let of = own(&schema["$defs"][object]);
            assert!(!of.is_empty(), "{heading}: no object {object}");
            fields.extend(of);
        }
        let from_elsewhere = own(&base.to_value());
        for field in fields.difference(&from_elsewhere).filter(|field| *field != "schema") {
            assert!(words(text).contains(field.as_str()), "{heading}: {field} is not described");
        }
    }
    for name in own(&schema("error")) {
        assert!(named(shared).contains(&name), "{name} is not described");
    }
    for schema in [schema_for!(TickEvent), schema_for!(FindingsEvent)] {
        let text = section("### `GET /api/v1/events");
        assert!(own(&schema.to_value()).is_subset(&named(text)), "{:?}", named(text));
    }
}

#[test]
fn every_parameter_that_is_described_is_read() {
    let mut count = 0;
    for heading in TEXT.split("### `GET /api/v1/").skip(1).filter_map(|rest| rest.split('`').next()) {
        let Some((path, names)) = heading.split_once('?') else { continue };
        let id = if path.starts_with("findings") { "7c1e09d2" } else { "1-1" };
        let path = path.replace("ID", id);
        let names: Vec<&str> = names.split('&').collect();
        let times = "a_from=1&a_to=2&b_from=3&b_to=4";
        let work = |wrong: &str| {
            let good = times.split('&').filter(|pair| !pair.starts_with(&format!("{wrong}=")));
            let good: Vec<&str> = good.collect();
            let uri = format!("/api/v1/{path}?{}&{wrong}=~", good.join("&"));
            super::work(&path, Query::of(&uri.parse().unwrap()).unwrap()).map(|work| work.is_some())
        };
        assert_eq!(work("other"), Ok(true), "{path}");
        // What may be any text is understood whatever it says.
        for name in names.into_iter().filter(|name| !["filter", "process"].contains(name)) {
            assert!(work(name).is_err(), "{path}: {name} is not read");
            count += 1;
        }
    }
    assert!(count > 20, "{count}");
}
