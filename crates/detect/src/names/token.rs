//! One thread name taken apart: its numbers and ids, and the skeleton that siblings share.

/// Stands for a number or an id in a skeleton. No UTF-8 text contains this byte.
pub(super) const NUMBER: u8 = 0xff;
/// Bytes that the kernel keeps of a name (TASK_COMM_LEN − 1).
pub(super) const COMM_BYTES: usize = 15;
/// Numbers after these stay literal text: no naming scheme has as many, a hostile name may.
const MOST_NUMBERS: usize = 6;
/// Text after these bytes is not searched for numbers. Names from /proc have 15; other sources have more.
const MOST_BYTES: usize = 128;

/// A name with its numbers found.
///
/// `pool-12-thread-` has the number `12` and the skeleton `pool-□-thread-`.
#[derive(Clone, Debug)]
pub(super) struct Parsed<'a> {
    /// The name itself.
    pub(super) text: &'a str,
    /// The name with each number and id replaced by [`NUMBER`].
    pub(super) skeleton: Vec<u8>,
    /// Does it fill the kernel's 15 bytes, so that its end may be cut off?
    pub(super) full: bool,
    spans: [(u16, u16); MOST_NUMBERS],
    count: usize,
}

impl<'a> Parsed<'a> {
    /// Takes a name apart.
    pub(super) fn new(text: &'a str) -> Self {
        let mut parsed = Self {
            text,
            skeleton: Vec::with_capacity(text.len()),
            full: raw_length(text) == COMM_BYTES,
            spans: [(0, 0); MOST_NUMBERS],
            count: 0,
        };
        parsed.find_numbers();
        parsed
    }

    /// The number at a position.
    pub(super) fn number(&self, position: usize) -> Option<&'a str> {
        let (start, end) = *self.spans[..self.count].get(position)?;
        self.text.get(usize::from(start)..usize::from(end))
    }

    /// The name up to the end of the number at a position; all of it when there is none.
    pub(super) fn up_to(&self, position: usize) -> &'a str {
        let end = self.spans[..self.count].get(position).map(|&(_, end)| usize::from(end));
        end.and_then(|end| self.text.get(..end)).unwrap_or(self.text)
    }

    /// May the number at this position go on behind the cut?
    pub(super) fn touches_cut(&self, position: usize) -> bool {
        self.full && position + 1 == self.count && self.skeleton.last() == Some(&NUMBER)
    }

    /// Is the number stuck to a word of one or two letters, as in `C1` or `v2`, where it is rather part of
    /// the word than a count?
    pub(super) fn is_glued(&self, position: usize) -> bool {
        let Some(&(start, _)) = self.spans[..self.count].get(position) else { return false };
        let before = &self.text.as_bytes()[..usize::from(start)];
        let letters = before.iter().rev().take(3).take_while(|b| b.is_ascii_alphabetic()).count();
        (1..3).contains(&letters)
    }

    fn find_numbers(&mut self) {
        let bytes = self.text.as_bytes();
        let mut at = 0;
        let mut copied = 0;
        while at < bytes.len().min(MOST_BYTES) && self.count < MOST_NUMBERS {
            let token = if let Some(skip) = escape(&bytes[at..]) {
                at += skip;
                continue;
            } else if at > 0 && bytes[at - 1].is_ascii_alphanumeric() {
                digits(&bytes[at..])
            } else {
                id(&bytes[at..]).or_else(|| digits(&bytes[at..]))
            };
            let Some(length) = token else {
                at += 1;
                continue;
            };
            let end = at.saturating_add(length);
            self.skeleton.extend_from_slice(&bytes[copied..at]);
            self.skeleton.push(NUMBER);
            // Both fit: `at` is below MOST_BYTES, and a token that reaches further is cut to what fits.
            self.spans[self.count] = (at as u16, end.min(usize::from(u16::MAX)) as u16);
            self.count += 1;
            (at, copied) = (end, end);
        }
        self.skeleton.extend_from_slice(&bytes[copied..]);
    }
}

/// Bytes of the name as the kernel had it: an invalid byte is written `\xNN` in a `Text`.
fn raw_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut at = 0;
    let mut length = 0;
    while at < bytes.len() && length <= COMM_BYTES {
        at += escape(&bytes[at..]).unwrap_or(1);
        length += 1;
    }
    length
}

