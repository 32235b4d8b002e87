//! One cause, one finding. A leaked thread shows as a thread, a stack, mappings, address space, resident memory
//! and page tables; each of these series is a leak by itself, and all of them are one.

use model::{Column, Measure, MemoryClass, SeriesVerdict};

/// Series that grow for one cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Related {
    /// Which of the given verdicts names the cause best.
    pub leader: usize,
    /// Those it explains.
    pub explained: Vec<usize>,
}

/// Two rates that belong together may be so many times apart from what they should be, as each is measured
/// with an error of its own.
const SLACK: f64 = 1.5;

/// Share of a total's growth that its part must make up to explain it.
const LEAST_PART: f64 = 0.5;

/// Beginnings further apart than this share of the longer window are no one beginning.
const SAME_BEGINNING: f64 = 0.35;

/// Gathers the growing ones (Growing, Leak) among these verdicts by cause, the surest leader first. Verdicts of
/// several processes may be given; only those of one process are ever related. Each index is in exactly one
/// group, or in none when nothing grows there.
#[must_use]
pub fn related(verdicts: &[SeriesVerdict]) -> Vec<Related> {
    let mut growing: Vec<usize> =
        (0..verdicts.len()).filter(|&k| verdicts[k].verdict.state.is_growth()).collect();
    growing.sort_by_key(|&k| {
        let one = &verdicts[k];
        (rank(one.column), std::cmp::Reverse(one.verdict.state), one.column, one.process, k)
    });
    let mut groups: Vec<Related> = Vec::new();
    for k in growing {
        let found = groups.iter_mut().find(|group| explains(&verdicts[group.leader], &verdicts[k]));
        match found {
            Some(group) => group.explained.push(k),
            None => groups.push(Related { leader: k, explained: Vec::new() }),
        }
    }
    groups.sort_by_key(|group| {
        let verdict = &verdicts[group.leader].verdict;
        (std::cmp::Reverse(verdict.state), std::cmp::Reverse(verdict.confirmed), group.leader)
    });
    groups
}

/// How near to a cause a column is: things that are made and not ended first, then what memory is for, then
/// totals that contain the others.
fn rank(column: Column) -> u8 {
    match column {
        Column::Threads | Column::ThreadsStarted | Column::ThreadsBorn => 0,
        Column::Children | Column::Zombies => 1,
        Column::Descriptors => 2,
        Column::HeapLive | Column::Classes => 3,
        Column::Metaspace => 4,
        Column::Class(MemoryClass::ThreadStack, _) => 5,
        Column::Class(_, Measure::Touched) => 6,
        Column::Class(_, Measure::Committed) => 7,
        Column::Class(..) => 8,
        Column::HeapUsed => 9,
        Column::Anonymous => 10,
        Column::Resident => 11,
        Column::Pss => 12,
        Column::Swapped => 13,
        Column::Mappings => 14,
        Column::Data => 15,
        Column::Virtual => 16,
        Column::PageTables => 17,
        _ => 18,
    }
}

fn explains(leader: &SeriesVerdict, other: &SeriesVerdict) -> bool {
    if leader.process != other.process {
        return false;
    }
    let (Some(cause), Some(effect)) = (leader.verdict.rate_per_s, other.verdict.rate_per_s) else {
        return false;
    };
    cause > 0.0 && effect > 0.0 && began_together(leader, other) && fits(leader, other, cause, effect)
}

fn began_together(a: &SeriesVerdict, b: &SeriesVerdict) -> bool {
    let (Some(first), Some(second)) = (a.verdict.since_s, b.verdict.since_s) else { return true };
    (first - second).abs() <= SAME_BEGINNING * a.verdict.window_s.max(b.verdict.window_s)
}

/// Can so much of the one come from so much of the other?
fn fits(leader: &SeriesVerdict, other: &SeriesVerdict, cause: f64, effect: f64) -> bool {
    if let Some((low, high)) = per_thing(leader.column, other.column) {
        let each = effect / cause;
        return low / SLACK <= each && each <= high * SLACK;
    }
    let bytes = |column: Column| column.name().ends_with("_bytes");
    // A part explains its total when it makes up much of it; a total never explains its part.
    bytes(leader.column)
        && bytes(other.column)
        && contains(other.column, leader.column)
        && cause * SLACK >= LEAST_PART * effect
}

