//! Boot ids in the JSON of events: 32 hex digits, `"0b5d3c1e8d2f4c579a437e1f0c2b6d98"`.
//!
//! As a number of 128 bits it is more than most readers of JSON keep, and more than serde keeps of an event while it
//! looks for the field that names its kind. (Case files of schema 1 have it as a number, in looks.)

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{BootId, Pid, ProcessKey, Ticks};

/// Digits of a boot id.
const DIGITS: usize = 32;

pub(super) mod boot {
    use super::{BootId, Deserialize, Deserializer, Serialize, Serializer, read, write};

    pub(in super::super) fn serialize<S: Serializer>(
        boot: &BootId,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        write(*boot).serialize(serializer)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<BootId, D::Error> {
        read(&String::deserialize(from)?)
    }
}

pub(super) mod key {
    use super::{Deserialize, Deserializer, Key, ProcessKey, Serialize, Serializer};

    pub(in super::super) fn serialize<S: Serializer>(
        key: &ProcessKey,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let ProcessKey { boot, pid, start } = *key;
        Key { boot, pid, start }.serialize(serializer)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<ProcessKey, D::Error> {
        let Key { boot, pid, start } = Key::deserialize(from)?;
        Ok(ProcessKey { boot, pid, start })
    }
}

/// A [`ProcessKey`] as events have it.
#[derive(Serialize, Deserialize)]
struct Key {
    #[serde(with = "boot")]
    boot: BootId,
    pid: Pid,
    start: Ticks,
}

fn write(boot: BootId) -> String {
    format!("{:0DIGITS$x}", boot.0)
}

fn read<E: de::Error>(text: &str) -> Result<BootId, E> {
    // `from_str_radix` takes a sign.
    let is_hex = text.len() == DIGITS && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let boot = is_hex.then(|| u128::from_str_radix(text, 16).ok()).flatten();
    boot.map(BootId).ok_or_else(|| E::custom("a boot id has 32 hex digits"))
}
