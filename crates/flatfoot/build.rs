//! Puts the files of the web page into the binary: all of `src/web/page`, by their paths in it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

fn main() {
    let root = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default()).join("src/web/page");
    println!("cargo::rerun-if-changed={}", root.display());
    let mut files = Vec::new();
    list(&root, &mut files);
    files.sort();
    let mut code = String::from("pub(super) const FILES: &[(&str, &[u8])] = &[\n");
    for file in files {
        let name = file.strip_prefix(&root).unwrap_or(&file).to_string_lossy().into_owned();
        let _ =
            writeln!(code, "    ({:?}, include_bytes!({:?})),", format!("/{name}"), file.to_string_lossy());
    }
    code.push_str("];\n");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").unwrap_or_default()).join("page.rs");
    if let Err(error) = std::fs::write(&out, code) {
        println!("cargo::error={}: {error}", out.display());
    }
}

/// What is served: not what its makers keep beside it (tests, notes, hidden files).
fn list(folder: &Path, into: &mut Vec<PathBuf>) {
    const SERVED: [&str; 7] = ["css", "html", "ico", "js", "png", "svg", "txt"];
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') || name.contains(".test.") {
            continue;
        }
        if path.is_dir() {
            list(&path, into);
        } else if path.extension().and_then(|end| end.to_str()).is_some_and(|end| SERVED.contains(&end)) {
            into.push(path);
        }
    }
}
