//! The few figures of a look that growth is judged from.

use std::collections::HashMap;

use detect::heap::Census;
use detect::rules::{JvmPoint, Point};
use model::{Collector, HostReading, JvmCounters, MemoryMap, Perms, ProcessReading};

use crate::source::HostPoint;

/// How many sizes of anonymous mappings are kept per look.
const SIZES_KEPT: usize = 32;

/// The figures of one process in one look.
pub(crate) fn point(process: &ProcessReading, at_boot_s: f64, memory: Option<&MemoryMap>) -> Point {
    let status = process.status.value();
    let dead = |state: char| state == 'Z' || state == 'X';
    Point {
        at_boot_s,
        threads: Some(process.stat.threads),
        descriptors: process.descriptors.value().map(|d| d.total),
        descriptor_kinds: process.descriptors.value().map_or_else(Vec::new, |d| {
            d.kinds.iter().map(|k| (k.kind.as_str().to_owned(), k.count)).collect()
        }),
        children: process.children.value().map(|children| {
            let zombies = children.iter().filter(|c| dead(c.state)).count() as u64;
            (children.len() as u64 - zombies, zombies)
        }),
        mappings: process.space.value().map(|s| s.mappings.len() as u64),
        classes: memory.map_or_else(Vec::new, |m| m.classes.clone()),
        virtual_size: Some(process.stat.virtual_size),
        resident: process.statm.value().map(|s| s.resident),
        page_tables: status.and_then(|s| s.page_tables),
        anonymous_sizes: anonymous_sizes(process),
        jvm: process.jvm.value().map(jvm_point),
    }
}

/// The host's memory in one look, where it was read.
pub(super) fn host_point(host: &HostReading, at_unix_s: f64) -> Option<HostPoint> {
    let memory = host.memory.value()?;
    Some(HostPoint {
        at_unix_s,
        committed: Some(memory.committed.0),
        limit: Some(memory.commit_limit.0),
        used: Some(memory.total.0.saturating_sub(memory.available.0)),
    })
}

/// The histogram of this very look, if one was taken.
pub(super) fn census(process: &ProcessReading, at_boot_s: f64) -> Option<Census> {
    let inside = process.inside.value().filter(|inside| !inside.histogram.is_empty())?;
    Some(Census {
        at_boot_s,
        collections: process.jvm.value().map(|jvm| jvm_point(jvm).collections),
        classes: inside.histogram.clone(),
        loaders: inside.loaders.clone(),
        buffers: inside.buffers.clone(),
    })
}

fn jvm_point(jvm: &JvmCounters) -> JvmPoint {
    let all: u64 = jvm.collectors.iter().map(|collector| collector.collections).sum();
    let tenured = jvm.generations.iter().rfind(|generation| generation.tenured);
    // The first collects the young. G1's concurrent cycles only mark: what they found dead goes with later young ones.
    let empties = |(at, collector): &(usize, &Collector)| {
        let name = collector.name.as_str();
        *at > 0 && !name.contains("phases") && !name.contains("concurrent")
    };
    // Collectors without generations collect the whole heap each time.
    let major = if jvm.generations.len() > 1 {
        jvm.collectors.iter().enumerate().filter(empties).map(|(_, collector)| collector.collections).sum()
    } else {
        all
    };
    JvmPoint {
        major,
        collections: all,
        live: tenured.map(|generation| generation.space.used.0 as f64),
        live_limit: tenured.and_then(|generation| generation.space.limit).map(|bytes| bytes.0 as f64),
    }
}

fn anonymous_sizes(process: &ProcessReading) -> Vec<(u64, u64)> {
    let Some(space) = process.space.value() else { return Vec::new() };
    let mut counts: HashMap<u64, u64> = HashMap::new();
    for mapping in
        space.mappings.iter().filter(|m| m.inode == 0 && m.perms == Perms(Perms::READ | Perms::WRITE))
    {
        *counts.entry(mapping.size().0).or_default() += 1;
    }
    let mut sizes: Vec<(u64, u64)> = counts.into_iter().collect();
    sizes.sort_unstable_by_key(|(size, count)| (std::cmp::Reverse(*count), *size));
    sizes.truncate(SIZES_KEPT);
    sizes
}
