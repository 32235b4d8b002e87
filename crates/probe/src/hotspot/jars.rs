//! Which library a class was loaded from: name and version of a jar, of one inside another, or of a directory of
//! classes, as its makers wrote them down, read in the target's own view of the file system.
//!
//! The best word is Maven's, `META-INF/maven/GROUP/ARTIFACT/pom.properties`:
//!
//! ```text
//! groupId=org.quartz-scheduler
//! artifactId=quartz
//! version=2.3.2
//! ```
//!
//! then the manifest's (`Implementation-Version: 1.7.32`), then the file's name (`quartz-2.3.2.jar`). All of it is
//! only read, and all of it may lie: sizes, counts and depth are bounded, and no link leads out of the target's root.
//! What cannot be read is named after its file, without a word: a stack with a bare file name is still right.

mod archive;
mod naming;
mod origin;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use model::Text;
use rustix::fs::FileType;

use crate::PidDir;
use crate::schedules::rooted::{Links, Rooted};
use archive::Archive;
use naming::{Findings, Manifest, Pom};
use origin::Origin;

/// Jars looked into for one target; those beyond are named after their files.
const MOST_JARS: usize = 500;
/// Bytes read of all of them; one of 60,000 entries takes some 6 MiB.
const MOST_READ: u64 = 256 << 20;
/// How deep jars are nested: lib.jar in app.war in all.ear, and one to spare.
const MOST_NESTED: usize = 4;
/// Bytes read of a manifest or of pom.properties.
const MOST_TEXT: usize = 64 << 10;
/// Libraries that one jar may hold the words of.
const MOST_POMS: usize = 256;
/// Groups and artifacts looked at below META-INF/maven of a directory.
const MOST_NAMES: usize = 16;

/// A library, as well as it is known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Jar {
    /// `quartz`, Maven's artifactId where there is one.
    pub name: Text,
    /// `2.3.2`.
    pub version: Option<Text>,
    /// `org.quartz-scheduler`, Maven's groupId.
    pub group: Option<Text>,
    /// Who says so.
    pub by: SaidBy,
}

/// Whose word a library's name is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SaidBy {
    /// The file or directory is called so.
    #[default]
    FileName,
    /// META-INF/MANIFEST.MF has the version, or the name.
    Manifest,
    /// pom.properties of Maven.
    Maven,
}

/// The jars of one target, each looked into once.
#[derive(Debug)]
pub struct Jars {
    root: Option<Rooted>,
    known: HashMap<Text, Jar>,
    left: Arc<AtomicU64>,
}

impl Jars {
    /// For a process. When its root may not be entered, jars are named after their files.
    #[must_use]
    pub fn of_process(process: &PidDir) -> Self {
        Self::within(Rooted::of_process(process.as_fd()).ok())
    }

    fn within(root: Option<Rooted>) -> Self {
        Self { root, known: HashMap::new(), left: Arc::new(AtomicU64::new(MOST_READ)) }
    }

    /// Which library an origin is: a path in the target, or a code source's address
    /// (`file:/opt/app/lib/quartz-2.3.2.jar`, `jar:file:/opt/app.jar!/BOOT-INF/lib/quartz-2.3.2.jar!/`).
    pub fn identify(&mut self, origin: &Text) -> Jar {
        if let Some(jar) = self.known.get(origin) {
            return jar.clone();
        }
        let place = Origin::parse(origin.as_str().as_bytes());
        let findings = match &self.root {
            Some(root) if self.known.len() < MOST_JARS => look(root, &place, &self.left),
            _ => None,
        };
        let jar = naming::conclude(&place, &findings.unwrap_or_default());
        if self.known.len() < MOST_JARS {
            self.known.insert(origin.clone(), jar.clone());
        }
        jar
    }
}

fn look(root: &Rooted, place: &Origin, left: &Arc<AtomicU64>) -> Option<Findings> {
    let stat = root.stat(&place.path, Links::Within).ok()?;
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => {
            let file = root.open_file(&place.path, Links::Within).ok()?;
            in_archive(Archive::of_file(file.into(), stat.st_size.try_into().ok()?, left)?, &place.inside)
        }
        FileType::Directory => Some(in_directory(root, &place.path)),
        _ => None,
    }
}

/// Walks into nested archives. A directory inside (BOOT-INF/classes) belongs to the archive that it is in.
fn in_archive(outer: Archive, inside: &[Vec<u8>]) -> Option<Findings> {
    let mut archive = outer;
    for name in inside.iter().take(MOST_NESTED) {
        if !origin::is_archive(name) {
            break;
        }
        archive = archive.nested(name)?;
    }
    Some(archive.findings())
}

/// An unpacked jar, or the classes of an unpacked web application (`…/WEB-INF/classes`), whose META-INF is beside.
fn in_directory(root: &Rooted, path: &[u8]) -> Findings {
    let application = [&b"/WEB-INF/classes"[..], b"/BOOT-INF/classes"]
        .into_iter()
        .find_map(|tail| origin::trimmed(path).strip_suffix(tail));
    let mut findings = Findings::default();
    for base in [Some(path), application].into_iter().flatten() {
        let below = |name: &[u8]| [base, b"/META-INF/", name].concat();
        let text = |path: &[u8]| root.read(path, Links::Within, MOST_TEXT).ok();
        if findings.manifest == Manifest::default() {
            findings.manifest =
                text(&below(b"MANIFEST.MF")).map(|text| naming::manifest(&text)).unwrap_or_default();
        }
        let names = |path: &[u8]| root.list(path, MOST_NAMES + 2).unwrap_or_default();
        for group in names(&below(b"maven")) {
            let group = below(&[b"maven/", group.to_bytes()].concat());
            for artifact in names(&group) {
                let path = [&group, &b"/"[..], artifact.to_bytes(), b"/pom.properties"].concat();
                findings.poms.extend(text(&path).and_then(|text| naming::pom(&text)));
            }
        }
    }
    findings
}

/// What an archive's own texts say.
fn texts(manifest: Option<&[u8]>, poms: &[Vec<u8>]) -> Findings {
    Findings {
        manifest: manifest.map(naming::manifest).unwrap_or_default(),
        poms: poms.iter().filter_map(|text| naming::pom(text)).collect::<Vec<Pom>>(),
    }
}