/// What one thread, child or descriptor brings with it, from least to most.
fn per_thing(cause: Column, effect: Column) -> Option<(f64, f64)> {
    const KIB: f64 = 1024.0;
    const MIB: f64 = 1024.0 * KIB;
    let thread = matches!(cause, Column::Threads | Column::ThreadsStarted | Column::ThreadsBorn);
    let child = matches!(cause, Column::Children | Column::Zombies);
    let class = matches!(cause, Column::Classes);
    match effect {
        Column::Threads | Column::ThreadsStarted | Column::ThreadsBorn if thread => Some((1.0, 1.0)),
        Column::Class(MemoryClass::ThreadStack, Measure::Mappings) if thread => Some((1.0, 3.0)),
        Column::Class(MemoryClass::ThreadStack, Measure::Touched) if thread => Some((4.0 * KIB, 8.0 * MIB)),
        Column::Class(MemoryClass::ThreadStack, _) if thread => Some((16.0 * KIB, 1_024.0 * MIB)),
        Column::Class(MemoryClass::MallocArena | MemoryClass::Guard, _) if thread => Some((0.0, 128.0 * MIB)),
        Column::Mappings if thread => Some((1.0, 6.0)),
        Column::Virtual | Column::Data if thread => Some((16.0 * KIB, 1_024.0 * MIB)),
        Column::Resident | Column::Anonymous | Column::Pss | Column::Swapped if thread => {
            Some((1.0 * KIB, 8.0 * MIB))
        }
        Column::PageTables if thread => Some((0.0, 64.0 * KIB)),
        Column::Descriptors if thread => Some((0.5, 8.0)),
        Column::Zombies | Column::Children if child => Some((0.5, 1.0)),
        Column::Descriptors if child => Some((0.5, 8.0)),
        Column::Metaspace | Column::Class(MemoryClass::Metaspace, _) if class => Some((0.5 * KIB, MIB)),
        _ => None,
    }
}

/// Is the second part of the first?
fn contains(total: Column, part: Column) -> bool {
    let (outer, inner) = (rank(total), rank(part));
    match total {
        Column::Resident | Column::Pss | Column::Anonymous | Column::Swapped => {
            inner < outer && !matches!(part, Column::Class(_, Measure::Reserved | Measure::Mappings))
        }
        Column::Class(outer_class, _) => match part {
            Column::Class(inner_class, _) => inner_class == outer_class && inner < outer,
            Column::HeapLive | Column::HeapUsed => outer_class == MemoryClass::JavaHeap,
            Column::Metaspace => outer_class == MemoryClass::Metaspace,
            _ => false,
        },
        Column::HeapUsed => part == Column::HeapLive,
        Column::Data | Column::Virtual | Column::PageTables => inner < outer,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use model::{ProcessNo, State, Verdict};

    use super::*;

    fn grows(process: u32, column: Column, rate: f64) -> SeriesVerdict {
        let verdict = Verdict { state: State::Leak, rate_per_s: Some(rate), ..Verdict::default() };
        SeriesVerdict { process: ProcessNo(process), column, verdict }
    }

    /// A pool a minute: the founding case. The descriptors of another process have nothing to do with it.
    #[test]
    fn leaked_threads_explain_their_memory() {
        let rate = 1.0 / 60.0;
        let all = [
            grows(1, Column::Resident, rate * 84_000.0),
            grows(1, Column::Virtual, rate * 2_097_152.0),
            grows(1, Column::Class(MemoryClass::ThreadStack, Measure::Reserved), rate * 2_080_768.0),
            grows(1, Column::Threads, rate),
            grows(2, Column::Descriptors, rate),
        ];
        let groups = related(&all);
        assert_eq!(groups.len(), 2, "{groups:?}");
        assert_eq!(groups[0].leader, 3);
        assert_eq!(groups[0].explained, [2, 0, 1]);
        assert_eq!(groups[1], Related { leader: 4, explained: vec![] });
    }

    /// Ten threads an hour do not make a gigabyte an hour resident: that is another leak.
    #[test]
    fn what_is_far_too_much_is_another_cause() {
        let hour = 1.0 / 3_600.0;
        let all = [
            grows(1, Column::Threads, 10.0 * hour),
            grows(1, Column::Resident, 1e9 * hour),
            grows(1, Column::HeapLive, 0.9e9 * hour),
        ];
        let groups = related(&all);
        assert_eq!(groups.iter().map(|g| g.leader).collect::<Vec<_>>(), [0, 2]);
        assert_eq!(groups[1].explained, [1]);
    }

    #[test]
    fn what_does_not_grow_is_in_no_group() {
        let mut flat = grows(1, Column::Threads, 1.0);
        flat.verdict.state = State::Flat;
        assert!(related(&[flat]).is_empty());
    }
}
