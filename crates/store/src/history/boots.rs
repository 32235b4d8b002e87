//! The boots of a store, and which time of the wall clock each of them began at.

use model::BootId;

use super::block::Head;

/// A boot of which something was recorded.
#[derive(Clone, Copy, Debug)]
pub(super) struct Boot {
    pub(super) id: BootId,
    pub(super) first_tick: u64,
    pub(super) first_ms: u64,
    pub(super) last_ms: u64,
    /// To be added to milliseconds since boot.
    pub(super) epoch_ms: i64,
}

/// The boots of some blocks. The newest clock is believed: what came before a boot ended before it began.
pub(super) fn boots(heads: impl Iterator<Item = Head>) -> Vec<Boot> {
    let mut boots: Vec<Boot> = Vec::new();
    for head in heads {
        match boots.last_mut() {
            // A boot's own clock that runs backwards is taken for another.
            Some(boot) if boot.id == head.boot && boot.last_ms <= head.first_ms => {
                boot.last_ms = head.last_ms;
                boot.epoch_ms = head.epoch_ms;
            }
            _ => boots.push(Boot {
                id: head.boot,
                first_tick: head.first_tick,
                first_ms: head.first_ms,
                last_ms: head.last_ms,
                epoch_ms: head.epoch_ms,
            }),
        }
    }
    let mut begin = i64::MAX;
    for boot in boots.iter_mut().rev() {
        let last = boot.epoch_ms.saturating_add_unsigned(boot.last_ms);
        if last >= begin {
            boot.epoch_ms = boot.epoch_ms.saturating_sub(last.saturating_sub(begin).saturating_add(1));
        }
        begin = boot.epoch_ms.saturating_add_unsigned(boot.first_ms);
    }
    boots
}