/// `\xNN`: an invalid byte, whose digits count nothing.
fn escape(bytes: &[u8]) -> Option<usize> {
    match bytes {
        [b'\\', b'x', high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => Some(4),
        _ => None,
    }
}

/// `1350`: its length.
fn digits(bytes: &[u8]) -> Option<usize> {
    let length = bytes.iter().take_while(|b| b.is_ascii_digit()).count();
    (length > 0).then_some(length)
}

/// `0x7f3a`, `3fa9c1b2`, `3fa85f64-5717-4562-b3fc-2c963f66afa6`, the last also cut short: its length.
fn id(bytes: &[u8]) -> Option<usize> {
    let run = bytes.iter().take_while(|b| b.is_ascii_alphanumeric()).count();
    let word = &bytes[..run];
    if run > 2 && word.starts_with(b"0x") && word[2..].iter().all(u8::is_ascii_hexdigit) {
        return Some(run);
    }
    if !looks_random(word) {
        return None;
    }
    Some(if run == 8 { run + rest_of_uuid(&bytes[run..]) } else { run })
}

/// Hex digits in which letters and digits are mixed as no word mixes them: `3fa9c1b2`, not `decade12`.
fn looks_random(word: &[u8]) -> bool {
    if word.len() < 6 || !word.iter().all(u8::is_ascii_hexdigit) {
        return false;
    }
    let figures = word.iter().filter(|b| b.is_ascii_digit()).count();
    let letters = word.len() - figures;
    let changes = word.windows(2).filter(|w| w[0].is_ascii_digit() != w[1].is_ascii_digit()).count();
    let mixed = figures >= 2 && letters > 0 && changes >= 2;
    mixed || (word.len() >= 8 && word[0].is_ascii_digit() && letters > 0)
}

/// Length of `-5717-4562-…` behind the first eight digits of a UUID; its last part may be cut short.
fn rest_of_uuid(bytes: &[u8]) -> usize {
    let mut at = 0;
    for part in [4, 4, 4, 12] {
        if bytes.get(at) != Some(&b'-') {
            break;
        }
        let run = bytes[at + 1..].iter().take_while(|b| b.is_ascii_alphanumeric()).count();
        let fits = run == part || (run < part && at + 1 + run == bytes.len());
        if !fits || !bytes[at + 1..at + 1 + run].iter().all(u8::is_ascii_hexdigit) {
            break;
        }
        at += 1 + run;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    fn skeleton(text: &str) -> String {
        String::from_utf8(
            Parsed::new(text).skeleton.iter().map(|&b| if b == NUMBER { b'#' } else { b }).collect(),
        )
        .unwrap()
    }

    #[test]
    fn numbers_and_ids_are_found() {
        for (name, expected) in [
            ("pool-1-thread-1", "pool-#-thread-#"),
            ("http-nio-8080-e", "http-nio-#-e"),
            ("kworker/u8:3-ev", "kworker/u#:#-ev"),
            ("job-3fa9c1b2", "job-#"),
            ("3fa85f64-5717-4", "#"),
            ("3fa85f64-worker", "#-worker"),
            ("0x7f3a-io", "#-io"),
            ("facade", "facade"),
            ("decade12", "decade#"),
            ("C2 CompilerThre", "C# CompilerThre"),
            ("", ""),
            ("\\xe2\\x80 7", "\\xe2\\x80 #"),
            ("größe-7", "größe-#"),
        ] {
            assert_eq!(skeleton(name), expected, "{name}");
        }
    }

    #[test]
    fn fullness_counts_the_kernels_bytes() {
        assert!(Parsed::new("pool-1-thread-1").full);
        assert!(!Parsed::new("pool-1-thread-").full);
        // 14 bytes and an invalid one, which takes four characters in a Text.
        assert!(Parsed::new("pool-1-thread-\\xff").full);
        assert!(!Parsed::new("a name from a thread dump, longer than comm").full);
    }

    #[test]
    fn glued_numbers() {
        assert!(Parsed::new("C1 CompilerThre").is_glued(0));
        assert!(!Parsed::new("worker1").is_glued(0));
        assert!(!Parsed::new("GC Thread#0").is_glued(0));
        assert!(!Parsed::new("1-worker").is_glued(0));
    }
}
