//! Where a class came from, in the words of its code source or as a path:
//!
//! ```text
//! /opt/app/lib/quartz-2.3.2.jar
//! file:/opt/app/my%20lib/quartz-2.3.2.jar
//! jar:file:/opt/app.jar!/BOOT-INF/lib/quartz-2.3.2.jar!/
//! jar:nested:/opt/app.jar/!BOOT-INF/lib/quartz-2.3.2.jar!/      (Spring Boot 3.2 and later)
//! ```

/// A file or directory, and what is meant inside it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Origin {
    /// In the target.
    pub(super) path: Vec<u8>,
    /// Archives or directories inside, from the outside in.
    pub(super) inside: Vec<Vec<u8>>,
}

impl Origin {
    pub(super) fn parse(origin: &[u8]) -> Self {
        let mut rest = origin;
        let mut is_address = false;
        // `vfs:` is JBoss's, whose paths are those of the files as long as they lie in its folders.
        for scheme in [&b"jar:"[..], b"war:", b"nested:", b"file:", b"vfs:"] {
            if let Some(after) = rest.strip_prefix(scheme) {
                rest = after;
                is_address = true;
            }
        }
        // file:///opt/app.jar
        if is_address && rest.starts_with(b"///") {
            rest = rest.get(2..).unwrap_or_default();
        }
        let whole = if is_address { decode(rest) } else { rest.to_vec() };
        let mut parts = Vec::new();
        let mut part = &whole[..];
        while let Some(at) = memchr::memmem::find(part, b"!") {
            let (before, after) = (&part[..at], &part[at + 1..]);
            // `!` in a name is no mark: that has a slash on one side.
            let after_mark = after.strip_prefix(b"/").or_else(|| before.ends_with(b"/").then_some(after));
            let ends_so = after.is_empty() && is_archive(before);
            match after_mark {
                Some(after) => {
                    parts.push(trimmed(before).to_vec());
                    part = after;
                }
                None if ends_so => {
                    parts.push(before.to_vec());
                    part = after;
                }
                None => break,
            }
        }
        parts.push(trimmed(part).to_vec());
        let mut parts = parts.into_iter().filter(|part| !part.is_empty());
        Self { path: parts.next().unwrap_or_default(), inside: parts.collect() }
    }

    /// What is named last: the innermost archive, or the file.
    pub(super) fn last_archive(&self) -> &[u8] {
        self.inside.iter().rev().find(|part| is_archive(part)).unwrap_or(&self.path)
    }
}

/// Without slashes at its end.
pub(super) fn trimmed(path: &[u8]) -> &[u8] {
    let end = path.iter().rposition(|byte| *byte != b'/').map_or(0, |last| last + 1);
    &path[..end]
}

/// Is it called like an archive that classes are loaded from?
pub(super) fn is_archive(path: &[u8]) -> bool {
    let dot = path.iter().rposition(|byte| *byte == b'.').map_or(path.len(), |dot| dot + 1);
    [&b"jar"[..], b"war", b"ear", b"zip", b"sar", b"rar", b"aar"]
        .iter()
        .any(|known| path[dot..].eq_ignore_ascii_case(known))
}

/// `%20`; a percent sign that begins no such pair stays.
fn decode(text: &[u8]) -> Vec<u8> {
    let digit = |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16));
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        match (byte, digit(text.get(at + 1)), digit(text.get(at + 2))) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                at += 3;
            }
            _ => {
                out.push(*byte);
                at += 1;
            }
        }
    }
    out
}
