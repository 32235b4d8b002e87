//! The figures of one record of /proc/PID/stat, /proc/PID/statm and /proc/PID/io, and nothing that needs an allocation:
//! a recorder parses a thousand of them each second.
//!
//! ```text
//! 3248 (java) S 1 3248 3248 0 -1 1077936128 240811 0 11 0 1432 310 0 0 20 0 2021 0 88411 6422528000 241664 …     stat
//! 765 428 399 5 0 123 0                                                                                          statm
//! read_bytes: 8192                                                                                               io
//! ```
//!
//! What [`crate::proc::stat::parse`] refuses is refused here, as far as the fields go that are read: up to the resident
//! pages. What follows them is left alone, except that the record must end with its newline.

/// Longest `comm` of a thread that is not the kernel's: 15 bytes.
pub(super) const COMM: usize = 15;

/// A `comm`, kept without an allocation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Comm {
    bytes: [u8; COMM],
    length: u8,
}

impl Comm {
    pub(super) fn new(name: &[u8]) -> Self {
        let length = name.len().min(COMM);
        let mut bytes = [0; COMM];
        bytes[..length].copy_from_slice(&name[..length]);
        Self { bytes, length: length as u8 }
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.length)).unwrap_or_default()
    }

    pub(super) fn text(&self) -> model::Text {
        model::Text::from_bytes(self.as_bytes())
    }
}

/// What is kept of a record of stat.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sample {
    pub(super) name: Comm,
    pub(super) state: u8,
    pub(super) parent: u32,
    pub(super) flags: u64,
    pub(super) minor_faults: u64,
    pub(super) major_faults: u64,
    /// User and system time together, in ticks.
    pub(super) cpu: u64,
    pub(super) threads: u64,
    pub(super) start: u64,
    pub(super) virtual_bytes: u64,
    pub(super) resident_pages: u64,
}

impl Sample {
    /// Parses a record; `None` when it makes no sense.
    pub(super) fn parse(record: &[u8]) -> Option<Self> {
        let record = record.strip_suffix(b"\n")?;
        let open = memchr::memchr(b'(', record)?;
        let close = memchr::memrchr(b')', record).filter(|close| *close > open)?;
        let name = Comm::new(&record[open + 1..close]);
        let [b' ', state, b' ', rest @ ..] = &record[close + 1..] else { return None };
        if !state.is_ascii_alphabetic() {
            return None;
        }
        let mut fields = Fields { rest, next: 4 };
        let parent = u32::try_from(fields.number(4)?).ok()?;
        let flags = fields.number(9)?;
        let minor_faults = fields.number(10)?;
        let major_faults = fields.number(12)?;
        let cpu = fields.number(14)?.saturating_add(fields.number(15)?);
        let threads = fields.number(20)?;
        let start = fields.number(22)?;
        let virtual_bytes = fields.number(23)?;
        let resident_pages = fields.number(24)?;
        Some(Self {
            name,
            state: *state,
            parent,
            flags,
            minor_faults,
            major_faults,
            cpu,
            threads,
            start,
            virtual_bytes,
            resident_pages,
        })
    }

    /// A thread of the kernel (sched.h, PF_KTHREAD)?
    pub(super) fn is_of_the_kernel(&self) -> bool {
        self.flags & 0x0020_0000 != 0
    }

    /// Dead and not waited for; or only its first thread is, when it has others.
    pub(super) fn is_dead(&self) -> bool {
        matches!(self.state, b'Z' | b'X' | b'x')
    }
}

/// Is it the record of a thread that is not its process's first one? Such have no exit signal (field 38; the kernel's own
/// thread_group_leader asks just that), and a directory in /proc that no list shows.
pub(super) fn is_of_another_thread(record: &[u8]) -> bool {
    const EXIT_SIGNAL: usize = 38;
    const STATE: usize = 3;
    let after = memchr::memrchr(b')', record).map_or(&[][..], |close| &record[close + 1..]);
    after.trim_ascii().split(|byte| *byte == b' ').nth(EXIT_SIGNAL - STATE) == Some(b"-1")
}

struct Fields<'a> {
    rest: &'a [u8],
    next: u32,
}

impl Fields<'_> {
    /// The number in a field; those before it are skipped, whatever they are.
    fn number(&mut self, field: u32) -> Option<u64> {
        while self.next < field {
            let end = self.rest.iter().position(|byte| *byte == b' ')?;
            self.rest = &self.rest[end + 1..];
            self.next += 1;
        }
        let (value, rest) = crate::proc::scan::leading_number(self.rest)?;
        self.rest = match rest {
            [b' ', rest @ ..] => rest,
            [] => rest,
            _ => return None,
        };
        self.next += 1;
        Some(value)
    }
}

/// Sizes in statm, in pages: all of it, resident, what of that others may share, data and stack.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sizes {
    pub(super) size: u64,
    pub(super) resident: u64,
    pub(super) shared: u64,
    pub(super) data: u64,
}

impl Sizes {
    pub(super) fn parse(record: &[u8]) -> Option<Self> {
        let statm = crate::proc::statm::parse(record, 1).ok()?;
        let (size, resident) = (statm.size.0, statm.resident.0);
        Some(Self { size, resident, shared: statm.shared.0, data: statm.data.0 })
    }
}

