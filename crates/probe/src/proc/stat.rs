//! /proc/PID/stat and /proc/PID/task/TID/stat (proc_pid_stat(5), fs/proc/array.c: do_task_stat).
//!
//! ```text
//! 3248 (java) S 1 3248 3248 0 -1 1077936128 240811 0 11 0 1432 310 0 0 20 0 2021 0 88411 6422528000 241664 …
//! ```
//!
//! Field 2 is the program's own choice and comes unescaped: it may hold blanks, newlines and `) R 1`. What
//! follows it is numbers, so the last parenthesis of the file closes it.

use model::{Bytes, Pid, Stat, Text, Thread, Ticks};

use super::Absence;
use super::scan;

/// Space for one record: 52 fields of at most 20 digits and a name of at most 64 bytes.
pub(crate) const RECORD: usize = 2048;

/// The fields behind the name, one after the other.
struct Fields<'a> {
    rest: &'a [u8],
    /// Number of the next one, counted from 1 as in the manual.
    next: u32,
}

impl<'a> Fields<'a> {
    /// Splits off the name.
    fn after_name(record: &'a [u8]) -> Result<(&'a [u8], Self), Absence> {
        let record = scan::complete("stat", record)?;
        let open = memchr::memchr(b'(', record).ok_or_else(|| wrong("comm"))?;
        let close = memchr::memrchr(b')', record).filter(|close| *close > open);
        let close = close.ok_or_else(|| wrong("comm"))?;
        let rest = record[close + 1..].strip_prefix(b" ").ok_or_else(|| wrong("state"))?;
        Ok((&record[open + 1..close], Self { rest, next: 3 }))
    }

    /// The field of a number, as bytes; those before it are skipped.
    fn word(&mut self, field: u32, name: &str) -> Result<&'a [u8], Absence> {
        loop {
            if self.rest.is_empty() {
                return Err(wrong(name));
            }
            let (word, rest) = match memchr::memchr(b' ', self.rest) {
                Some(end) => (&self.rest[..end], &self.rest[end + 1..]),
                None => (self.rest, &[][..]),
            };
            self.rest = rest;
            self.next += 1;
            if self.next > field {
                return Ok(word);
            }
        }
    }

    fn number(&mut self, field: u32, name: &str) -> Result<u64, Absence> {
        scan::number(self.word(field, name)?).ok_or_else(|| wrong(name))
    }

    fn state(&mut self) -> Result<char, Absence> {
        match self.word(3, "state")? {
            [letter] if letter.is_ascii_alphabetic() => Ok(char::from(*letter)),
            _ => Err(wrong("state")),
        }
    }
}

#[cold]
fn wrong(field: &str) -> Absence {
    Absence::malformed("stat", 1, field)
}

/// A process's record. Pages are turned into bytes with `page_size`.
pub fn parse(record: &[u8], page_size: u64) -> Result<Stat, Absence> {
    let (name, mut fields) = Fields::after_name(record)?;
    Ok(Stat {
        name: Text::from_bytes(name),
        state: fields.state()?,
        parent: parent(&mut fields)?,
        flags: fields.number(9, "flags")?,
        minor_faults: fields.number(10, "minflt")?,
        major_faults: fields.number(12, "majflt")?,
        utime: Ticks(fields.number(14, "utime")?),
        stime: Ticks(fields.number(15, "stime")?),
        threads: fields.number(20, "num_threads")?,
        start: Ticks(fields.number(22, "starttime")?),
        virtual_size: Bytes(fields.number(23, "vsize")?),
        resident: Bytes(fields.number(24, "rss")?.saturating_mul(page_size)),
        start_stack: fields.number(28, "startstack")?,
        start_brk: fields.number(47, "start_brk")?,
    })
}

/// A thread's record; the stack is left open.
pub fn parse_thread(tid: Pid, record: &[u8]) -> Result<Thread, Absence> {
    let (name, mut fields) = Fields::after_name(record)?;
    Ok(Thread {
        tid,
        name: Text::from_bytes(name),
        state: fields.state()?,
        utime: Ticks(fields.number(14, "utime")?),
        stime: Ticks(fields.number(15, "stime")?),
        start: Ticks(fields.number(22, "starttime")?),
        stack: None,
    })
}

/// Only the parent and what a list of children shows.
pub(crate) fn parse_child(pid: Pid, record: &[u8]) -> Result<(Pid, model::Child), Absence> {
    let (name, mut fields) = Fields::after_name(record)?;
    let state = fields.state()?;
    let parent = parent(&mut fields)?;
    let start = Ticks(fields.number(22, "starttime")?);
    Ok((parent, model::Child { pid, name: Text::from_bytes(name), state, start }))
}

/// Only the birth: the second look that confirms whose files were read.
pub(crate) fn parse_start(record: &[u8]) -> Result<(char, Ticks), Absence> {
    let (_, mut fields) = Fields::after_name(record)?;
    Ok((fields.state()?, Ticks(fields.number(22, "starttime")?)))
}

