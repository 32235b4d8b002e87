//! What an attached JVM tells of its inside, as the model has it. Each function says how long its commands took: the JVM
//! stood still for no longer than that.
//!
//! | function | commands | stands still |
//! |---|---|---|
//! | [`thread_dump`] | Thread.print | for the whole dump: up to 0.12 ms a thread |
//! | [`heap`] | GC.heap_info, GC.class_histogram -all, VM.classloader_stats, VM.native_memory, VM.flags | while objects are counted: up to a second a GiB, estimated first |
//! | [`native_memory`], [`flags`] | VM.native_memory, VM.flags | not |
//! | [`properties`] | VM.system_properties | not; runs Java code in the listener's thread |

use model::{BufferPool, JvmInside};

use super::answers::{
    flags as flag_list, heap_info, histogram, loaders, native_memory as nmt, thread_dump as dump,
};
use super::answers::{histogram::Histogram, native_memory::NativeMemory, properties::Property};
use super::attach::{Attachment, Patience, Refusal, Seconds};
use crate::Clock;

/// How long commands took.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Cost {
    /// All of them together: what the target stood still for is less.
    pub seconds: f64,
    /// The longest one: no single pause was longer.
    pub longest_s: f64,
}

impl Cost {
    fn add(&mut self, seconds: f64) {
        self.seconds += seconds;
        self.longest_s = self.longest_s.max(seconds);
    }
}

/// How long a dump of so many threads may take at most: 3,000 took 60 to 340 ms.
#[must_use]
pub fn dump_estimate_s(threads: u64) -> f64 {
    0.002 + 0.12e-3 * threads as f64
}

/// How long objects of so many bytes may take to be counted at most: 0.35 s a GiB of small ones with G1, Parallel and
/// Serial, 0.6 s with ZGC, on two cores.
#[must_use]
pub fn histogram_estimate_s(used_bytes: u64) -> f64 {
    0.01 + used_bytes as f64 / f64::from(1 << 30)
}

/// Full names, states and stacks. Never with lock scans, which walk the whole heap.
pub fn thread_dump(
    attachment: &mut Attachment,
    patience: &Patience<'_>,
    into: &mut JvmInside,
) -> Result<Cost, Refusal> {
    let mut asking = Asking { attachment, patience, cost: Cost::default() };
    into.threads = dump::parse(&asking.ask("Thread.print")?);
    Ok(asking.cost)
}

/// Objects by class, class loaders and buffers. Nothing is counted when it may take longer than `budget_s`.
pub fn heap(
    attachment: &mut Attachment,
    patience: &Patience<'_>,
    budget_s: f64,
    into: &mut JvmInside,
) -> Result<Cost, Refusal> {
    let mut asking = Asking { attachment, patience, cost: Cost::default() };
    let used = asking.heap_used()?;
    let estimate_s = histogram_estimate_s(used);
    if estimate_s > budget_s {
        return Err(Refusal::TooLong {
            what: "counting the objects on its heap".to_owned(),
            estimate_s: Seconds::from_s(estimate_s),
            budget_s: Seconds::from_s(budget_s),
        });
    }
    // Without -all the JVM would collect all garbage first.
    let counted = histogram::parse(&asking.ask("GC.class_histogram -all")?);
    match asking.ask("VM.classloader_stats") {
        Ok(answer) => into.loaders = loaders::parse(&answer),
        Err(refusal) => missing("class loaders", refusal, into)?,
    }
    let memory = match asking.ask("VM.native_memory summary") {
        Ok(answer) => nmt::parse(&answer),
        Err(refusal) => {
            missing("native memory by category", refusal, into)?;
            NativeMemory::default()
        }
    };
    let flags = flag_list::parse(&asking.ask("VM.flags")?);
    let limit = flag_list::value(&flags, "MaxDirectMemorySize").and_then(|value| value.parse().ok());
    // Unless it is set, the limit is that of the heap.
    let limit = limit
        .filter(|limit| *limit > 0)
        .or_else(|| flag_list::value(&flags, "MaxHeapSize").and_then(|value| value.parse().ok()));
    into.buffers = buffers(&counted, &memory, limit, into);
    into.histogram = counted.classes;
    if counted.total.is_none() {
        into.missing.push("the end of the class histogram: the JVM cut it off".to_owned());
    }
    Ok(asking.cost)
}

/// How the sentence begins that says so.
pub const BUFFERS_UNKNOWN: &str = "bytes in direct buffers";

/// Bytes in use on the heap; what is resident where the JVM doesn't tell.
pub fn heap_used(attachment: &mut Attachment, patience: &Patience<'_>) -> Result<u64, Refusal> {
    Asking { attachment, patience, cost: Cost::default() }.heap_used()
}

