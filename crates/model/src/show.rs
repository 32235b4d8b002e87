//! How quantities read, everywhere: units, rounding and grouping are decided here and nowhere else, so that a
//! figure is the same in a claim, a table, a page and a report.

use crate::Bytes;

/// A pause: `3 ms`, `0.4 ms`, `1.2 s`.
#[must_use]
pub fn pause(seconds: f64) -> String {
    match seconds * 1e3 {
        ms if ms >= 1_000.0 => format!("{seconds:.1} s"),
        ms if ms >= 9.5 => format!("{ms:.0} ms"),
        ms => format!("{ms:.1} ms"),
    }
}

/// `2,040`.
#[must_use]
pub fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `0 B`, `2,040 KiB`, `80.0 MiB`, `3.02 GiB`. Stays in KiB up to 9,999: stack sizes are known by that number.
#[must_use]
pub fn bytes(value: Bytes) -> String {
    const KIB: f64 = 1024.0;
    let b = value.0 as f64;
    if value.0 < 1024 {
        format!("{} B", value.0)
    } else if b < 9_999.5 * KIB {
        format!("{} KiB", count((b / KIB).round() as u64))
    } else if b < 999.5 * KIB * KIB {
        format!("{:.1} MiB", b / (KIB * KIB))
    } else if b < 9_999.5 * KIB * KIB * KIB {
        format!("{:.2} GiB", b / (KIB * KIB * KIB))
    } else {
        format!("{:.1} TiB", b / (KIB * KIB * KIB * KIB))
    }
}

/// For narrow columns: `4.1G`, `0.95G`, `512M`, `80K`.
#[must_use]
pub fn bytes_short(value: Bytes) -> String {
    let b = value.0 as f64;
    let gib = b / 1_073_741_824.0;
    let mib = b / 1_048_576.0;
    if gib >= 999.5 {
        format!("{:.1}T", gib / 1024.0)
    } else if gib >= 99.5 {
        format!("{gib:.0}G")
    } else if gib >= 0.995 {
        format!("{gib:.1}G")
    } else if mib >= 9.95 {
        format!("{mib:.0}M")
    } else if mib >= 0.995 {
        format!("{mib:.1}M")
    } else {
        format!("{}K", value.0.div_ceil(1024))
    }
}

/// A span of time in at most two units: `0.30 s`, `9 s`, `6 m 40 s`, `25 h 50 m`, `2 d 4 h`, `131 d`.
#[must_use]
pub fn duration(seconds: f64) -> String {
    if !seconds.is_finite() {
        return "never".to_owned();
    }
    let s = seconds.max(0.0);
    if s < 1.0 {
        return format!("{s:.2} s");
    }
    if s < 9.95 {
        return format!("{s:.1} s");
    }
    let whole = s.round() as u64;
    let two = |a: u64, unit_a: &str, b: u64, unit_b: &str| {
        if b == 0 { format!("{a} {unit_a}") } else { format!("{a} {unit_a} {b} {unit_b}") }
    };
    match whole {
        0..=119 => format!("{whole} s"),
        120..=7_199 => two(whole / 60, "m", whole % 60, "s"),
        7_200..=172_799 => two(whole / 3_600, "h", whole % 3_600 / 60, "m"),
        172_800..=2_591_999 => two(whole / 86_400, "d", whole % 86_400 / 3_600, "h"),
        2_592_000..=157_679_999 => format!("{} d", count(whole / 86_400)),
        _ => "more than 5 years".to_owned(),
    }
}

/// For narrow columns: `2d04h`, `6m40s`, `41s`.
#[must_use]
pub fn duration_short(seconds: f64) -> String {
    if !seconds.is_finite() {
        return "-".to_owned();
    }
    let s = seconds.max(0.0).round() as u64;
    match s {
        0..=99 => format!("{s}s"),
        100..=5_999 => format!("{}m{:02}s", s / 60, s % 60),
        6_000..=172_799 => format!("{}h{:02}m", s / 3_600, s % 3_600 / 60),
        172_800..=8_639_999 => format!("{}d{:02}h", s / 86_400, s % 86_400 / 3_600),
        _ => format!("{}d", s / 86_400),
    }
}

/// A period: `0.50 s`, `60.0 s`, `900 s`, `24.0 h`. Stays in seconds up to two hours, as schedules are compared in them.
#[must_use]
pub fn period(seconds: f64) -> String {
    if seconds < 9.995 {
        format!("{seconds:.2} s")
    } else if seconds < 99.95 {
        format!("{seconds:.1} s")
    } else if seconds < 7_200.0 {
        format!("{} s", count(seconds.round() as u64))
    } else {
        format!("{:.1} h", seconds / 3_600.0)
    }
}

