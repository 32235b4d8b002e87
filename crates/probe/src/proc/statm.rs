//! /proc/PID/statm: sizes in pages (proc_pid_statm(5), fs/proc/array.c: proc_pid_statm).
//!
//! ```text
//! size  resident shared text lib data  dt
//! 765 428 399 5 0 123 0
//! ```

use model::{Bytes, Statm};

use super::{Absence, scan};

/// Parses a record; pages become bytes. All zero for zombies and kernel threads, which have no memory.
pub fn parse(record: &[u8], page_size: u64) -> Result<Statm, Absence> {
    let mut words = scan::complete("statm", record)?.split(|byte| *byte == b' ');
    let mut field = |name: &str| {
        let pages =
            words.next().and_then(scan::number).ok_or_else(|| Absence::malformed("statm", 1, name))?;
        Ok(Bytes(pages.saturating_mul(page_size)))
    };
    let (size, resident, shared, text) =
        (field("size")?, field("resident")?, field("shared")?, field("text")?);
    let _always_zero = field("lib")?;
    let data = field("data")?;
    field("dt")?;
    Ok(Statm { size, resident, shared, text, data })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_record() {
        let statm = parse(b"765 428 399 5 0 123 0\n", 4096).unwrap();
        assert_eq!(statm.size, Bytes(765 * 4096));
        assert_eq!(statm.resident, Bytes(428 * 4096));
        assert_eq!(statm.shared, Bytes(399 * 4096));
        assert_eq!(statm.text, Bytes(5 * 4096));
        assert_eq!(statm.data, Bytes(123 * 4096));
    }

    #[test]
    fn what_was_cut_off_is_refused() {
        let whole = b"765 428 399 5 0 123 0\n";
        for end in 0..whole.len() {
            assert!(parse(&whole[..end], 4096).is_err(), "cut at {end}");
        }
        assert_eq!(parse(b"765 428\n", 4096), Err(Absence::Malformed("statm: line 1: shared".into())));
        assert_eq!(parse(b"", 4096), Err(Absence::Malformed("statm: empty".into())));
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = parse(&bytes, 4096);
        }
    }
}