/// Direct and mapped buffers, as far as attaching tells: how many, and the bytes only where native memory is tracked.
fn buffers(
    counted: &Histogram,
    memory: &NativeMemory,
    limit: Option<u64>,
    into: &mut JvmInside,
) -> Vec<BufferPool> {
    let direct = histogram::direct_buffers(counted);
    let mut pools = Vec::new();
    if let Some((bytes, count)) = memory.unsafe_memory {
        pools.push(BufferPool { kind: "direct".into(), count, bytes, limit, source: "nmt".into() });
    } else if direct > 0 {
        into.missing.push(format!(
            "{BUFFERS_UNKNOWN}: {direct}; known to the agent (--access agent) and to -XX:NativeMemoryTracking=summary"
        ));
        pools.push(BufferPool {
            kind: "direct".into(),
            count: direct,
            bytes: 0,
            limit,
            source: "histogram".into(),
        });
    }
    let mapped = histogram::mapped_buffers(counted);
    if mapped > 0 {
        pools.push(BufferPool {
            kind: "mapped".into(),
            count: mapped,
            source: "histogram".into(),
            ..BufferPool::default()
        });
    }
    pools
}

/// Native memory by category, when it is tracked; else what would make it so.
pub fn native_memory(
    attachment: &mut Attachment,
    patience: &Patience<'_>,
    into: &mut JvmInside,
) -> Result<Cost, Refusal> {
    let mut asking = Asking { attachment, patience, cost: Cost::default() };
    into.nmt = nmt::parse(&asking.ask("VM.native_memory summary")?).categories;
    if into.nmt.is_empty() {
        into.missing.push(
            "native memory by category: not tracked; started with -XX:NativeMemoryTracking=summary (5 to 10 % slower) \
             it would be"
                .to_owned(),
        );
    }
    Ok(asking.cost)
}

/// Flags that are not at their default.
pub fn flags(
    attachment: &mut Attachment,
    patience: &Patience<'_>,
    into: &mut JvmInside,
) -> Result<Cost, Refusal> {
    let mut asking = Asking { attachment, patience, cost: Cost::default() };
    into.flags = flag_list::parse(&asking.ask("VM.flags")?);
    Ok(asking.cost)
}

/// System properties, those that look like secrets without their values.
pub fn properties(
    attachment: &mut Attachment,
    patience: &Patience<'_>,
) -> Result<(Vec<Property>, Cost), Refusal> {
    let mut asking = Asking { attachment, patience, cost: Cost::default() };
    let found = super::answers::properties::parse(&asking.ask("VM.system_properties")?);
    Ok((found, asking.cost))
}

/// Commands with the time they take.
struct Asking<'a> {
    attachment: &'a mut Attachment,
    patience: &'a Patience<'a>,
    cost: Cost,
}

impl Asking<'_> {
    fn heap_used(&mut self) -> Result<u64, Refusal> {
        let used = match self.ask("GC.heap_info") {
            Ok(answer) => heap_info::used(&answer),
            // Early builds of JDK 8 have no such command.
            Err(Refusal::Command { .. }) => None,
            Err(refusal) => return Err(refusal),
        };
        match used {
            Some(used) => Ok(used),
            None => self.attachment.target().resident(),
        }
    }

    fn ask(&mut self, command: &str) -> Result<String, Refusal> {
        let began = Clock::monotonic();
        let answer = self.attachment.jcmd(command, self.patience);
        self.cost.add(Clock::monotonic() - began);
        answer
    }
}

/// What an older JVM doesn't know is missing; everything else ends it.
fn missing(what: &str, refusal: Refusal, into: &mut JvmInside) -> Result<(), Refusal> {
    match refusal {
        Refusal::Command { .. } => {
            into.missing.push(format!("{what}: {refusal}"));
            Ok(())
        }
        other => Err(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::ClassCount;

    #[test]
    fn buffers_say_who_counted_them() {
        let class = |class: &str, instances| ClassCount { class: class.into(), instances, bytes: 1 };
        let counted = Histogram {
            classes: vec![
                class("java.nio.DirectByteBuffer$Deallocator", 3),
                class("sun.nio.ch.FileChannelImpl$DefaultUnmapper", 2),
            ],
            total: None,
        };
        let tracked = NativeMemory { unsafe_memory: Some((4096, 7)), ..NativeMemory::default() };
        let mut inside = JvmInside::default();
        let pools = buffers(&counted, &tracked, Some(1), &mut inside);
        let short: Vec<_> = pools.iter().map(|one| (one.source.as_str(), one.count, one.bytes)).collect();
        assert_eq!(short, [("nmt", 7, 4096), ("histogram", 2, 0)]);
        assert_eq!(inside.missing, [""; 0]);
        let pools = buffers(&counted, &NativeMemory::default(), None, &mut inside);
        assert_eq!((pools[0].count, pools[0].bytes, pools[0].source.as_str()), (3, 0, "histogram"));
        assert!(inside.missing[0].starts_with("bytes in direct buffers: 3;"), "{:?}", inside.missing);
        assert_eq!(buffers(&Histogram::default(), &NativeMemory::default(), None, &mut inside), []);
    }

    #[test]
    fn estimates_grow_with_what_there_is() {
        assert!((0.3..0.5).contains(&dump_estimate_s(3000)));
        assert!((1.0..1.1).contains(&histogram_estimate_s(1 << 30)));
    }
}
