//! flatfoot schema: the JSON Schemas of every document, made from the types that print them.

use anyhow::Result;
use schemars::{Schema, schema_for};
use serde_json::{Map, Value};

use super::save::SavedDocument;
use crate::analyse::Diagnosis;
use crate::check::document::Document as CheckDocument;
use crate::cli;
use crate::failure::{Code, Failure};
use crate::present;
use crate::present::compare::{CompareDocument, ProofDocument};
use crate::present::detect::DetectDocument;
use crate::present::doctor::DoctorDocument;
use crate::present::heap::HeapDocument;
use crate::present::map::MapDocument;
use crate::present::threads::ThreadsDocument;
use crate::present::top::TopDocument;
use crate::recorder::{RecordLine, WatchLine};

/// The command.
pub(crate) fn run(args: &cli::Schema) -> Result<Code> {
    let all = all();
    match &args.document {
        None => {
            let map: Map<String, Value> =
                all.into_iter().map(|(name, s)| (name.to_owned(), s.to_value())).collect();
            present::print_json(&map)?;
        }
        Some(wanted) => {
            let Some((_, schema)) = all.iter().find(|(name, _)| name == wanted) else {
                let names: Vec<&str> = all.iter().map(|(name, _)| *name).collect();
                let hint = format!("one of {}", names.join(", "));
                return Err(Failure::usage(format!("no document {wanted:?}"), hint).into());
            };
            present::print_json(schema)?;
        }
    }
    Ok(Code::Clean)
}

fn all() -> Vec<(&'static str, Schema)> {
    let mut all = vec![
        ("diagnosis", schema_for!(Diagnosis)),
        ("map", schema_for!(MapDocument)),
        ("threads", schema_for!(ThreadsDocument)),
        ("heap", schema_for!(HeapDocument)),
        ("top", schema_for!(TopDocument)),
        ("check", schema_for!(CheckDocument)),
        ("compare", schema_for!(CompareDocument)),
        ("proof", schema_for!(ProofDocument)),
        ("doctor", schema_for!(DoctorDocument)),
        ("detect", schema_for!(DetectDocument)),
        ("record", schema_for!(RecordLine)),
        ("watch", schema_for!(WatchLine)),
        ("saved", schema_for!(SavedDocument)),
    ];
    all.extend(crate::web::documents());
    all
}
