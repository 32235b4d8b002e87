//! What is said over the socket (HotSpot: attachListener.cpp; JDK: sun.tools.attach.HotSpotVirtualMachine).
//!
//! ```text
//! 1\0jcmd\0Thread.print\0\0\0                 version 1: a name and exactly three arguments, each below 1 KiB
//! 2\0 26\0 jcmd\0Thread.print\0\0\0           version 2 (JDK 24 and later): a size, then any number of arguments
//! 0\nFull thread dump …                       the answer: a code, then text until the end of the stream
//! ```

use super::Refusal;

/// Names and arguments of version 1 are at most so long (name_length_max is 16, 32 on newer ones; arg_length_max 1,024).
const NAME: usize = 16;
const ARGUMENT: usize = 1024;
/// Version 2 allows 256 KiB in all.
const MOST: usize = 256 * 1024;

/// Does the request need version 2?
pub(super) fn needs_v2(arguments: &[&str]) -> bool {
    arguments.len() > 3 || arguments.iter().any(|argument| argument.len() > ARGUMENT)
}

/// The bytes of a request.
pub(super) fn request(name: &str, arguments: &[&str], v2: bool) -> Result<Vec<u8>, Refusal> {
    let length: usize = name.len() + arguments.iter().map(|argument| argument.len()).sum::<usize>();
    let has_nul = name.contains('\0') || arguments.iter().any(|argument| argument.contains('\0'));
    if name.is_empty() || name.len() > NAME || has_nul || length > MOST || (!v2 && needs_v2(arguments)) {
        return Err(Refusal::Protocol(format!("a command that cannot be sent: {name}")));
    }
    let mut words = vec![name];
    words.extend_from_slice(arguments);
    words.resize(words.len().max(4), "");
    let body = words.iter().flat_map(|word| word.bytes().chain([0]));
    let mut bytes = Vec::with_capacity(length + 32);
    if v2 {
        let size: usize = words.iter().map(|word| word.len() + 1).sum();
        bytes.extend_from_slice(format!("2\0{size}\0").as_bytes());
    } else {
        bytes.extend_from_slice(b"1\0");
    }
    bytes.extend(body);
    Ok(bytes)
}

/// What a JVM answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reply {
    /// 0 when it did what it was asked.
    pub code: i32,
    /// Its words.
    pub text: Vec<u8>,
}

/// Splits a whole answer.
pub(super) fn reply(mut bytes: Vec<u8>) -> Result<Reply, Refusal> {
    if bytes.is_empty() {
        return Err(Refusal::Protocol("it closed the connection without a word".to_owned()));
    }
    let end = bytes.iter().take(16).position(|byte| *byte == b'\n').unwrap_or(bytes.len().min(16));
    let code = std::str::from_utf8(bytes.get(..end).unwrap_or_default()).ok();
    let code = code.and_then(|code| code.trim_end_matches('\r').parse().ok());
    let Some(code) = code else {
        return Err(Refusal::Protocol("no code at its beginning".to_owned()));
    };
    bytes.drain(..bytes.len().min(end + 1));
    Ok(Reply { code, text: bytes })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn requests_are_what_a_jvm_reads() {
        assert_eq!(
            request("jcmd", &["Thread.print"], false).unwrap(),
            b"1\0jcmd\0Thread.print\0\0\0",
            "always three arguments"
        );
        assert_eq!(request("load", &["a", "b", "c", "d"], true).unwrap(), b"2\x0013\0load\0a\0b\0c\0d\0");
        assert_eq!(request("jcmd", &["x"], true).unwrap(), b"2\x009\0jcmd\0x\0\0\0");
        assert!(needs_v2(&["a", "b", "c", "d"]) && needs_v2(&["x".repeat(1025).as_str()]));
        for (name, arguments) in [
            ("", &[][..]),
            ("jcmd", &["a\0b"]),
            ("a\0", &[]),
            ("12345678901234567", &[]),
            ("x", &["1", "2", "3", "4"]),
        ] {
            assert!(request(name, arguments, false).is_err(), "{name:?} {arguments:?}");
        }
    }

    #[test]
    fn answers() {
        let text = |bytes: &[u8]| reply(bytes.to_vec()).map(|reply| (reply.code, reply.text));
        assert_eq!(text(b"0\nline\nline\n"), Ok((0, b"line\nline\n".to_vec())));
        assert_eq!(text(b"101\nProtocol mismatch"), Ok((101, b"Protocol mismatch".to_vec())));
        assert_eq!(text(b"-1\n"), Ok((-1, Vec::new())));
        assert_eq!(text(b"0"), Ok((0, Vec::new())));
        for wrong in [&b""[..], b"\n", b"x\n", b"0x\n", b"99999999999\n", b"0 0\n"] {
            assert!(matches!(text(wrong), Err(Refusal::Protocol(_))), "{wrong:?}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = reply(bytes);
        }
    }
}
