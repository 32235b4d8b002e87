//! What a JVM answers to diagnostic commands, as text: one parser for each. Each takes any bytes that became text: what a
//! thread or a class is called is up to the program, and an answer may be cut off.

pub mod flags;
pub mod heap_info;
pub mod histogram;
pub mod loaders;
pub mod native_memory;
pub mod properties;
pub mod thread_dump;

/// `3072KB`, `1280K`, `64M`, `12`: bytes, and what follows.
fn bytes(text: &str) -> Option<(u64, &str)> {
    let (number, rest) = crate::proc::scan::leading_number(text.as_bytes())?;
    let rest = text.get(text.len() - rest.len()..)?;
    let (shift, unit) = match rest.as_bytes().first() {
        Some(b'K') => (10, 1),
        Some(b'M') => (20, 1),
        Some(b'G') => (30, 1),
        Some(b'T') => (40, 1),
        _ => (0, 0),
    };
    let rest = rest.get(unit..)?;
    let rest = rest.strip_prefix('B').unwrap_or(rest);
    Some((number.checked_mul(1 << shift)?, rest))
}

/// The class of a lambda without what tells it from others in this run: `Jobs$$Lambda$12/0x0000000800c03000` is
/// `Jobs$$Lambda`, as later JDKs write it.
fn plain_class(name: &str) -> &str {
    const LAMBDA: &str = "$$Lambda";
    match name.find(LAMBDA) {
        Some(at) => name.get(..at + LAMBDA.len()).unwrap_or(name),
        // Hidden classes, and the anonymous ones of before: `Name/0x…`, `Name/791452441`.
        None => name.split_once('/').map_or(name, |(name, _)| name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_names() {
        assert_eq!(bytes("3072KB, x"), Some((3072 << 10, ", x")));
        assert_eq!(bytes("64M max"), Some((64 << 20, " max")));
        assert_eq!(bytes("12"), Some((12, "")));
        assert_eq!(bytes("12B)"), Some((12, ")")));
        assert_eq!(bytes("99999999999999999999K"), None);
        assert_eq!(bytes("K"), None);
        assert_eq!(plain_class("a.B$$Lambda$12/0x0000000800c03000"), "a.B$$Lambda");
        assert_eq!(plain_class("a.B$$Lambda/0x0000000800c03000"), "a.B$$Lambda");
        assert_eq!(
            plain_class("java.lang.invoke.LambdaForm$MH/0x00000008001"),
            "java.lang.invoke.LambdaForm$MH"
        );
        assert_eq!(plain_class("a.B"), "a.B");
    }
}
