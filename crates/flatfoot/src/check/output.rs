//! What a server prints: passed on as it comes, and its last lines kept, as they say why it died.

use std::collections::VecDeque;
use std::io::{self, Read, Write as _};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use model::Text;
use probe::Clock;

/// Lines that are kept, and bytes of each.
const LINES: usize = 12;
const LINE_BYTES: usize = 400;

/// Where it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum To {
    Stdout,
    Stderr,
}

/// Passes outputs on.
#[derive(Default)]
pub(super) struct Output {
    tail: Arc<Mutex<Tail>>,
    threads: Vec<JoinHandle<()>>,
}

impl Output {
    /// Looks for this text, for [`Self::was_said`].
    pub(super) fn looking_for(text: Option<&str>) -> Self {
        let tail = Tail { wanted: text.unwrap_or_default().as_bytes().to_vec(), ..Tail::default() };
        Self { tail: Arc::new(Mutex::new(tail)), threads: Vec::new() }
    }

    /// Passes one on, in a thread of its own.
    pub(super) fn pass_on(&mut self, mut from: impl Read + Send + 'static, to: To) -> io::Result<()> {
        let tail = Arc::clone(&self.tail);
        let work = move || {
            let mut bytes = vec![0; 16 << 10];
            let mut line = Line::default();
            loop {
                let read = match from.read(&mut bytes) {
                    Ok(0) => break,
                    Ok(read) => read,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    Err(_) => break,
                };
                let Some(new) = bytes.get(..read) else { break };
                // A reader that went away does not stop the server.
                let _ = match to {
                    To::Stdout => io::stdout().lock().write_all(new).and_then(|()| io::stdout().flush()),
                    To::Stderr => io::stderr().lock().write_all(new),
                };
                tail.lock().unwrap_or_else(PoisonError::into_inner).take(&mut line, new);
            }
        };
        self.threads.push(std::thread::Builder::new().name("output".to_owned()).spawn(work)?);
        Ok(())
    }

    /// Was the text printed that is looked for?
    pub(super) fn was_said(&self) -> bool {
        self.tail.lock().unwrap_or_else(PoisonError::into_inner).found
    }

    /// Waits for the end of what is on its way, and gives the last lines.
    pub(super) fn last_lines(&self) -> Vec<Text> {
        let until = Clock::monotonic() + 1.0;
        while self.threads.iter().any(|thread| !thread.is_finished()) && Clock::monotonic() < until {
            Clock::sleep(0.01);
        }
        let tail = self.tail.lock().unwrap_or_else(PoisonError::into_inner);
        tail.lines.iter().map(|line| Text::from_bytes(line)).collect()
    }
}

/// A line that is not complete yet, and the end of what was printed, in which the text may begin.
#[derive(Default)]
struct Line {
    open: bool,
    end: Vec<u8>,
}

#[derive(Default)]
struct Tail {
    lines: VecDeque<Vec<u8>>,
    wanted: Vec<u8>,
    found: bool,
}

impl Tail {
    fn take(&mut self, line: &mut Line, new: &[u8]) {
        for piece in new.split_inclusive(|byte| *byte == b'\n') {
            if !line.open {
                self.lines.push_back(Vec::new());
                if self.lines.len() > LINES {
                    self.lines.pop_front();
                }
            }
            line.open = !piece.ends_with(b"\n");
            if let Some(last) = self.lines.back_mut() {
                let room = LINE_BYTES.saturating_sub(last.len());
                last.extend(piece.iter().filter(|byte| **byte != b'\n').take(room));
            }
        }
        if !self.wanted.is_empty() && !self.found {
            line.end.extend(new);
            self.found = line.end.windows(self.wanted.len()).any(|window| window == self.wanted);
            let old = line.end.len().saturating_sub(self.wanted.len() - 1);
            line.end.drain(..old);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_lines_and_a_text_in_pieces() {
        let mut tail = Tail { wanted: b"ready to serve".to_vec(), ..Tail::default() };
        let mut line = Line::default();
        for piece in ["one\ntwo\nserver is rea", "dy to", " serve"] {
            assert!(!tail.found);
            tail.take(&mut line, piece.as_bytes());
        }
        assert!(tail.found);
        let lines: Vec<_> =
            tail.lines.iter().map(|line| String::from_utf8_lossy(line).into_owned()).collect();
        assert_eq!(lines, ["one", "two", "server is ready to serve"]);
        for number in 0..100 {
            tail.take(&mut line, format!("\n{number} {}", "x".repeat(1_000)).as_bytes());
        }
        assert_eq!(tail.lines.len(), LINES);
        assert!(tail.lines.back().is_some_and(|line| line.len() == LINE_BYTES && line.starts_with(b"99 ")));
    }
}
