//! A stretch of time that is asked for.

/// From one moment up to another that is not in it, in milliseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The first that is in it.
    pub from_unix_ms: i64,
    /// The first that no longer is; `i64::MAX` is for ever.
    pub until_unix_ms: i64,
}

impl Window {
    /// All that was recorded.
    pub const ALL: Self = Self { from_unix_ms: i64::MIN, until_unix_ms: i64::MAX };

    /// From one moment up to another.
    #[must_use]
    pub const fn new(from_unix_ms: i64, until_unix_ms: i64) -> Self {
        Self { from_unix_ms, until_unix_ms }
    }

    /// Is a moment in it?
    #[must_use]
    pub const fn contains(&self, unix_ms: i64) -> bool {
        self.from_unix_ms <= unix_ms && (unix_ms < self.until_unix_ms || self.until_unix_ms == i64::MAX)
    }

    /// Does it meet what went on from one moment to another, both inclusive?
    #[must_use]
    pub const fn meets(&self, first_unix_ms: i64, last_unix_ms: i64) -> bool {
        self.from_unix_ms <= last_unix_ms
            && (first_unix_ms < self.until_unix_ms || self.until_unix_ms == i64::MAX)
    }
}
