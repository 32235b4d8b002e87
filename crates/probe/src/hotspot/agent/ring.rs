//! Reading a ring (`agent/layout.rs`): the agent goes on writing while it is read, and anybody of the target's user may
//! have written anything. The result is bounded by the bytes that were read.

use std::collections::{BTreeMap, HashMap};

use model::{JavaBirth, JavaFrame, SpawnStack, Text};

use super::layout::{
    BIRTH, CUT, FAILED, H_ASSUMED, H_CLOCK, H_DROPPED, H_FAILED, H_MAGIC, H_NS, H_STARTS, H_STATE, H_USED,
    HEADER, MAGIC, METHOD, NO_SLOT, RECORDS, RUBY, SLOTS, STACK,
};
use super::names;
use super::records::{Cursor, records};

/// What a ring says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ring {
    /// One for each distinct stack, those with the most starts first. Times of birth are ns on the agent's clock,
    /// as seconds.
    pub spawns: Vec<SpawnStack>,
    /// Thread starts seen.
    pub starts: u64,
    /// Of them failed.
    pub failed: u64,
    /// Records that found no place.
    pub dropped: u64,
    /// Starts whose stack was read in part, and taken to be one that was seen often.
    pub assumed: u64,
    /// Nanoseconds in the hook, all starts.
    pub hook_ns: u64,
    /// The agent's clock when it took the ring over, ns; 0 before that.
    pub clock_ns: u64,
    /// Bytes of the file that were written, as it says.
    pub used_bytes: u64,
    /// `layout::ON`, `STOPPED`, `EXPIRED`, or 0.
    pub state: u64,
}

/// Reads a ring from its bytes. What is no ring is an empty one.
#[must_use]
pub fn parse(bytes: &[u8]) -> Ring {
    let word = |at: usize| {
        let word = bytes.get(at..).and_then(|rest| rest.first_chunk());
        word.map_or(0, |word| u64::from_ne_bytes(*word))
    };
    if word(H_MAGIC) != MAGIC {
        return Ring::default();
    }
    let mut found = Found::default();
    for (kind, payload) in records(bytes.get(RECORDS..).unwrap_or_default()) {
        // A record that makes no sense is left out; the next is as good as ever.
        let _ = found.take(kind, &mut Cursor::new(payload));
    }
    let counts = |slot: u32| {
        let at = HEADER + (slot as usize).min(SLOTS - 1) * 16;
        (word(at), word(at + 8))
    };
    Ring {
        spawns: found.spawns(counts),
        starts: word(H_STARTS),
        failed: word(H_FAILED),
        dropped: word(H_DROPPED),
        assumed: word(H_ASSUMED),
        hook_ns: word(H_NS),
        clock_ns: word(H_CLOCK),
        used_bytes: word(H_USED).saturating_add(RECORDS as u64),
        state: word(H_STATE),
    }
}

#[derive(Default)]
struct Found {
    methods: HashMap<u64, JavaFrame>,
    stacks: BTreeMap<u32, (Vec<(u64, i32)>, bool)>,
    ruby: BTreeMap<u32, BTreeMap<u32, JavaFrame>>,
    births: BTreeMap<u32, Vec<JavaBirth>>,
}

impl Found {
    fn take(&mut self, kind: u32, from: &mut Cursor<'_>) -> Option<()> {
        match kind {
            METHOD => {
                let key = from.u64()?;
                self.methods.insert(key, method(from)?);
            }
            STACK => {
                let (slot, flags) = (slot(from)?, from.u32()?);
                let frames = from.list(|from| {
                    let (method, line) = (from.u64()?, from.u32()?);
                    from.u32()?;
                    Some((method, line.cast_signed()))
                })?;
                self.stacks.insert(slot, (frames, flags & CUT != 0));
            }
            BIRTH => {
                let (slot, flags) = (from.u32()?, from.u32()?);
                let (time, java_id) = (from.u64()?, from.u64()?);
                let birth = JavaBirth {
                    name: from.text()?,
                    java_id,
                    starter: from.text()?,
                    at_boot_s: time as f64 / 1e9,
                    failed: flags & FAILED != 0,
                };
                self.births.entry(slot).or_default().push(birth);
            }
            RUBY => {
                let (slot, index, line) = (slot(from)?, from.u32()?, from.u32()?);
                let frame = JavaFrame {
                    class: Text::from("ruby"),
                    method: from.text()?,
                    file: Some(from.text()?).filter(|file| !file.as_str().is_empty()),
                    line: (line > 0).then_some(line),
                    ..JavaFrame::default()
                };
                self.ruby.entry(slot).or_default().insert(index, frame);
            }
            _ => {}
        }
        Some(())
    }

    fn spawns(mut self, counts: impl Fn(u32) -> (u64, u64)) -> Vec<SpawnStack> {
        let mut slots: Vec<u32> = self.stacks.keys().chain(self.births.keys()).copied().collect();
        slots.sort_unstable();
        slots.dedup();
        let mut spawns = Vec::with_capacity(slots.len());
        for slot in slots {
            let (frames, cut) = self.stacks.remove(&slot).unwrap_or_default();
            let mut frames: Vec<JavaFrame> =
                frames.into_iter().map(|(method, line)| self.frame(method, line)).collect();
            let ruby: Vec<JavaFrame> = self.ruby.remove(&slot).unwrap_or_default().into_values().collect();
            let at = frames.iter().position(|frame| frame.class.as_str().starts_with("org.jruby."));
            let at = at.unwrap_or(frames.len());
            frames.splice(at..at, ruby);
            let mut births = self.births.remove(&slot).unwrap_or_default();
            births.sort_by(|a, b| a.at_boot_s.total_cmp(&b.at_boot_s));
            let recorded = births.len() as u64;
            let recorded_failed = births.iter().filter(|birth| birth.failed).count() as u64;
            let (count, failed) = if slot == NO_SLOT { (0, 0) } else { counts(slot) };
            let (count, failed) = (count.max(recorded), failed.max(recorded_failed));
            if count > 0 {
                spawns.push(SpawnStack { source: Text::from("agent"), frames, cut, births, count, failed });
            }
        }
        spawns.sort_by_key(|spawn| std::cmp::Reverse(spawn.count));
        spawns
    }

    fn frame(&self, method: u64, line: i32) -> JavaFrame {
        let line = u32::try_from(line).ok().filter(|line| *line > 0);
        let known = self.methods.get(&method).cloned();
        JavaFrame {
            line,
            ..known.unwrap_or_else(|| JavaFrame { class: Text::from("?"), ..JavaFrame::default() })
        }
    }
}

fn slot(from: &mut Cursor<'_>) -> Option<u32> {
    from.u32().filter(|slot| (*slot as usize) < SLOTS)
}

fn method(from: &mut Cursor<'_>) -> Option<JavaFrame> {
    let flags = from.u32()?;
    let (class, method) = (names::class(from.bytes()?), from.text()?);
    let (file, source) = (from.text()?, from.bytes()?);
    let of_jdk = names::is_of_jdk(flags, source);
    let origin = if of_jdk { None } else { names::origin(source) };
    let file = Some(file).filter(|file| !file.as_str().is_empty());
    Some(JavaFrame { class, method, file, line: None, origin, of_jdk })
}

#[cfg(test)]
#[path = "ring/tests.rs"]
mod tests;
