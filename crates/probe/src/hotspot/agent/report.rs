//! Reading the agent's reports: owners and creation sites.

use std::collections::HashMap;

use model::{
    BufferPool, CreationSite, FoundSchedule, HeapHolder, HeapPath, HeapStep, HeldClass, JavaFrame, OwnerLink,
    PoolState, Text, ThreadOwner,
};

use super::layout::{
    BUFFERS, CLASS, CUT, END, HOLDER, OWNER, PATH, REPORT, ROLES, SCHEDULES, SITE, STEPS, UNKNOWN, WALK,
};
use super::names;
use super::records::{Cursor, records, text};

/// What a report says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// Owners, those of the most threads first.
    pub owners: Vec<ThreadOwner>,
    /// Sites, in the order of their classes.
    pub sites: Vec<CreationSite>,
    /// Who holds the objects that were asked for, in the order of their classes.
    pub held: Vec<HeldClass>,
    /// Direct buffers, when there ever were any.
    pub buffers: Option<BufferPool>,
    /// The walk over the heap, when there was one.
    pub walk: Option<Walk>,
    /// Threads or classes that were looked at.
    pub seen: u64,
    /// Seconds that it took in the target.
    pub took_s: f64,
    /// Is it all: did it end by itself, and nothing was left out?
    pub whole: bool,
}

/// A walk over the heap.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Walk {
    /// Seconds that the target stood still.
    pub paused_s: f64,
    /// References that were followed.
    pub references: u64,
    /// It was ended before it had seen everything.
    pub cut: bool,
}

/// A class that a report names.
struct Class {
    name: Text,
    origin: Option<Text>,
    of_jdk: bool,
}

/// Reads a report from its bytes. What is no report is an empty one, and not whole.
#[must_use]
pub fn parse(bytes: &[u8]) -> Report {
    let mut report = Report::default();
    let Some((magic, rest)) = bytes.split_first_chunk() else { return report };
    if u64::from_ne_bytes(*magic) != REPORT {
        return report;
    }
    let classes: HashMap<u32, Class> = records(rest)
        .filter(|(kind, _)| *kind == CLASS)
        .filter_map(|(_, payload)| class(&mut Cursor::new(payload)))
        .collect();
    for (kind, payload) in records(rest) {
        let mut from = Cursor::new(payload);
        match kind {
            OWNER => report.owners.extend(owner(&mut from, &classes)),
            SITE => report.sites.extend(site(&mut from, &classes)),
            HOLDER => {
                if let Some((class, holder)) = held(&mut from, &classes) {
                    of_class(&mut report.held, class).holders.push(holder);
                }
            }
            PATH => {
                if let Some((class, path)) = path(&mut from, &classes) {
                    of_class(&mut report.held, class).paths.push(path);
                }
            }
            BUFFERS => report.buffers = buffers(&mut from).or_else(|| report.buffers.take()),
            WALK => {
                if let (Some(flags), Some(_), Some(ns), Some(references)) =
                    (from.u32(), from.u32(), from.u64(), from.u64())
                {
                    let cut = flags & CUT != 0;
                    report.walk = Some(Walk { paused_s: ns as f64 / 1e9, references, cut });
                }
            }
            END => {
                let numbers = (from.u32(), from.u32(), from.u64());
                if let (Some(flags), Some(seen), Some(ns)) = numbers {
                    report.whole = flags & CUT == 0;
                    report.seen = u64::from(seen);
                    report.took_s = ns as f64 / 1e9;
                }
            }
            _ => {}
        }
    }
    report.owners.sort_by_key(|owner| std::cmp::Reverse(owner.count));
    report
}

fn class(from: &mut Cursor<'_>) -> Option<(u32, Class)> {
    let (number, flags, signature, source) = (from.u32()?, from.u32()?, from.bytes()?, from.bytes()?);
    let of_jdk = names::is_of_jdk(flags, source);
    let origin = if of_jdk { None } else { names::origin(source) };
    Some((number, Class { name: names::class(signature), origin, of_jdk }))
}

fn known(number: u32) -> Option<u64> {
    (number != UNKNOWN).then_some(u64::from(number))
}

fn owner(from: &mut Cursor<'_>, classes: &HashMap<u32, Class>) -> Option<ThreadOwner> {
    let name = |number: u32| classes.get(&number).map(|class| class.name.clone());
    let (thread, loader, pool) = (from.u32()?, from.u32()?, from.u32()?);
    let (core, maximum) = (from.u32()?, from.u32()?);
    let (count, pools, shut_down) = (from.u32()?, from.u32()?, from.u32()?);
    let queued = from.u64()?;
    let links = from.list(|from| link(from, classes))?;
    let sources = from.list(|from| from.bytes().map(names::origin))?;
    let schedules = from.list(schedule)?;
    let examples = from.list(Cursor::text)?;
    let mut java_ids = from.list(Cursor::u64)?;
    java_ids.sort_unstable();
    let unheld = from.u32()?;
    let holders = from.list(|from| holder(from, classes))?;
    let steps = from.list(|from| step(from, classes))?;
    Some(ThreadOwner {
        examples,
        count: u64::from(count),
        java_ids,
        thread_class: name(thread).unwrap_or_default(),
        links,
        pool: name(pool).map(|class| PoolState {
            class,
            pools: u64::from(pools),
            core: known(core),
            maximum: known(maximum),
            queued,
            shut_down: u64::from(shut_down),
            unheld: known(unheld),
            holders,
            path: (!steps.is_empty()).then_some(HeapPath { steps, holds: None }),
        }),
        context_loader: name(loader),
        inherited_sources: sources.into_iter().flatten().collect(),
        schedules,
    })
}

