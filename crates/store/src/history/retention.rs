//! How long what is kept, and what is to be done about it next.

use std::collections::BTreeSet;
use std::time::Duration;

use super::block::Head;

/// How long history is kept, and how finely.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Nothing older is kept.
    pub age: Duration,
    /// The file is kept from growing beyond these bytes: what is old is reduced sooner, then dropped.
    pub bytes: u64,
    /// Ticks are kept as they were recorded for so long; then one per minute stands for them, with its least, greatest
    /// and last values.
    pub full: Duration,
    /// One per minute for so long; then one per ten minutes.
    pub minutes: Duration,
    /// One per ten minutes for so long; then one per hour.
    pub ten_minutes: Duration,
}

const HOUR_MS: u64 = 3_600_000;
const DAY_MS: u64 = 24 * HOUR_MS;

impl Default for Retention {
    fn default() -> Self {
        let days = |days: u64| Duration::from_secs(days * 86_400);
        Self { age: days(400), bytes: 2 << 30, full: days(8), minutes: days(35), ten_minutes: days(120) }
    }
}

/// Ticks that a merged block may have: a day of them at ten seconds. One that has half of them is left alone.
const MERGED_TICKS: u32 = 8_640;

/// What to do.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Task {
    /// Drop the oldest block.
    Drop,
    /// Make one block of those at these places (first, one past the last), of this fineness.
    Join(usize, usize, u64),
}

/// The fineness that follows, for how long a block of it may be, by the limits of age.
fn steps(retention: &Retention) -> [(Duration, u64, u64); 3] {
    [
        (retention.ten_minutes, HOUR_MS, 60 * DAY_MS),
        (retention.minutes, 600_000, 14 * DAY_MS),
        (retention.full, 60_000, 2 * DAY_MS),
    ]
}

/// The next thing to do to blocks in the order of their ticks, as the store's clock stands. `stuck`: what is left as it is.
pub(super) fn next_task(
    retention: &Retention,
    blocks: &[Head],
    now_ms: u64,
    too_large: bool,
    stuck: &BTreeSet<u32>,
) -> Option<Task> {
    let age = |head: &Head| now_ms.saturating_sub(head.age_ms);
    let limit = |limit: Duration| u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
    if blocks.first().is_some_and(|first| age(first) > limit(retention.age)) {
        return Some(Task::Drop);
    }
    let reduce = |retention: &Retention, whole: bool| {
        steps(retention).into_iter().find_map(|(after, step_ms, span_ms)| {
            // Not so long that it waits for itself.
            let span_ms = span_ms.min(limit(after) / 2);
            let old = |head: &Head| age(head) > limit(after) && head.step_ms < step_ms;
            let (first, end) = group(blocks, whole, 1, stuck, old, |first, head| {
                head.last_ms.saturating_sub(first.first_ms) <= span_ms
            })?;
            Some(Task::Join(first, end, step_ms))
        })
    };
    if let Some(task) = reduce(retention, true) {
        return Some(task);
    }
    if too_large {
        let days = |days: u64| Duration::from_secs(days * 86_400);
        let sooner = Retention { full: days(1), minutes: days(3), ten_minutes: days(14), ..*retention };
        // The last block is what the next one follows.
        return reduce(&sooner, false).or((blocks.len() > 1).then_some(Task::Drop));
    }
    let mut ticks = 0;
    let (first, end) = group(
        blocks,
        true,
        2,
        stuck,
        |head| head.step_ms == 0 && head.ticks < MERGED_TICKS / 2,
        |first, head| {
            ticks = if std::ptr::eq(first, head) { 0 } else { ticks } + head.ticks;
            ticks <= MERGED_TICKS && head.last_ms.saturating_sub(first.first_ms) <= DAY_MS
        },
    )?;
    Some(Task::Join(first, end, 0))
}

/// The first blocks that belong together, `least` of them; where they are to be whole, no other may follow that would belong to them.
fn group(
    blocks: &[Head],
    whole: bool,
    least: usize,
    stuck: &BTreeSet<u32>,
    is_due: impl Fn(&Head) -> bool,
    mut fits: impl FnMut(&Head, &Head) -> bool,
) -> Option<(usize, usize)> {
    let is_due = |head: &Head| is_due(head) && !stuck.contains(&head.id);
    let mut first = 0;
    while first < blocks.len() {
        let Some(head) = blocks.get(first).filter(|head| is_due(head)) else {
            first += 1;
            continue;
        };
        let _ = fits(head, head);
        let mut end = first + 1;
        let follows = |end: usize| {
            let before = blocks.get(end - 1)?;
            let next = blocks.get(end)?;
            (next.boot == before.boot
                && next.first_tick == before.end_tick()
                && next.first_ms >= before.last_ms)
                .then_some(next)
        };
        let mut cut = false;
        while let Some(next) = follows(end) {
            if !fits(head, next) {
                cut = true;
                break;
            }
            if !is_due(next) {
                // It will be due later, unless it never is.
                cut = stuck.contains(&next.id) || next.step_ms > head.step_ms;
                break;
            }
            end += 1;
        }
        let ended = cut || (follows(end).is_none() && end < blocks.len());
        let alone = end - first == 1 && head.step_ms == 0 && head.ticks >= MERGED_TICKS / 2;
        if end - first >= least && (!whole || ended || alone) {
            return Some((first, end));
        }
        first = end;
    }
    None
}
