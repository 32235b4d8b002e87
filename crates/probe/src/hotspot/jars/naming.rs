//! From pom.properties, a manifest and a file's name to a library's name and version.

use model::Text;

use super::origin::{self, Origin};
use super::{Jar, SaidBy};

/// Characters of a name or a version that are believed.
const MOST_CHARS: usize = 100;
/// Folders that say nothing about whose classes they hold.
const PLAIN_FOLDERS: [&str; 14] = [
    "classes",
    "test-classes",
    "main",
    "test",
    "java",
    "kotlin",
    "scala",
    "target",
    "build",
    "out",
    "production",
    "bin",
    "WEB-INF",
    "BOOT-INF",
];

/// What was read of one jar.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Findings {
    pub(super) manifest: Manifest,
    /// Of all libraries whose files are in it: some jars have others' inside.
    pub(super) poms: Vec<Pom>,
}

/// The main section of a manifest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Manifest {
    title: Option<Text>,
    symbolic: Option<Text>,
    version: Option<Text>,
    bundle_version: Option<Text>,
}

/// pom.properties.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pom {
    artifact: Text,
    group: Option<Text>,
    version: Option<Text>,
}

/// `artifactId=quartz`; nothing without that.
pub(super) fn pom(text: &[u8]) -> Option<Pom> {
    let (mut artifact, mut group, mut version) = (None, None, None);
    for line in text.split(|byte| matches!(byte, b'\n' | b'\r')) {
        let line = line.trim_ascii();
        let Some(at) = line.iter().position(|byte| matches!(byte, b'=' | b':')) else { continue };
        let into = match line[..at].trim_ascii() {
            b"artifactId" => &mut artifact,
            b"groupId" => &mut group,
            b"version" => &mut version,
            _ => continue,
        };
        *into = value(&line[at + 1..]);
    }
    Some(Pom { artifact: artifact?, group, version })
}

/// `Implementation-Version: 1.7.32`, up to the first empty line. Lines are cut at 72 bytes and go on after a space.
pub(super) fn manifest(text: &[u8]) -> Manifest {
    let mut lines: Vec<Vec<u8>> = Vec::new();
    for line in text.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        match (line.strip_prefix(b" "), lines.last_mut()) {
            (Some(more), Some(last)) => last.extend_from_slice(more),
            _ if line.is_empty() => break,
            _ => lines.push(line.to_vec()),
        }
    }
    let mut found = Manifest::default();
    for line in &lines {
        let Some(at) = line.iter().position(|byte| *byte == b':') else { continue };
        let into = match line[..at].to_ascii_lowercase().as_slice() {
            b"implementation-title" => &mut found.title,
            b"implementation-version" => &mut found.version,
            b"bundle-symbolicname" => &mut found.symbolic,
            b"bundle-version" => &mut found.bundle_version,
            _ => continue,
        };
        // `org.eclipse.osgi; singleton:=true`
        let own = line[at + 1..].split(|byte| *byte == b';').next().unwrap_or_default();
        *into = value(own);
    }
    found
}

/// Text that says something: not empty, not endless, no placeholder that a build forgot to fill in.
fn value(text: &[u8]) -> Option<Text> {
    let text = Text::from_bytes(text.trim_ascii());
    let known = text.as_str();
    let is_filled =
        !known.is_empty() && known.chars().count() <= MOST_CHARS && !known.contains(char::is_control);
    let is_placeholder =
        known.contains("${") || known.starts_with('@') || known == "unspecified" || known == "null";
    (is_filled && !is_placeholder).then_some(text)
}

/// The best of what is known.
pub(super) fn conclude(place: &Origin, findings: &Findings) -> Jar {
    let (called, file_version) = name_of(place);
    let manifest = &findings.manifest;
    let said_version = manifest.version.clone().or_else(|| manifest.bundle_version.clone());
    if let Some(pom) = own_pom(&called, findings) {
        let version = pom.version.clone().or(said_version).or(file_version);
        return Jar { name: pom.artifact.clone(), version, group: pom.group.clone(), by: SaidBy::Maven };
    }
    // Titles are prose as often as names: `ASM, a very small and fast Java bytecode manipulation framework`.
    let title = manifest.title.clone().filter(|title| !title.as_str().contains(char::is_whitespace));
    let by = if title.is_some() || said_version.is_some() { SaidBy::Manifest } else { SaidBy::FileName };
    Jar { name: title.unwrap_or(called), version: said_version.or(file_version), group: None, by }
}

/// Which of the libraries in a jar the jar is: the only one, or the one that is called like it.
fn own_pom<'a>(called: &Text, findings: &'a Findings) -> Option<&'a Pom> {
    if let [only] = findings.poms.as_slice() {
        return Some(only);
    }
    let named = |name: &Text| findings.poms.iter().find(|pom| pom.artifact == *name);
    let manifest = &findings.manifest;
    named(called).or_else(|| manifest.title.as_ref().and_then(named)).or_else(|| {
        let symbolic = manifest.symbolic.as_ref()?.as_str();
        findings.poms.iter().find(|pom| {
            pom.group.as_ref().is_some_and(|group| symbolic == format!("{group}.{}", pom.artifact))
        })
    })
}

/// Name and version by the file's name; of a directory, the name of whatever it is the classes of.
fn name_of(place: &Origin) -> (Text, Option<Text>) {
    let path = place.last_archive();
    let components = || path.split(|byte| *byte == b'/').filter(|part| !part.is_empty());
    let last = components().next_back().unwrap_or_default();
    if origin::is_archive(last) {
        let dot = last.iter().rposition(|byte| *byte == b'.').unwrap_or(last.len());
        let stem = Text::from_bytes(&last[..dot]);
        return split(stem.as_str());
    }
    let telling =
        components().rev().find(|part| !PLAIN_FOLDERS.iter().any(|plain| plain.as_bytes() == *part));
    (Text::from_bytes(telling.unwrap_or(last)), None)
}

/// `quartz-2.3.2` → `quartz`, `2.3.2`. The version begins at the last number that follows a hyphen, or at the numbers
/// right before it (`app-1.0-20240131.120000-1`), and has a word behind it when it has a dot (`guava-31.1-jre`).
fn split(stem: &str) -> (Text, Option<Text>) {
    let starts: Vec<usize> = stem.match_indices('-').map(|(at, _)| at).collect();
    let is_number = |at: &usize| stem[at + 1..].starts_with(|c: char| c.is_ascii_digit());
    let Some(mut first) = starts.iter().rposition(is_number) else {
        // Eclipse's way: org.eclipse.osgi_3.18.100.v20220817
        return match stem.rsplit_once('_') {
            Some((name, version))
                if !name.is_empty()
                    && version.starts_with(|c: char| c.is_ascii_digit())
                    && version.contains('.') =>
            {
                (name.into(), Some(version.into()))
            }
            _ => (stem.into(), None),
        };
    };
    let number = &stem[starts[first] + 1..];
    if number.contains('-') && !number.split('-').next().unwrap_or_default().contains('.') {
        return (stem.into(), None);
    }
    while first > 0 && is_number(&starts[first - 1]) {
        first -= 1;
    }
    match (&stem[..starts[first]], &stem[starts[first] + 1..]) {
        ("", _) => (stem.into(), None),
        (name, version) => (name.into(), Some(version.into())),
    }
}
