//! Numbers of /proc/PID/maps and smaps, eight characters at a time: a mapping's line holds some forty digits, and a
//! loop over them would cost more than everything else that is done with the line.

const ONES: u64 = 0x0101_0101_0101_0101;

/// Eight lower-case hex digits, the first one the most significant; `None` when one of them is something else.
#[inline]
pub(crate) fn eight(text: [u8; 8]) -> Option<u64> {
    let (value, wrong) = decode(u64::from_le_bytes(text));
    (wrong == 0).then_some(value)
}

/// The value, and something other than 0 when the text (its first character the lowest byte) is not eight hex digits.
#[inline]
fn decode(text: u64) -> (u64, u64) {
    // '0'..='9' is 0x30..=0x39, 'a'..='f' is 0x61..=0x66: the low nibble, plus nine for letters (bit 6).
    let values = (text & (0x0f * ONES)) + 9 * ((text >> 6) & ONES);
    // Written back as text it must be the same: nothing but the sixteen digits survives both ways.
    let is_letter = ((values + 6 * ONES) >> 4) & ONES;
    let back = values + 0x30 * ONES + 39 * is_letter;
    let wrong = (back ^ text) | (values & (0xf0 * ONES));
    let pairs = values.swap_bytes();
    let bytes = (pairs | (pairs >> 4)) & 0x00ff_00ff_00ff_00ff;
    let words = (bytes | (bytes >> 8)) & 0x0000_ffff_0000_ffff;
    ((words | (words >> 16)) & 0xffff_ffff, wrong)
}

/// `7f67db000000-7f67db030000`: two addresses of twelve digits, as nearly all are. Three steps of eight digits, the
/// middle one half from each, and a single decision at the end.
#[inline]
pub(crate) fn range(text: &[u8; 25]) -> Option<(u64, u64)> {
    let half = |at: usize| Some(u64::from(u32::from_le_bytes(*text.get(at..)?.first_chunk()?)));
    let (first, wrong_first) = decode(u64::from_le_bytes(*text.first_chunk()?));
    let (middle, wrong_middle) = decode(half(8)? | half(13)? << 32);
    let (last, wrong_last) = decode(u64::from_le_bytes(*text.last_chunk()?));
    let wrong = wrong_first | wrong_middle | wrong_last | u64::from(text[12] ^ b'-');
    (wrong == 0).then_some(((first << 16) | (middle >> 16), ((middle & 0xffff) << 32) | last))
}

/// Twelve digits.
#[inline]
pub(crate) fn twelve(text: &[u8; 12]) -> Option<u64> {
    let (first, wrong_first) = decode(u64::from_le_bytes(*text.first_chunk()?));
    let (last, wrong_last) = decode(u64::from_le_bytes(*text.last_chunk()?));
    (wrong_first | wrong_last == 0).then_some(((first >> 16) << 32) | last)
}

/// Hex digits up to something else, and how many there were; `None` for none and for more than sixteen.
#[inline]
pub(crate) fn leading(text: &[u8]) -> Option<(u64, usize)> {
    let mut value = 0_u64;
    for (at, byte) in text.iter().enumerate() {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            _ => return (at > 0).then_some((value, at)),
        };
        if at == 16 {
            return None;
        }
        value = (value << 4) | u64::from(digit);
    }
    (!text.is_empty()).then_some((value, text.len()))
}

/// Decimal digits up to something else, and how many there were; `None` for none and for more than a u64 holds.
#[inline]
pub(crate) fn leading_decimal(text: &[u8]) -> Option<(u64, usize)> {
    let mut value = 0_u64;
    let mut at = 0;
    while let Some(digit) = text.get(at).map(|byte| byte.wrapping_sub(b'0')).filter(|digit| *digit < 10) {
        value = value.checked_mul(10)?.checked_add(u64::from(digit))?;
        at += 1;
    }
    (at > 0).then_some((value, at))
}

/// A decimal number, right-aligned with spaces in eight columns, as smaps writes its sizes.
#[inline]
pub(crate) fn eight_columns(text: [u8; 8]) -> Option<u64> {
    let text = u64::from_le_bytes(text);
    let digits = (text >> 4) & ONES;
    let values = text & (0x0f * ONES);
    let mask = digits * 0xff;
    let blank = !mask;
    // Each byte 0x20 or 0x30..=0x39, and the digits without a gap at the end (the high bytes).
    let well_formed = text & (0xe0 * ONES) == 0x20 * ONES
        && values & blank == 0
        && (values + 6 * ONES) & (0x10 * ONES) == 0
        && mask != 0
        && blank & blank.wrapping_add(1) == 0;
    if !well_formed {
        return None;
    }
    let pairs = (values.wrapping_mul(2561) >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs.wrapping_mul(6_553_601) >> 16) & 0x0000_ffff_0000_ffff;
    Some(fours.wrapping_mul(42_949_672_960_001) >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn each_wrong_byte_is_seen() {
        for byte in 0..=u8::MAX {
            let good = byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
            for place in 0..8 {
                let mut text = *b"00000000";
                text[place] = byte;
                assert_eq!(eight(text).is_some(), good, "{byte:#x} at {place}");
            }
        }
        assert_eq!(leading(b""), None);
        assert_eq!(leading(b"-1"), None);
        assert_eq!(leading(b"ffffffffffffffff"), Some((u64::MAX, 16)));
        assert_eq!(leading(b"ffffffffffffffff0"), None);
        assert_eq!(leading_decimal(b"18446744073709551615 "), Some((u64::MAX, 20)));
        assert_eq!(leading_decimal(b"18446744073709551616 "), None);
        for text in
            [*b"        ", *b"1      2", *b"      2 ", *b"      1:", *b"     %12", *b"      -1", *b"0000000a"]
        {
            assert_eq!(eight_columns(text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn numbers_come_back(value: u64) {
            let low = value & 0xffff_ffff;
            prop_assert_eq!(eight(format!("{low:08x}").into_bytes().try_into().unwrap()), Some(low));
            let low = value & 0xffff_ffff_ffff;
            let other = low.wrapping_mul(0x9e37_79b9) & 0xffff_ffff_ffff;
            let text = format!("{low:012x}-{other:012x}").into_bytes().try_into().unwrap();
            prop_assert_eq!(range(&text), Some((low, other)));
            prop_assert_eq!(twelve(text.first_chunk().unwrap()), Some(low));
            prop_assert_eq!(leading(format!("{value:x}-").as_bytes()).map(|found| found.0), Some(value));
            prop_assert_eq!(leading_decimal(value.to_string().as_bytes()).map(|found| found.0), Some(value));
            let kib = value % 100_000_000;
            prop_assert_eq!(eight_columns(format!("{kib:8}").into_bytes().try_into().unwrap()), Some(kib));
        }

        #[test]
        fn any_bytes_agree_with_the_plain_way(text: [u8; 8]) {
            let plain = text.iter().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(b));
            prop_assert_eq!(eight(text).is_some(), plain);
            let plain = std::str::from_utf8(&text).ok().map(|t| t.trim_start_matches(' '))
                .filter(|t| t.bytes().all(|b| b.is_ascii_digit())).and_then(|t| t.parse().ok());
            prop_assert_eq!(eight_columns(text), plain);
        }
    }
}
