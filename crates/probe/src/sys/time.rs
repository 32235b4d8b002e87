//! The offset of local time from UTC: crontabs and timers speak local time. The C library knows the zone's
//! rules; this is the only thing that flatfoot asks of it here.

#![allow(unsafe_code)]

use std::mem::MaybeUninit;

/// Seconds that local time is ahead of UTC at a moment given in Unix seconds; 0 when the C library has none.
#[must_use]
pub fn utc_offset_s(unix_s: f64) -> i32 {
    let moment = unix_s as libc::time_t;
    let mut broken_down = MaybeUninit::<libc::tm>::uninit();
    // SAFETY: both pointers are valid for the call; localtime_r writes only to the second and keeps neither.
    // The environment (TZ), which it reads, is changed by nothing in flatfoot.
    let answer = unsafe { libc::localtime_r(&raw const moment, broken_down.as_mut_ptr()) };
    if answer.is_null() {
        return 0;
    }
    // SAFETY: the call succeeded, so the structure was filled.
    let broken_down = unsafe { broken_down.assume_init() };
    i32::try_from(broken_down.tm_gmtoff).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_offset_is_a_time_zone() {
        let offset = utc_offset_s(1.7e9);
        assert!((-14 * 3600..=14 * 3600).contains(&offset), "{offset}");
        assert_eq!(offset % 60, 0);
        assert_eq!(utc_offset_s(f64::INFINITY), 0, "a year that does not exist");
    }
}
