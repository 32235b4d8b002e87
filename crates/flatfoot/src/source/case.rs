//! A case file, opened as if it were the host it was saved on.

use std::path::Path;

use anyhow::Result;
use model::{Look, Pid, ProcessReading, Reading};
use store::StoredLook;

use super::{Ask, Source, Watched};
use crate::failure::{Code, Failure};
use crate::target::Spec;

/// A recorded case.
pub(crate) struct CaseSource {
    reader: store::CaseReader,
    name: String,
}

impl CaseSource {
    /// Opens a case file.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let reader = store::CaseReader::open(path)?;
        let name =
            path.file_name().map_or_else(|| path.display().to_string(), |n| n.to_string_lossy().into_owned());
        Ok(Self { reader, name })
    }

    /// Pids of processes for which `wanted` holds in some look; bulky parts are not unpacked for it.
    fn pids(&self, wanted: impl Fn(&ProcessReading) -> bool) -> Result<Vec<Pid>> {
        let mut found = Vec::new();
        for index in 0..self.reader.len() {
            let outline = self.reader.outline(index)?.look;
            found.extend(outline.processes.iter().filter(|p| wanted(p)).map(|p| p.key.pid));
        }
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }
}

impl Source for CaseSource {
    fn is_live(&self) -> bool {
        false
    }

    fn origin(&self) -> String {
        let about = self.reader.about();
        format!("{}, saved {} by {}", self.name, about.created, about.command)
    }

    fn find(&mut self, spec: &Spec) -> Result<Vec<Pid>> {
        self.pids(|process| spec.fits(process))
    }

    fn detailed(&mut self) -> Result<Vec<Pid>> {
        // Remains are looked for where a process was read in full, never for everybody.
        self.pids(|process| !matches!(process.remains, Reading::Skipped))
    }

    fn looks(&mut self, ask: &Ask, on_look: &mut dyn FnMut(Look) -> Result<()>) -> Result<Watched> {
        let mut remarks: Vec<String> =
            self.reader.damage().map(|d| format!("{}: {d}", self.name)).into_iter().collect();
        let mut readable = 0u64;
        for stored in self.reader.looks() {
            let StoredLook { mut look, lost } = match stored {
                Ok(stored) => stored,
                Err(error) => {
                    remarks.push(format!("lost: {error}"));
                    continue;
                }
            };
            readable += 1;
            remarks.extend(lost.iter().map(|error| format!("lost: {error}")));
            if !ask.pids.is_empty() {
                look.processes.retain(|p| ask.pids.contains(&p.key.pid));
                if look.processes.is_empty() {
                    continue;
                }
            }
            on_look(look)?;
        }
        if readable == 0 {
            // No look at all is no ground for "nothing suspicious".
            let why = if remarks.is_empty() { "it holds no look".to_owned() } else { remarks.join("; ") };
            let message = format!("nothing can be read from {}: {why}", self.name);
            return Err(Failure::new(Code::Failed, message, "copy it again from where it was made").into());
        }
        Ok(Watched { remarks, ended: false })
    }
}
