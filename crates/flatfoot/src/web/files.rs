//! The page's files, which are in the binary.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

include!(concat!(env!("OUT_DIR"), "/page.rs"));

/// A file of the page.
#[derive(Clone, Copy, Debug)]
pub(super) struct File {
    pub(super) kind: &'static str,
    pub(super) bytes: &'static [u8],
}

/// By the path of a URL. Only these very paths are files: there is nothing to walk out of.
pub(super) fn find(path: &str) -> Option<File> {
    let wanted = if path == "/" { "/index.html" } else { path };
    let at = FILES.binary_search_by(|(name, _)| (*name).cmp(wanted)).ok()?;
    let (name, bytes) = FILES.get(at)?;
    Some(File { kind: kind(name), bytes })
}

impl File {
    /// What it is called while it stays as it is.
    pub(super) fn tag(self) -> String {
        let mut hasher = DefaultHasher::new();
        self.bytes.hash(&mut hasher);
        format!("\"{:016x}\"", hasher.finish())
    }
}

fn kind(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        _ => "text/plain; charset=utf-8",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_there_by_its_paths_alone() {
        assert!(FILES.is_sorted_by_key(|(name, _)| *name));
        let page = find("/").unwrap();
        assert_eq!(page.kind, "text/html; charset=utf-8");
        assert_eq!(page.tag(), find("/index.html").unwrap().tag());
        for other in
            ["", "//", "/../Cargo.toml", "/%69ndex.html", "/index.html/", "/INDEX.HTML", "index.html"]
        {
            assert!(find(other).is_none(), "{other}");
        }
    }

    #[test]
    fn it_is_small() {
        let all: usize = FILES.iter().map(|(_, bytes)| bytes.len()).sum();
        assert!(all <= 250 << 10, "{all}");
    }
}
