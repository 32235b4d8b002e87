//! Moments, as text.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// A moment in Unix seconds, as a timestamp; moments that no calendar has become the epoch.
fn timestamp(unix_s: f64) -> Timestamp {
    Timestamp::from_millisecond((unix_s * 1_000.0).round() as i64).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// `2026-03-01T03:12:09Z`: for JSON and files.
pub(crate) fn rfc3339(unix_s: f64) -> String {
    timestamp(unix_s.round()).to_string()
}

/// `2026-03-01 03:12:09` in the local time zone: for people.
pub(crate) fn local(unix_s: f64) -> String {
    timestamp(unix_s).to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// `03:12:09` in the local time zone.
pub(crate) fn clock(unix_s: f64) -> String {
    timestamp(unix_s).to_zoned(TimeZone::system()).strftime("%H:%M:%S").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_read_as_the_standard_has_it() {
        assert_eq!(rfc3339(1_353_921_000.4), "2012-11-26T09:10:00Z");
        assert_eq!(rfc3339(f64::NAN), "1970-01-01T00:00:00Z");
        assert_eq!(rfc3339(1e300), "1970-01-01T00:00:00Z");
    }
}
