//! The beginning of HotSpot's fatal error log (vmError.cpp): what failed.

use super::shortened;

/// What a log says, in one line; `None` when it does not begin as such a log.
///
/// ```text
/// #
/// # There is insufficient memory for the Java Runtime Environment to continue.
/// # Native memory allocation (mmap) failed to map 67108864 bytes. Error detail: committing reserved memory.
/// # Possible reasons:
/// ```
///
/// ```text
/// #
/// # A fatal error has been detected by the Java Runtime Environment:
/// #
/// #  SIGSEGV (0xb) at pc=0x00007f2a5c1b2f10, pid=4711, tid=4712
/// #
/// # JRE version: OpenJDK Runtime Environment (17.0.2+8) (build 17.0.2+8)
/// # Problematic frame:
/// # C  [libzip.so+0x12522]  newEntry+0x62
/// ```
pub(super) fn summary(beginning: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(beginning);
    // The header is the lines that begin with '#'; only it is looked at.
    let header: Vec<&str> = text.lines().map_while(|l| l.strip_prefix('#')).map(str::trim).take(60).collect();
    let at = header.iter().position(|line| !line.is_empty())?;
    let first = header[at];
    let said = if first.starts_with("A fatal error has been detected by the Java Runtime") {
        let what = at + 1 + header[at + 1..].iter().position(|line| !line.is_empty())?;
        let mut said = without_ids(header[what]).to_owned();
        // An assertion's own words, `fatal error: OutOfMemory encountered: …`, follow at once.
        if let Some(words) = header.get(what + 1).filter(|line| !line.is_empty()) {
            said = format!("{said}: {words}");
        }
        match after(&header, "Problematic frame:") {
            Some(frame) => format!("{said}, in {frame}"),
            None => said,
        }
    } else if first.contains("Java Runtime Environment") {
        let detail = header[at + 1..].iter().find(|line| !line.is_empty());
        match detail.filter(|line| !line.starts_with("Possible reasons")) {
            Some(detail) => format!("{first} {detail}"),
            None => first.to_owned(),
        }
    } else {
        return None;
    };
    Some(shortened(&said).to_owned())
}

/// The line behind the one that says this.
fn after<'a>(header: &[&'a str], line: &str) -> Option<&'a str> {
    let at = header.iter().position(|l| *l == line)?;
    header.get(at + 1).copied().filter(|l| !l.is_empty())
}

/// `SIGSEGV (0xb) at pc=0x7f2a` of the line that goes on with pid and tid, which the file's name tells.
fn without_ids(line: &str) -> &str {
    line.split_once(", pid=").map_or(line, |(head, _)| head)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_failed() {
        let memory = "#\n# There is insufficient memory for the Java Runtime Environment to continue.\n\
                      # Native memory allocation (mmap) failed to map 67108864 bytes. Error detail: x\n# Possible reasons:\n";
        assert_eq!(
            summary(memory.as_bytes()).unwrap(),
            "There is insufficient memory for the Java Runtime Environment to continue. Native memory allocation (mmap) \
             failed to map 67108864 bytes. Error detail: x"
        );
        let thread = "#\n# There is insufficient memory for the Java Runtime Environment to continue.\n\
                      # Cannot create worker GC thread. Out of system resources.\n";
        assert!(
            summary(thread.as_bytes())
                .unwrap()
                .ends_with("Cannot create worker GC thread. Out of system resources.")
        );
        let crash = "#\n# A fatal error has been detected by the Java Runtime Environment:\n#\n\
                     #  SIGSEGV (0xb) at pc=0x00007f2a5c1b2f10, pid=4711, tid=4712\n#\n# JRE version: x\n\
                     # Problematic frame:\n# C  [libzip.so+0x12522]  newEntry+0x62\n#\n";
        assert_eq!(
            summary(crash.as_bytes()).unwrap(),
            "SIGSEGV (0xb) at pc=0x00007f2a5c1b2f10, in C  [libzip.so+0x12522]  newEntry+0x62"
        );
        let internal = "#\n# A fatal error has been detected by the Java Runtime Environment:\n#\n\
                        #  Internal Error (debug.cpp:362), pid=1, tid=2\n\
                        #  fatal error: OutOfMemory encountered: unable to create native thread\n#\n";
        assert_eq!(
            summary(internal.as_bytes()).unwrap(),
            "Internal Error (debug.cpp:362): fatal error: OutOfMemory encountered: unable to create native thread"
        );
    }

    #[test]
    fn what_is_no_such_log() {
        for text in [
            "",
            "#",
            "#\n#\n",
            "#!/bin/sh\n",
            "# A fatal error has been detected by the Java Runtime Environment:\n",
            "x",
        ] {
            assert_eq!(summary(text.as_bytes()), None, "{text}");
        }
        let long = format!("# Java Runtime Environment {}", "ä".repeat(1000));
        assert!(summary(long.as_bytes()).unwrap().len() <= super::super::MOST_TEXT);
    }

    proptest! {
        #[test]
        fn any_bytes(bytes in prop::collection::vec(prop_oneof![any::<u8>(), Just(b'#'), Just(b'\n')], 0..300)) {
            let _ = summary(&bytes);
        }
    }
}