fn link(from: &mut Cursor<'_>, classes: &HashMap<u32, Class>) -> Option<OwnerLink> {
    let (role, number, path) = (from.u32()?, from.u32()?, from.text()?);
    let role = ROLES.get(role as usize).copied().unwrap_or("captured");
    let class = classes.get(&number);
    Some(OwnerLink {
        role: Text::from(role),
        path,
        class: class.map(|class| class.name.clone()).unwrap_or_default(),
        origin: class.and_then(|class| class.origin.clone()),
        application: class.is_some_and(|class| !class.of_jdk),
    })
}

fn schedule(from: &mut Cursor<'_>) -> Option<FoundSchedule> {
    let (kind, period, what, expression) = (from.u32()?, from.u64()?, from.bytes()?, from.text()?);
    // A pool's or timer's task is named by its class, a job by its name.
    let kind = SCHEDULES.get(kind as usize).copied().unwrap_or_default();
    let what = if matches!(kind, "scheduled-pool" | "timer") { names::class(what) } else { text(what) };
    Some(FoundSchedule {
        kind: Text::from(kind),
        what,
        expression: Some(expression).filter(|expression| !expression.as_str().is_empty()),
        period_s: (period > 0).then_some(period as f64 / 1e9),
    })
}

fn of_class(held: &mut Vec<HeldClass>, class: Text) -> &mut HeldClass {
    // Few: some classes were asked for.
    let at = held.iter().position(|one| one.class == class).unwrap_or(held.len());
    if at == held.len() {
        held.push(HeldClass { class, ..HeldClass::default() });
    }
    &mut held[at]
}

fn step(from: &mut Cursor<'_>, classes: &HashMap<u32, Class>) -> Option<HeapStep> {
    let (kind, class, name) = (from.u32()?, from.u32()?, from.text()?);
    let kind = STEPS.get(kind as usize).copied().unwrap_or("jvm");
    Some(HeapStep { kind: kind.into(), class: classes.get(&class).map(|class| class.name.clone()), name })
}

fn holder(from: &mut Cursor<'_>, classes: &HashMap<u32, Class>) -> Option<HeapHolder> {
    Some(HeapHolder { by: step(from, classes)?, count: from.u64()?, bytes: from.u64()? })
}

fn held(from: &mut Cursor<'_>, classes: &HashMap<u32, Class>) -> Option<(Text, HeapHolder)> {
    let class = from.u32()?;
    Some((classes.get(&class)?.name.clone(), holder(from, classes)?))
}

fn path(from: &mut Cursor<'_>, classes: &HashMap<u32, Class>) -> Option<(Text, HeapPath)> {
    let class = from.u32()?;
    let holds = Some(from.u64()?).filter(|holds| *holds > 0);
    let steps = from.list(|from| step(from, classes))?;
    Some((classes.get(&class)?.name.clone(), HeapPath { steps, holds }))
}

/// java.nio.Bits counts from what was asked for; with alignment is what was taken.
fn buffers(from: &mut Cursor<'_>) -> Option<BufferPool> {
    let (count, _asked, reserved, limit) = (from.u64()?, from.u64()?, from.u64()?, from.u64()?);
    let limit = Some(limit).filter(|limit| (1..u64::MAX / 2).contains(limit));
    Some(BufferPool { kind: "direct".into(), count, bytes: reserved, limit, source: "agent".into() })
}

fn site(from: &mut Cursor<'_>, classes: &HashMap<u32, Class>) -> Option<CreationSite> {
    let class = classes.get(&from.u32()?)?;
    let line = from.u32()?.cast_signed();
    let (method, file) = (from.text()?, from.text()?);
    let (called_class, called_method) = (from.text()?, from.text()?);
    let at = JavaFrame {
        class: class.name.clone(),
        method,
        file: Some(file).filter(|file| !file.as_str().is_empty()),
        line: u32::try_from(line).ok().filter(|line| *line > 0),
        origin: class.origin.clone(),
        of_jdk: class.of_jdk,
    };
    let makes = format!("{}.{}", called_class.as_str().replace('/', "."), called_method.as_str());
    Some(CreationSite { at, makes: Text::from(makes) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn record(kind: u32, payload: &[u8]) -> Vec<u8> {
        let length = (payload.len() + 15) & !7;
        let mut record = [&(length as u32).to_ne_bytes()[..], &kind.to_ne_bytes(), payload].concat();
        record.resize(length, 0);
        record
    }

    fn report(records: &[Vec<u8>]) -> Vec<u8> {
        [&REPORT.to_ne_bytes()[..], &records.concat()].concat()
    }

    #[test]
    fn a_report_that_has_no_end_is_not_whole() {
        let end = [&0_u32.to_ne_bytes()[..], &7_u32.to_ne_bytes(), &3_000_000_u64.to_ne_bytes()].concat();
        let whole = parse(&report(&[record(END, &end)]));
        assert_eq!((whole.whole, whole.seen, whole.took_s), (true, 7, 0.003));
        assert!(!parse(&report(&[])).whole);
        assert!(!parse(b"").whole);
    }

    proptest! {
        #[test]
        fn arbitrary_reports_never_panic(
            records in prop::collection::vec((16_u32..24, prop::collection::vec(any::<u8>(), 0..80)), 0..32),
            rest in prop::collection::vec(any::<u8>(), 0..64),
        ) {
            let mut bytes = report(&records.iter().map(|(kind, payload)| record(*kind, payload)).collect::<Vec<_>>());
            bytes.extend_from_slice(&rest);
            let found = parse(&bytes);
            let told = found.owners.len() + found.sites.len() + found.held.len();
            prop_assert!(told <= bytes.len() / 8);
            let _ = parse(&rest);
        }
    }
}
