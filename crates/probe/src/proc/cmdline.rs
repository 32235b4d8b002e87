//! /proc/PID/cmdline and /proc/PID/exe: which program a process runs, by its own word and by the kernel's.
//!
//! ```text
//! java\0-Xss2048k\0-jar\0app.jar\0
//! ```

use model::{Need, Reading, Text};
use rustix::fs::readlinkat_raw;
use rustix::io::Errno;

use super::{Absence, PidDir};
use crate::sys::file;

/// The most that is read. A command line may have megabytes; its beginning is enough to know the process by.
const LIMIT: usize = 256 * 1024;

/// The command line, split; empty for kernel threads and zombies. Longer than 256 KiB, it is cut.
pub(crate) fn read(dir: &PidDir, buffer: &mut Vec<u8>) -> Reading<Vec<Text>> {
    match file::read_at(dir, c"cmdline", buffer, LIMIT) {
        Ok(_) => Reading::Value(split(buffer)),
        Err(error) => dir.absence(c"cmdline", error).reading(),
    }
}

/// Splits at the NULs. The NULs at the end are padding: programs that write a title of their own over their
/// arguments leave many, and an empty last argument tells nothing.
#[must_use]
pub fn split(bytes: &[u8]) -> Vec<Text> {
    let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    if end == 0 {
        return Vec::new();
    }
    bytes[..end].split(|byte| *byte == 0).map(Text::from_bytes).collect()
}

/// Where /proc/PID/exe points; ` (deleted)` at its end is the kernel's remark on a replaced program.
pub(crate) fn exe(dir: &PidDir) -> Reading<Text> {
    let mut space = [0_u8; 4096];
    match readlinkat_raw(dir, c"exe", &mut space[..]) {
        Ok(length) => Reading::Value(Text::from_bytes(&space[..length])),
        Err(Errno::ACCESS | Errno::PERM) => Absence::Denied(Need::PtraceAccess).reading(),
        Err(error) => dir.absence(c"exe", error).reading(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(bytes: &[u8]) -> Vec<String> {
        split(bytes).iter().map(|text| text.as_str().to_owned()).collect()
    }

    #[test]
    fn arguments_and_titles() {
        assert_eq!(texts(b"java\0-Xss2048k\0"), ["java", "-Xss2048k"]);
        assert_eq!(texts(b"sh\0-c\0\0x\0"), ["sh", "-c", "", "x"]);
        assert_eq!(texts(b"nginx: worker process\0\0\0\0"), ["nginx: worker process"]);
        assert_eq!(texts(b"cut off"), ["cut off"]);
        assert_eq!(texts(b"a\xff\0"), ["a\\xff"]);
        assert_eq!(texts(b""), [""; 0]);
        assert_eq!(texts(b"\0\0"), [""; 0]);
    }
}
