//! /proc/PID/limits (fs/proc/base.c: proc_pid_limits).
//!
//! ```text
//! Limit                     Soft Limit           Hard Limit           Units
//! Max processes             96365                96365                processes
//! Max address space         unlimited            unlimited            bytes
//! ```

use model::{Bytes, Rlimits};

use super::{Absence, scan};

/// Parses the soft limits. The number of the user's tasks is counted elsewhere and left open.
pub fn parse(bytes: &[u8]) -> Result<Rlimits, Absence> {
    let content = scan::complete("limits", bytes)?;
    Ok(Rlimits {
        processes: soft(content, "Max processes")?,
        open_files: soft(content, "Max open files")?,
        address_space: soft(content, "Max address space")?.map(Bytes),
        stack: soft(content, "Max stack size")?.map(Bytes),
        user_tasks: None,
    })
}

fn soft(content: &[u8], name: &str) -> Result<Option<u64>, Absence> {
    for (index, line) in scan::lines(content).enumerate() {
        let Some(value) = line.strip_prefix(name.as_bytes()).filter(|value| value.starts_with(b" ")) else {
            continue;
        };
        return match scan::words(value).next() {
            Some(b"unlimited") => Ok(None),
            Some(word) if scan::number(word).is_some() => Ok(scan::number(word)),
            _ => Err(Absence::malformed("limits", index + 1, name)),
        };
    }
    Err(Absence::Malformed(format!("limits: no line {name}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SAMPLE: &str = "\
Limit                     Soft Limit           Hard Limit           Units     
Max cpu time              unlimited            unlimited            seconds   
Max stack size            8388608              unlimited            bytes     
Max processes             96365                96366                processes 
Max open files            20000                20001                files     
Max address space         unlimited            17                   bytes     
Max realtime timeout      unlimited            unlimited            us        
";

    #[test]
    fn soft_limits_are_taken() {
        let expected = Rlimits {
            processes: Some(96_365),
            open_files: Some(20_000),
            address_space: None,
            stack: Some(Bytes(8_388_608)),
            user_tasks: None,
        };
        assert_eq!(parse(SAMPLE.as_bytes()), Ok(expected));
    }

    #[test]
    fn what_is_missing_is_not_unlimited() {
        assert_eq!(parse(b""), Err(Absence::Malformed("limits: empty".into())));
        let end = SAMPLE.find("Max address").unwrap();
        let error = parse(&SAMPLE.as_bytes()[..end]);
        assert_eq!(error, Err(Absence::Malformed("limits: no line Max address space".into())));
        assert!(parse(&SAMPLE.as_bytes()[..end + 30]).is_err(), "cut in the middle of unlimited");
        let error = parse(SAMPLE.replace("96365", "96 65").replace("96 65", "-1").as_bytes());
        assert_eq!(error, Err(Absence::Malformed("limits: line 4: Max processes".into())));
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(at in 0..SAMPLE.len(), byte in any::<u8>(), end in 0..SAMPLE.len()) {
            let mut bytes = SAMPLE.as_bytes().to_vec();
            bytes[at] = byte;
            bytes.truncate(end);
            let _ = parse(&bytes);
        }
    }
}
