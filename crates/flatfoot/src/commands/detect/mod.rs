//! flatfoot detect: the judgement for any series.

pub(crate) mod read;

use std::io::Read as _;
use std::path::Path;

use anyhow::Result;
use detect::judge::{Context, Series, Unit, judge};
use model::State;

use crate::cli::{self, UnitChoice};
use crate::failure::{Code, Failure};
use crate::present::detect::DetectDocument;
use crate::present::{self, Term};

/// Longer input is refused before it fills the memory.
const MOST_BYTES: u64 = 256 << 20;

/// The command.
pub(crate) fn run(args: &cli::Detect, term: Term) -> Result<Code> {
    let mut documents = Vec::new();
    for path in &args.files {
        let name = if path == Path::new("-") { "-".to_owned() } else { path.display().to_string() };
        let text = load(path, &name)?;
        let all = read::read(&text).map_err(|fault| {
            let place = if fault.line > 0 { format!("{name}:{}", fault.line) } else { name.clone() };
            Failure::new(Code::Failed, format!("{place}: {}", fault.what), fault.hint)
        })?;
        for series in all {
            let unit = match args.unit {
                UnitChoice::Bytes => Unit::Bytes,
                UnitChoice::Count => Unit::Count,
            };
            let context = Context { limit: args.limit, maximum: args.maximum, ..Context::default() };
            let verdict = judge(&Series::new(&series.points, unit), &context);
            documents.push(DetectDocument::new(&name, series.labels, unit, args.limit, verdict));
        }
    }
    if !term.json {
        let text: Vec<String> = documents.iter().map(|document| document.text(term)).collect();
        present::print(&text.join("\n"))?;
    } else if let [one] = documents.as_slice() {
        present::print_json(one)?;
    } else {
        let mut lines = String::new();
        for document in &documents {
            lines.push_str(&serde_json::to_string(document)?);
            lines.push('\n');
        }
        present::print(&lines)?;
    }
    let any = |wanted: &[State]| documents.iter().any(|d| wanted.contains(&d.verdict.state));
    Ok(if any(&[State::Leak]) {
        Code::Found
    } else if any(&[State::Growing, State::Learning]) {
        Code::Possible
    } else {
        Code::Clean
    })
}

fn load(path: &Path, name: &str) -> Result<String> {
    let unreadable = |what: String, hint: &str| Failure::new(Code::Failed, format!("{name}: {what}"), hint);
    let mut bytes = Vec::new();
    let read = if path == Path::new("-") {
        std::io::stdin().lock().take(MOST_BYTES + 1).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(MOST_BYTES + 1).read_to_end(&mut bytes))
    };
    read.map_err(|e| unreadable(e.to_string(), "a file of seconds,value lines, or - for stdin"))?;
    if bytes.len() as u64 > MOST_BYTES {
        let what = format!("longer than {} MiB", MOST_BYTES >> 20);
        return Err(unreadable(what, "give a part of the time, or fewer series").into());
    }
    String::from_utf8(bytes).map_err(|e| {
        let line = e.as_bytes().iter().take(e.utf8_error().valid_up_to()).filter(|b| **b == b'\n').count() + 1;
        unreadable(format!("no text (line {line})"), "CSV or JSON in UTF-8").into()
    })
}
