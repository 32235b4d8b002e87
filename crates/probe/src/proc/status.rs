//! /proc/PID/status (proc_pid_status(5), fs/proc/array.c: proc_pid_status).
//!
//! ```text
//! Name:    java
//! Uid:    1000    1000    1000    1000
//! NSpid:    3248    1
//! VmHWM:        1712 kB
//! Threads:    2021
//! SigCgt:    2000000181005ccf
//! ```
//!
//! The name is escaped here (a newline is `\n`), so it cannot bring lines of its own; it is taken from stat,
//! where it is raw.

use model::{Bytes, Status};

use super::{Absence, scan};

/// The most that is read: the line of supplementary groups alone may have 65,536 numbers.
pub(crate) const LIMIT: usize = 1 << 20;

/// Parses the file. The lines of memory are missing for kernel threads and zombies: `None`.
pub fn parse(bytes: &[u8]) -> Result<Status, Absence> {
    let mut status = Status::default();
    let mut seen = Seen::default();
    for (index, line) in scan::lines(scan::complete("status", bytes)?).enumerate() {
        let Some(colon) = memchr::memchr(b':', line) else {
            return Err(Absence::malformed("status", index + 1, "name of the field"));
        };
        let (key, value) = (&line[..colon], &line[colon + 1..]);
        take(&mut status, &mut seen, key, value)
            .ok_or_else(|| Absence::malformed("status", index + 1, &String::from_utf8_lossy(key)))?;
    }
    match seen.missing() {
        None => Ok(status),
        Some(field) => Err(Absence::Malformed(format!("status: no line {field}"))),
    }
}

/// Which of the lines that are always there came.
#[derive(Default)]
#[allow(clippy::struct_excessive_bools)] // a checklist
struct Seen {
    uid: bool,
    gid: bool,
    tracer: bool,
    threads: bool,
    caught: bool,
    capabilities: bool,
}

impl Seen {
    fn missing(&self) -> Option<&'static str> {
        [
            (self.tracer, "TracerPid"),
            (self.uid, "Uid"),
            (self.gid, "Gid"),
            (self.threads, "Threads"),
            (self.caught, "SigCgt"),
            (self.capabilities, "CapEff"),
        ]
        .into_iter()
        .find_map(|(seen, name)| (!seen).then_some(name))
    }
}

/// Takes one line; `None` when its value makes no sense.
fn take(status: &mut Status, seen: &mut Seen, key: &[u8], value: &[u8]) -> Option<()> {
    let memory = |slot: &mut Option<Bytes>| {
        *slot = Some(scan::kib(value)?);
        Some(())
    };
    match key {
        b"TracerPid" => {
            status.tracer = small(value)?;
            seen.tracer = true;
        }
        b"Uid" => {
            status.uid = effective(value)?;
            seen.uid = true;
        }
        b"Gid" => {
            status.gid = effective(value)?;
            seen.gid = true;
        }
        b"NSpid" => {
            for word in scan::words(value) {
                status.ns_pids.push(small(word)?);
            }
        }
        b"VmPeak" => memory(&mut status.peak)?,
        b"VmLck" => memory(&mut status.locked)?,
        b"VmHWM" => memory(&mut status.resident_peak)?,
        b"RssAnon" => memory(&mut status.rss_anon)?,
        b"RssFile" => memory(&mut status.rss_file)?,
        b"RssShmem" => memory(&mut status.rss_shmem)?,
        b"VmPTE" => memory(&mut status.page_tables)?,
        b"VmSwap" => memory(&mut status.swap)?,
        b"Threads" => {
            status.threads = scan::number(value.trim_ascii())?;
            seen.threads = true;
        }
        b"SigCgt" => {
            status.signals_caught = scan::hex(value.trim_ascii())?;
            seen.caught = true;
        }
        b"CapEff" => {
            status.capabilities = scan::hex(value.trim_ascii())?;
            seen.capabilities = true;
        }
        _ => {}
    }
    Some(())
}

fn small(word: &[u8]) -> Option<u32> {
    u32::try_from(scan::number(word.trim_ascii())?).ok()
}

