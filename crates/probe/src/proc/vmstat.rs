//! /proc/vmstat and /proc/pressure: counters since boot, and shares of time in which tasks stood still.
//!
//! ```text
//! pgmajfault 81532                                               vmstat
//! some avg10=0.12 avg60=0.05 avg300=0.01 total=8117412           pressure/memory
//! full avg10=0.00 avg60=0.01 avg300=0.00 total=3120011
//! ```

use model::VmStat;

use super::{Absence, scan};

/// Parses vmstat. A counter that this kernel doesn't have is `None`.
pub fn parse(bytes: &[u8]) -> Result<VmStat, Absence> {
    let mut vmstat = VmStat::default();
    for (index, line) in scan::lines(scan::complete("vmstat", bytes)?).enumerate() {
        let mut words = scan::words(line);
        let (Some(name), Some(value)) = (words.next(), words.next()) else {
            return Err(Absence::malformed("vmstat", index + 1, "name and number"));
        };
        let slot = match name {
            b"oom_kill" => &mut vmstat.oom_kills,
            b"pswpin" => &mut vmstat.swapped_in,
            b"pswpout" => &mut vmstat.swapped_out,
            b"pgmajfault" => &mut vmstat.major_faults,
            _ => continue,
        };
        let wrong = || Absence::malformed("vmstat", index + 1, &String::from_utf8_lossy(name));
        *slot = Some(scan::number(value).ok_or_else(wrong)?);
    }
    Ok(vmstat)
}

/// Percent of the last 60 s, from the line of a file of /proc/pressure that begins with `line` (some, full).
pub fn parse_pressure(bytes: &[u8], line: &str) -> Result<f64, Absence> {
    let content = scan::complete("pressure", bytes)?;
    for (index, text) in scan::lines(content).enumerate() {
        let mut words = scan::words(text);
        if words.next() != Some(line.as_bytes()) {
            continue;
        }
        let percent = words
            .find_map(|word| word.strip_prefix(b"avg60="))
            .and_then(|number| std::str::from_utf8(number).ok()?.parse::<f64>().ok())
            .filter(|percent| (0.0..=100.0).contains(percent));
        return percent.ok_or_else(|| Absence::malformed("pressure", index + 1, "avg60"));
    }
    Err(Absence::Malformed(format!("pressure: no line {line}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn counters() {
        let vmstat = parse(b"nr_free_pages 1\npswpin 2\npswpout 3\npgmajfault 4\noom_kill 5\n").unwrap();
        let expected =
            VmStat { oom_kills: Some(5), swapped_in: Some(2), swapped_out: Some(3), major_faults: Some(4) };
        assert_eq!(vmstat, expected);
        assert_eq!(parse(b"pswpin 2\n").unwrap().oom_kills, None);
        assert_eq!(parse(b"pswpin x\n"), Err(Absence::Malformed("vmstat: line 1: pswpin".into())));
        assert!(parse(b"").is_err() && parse(b"pswpin 2").is_err());
    }

    #[test]
    fn pressure() {
        let file = b"some avg10=0.12 avg60=1.25 avg300=0.01 total=81\nfull avg10=0.00 avg60=0.50 avg300=0.00 total=3\n";
        assert_eq!(parse_pressure(file, "some"), Ok(1.25));
        assert_eq!(parse_pressure(file, "full"), Ok(0.5));
        for wrong in
            [&b""[..], b"\n", b"some avg60=\n", b"some avg60=NaN\n", b"some avg60=-1\n", b"some avg60=1.2"]
        {
            assert!(parse_pressure(wrong, "some").is_err(), "{wrong:?}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&bytes);
            let _ = parse_pressure(&bytes, "some");
            let _ = super::super::meminfo::parse(&bytes);
        }
    }
}