fn parent(fields: &mut Fields<'_>) -> Result<Pid, Absence> {
    // A parent outside the reader's pid namespace is given as 0.
    u32::try_from(fields.number(4, "ppid")?).map(Pid).map_err(|_| wrong("ppid"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TAIL: &str = " S 1 3248 3248 0 -1 1077936128 240811 7 11 8 1432 310 5 6 20 0 2021 0 88411 \
        6422528000 241664 18446744073709551615 94 95 140722 0 0 0 4 1 16800975 0 0 0 17 1 0 0 0 0 0 \
        450 451 94003 454 455 456 457 0\n";

    fn record(name: &[u8]) -> Vec<u8> {
        [b"3248 (", name, b")", TAIL.as_bytes()].concat()
    }

    #[test]
    fn a_process() {
        let stat = parse(&record(b"java"), 4096).unwrap();
        let expected = Stat {
            name: "java".into(),
            state: 'S',
            parent: Pid(1),
            flags: 1_077_936_128,
            minor_faults: 240_811,
            major_faults: 11,
            utime: Ticks(1432),
            stime: Ticks(310),
            threads: 2021,
            start: Ticks(88_411),
            virtual_size: Bytes(6_422_528_000),
            resident: Bytes(241_664 * 4096),
            start_stack: 140_722,
            start_brk: 94_003,
        };
        assert_eq!(stat, expected);
    }

    #[test]
    fn names_that_lie() {
        for name in [&b"a) R 1"[..], b"x) Z 1 1 1 1 1 1", b")", b"", b"a\nb", b"((", b"\xff\x1b[2J"] {
            let stat = parse(&record(name), 4096).unwrap();
            assert_eq!(stat.name, Text::from_bytes(name));
            assert_eq!((stat.state, stat.parent, stat.start), ('S', Pid(1), Ticks(88_411)));
            let thread = parse_thread(Pid(7), &record(name)).unwrap();
            assert_eq!((thread.name, thread.start), (Text::from_bytes(name), Ticks(88_411)));
        }
    }

    #[test]
    fn every_beginning_of_a_record_is_refused() {
        let whole = record(b"java");
        for end in 0..whole.len() {
            assert!(parse(&whole[..end], 4096).is_err(), "cut at {end}");
        }
    }

    #[test]
    fn errors_name_the_field() {
        let text = String::from_utf8(record(b"java")).unwrap();
        let error = parse(text.replace("1432", "14x2").as_bytes(), 4096).unwrap_err();
        assert_eq!(error, Absence::Malformed("stat: line 1: utime".into()));
        let error = parse(text.replace(" S ", " SS ").as_bytes(), 4096).unwrap_err();
        assert_eq!(error, Absence::Malformed("stat: line 1: state".into()));
        let error = parse(text.replace("88411", "98888888888888888888888").as_bytes(), 4096).unwrap_err();
        assert_eq!(error, Absence::Malformed("stat: line 1: starttime".into()));
        assert_eq!(parse(b"", 4096).unwrap_err(), Absence::Malformed("stat: empty".into()));
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = parse(&bytes, 4096);
            let _ = parse_thread(Pid(1), &bytes);
            let _ = parse_child(Pid(1), &bytes);
        }

        #[test]
        fn what_was_written_is_read(
            name in proptest::collection::vec(any::<u8>(), 0..64),
            numbers in proptest::collection::vec(any::<u64>(), 49),
            state in "[A-Za-z]",
        ) {
            let mut bytes = [b"1 (", &name[..], b") ", state.as_bytes()].concat();
            for (index, number) in numbers.iter().enumerate() {
                let number = if index == 0 { u64::from(*number as u32) } else { *number };
                bytes.extend_from_slice(format!(" {number}").as_bytes());
            }
            bytes.push(b'\n');
            let field = |n: usize| numbers[n - 4];
            let stat = parse(&bytes, 4096).unwrap();
            prop_assert_eq!(&stat.name, &Text::from_bytes(&name));
            prop_assert_eq!(stat.state, state.chars().next().unwrap());
            prop_assert_eq!(stat.parent.0, field(4) as u32);
            prop_assert_eq!(stat.flags, field(9));
            prop_assert_eq!(stat.minor_faults, field(10));
            prop_assert_eq!(stat.major_faults, field(12));
            prop_assert_eq!(stat.utime.0, field(14));
            prop_assert_eq!(stat.stime.0, field(15));
            prop_assert_eq!(stat.threads, field(20));
            prop_assert_eq!(stat.start.0, field(22));
            prop_assert_eq!(stat.virtual_size.0, field(23));
            prop_assert_eq!(stat.resident.0, field(24).saturating_mul(4096));
            prop_assert_eq!(stat.start_stack, field(28));
            prop_assert_eq!(stat.start_brk, field(47));
            prop_assert_eq!(parse_start(&bytes).unwrap(), (stat.state, stat.start));
        }
    }
}
