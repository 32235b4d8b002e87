//! The agent itself: embedded by the build script, named by its content.

use std::hash::{BuildHasher as _, Hasher as _};

/// The shared library; empty where there is none for this processor.
pub(super) static LIBRARY: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/agent.so"));

/// `agent-0123456789abcdef.so`: loaders find what they have loaded by its path, so other content needs another name.
pub(super) fn name() -> String {
    let hash = LIBRARY.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("agent-{hash:016x}.so")
}

/// `.flatfoot-0123456789abcdef`: a name that nobody could know before.
pub(super) fn directory() -> String {
    let number = std::hash::RandomState::new().build_hasher().finish();
    format!("{PREFIX}{number:016x}")
}

const PREFIX: &str = ".flatfoot-";

fn is_hex(text: &[u8]) -> bool {
    text.len() == 16 && text.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Could a directory have been made by [`directory`]?
pub(super) fn is_directory(name: &[u8]) -> bool {
    name.strip_prefix(PREFIX.as_bytes()).is_some_and(is_hex)
}

/// Could a file in it be ours?
pub(super) fn is_file(name: &[u8]) -> bool {
    let library = name.strip_prefix(b"agent-").and_then(|rest| rest.strip_suffix(b".so"));
    library.is_some_and(is_hex) || matches!(name, b"ring" | b"report")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_from_others() {
        assert!(is_directory(directory().as_bytes()) && directory() != directory());
        assert!(is_file(name().as_bytes()) && is_file(b"ring"));
        for other in [".flatfoot-", ".flatfoot-0123456789abcdeg", "flatfoot-0123456789abcdef", ".flatfoot-0"]
        {
            assert!(!is_directory(other.as_bytes()), "{other}");
        }
        for other in ["agent-.so", "ring2", "agent-0123456789abcdef.so.1", ""] {
            assert!(!is_file(other.as_bytes()), "{other}");
        }
    }

    /// One file for every libc: nothing to load beside it, nothing to resolve.
    #[test]
    #[cfg(target_arch = "x86_64")]
    fn the_library_needs_nobody() {
        const DT_NEEDED: u64 = 1;
        const PT_DYNAMIC: u32 = 2;
        let word = |at: usize| u64::from_le_bytes(LIBRARY[at..at + 8].try_into().unwrap());
        let half = |at: usize| u16::from_le_bytes(LIBRARY[at..at + 2].try_into().unwrap());
        assert_eq!(&LIBRARY[..6], b"\x7fELF\x02\x01");
        let headers = (0..usize::from(half(56))).map(|number| word(32) as usize + number * 56);
        let dynamic = headers
            .into_iter()
            .find(|at| u32::from_le_bytes(LIBRARY[*at..at + 4].try_into().unwrap()) == PT_DYNAMIC)
            .unwrap();
        let (start, length) = (word(dynamic + 8) as usize, word(dynamic + 32) as usize);
        let tags: Vec<u64> = (start..start + length).step_by(16).map(word).collect();
        assert!(tags.len() > 4 && !tags.contains(&DT_NEEDED), "{tags:x?}");
        assert!(LIBRARY.len() < 100_000, "{} bytes", LIBRARY.len());
    }
}
