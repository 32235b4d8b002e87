//! What the parsers of this folder share: numbers, words and complete lines of bytes, without allocation.

use super::Absence;

/// A decimal number at the start, and what follows it. `None` without a digit, or beyond u64.
pub(crate) fn leading_number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0_u64;
    let mut length = 0;
    for byte in bytes {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            break;
        }
        value = value.checked_mul(10)?.checked_add(u64::from(digit))?;
        length += 1;
    }
    (length > 0).then(|| (value, &bytes[length..]))
}

/// A decimal number and nothing else.
pub(crate) fn number(bytes: &[u8]) -> Option<u64> {
    match leading_number(bytes) {
        Some((value, [])) => Some(value),
        _ => None,
    }
}

/// A hexadecimal number, at most 16 digits, and nothing else.
pub(crate) fn hex(bytes: &[u8]) -> Option<u64> {
    if bytes.is_empty() || bytes.len() > 16 {
        return None;
    }
    bytes.iter().try_fold(0_u64, |sum, byte| {
        let digit = char::from(*byte).to_digit(16)?;
        Some(sum << 4 | u64::from(digit))
    })
}

/// Words between blanks and tabs.
pub(crate) fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(|byte| matches!(byte, b' ' | b'\t')).filter(|word| !word.is_empty())
}

/// The content without its last newline. A file of the kernel is never empty and ends with a newline: without
/// one it was cut off, and its last number may be a wrong one.
pub(crate) fn complete<'a>(file: &str, bytes: &'a [u8]) -> Result<&'a [u8], Absence> {
    match bytes {
        [] => Err(Absence::Malformed(format!("{file}: empty"))),
        [content @ .., b'\n'] => Ok(content),
        _ => {
            let line = memchr::memchr_iter(b'\n', bytes).count() + 1;
            Err(Absence::malformed(file, line, "cut off"))
        }
    }
}

/// The lines of a complete file.
pub(crate) fn lines(content: &[u8]) -> impl Iterator<Item = &[u8]> {
    content.split(|byte| *byte == b'\n')
}

/// The content of a file that holds one number, such as /proc/sys/kernel/threads-max.
pub(crate) fn number_file(file: &str, bytes: &[u8]) -> Result<u64, Absence> {
    number(complete(file, bytes)?.trim_ascii()).ok_or_else(|| Absence::malformed(file, 1, "number"))
}

/// The value of a line of `kB`: `    3060 kB`.
pub(crate) fn kib(value: &[u8]) -> Option<model::Bytes> {
    let (kib, unit) = leading_number(value.trim_ascii_start())?;
    (unit == b" kB").then(|| model::Bytes::from_kib(kib))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_whole_or_nothing() {
        assert_eq!(number(b"18446744073709551615"), Some(u64::MAX));
        for bytes in [&b""[..], b"18446744073709551616", b"1x", b"-1", b" 1"] {
            assert_eq!(number(bytes), None, "{bytes:?}");
        }
        assert_eq!(hex(b"000001fffeffffff"), Some(0x01ff_feff_ffff));
        assert_eq!(hex(b"00000000000000001"), None);
        assert_eq!(kib(b"\t    3060 kB"), Some(model::Bytes(3060 * 1024)));
        assert_eq!(kib(b"\t    3060"), None);
    }

    #[test]
    fn a_file_that_was_cut_off_says_where() {
        assert_eq!(complete("f", b""), Err(Absence::Malformed("f: empty".into())));
        assert_eq!(complete("f", b"a\nb"), Err(Absence::Malformed("f: line 2: cut off".into())));
        assert_eq!(complete("f", b"a\n"), Ok(&b"a"[..]));
        assert_eq!(number_file("f", b"12\n"), Ok(12));
        assert_eq!(number_file("f", b"12"), Err(Absence::Malformed("f: line 1: cut off".into())));
        assert_eq!(number_file("f", b"\n"), Err(Absence::Malformed("f: line 1: number".into())));
    }
}
