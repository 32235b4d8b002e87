//! Where the leaking programs do it, by the marks in their sources: a test that names a line would break with each edit.

use crate::support::root;

/// The number of the only line with this mark.
#[track_caller]
pub(crate) fn line(file: &str, mark: &str) -> u64 {
    let path = root().join("tests/leakers").join(file);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let marked = |line: &str| line.trim_end().ends_with(mark);
    let found: Vec<usize> =
        (1..).zip(text.lines()).filter(|(_, line)| marked(line)).map(|(at, _)| at).collect();
    assert_eq!(found.len(), 1, "{mark} in {}", path.display());
    found[0] as u64
}
