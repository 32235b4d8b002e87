//! Schedules that a walk comes upon: periods of tasks, Quartz's triggers, Spring's cron triggers.

use crate::arena::Piece;
use crate::fields::ClassInfo;
use crate::jni::Obj;
use crate::names::Kind;
use crate::owners::{Counted, Look, Walk};

/// Indices into `layout::SCHEDULES`.
const QUARTZ: u32 = 0;
const SCHEDULED_POOL: u32 = 1;
const TIMER: u32 = 2;
const SPRING: u32 = 3;

/// Schedules of one owner.
const MOST: u32 = 24;
/// Objects of a job store that are looked at.
const STORE: usize = 4_000;
const MS: u64 = 1_000_000;

fn add(list: &mut Counted, kind: u32, period_ns: u64, what: &[u8], expression: &[u8]) {
    if list.count < MOST {
        list.bytes.u32(kind);
        list.bytes.u64(period_ns);
        list.bytes.text(what);
        list.bytes.text(expression);
        list.count += 1;
    }
}

/// The period of a task in a queue, if it has one. A pool counts in ns and negatively for a fixed delay, a timer in ms.
pub fn of_task(walk: &mut Walk, task: Obj, info: ClassInfo, look: &mut Look) {
    let period =
        walk.jni.get_long(task, walk.classes.field(info, b"period", b'J')).unwrap_or(0).unsigned_abs();
    let (kind, period) = match info.kind {
        Kind::ScheduledTask => (SCHEDULED_POOL, period),
        Kind::TimerTask => (TIMER, period.saturating_mul(MS)),
        _ => return,
    };
    if period > 0 {
        let class = innermost(walk, task, info);
        let what = walk.classes.text.piece(class);
        add(&mut look.schedules, kind, period, what, b"");
    }
}

/// What a scheduled task runs: `callable` of the future, then `task` of the adapter.
fn innermost(walk: &mut Walk, task: Obj, info: ClassInfo) -> Piece {
    let (jni, ti) = (walk.jni, walk.ti);
    let callable = jni.get(task, walk.classes.field(info, b"callable", b'L'));
    let Some((_, outer)) = walk.classes.of(jni, ti, callable) else { return info.signature };
    let inner = jni.get(callable, walk.classes.field(outer, b"task", b'L'));
    let found = walk.classes.of(jni, ti, inner).map_or(outer, |(_, inner)| inner);
    jni.release(inner);
    jni.release(callable);
    found.signature
}

/// Quartz keeps its triggers in the job store (RAMJobStore: maps and sets of TriggerWrapper); a store in a database has
/// none in memory.
pub fn quartz(walk: &mut Walk, resources: Obj, info: ClassInfo, look: &mut Look) {
    let store = walk.jni.get(resources, walk.classes.field(info, b"jobStore", b'L'));
    let mut left = STORE;
    walk.jni.frame(512, || descend(walk, store, (0, 0), &mut left, look));
    walk.jni.release(store);
}

/// Depth first through a job store's collections. Triggers are met on several ways, and tagged. The depth is that of
/// collections in one another, and that of calls: the listener's thread has little stack.
fn descend(walk: &mut Walk, object: Obj, depth: (u32, u32), left: &mut usize, look: &mut Look) {
    const DEEPEST: u32 = 9;
    const CALLS: u32 = 60;
    let (jni, ti) = (walk.jni, walk.ti);
    if object.is_null() || depth.0 > DEEPEST || depth.1 > CALLS || *left == 0 || look.schedules.count >= MOST
    {
        return;
    }
    *left -= 1;
    let Some((_, info)) = walk.classes.of(jni, ti, object) else { return };
    let seen = walk.visited(object);
    let name = walk.classes.text.piece(info.signature);
    let is_collection = name.starts_with(b"Ljava/util/") && !name.starts_with(b"Ljava/util/concurrent/");
    let is_array = name.starts_with(b"[L");
    let is_quartz = name.starts_with(b"Lorg/quartz/");
    let is_thread = matches!(info.kind, Kind::Thread | Kind::Closed | Kind::Quartz);
    if seen || is_thread || !(is_collection || is_array || is_quartz) {
        return;
    }
    if is_quartz && trigger(walk, object, info, look) {
        return;
    }
    if is_array {
        for at in 0..jni.array_length(object).min(1024) {
            let element = jni.element(object, at);
            descend(walk, element, (depth.0 + 1, depth.1 + 1), left, look);
            jni.release(element);
        }
        return;
    }
    for number in 0.. {
        let Some(field) = walk.classes.fields_of(info).get(number).copied() else { return };
        if matches!(field.sort, b'L' | b'[') {
            let next = jni.get(object, field.id);
            // Chains of a map's nodes are no deeper than their first.
            let is_next =
                matches!(walk.classes.text.piece(field.name), b"next" | b"left" | b"right" | b"parent");
            descend(walk, next, (depth.0 + u32::from(!is_next), depth.1 + 1), left, look);
            jni.release(next);
        }
    }
}

/// A trigger has the name of its job; its schedule is a cron expression or an interval.
#[inline(never)]
fn trigger(walk: &mut Walk, object: Obj, info: ClassInfo, look: &mut Look) -> bool {
    let (jni, ti) = (walk.jni, walk.ti);
    let name = walk.classes.field(info, b"jobName", b'L');
    let cron = walk.classes.field(info, b"cronEx", b'L');
    let interval = walk.classes.field(info, b"repeatInterval", b'J');
    if name.is_null() || (cron.is_null() && interval.is_null()) {
        return false;
    }
    let (mut name_space, mut cron_space) = ([0; 256], [0; 256]);
    let name = jni.get(object, name);
    let what = jni.text(name, &mut name_space);
    let period = jni.get_long(object, interval).unwrap_or(0).max(0) as u64;
    let cron = jni.get(object, cron);
    let mut expression: &[u8] = b"";
    if let Some((_, class)) = walk.classes.of(jni, ti, cron) {
        let text = jni.get(cron, walk.classes.field(class, b"cronExpression", b'L'));
        expression = jni.text(text, &mut cron_space);
        jni.release(text);
    }
    add(&mut look.schedules, QUARTZ, period.saturating_mul(MS), what, expression);
    jni.release(cron);
    jni.release(name);
    true
}

/// Spring's CronTrigger: `expression` (since 5.3) or `sequenceGenerator`, each with its text in `expression`.
pub fn spring(walk: &mut Walk, trigger: Obj, look: &mut Look) {
    let (jni, ti) = (walk.jni, walk.ti);
    let Some((_, info)) = walk.classes.of(jni, ti, trigger) else { return };
    for name in [&b"expression"[..], b"sequenceGenerator"] {
        let holder = jni.get(trigger, walk.classes.field(info, name, b'L'));
        let Some((_, class)) = walk.classes.of(jni, ti, holder) else { continue };
        let text = jni.get(holder, walk.classes.field(class, b"expression", b'L'));
        let is_text = walk
            .classes
            .of(jni, ti, text)
            .is_some_and(|(_, class)| walk.classes.text.piece(class.signature) == b"Ljava/lang/String;");
        if is_text {
            let mut space = [0; 256];
            add(&mut look.schedules, SPRING, 0, b"", jni.text(text, &mut space));
        }
        jni.release(text);
        jni.release(holder);
    }
}
