//! Newtypes for units and for text that came from elsewhere.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A count of bytes.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct Bytes(pub u64);

impl Bytes {
    /// No bytes at all.
    pub const ZERO: Self = Self(0);

    /// From the kernel's `kB`, which is KiB.
    #[must_use]
    pub const fn from_kib(kib: u64) -> Self {
        Self(kib.saturating_mul(1024))
    }

    /// The difference, never below zero: two readings of a moving target may cross.
    #[must_use]
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Add for Bytes {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Bytes {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sum for Bytes {
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        iter.fold(Self::ZERO, Add::add)
    }
}

/// A process or thread id, as seen in flatfoot's own pid namespace.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct Pid(pub u32);

impl fmt::Display for Pid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Clock ticks since boot (`USER_HZ`, 10 ms on every Linux seen): the unit of birth times in /proc/PID/stat.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Ticks(pub u64);

impl Ticks {
    /// Seconds since boot, given ticks per second.
    #[must_use]
    pub fn seconds(self, ticks_per_second: u64) -> f64 {
        self.0 as f64 / ticks_per_second.max(1) as f64
    }
}

/// The kernel's boot id: tells a pid of this boot from the same pid of another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BootId(pub u128);

/// Text that a process, a file name or a kernel file gave us: never trusted, never shown raw.
///
/// Valid UTF-8 is kept as it is, control characters included (a case file must not lose them); each byte
/// that is not valid UTF-8 is kept as `\xNN`. Showing it is the presenter's work, which escapes controls.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Text(String);

impl Text {
    /// Takes bytes as a kernel file gave them.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let mut out = String::with_capacity(bytes.len());
        for chunk in bytes.utf8_chunks() {
            out.push_str(chunk.valid());
            for byte in chunk.invalid() {
                use fmt::Write as _;
                let _ = write!(out, "\\x{byte:02x}");
            }
        }
        Self(out)
    }

    /// The text, unescaped: for comparing and matching, not for a terminal.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Is there nothing in it?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(text)
    }
}

/// Shows the text with control characters escaped, so that a name cannot drive a terminal.
impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let clean = self.0.chars().all(|c| !is_unsafe_to_show(c));
        if clean {
            return f.pad(&self.0);
        }
        let escaped: String = self.0.chars().flat_map(escape_for_terminal).collect();
        f.pad(&escaped)
    }
}

/// C0 and C1 controls, and the marks that reorder or hide text (bidirectional overrides, zero-width).
fn is_unsafe_to_show(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

fn escape_for_terminal(c: char) -> impl Iterator<Item = char> {
    let (escaped, plain) =
        if is_unsafe_to_show(c) { (Some(c.escape_default()), None) } else { (None, Some(c)) };
    escaped.into_iter().flatten().chain(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_keeps_invalid_bytes_and_shows_no_controls() {
        let text = Text::from_bytes(b"a\x1b[31m\xff\nb");
        assert_eq!(text.as_str(), "a\u{1b}[31m\\xff\nb");
        assert_eq!(text.to_string(), "a\\u{1b}[31m\\xff\\nb");
    }

    #[test]
    fn bytes_never_wrap() {
        assert_eq!(Bytes(1).saturating_sub(Bytes(2)), Bytes::ZERO);
        assert_eq!(Bytes(u64::MAX) + Bytes(1), Bytes(u64::MAX));
    }
}