/// Bytes read from and written to storage, of /proc/PID/io; `None` for a line that is missing or wrong.
pub(super) fn parse_io(content: &[u8]) -> Option<(u64, u64)> {
    let content = content.strip_suffix(b"\n")?;
    let of = |name: &[u8]| {
        let line = crate::proc::scan::lines(content).find_map(|line| line.strip_prefix(name))?;
        crate::proc::scan::number(line)
    };
    Some((of(b"read_bytes: ")?, of(b"write_bytes: ")?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proc::stat;
    use proptest::prelude::*;

    const TAIL: &str = " S 1 3248 3248 0 -1 1077936128 240811 0 11 0 1432 310 0 0 20 0 2021 0 88411 6422528000 \
        241664 18446744073709551615 1 1 140722 0 0 0 0 0 0 0 0 0 17 1 0 0 0 0 0 94001 94002 94003 1 1 1 1 0\n";

    fn record(name: &[u8]) -> Vec<u8> {
        [b"3248 (", name, b")", TAIL.as_bytes()].concat()
    }

    #[test]
    fn the_same_as_the_whole_parser_says() {
        for name in [&b"java"[..], b"a) R 1", b"", b"a\nb", b"\xff"] {
            let bytes = record(name);
            let (sample, stat) = (Sample::parse(&bytes).unwrap(), stat::parse(&bytes, 1).unwrap());
            assert_eq!(sample.name.text(), stat.name);
            assert_eq!((char::from(sample.state), sample.parent), (stat.state, stat.parent.0));
            assert_eq!((sample.minor_faults, sample.major_faults), (stat.minor_faults, stat.major_faults));
            assert_eq!(sample.cpu, stat.utime.0 + stat.stime.0);
            assert_eq!((sample.threads, sample.start), (stat.threads, stat.start.0));
            assert_eq!((sample.virtual_bytes, sample.resident_pages), (6_422_528_000, 241_664));
            assert_eq!(sample.flags, stat.flags);
        }
    }

    #[test]
    fn what_was_cut_off_is_refused() {
        let whole = record(b"java");
        assert!((0..whole.len()).all(|end| Sample::parse(&whole[..end]).is_none()));
        let wrong = String::from_utf8(whole).unwrap();
        for (from, to) in [("1432", "14x2"), (" S ", " 7 "), ("88411", "99999999999999999999999")] {
            assert_eq!(Sample::parse(wrong.replace(from, to).as_bytes()), None, "{to}");
        }
    }

    #[test]
    fn the_first_thread_is_told_from_others() {
        let record = |path: &str| std::fs::read(path).unwrap();
        assert!(!is_of_another_thread(&record("/proc/self/stat")));
        std::thread::spawn(move || {
            let own = std::fs::read_link("/proc/thread-self").unwrap();
            let tid = own.file_name().unwrap().to_str().unwrap().to_owned();
            assert!(is_of_another_thread(&record(&format!("/proc/{tid}/stat"))));
        })
        .join()
        .unwrap();
        assert!(!is_of_another_thread(b"") && !is_of_another_thread(b"1 (x) S"));
    }

    #[test]
    fn bytes_of_storage() {
        let io = b"rchar: 1\nwchar: 2\nread_bytes: 8192\nwrite_bytes: 4096\ncancelled_write_bytes: 7\n";
        assert_eq!(parse_io(io), Some((8192, 4096)));
        assert_eq!(parse_io(b"rchar: 1\nread_bytes: 8192\n"), None);
        let whole = io.len() - b"cancelled_write_bytes: 7\n".len();
        assert!((0..whole).all(|end| parse_io(&io[..end]).is_none()));
        assert_eq!(
            Sizes::parse(b"765 428 399 5 0 123 0\n"),
            Some(Sizes { size: 765, resident: 428, shared: 399, data: 123 })
        );
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = (Sample::parse(&bytes), Sizes::parse(&bytes), parse_io(&bytes), is_of_another_thread(&bytes));
        }

        /// Both parsers read the same figures, whatever the record says.
        #[test]
        fn agrees_with_the_whole_parser(
            name in proptest::collection::vec(any::<u8>(), 0..15),
            numbers in proptest::collection::vec(any::<u64>(), 49),
        ) {
            let mut bytes = [b"1 (", &name[..], b") S"].concat();
            for (index, number) in numbers.iter().enumerate() {
                let number = if index == 0 { u64::from(*number as u32) } else { *number };
                bytes.extend_from_slice(format!(" {number}").as_bytes());
            }
            bytes.push(b'\n');
            let (sample, stat) = (Sample::parse(&bytes).unwrap(), stat::parse(&bytes, 1).unwrap());
            prop_assert_eq!(sample.threads, stat.threads);
            prop_assert_eq!(sample.start, stat.start.0);
            prop_assert_eq!(sample.resident_pages, stat.resident.0);
            prop_assert_eq!(sample.cpu, stat.utime.0.saturating_add(stat.stime.0));
            prop_assert_eq!(sample.name.text(), stat.name);
        }
    }
}