/// The second of `real effective saved file-system`.
fn effective(value: &[u8]) -> Option<u32> {
    small(scan::words(value).nth(1)?)
}

/// The real user and the number of threads, without the rest: what RLIMIT_NPROC counts.
pub(crate) fn user_and_threads(bytes: &[u8]) -> Option<(u32, u64)> {
    let value = |key: &[u8]| {
        let at = memchr::memmem::find(bytes, key)? + key.len();
        scan::words(bytes[at..].split(|byte| *byte == b'\n').next()?).next()
    };
    Some((small(value(b"\nUid:")?)?, scan::number(value(b"\nThreads:")?)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SAMPLE: &str = "Name:\ta\\nUid:\\t7\nUmask:\t0022\nState:\tS (sleeping)\nTgid:\t3248\nPid:\t3248\n\
        PPid:\t1\nTracerPid:\t12\nUid:\t1000\t1001\t1002\t1003\nGid:\t100\t101\t102\t103\nGroups:\t4 24 \n\
        NSpid:\t3248\t17\t1\nVmPeak:\t    3060 kB\nVmSize:\t    3000 kB\nVmLck:\t       4 kB\n\
        VmHWM:\t    1712 kB\nRssAnon:\t     116 kB\nRssFile:\t    1596 kB\nRssShmem:\t       8 kB\n\
        VmPTE:\t      48 kB\nVmSwap:\t      16 kB\nThreads:\t2021\nSigQ:\t0/96365\n\
        SigCgt:\t2000000181005ccf\nCapInh:\t0000000000000000\nCapEff:\t000001fffeffffff\n";

    #[test]
    fn a_process_in_a_container() {
        let kib = |n| Some(Bytes::from_kib(n));
        let expected = Status {
            uid: 1001,
            gid: 101,
            ns_pids: vec![3248, 17, 1],
            peak: kib(3060),
            locked: kib(4),
            resident_peak: kib(1712),
            rss_anon: kib(116),
            rss_file: kib(1596),
            rss_shmem: kib(8),
            page_tables: kib(48),
            swap: kib(16),
            threads: 2021,
            signals_caught: 0x2000_0001_8100_5ccf,
            capabilities: 0x01ff_feff_ffff,
            tracer: 12,
        };
        assert_eq!(parse(SAMPLE.as_bytes()), Ok(expected));
        assert_eq!(user_and_threads(SAMPLE.as_bytes()), Some((1000, 2021)));
    }

    #[test]
    fn a_kernel_thread_has_no_memory() {
        let text: String = SAMPLE
            .lines()
            .filter(|l| !l.starts_with("Vm") && !l.starts_with("Rss"))
            .fold(String::new(), |a, l| a + l + "\n");
        let status = parse(text.as_bytes()).unwrap();
        assert_eq!((status.peak, status.rss_anon, status.threads), (None, None, 2021));
    }

    #[test]
    fn every_beginning_is_refused() {
        for end in 0..SAMPLE.len() {
            assert!(parse(&SAMPLE.as_bytes()[..end]).is_err(), "cut at {end}");
        }
        assert_eq!(parse(b""), Err(Absence::Malformed("status: empty".into())));
        let error = parse(SAMPLE.replace("VmHWM:\t    1712 kB", "VmHWM:\t    1712").as_bytes());
        assert_eq!(error, Err(Absence::Malformed("status: line 15: VmHWM".into())));
        let error = parse(SAMPLE.replace("Threads:\t2021\n", "").as_bytes());
        assert_eq!(error, Err(Absence::Malformed("status: no line Threads".into())));
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = parse(&bytes);
            let _ = user_and_threads(&bytes);
        }

        #[test]
        fn damaged_files_never_panic(at in 0..SAMPLE.len(), byte in any::<u8>()) {
            let mut bytes = SAMPLE.as_bytes().to_vec();
            bytes[at] = byte;
            let _ = parse(&bytes);
            let _ = user_and_threads(&bytes);
        }
    }
}