/// A small spread beside a period: `±0.1`, two digits at most, never `±0.0`.
#[must_use]
pub fn spread(seconds: f64) -> String {
    if seconds < 0.005 {
        "<0.01".to_owned()
    } else if seconds < 0.1 {
        format!("{seconds:.2}")
    } else if seconds < 10.0 {
        format!("{seconds:.1}")
    } else {
        format!("{seconds:.0}")
    }
}

/// `61 %`; below one in a hundred `0.3 %`.
#[must_use]
pub fn percent(share: f64) -> String {
    let p = share * 100.0;
    if p > 0.0 && p < 0.95 { format!("{p:.1} %") } else { format!("{p:.0} %") }
}

/// A rate in the unit of time in which it has at least one event: `1.00/s`, `1.00/min`, `4.2/h`, `1.0/d`.
#[must_use]
pub fn rate(per_s: f64) -> String {
    let magnitude = per_s.abs();
    if magnitude >= 99.5 {
        let sign = if per_s < 0.0 { "-" } else { "" };
        format!("{sign}{}/s", count(magnitude.round() as u64))
    } else if magnitude >= 0.995 {
        format!("{per_s:.2}/s")
    } else if magnitude * 60.0 >= 0.995 {
        format!("{:.2}/min", per_s * 60.0)
    } else if magnitude * 3_600.0 >= 0.995 {
        format!("{:.1}/h", per_s * 3_600.0)
    } else {
        format!("{:.1}/d", per_s * 86_400.0)
    }
}

/// Growth in bytes: `2.0 MiB/s`, `120 KiB/min`.
#[must_use]
pub fn byte_rate(per_s: f64) -> String {
    let per_min = per_s * 60.0;
    if per_s >= 1024.0 * 1024.0 {
        format!("{}/s", bytes(Bytes(per_s as u64)))
    } else if per_min >= 10.0 * 1024.0 {
        format!("{}/min", bytes(Bytes(per_min as u64)))
    } else {
        format!("{}/h", bytes(Bytes((per_s * 3_600.0).max(0.0) as u64)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_grouped() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1_550), "1,550");
        assert_eq!(count(65_530_000), "65,530,000");
    }

    #[test]
    fn bytes_change_unit_without_a_jump() {
        assert_eq!(bytes(Bytes(0)), "0 B");
        assert_eq!(bytes(Bytes::from_kib(2_040)), "2,040 KiB");
        assert_eq!(bytes(Bytes::from_kib(9_999)), "9,999 KiB");
        assert_eq!(bytes(Bytes(80 << 20)), "80.0 MiB");
        assert_eq!(bytes(Bytes(3_237_888_000)), "3.02 GiB");
        assert_eq!(bytes_short(Bytes(4_402_341_478)), "4.1G");
        assert_eq!(bytes_short(Bytes(512 << 20)), "512M");
        assert_eq!(bytes_short(Bytes(1_020_054_732)), "973M");
    }

    #[test]
    fn durations_read_like_speech() {
        let shown: Vec<_> = [0.3, 9.0, 41.0, 400.0, 93_000.0, 187_200.0, 11_318_400.0].map(duration).into();
        assert_eq!(shown, ["0.30 s", "9.0 s", "41 s", "6 m 40 s", "25 h 50 m", "2 d 4 h", "131 d"]);
        assert_eq!(duration(f64::INFINITY), "never");
        assert_eq!(duration_short(187_200.0), "2d04h");
    }

    #[test]
    fn periods_and_rates_pick_their_unit() {
        assert_eq!(period(0.5), "0.50 s");
        assert_eq!(period(60.02), "60.0 s");
        assert_eq!(period(900.2), "900 s");
        assert_eq!(rate(1.0 / 60.0), "1.00/min");
        assert_eq!(rate(2.0), "2.00/s");
        assert_eq!(rate(1.0 / 3_600.0), "1.0/h");
    }

    #[test]
    fn rates_and_pauses() {
        assert_eq!(rate(3_196.03), "3,196/s");
        assert_eq!(rate(-250.0), "-250/s");
        assert_eq!(rate(1.0), "1.00/s");
        assert_eq!(rate(1.0 / 60.0), "1.00/min");
        assert_eq!(
            (pause(0.0004), pause(0.0213), pause(1.26)),
            ("0.4 ms".into(), "21 ms".into(), "1.3 s".into())
        );
    }
}
