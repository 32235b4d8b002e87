use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::path::Path;

use miniz_oxide::deflate::compress_to_vec;
use proptest::prelude::*;
use rawzip::ZipArchiveWriter;
use rustix::fs::{CWD, Mode};

use super::*;
use crate::ProcRoot;

/// A jar of entries, each packed or not.
fn jar(entries: &[(&str, &[u8], bool)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut zip = ZipArchiveWriter::new(&mut bytes);
    for (name, content, packed) in entries {
        let method =
            if *packed { rawzip::CompressionMethod::DEFLATE } else { rawzip::CompressionMethod::STORE };
        let (mut entry, config) = zip.new_file(name).compression_method(method).start().unwrap();
        let mut plain = config.wrap(Vec::new());
        plain.write_all(content).unwrap();
        let (plain, descriptor) = plain.finish().unwrap();
        entry.write_all(&if *packed { compress_to_vec(&plain, 6) } else { plain }).unwrap();
        entry.finish(descriptor).unwrap();
    }
    zip.finish().unwrap();
    bytes
}

const MANIFEST: &str = "META-INF/MANIFEST.MF";
const POM: &[u8] =
    b"#Created by hand\r\nversion=1.7.2\r\ngroupId=org.projectodd\r\nartifactId=polyglot-jobs\r\n";
const POM_AT: &str = "META-INF/maven/org.projectodd/polyglot-jobs/pom.properties";

struct Tree {
    dir: tempfile::TempDir,
    jars: Jars,
}

fn tree() -> Tree {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(dir.path().join("root/opt")).unwrap();
    let jars = Jars::within(Some(Rooted::open(&dir.path().join("root")).unwrap()));
    Tree { dir, jars }
}

impl Tree {
    fn put(&self, path: &str, content: &[u8]) {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    fn path(&self, path: &str) -> std::path::PathBuf {
        self.dir.path().join("root").join(path.trim_start_matches('/'))
    }

    fn says(&mut self, origin: &str) -> String {
        say(&self.jars.identify(&origin.into()))
    }
}

/// `name version (group) word`
fn say(jar: &Jar) -> String {
    let text = |text: &Option<Text>| text.as_ref().map_or("-", Text::as_str).to_owned();
    format!("{} {} {} {:?}", jar.name.as_str(), text(&jar.version), text(&jar.group), jar.by)
}

#[test]
fn maven_before_the_manifest_before_the_files_name() {
    let mut tree = tree();
    let manifest: &[u8] =
        b"Manifest-Version: 1.0\r\nImplementation-Title: jobs\r\nImplementation-Version: 9\r\n\r\nName: a\r\nBundle-Version: 8\r\n";
    tree.put("opt/a-1.0.jar", &jar(&[(MANIFEST, manifest, true), (POM_AT, POM, true)]));
    assert_eq!(tree.says("/opt/a-1.0.jar"), "polyglot-jobs 1.7.2 org.projectodd Maven");
    tree.put("opt/b-1.0.jar", &jar(&[("META-INF/manifest.mf", manifest, false)]));
    assert_eq!(tree.says("/opt/b-1.0.jar"), "jobs 9 - Manifest");
    tree.put("opt/c-1.0.jar", &jar(&[("c/C.class", b"", true)]));
    assert_eq!(tree.says("/opt/c-1.0.jar"), "c 1.0 - FileName");
    let prose = b"Implementation-Title: A small frame\n work\nBundle-Version: 4.1\nBundle-SymbolicName: x;singleton:=true\n";
    tree.put("opt/d.jar", &jar(&[(MANIFEST, prose, true)]));
    assert_eq!(tree.says("/opt/d.jar"), "d 4.1 - Manifest");
    let unfilled =
        b"Implementation-Title: ${project.name}\nImplementation-Version: @version@\nBundle-Version:\n";
    tree.put("opt/e-2.jar", &jar(&[(MANIFEST, unfilled, true)]));
    assert_eq!(tree.says("/opt/e-2.jar"), "e 2 - FileName");
    let no_version = b"artifactId: e\nversion = ${v}\n";
    tree.put("opt/f-3.1.jar", &jar(&[(MANIFEST, manifest, true), (POM_AT, no_version, false)]));
    assert_eq!(tree.says("/opt/f-3.1.jar"), "e 9 - Maven");
}

#[test]
fn a_jar_with_others_inside_is_the_one_that_it_is_called_like() {
    let mut tree = tree();
    let other = b"artifactId=guava\ngroupId=com.google.guava\nversion=31\n";
    let all = [
        (MANIFEST, &b""[..], false),
        ("META-INF/maven/g/guava/pom.properties", other, true),
        (POM_AT, POM, true),
    ];
    let titled = [(MANIFEST, &b"Implementation-Title: polyglot-jobs\n"[..], true), all[1], all[2]];
    tree.put("opt/polyglot-jobs-1.7.2.jar", &jar(&all));
    tree.put("opt/guava.jar", &jar(&all));
    tree.put("opt/app.jar", &jar(&all));
    tree.put("opt/titled.jar", &jar(&titled));
    assert_eq!(tree.says("/opt/polyglot-jobs-1.7.2.jar"), "polyglot-jobs 1.7.2 org.projectodd Maven");
    assert_eq!(tree.says("/opt/guava.jar"), "guava 31 com.google.guava Maven");
    assert_eq!(tree.says("/opt/app.jar"), "app - - FileName");
    assert_eq!(tree.says("/opt/titled.jar"), "polyglot-jobs 1.7.2 org.projectodd Maven");
}

#[test]
fn jars_in_jars_packed_or_not() {
    let mut tree = tree();
    let library = jar(&[(POM_AT, POM, true)]);
    let app = b"Implementation-Title: shop\nImplementation-Version: 5\n";
    let mut inner = vec![(MANIFEST, &app[..], true), ("BOOT-INF/classes/A.class", &b""[..], true)];
    inner.push(("BOOT-INF/lib/jobs.jar", &library, false));
    inner.push(("WEB-INF/lib/jobs.jar", &library, true));
    let war = jar(&inner);
    // As Spring Boot's executable jars begin: with a script.
    tree.put("opt/app.jar", &[b"#!/bin/sh\nexit\n".repeat(100), war.clone()].concat());
    tree.put("opt/all.ear", &jar(&[("shop.war", &war, true)]));
    for origin in [
        "jar:file:/opt/app.jar!/BOOT-INF/lib/jobs.jar!/",
        "jar:file:/opt/app.jar!/BOOT-INF/lib/jobs.jar",
        "jar:nested:/opt/app.jar/!BOOT-INF/lib/jobs.jar!/",
        "/opt/app.jar!/WEB-INF/lib/jobs.jar",
        "/opt/all.ear!/shop.war!/WEB-INF/lib/jobs.jar",
        "jar:file:/opt/all.ear!/shop.war!/BOOT-INF/lib/jobs.jar!/",
    ] {
        assert_eq!(tree.says(origin), "polyglot-jobs 1.7.2 org.projectodd Maven", "{origin}");
    }
    for origin in [
        "/opt/app.jar",
        "jar:file:///opt/app.jar!/BOOT-INF/classes!/",
        "/opt/all.ear!/shop.war!/WEB-INF/classes",
    ] {
        assert_eq!(tree.says(origin), "shop 5 - Manifest", "{origin}");
    }
    assert_eq!(tree.says("jar:file:/opt/app.jar!/BOOT-INF/lib/gone-2.0.jar!/"), "gone 2.0 - FileName");
}

#[test]
fn directories_are_what_is_unpacked_in_them() {
    let mut tree = tree();
    tree.put("opt/jobs/META-INF/maven/org.projectodd/polyglot-jobs/pom.properties", POM);
    assert_eq!(tree.says("file:/opt/jobs/"), "polyglot-jobs 1.7.2 org.projectodd Maven");
    tree.put("srv/shop/META-INF/MANIFEST.MF", b"Implementation-Title: shop\nImplementation-Version: 5\n");
    tree.put("srv/shop/WEB-INF/classes/A.class", b"");
    assert_eq!(tree.says("file:/srv/shop/WEB-INF/classes/"), "shop 5 - Manifest");
    tree.put("srv/build/shop/build/classes/java/main/A.class", b"");
    assert_eq!(tree.says("file:/srv/build/shop/build/classes/java/main/"), "shop - - FileName");
    tree.put("opt/my lib/x.jar", &jar(&[(POM_AT, POM, true)]));
    assert_eq!(tree.says("file:/opt/my%20lib/x.jar"), "polyglot-jobs 1.7.2 org.projectodd Maven");
}

#[test]
fn names_and_versions_of_files() {
    let mut none = Jars::within(None);
    for (file, expected) in [
        ("quartz-2.3.2.jar", "quartz 2.3.2"),
        ("guava-31.1-jre.jar", "guava 31.1-jre"),
        ("log4j-1.2-api-2.17.1.jar", "log4j-1.2-api 2.17.1"),
        ("app-1.0-20240131.120000-1.war", "app 1.0-20240131.120000-1"),
        ("scala-library_2.13-3.0.jar", "scala-library_2.13 3.0"),
        ("org.eclipse.osgi_3.18.100.v20220817.jar", "org.eclipse.osgi 3.18.100.v20220817"),
        ("commons-lang3.jar", "commons-lang3 -"),
        ("spring-4-core.jar", "spring-4-core -"),
        ("jobs-7.JAR", "jobs 7"),
        ("-1.0.jar", "-1.0 -"),
        ("my-app!.jar", "my-app! -"),
        ("native.so", "native.so -"),
        ("", " -"),
    ] {
        let jar = none.identify(&format!("/x/{file}").as_str().into());
        let expected = if file.is_empty() { "x -" } else { expected };
        assert_eq!(say(&jar), format!("{expected} - FileName"), "{file}");
    }
    assert_eq!(say(&none.identify(&"".into())), " - - FileName");
}

#[test]
fn nothing_leads_out_of_the_root_and_only_files_are_read() {
    let mut tree = tree();
    let secret = tree.dir.path().join("secret.jar");
    std::fs::write(&secret, jar(&[(POM_AT, POM, true)])).unwrap();
    symlink(&secret, tree.path("opt/link.jar")).unwrap();
    symlink("../../secret.jar", tree.path("opt/up.jar")).unwrap();
    for origin in ["/opt/link.jar", "/opt/up.jar", "/../secret.jar", "/opt/../../secret.jar"] {
        assert!(tree.says(origin).ends_with(" - - FileName"), "{origin}");
    }
    // Within the root links are what a system has them for.
    tree.put("opt/jobs-1.jar", &jar(&[(POM_AT, POM, true)]));
    symlink("/opt/jobs-1.jar", tree.path("opt/jobs.jar")).unwrap();
    assert_eq!(tree.says("/opt/jobs.jar"), "polyglot-jobs 1.7.2 org.projectodd Maven");
    rustix::fs::mknodat(CWD, tree.path("opt/pipe-1.jar"), FileType::Fifo, Mode::RUSR, 0).unwrap();
    assert_eq!(tree.says("/opt/pipe-1.jar"), "pipe 1 - FileName");
}

#[test]
fn bombs_and_liars_cost_little() {
    let mut tree = tree();
    let endless = [b"Implementation-Version: 1\nX: ".to_vec(), vec![b'x'; 80 << 20]].concat();
    let bomb = jar(&[(MANIFEST, &endless, true), ("lib/bomb.jar", &vec![0; 80 << 20], true)]);
    assert!(bomb.len() < 1 << 20);
    tree.put("opt/bomb-7.jar", &bomb);
    // The beginning of its manifest is believed, the rest is not unpacked.
    assert_eq!(tree.says("/opt/bomb-7.jar"), "bomb 1 - Manifest");
    assert_eq!(tree.says("/opt/bomb-7.jar!/lib/bomb.jar"), "bomb - - FileName");
    // One that says it is inside itself ends by the bound on depth, or finds nothing.
    assert_eq!(tree.says(&format!("/opt/bomb-7.jar{}", "!/lib/bomb.jar".repeat(1000))), "bomb - - FileName");
    // A file that is all hole.
    std::fs::File::create(tree.path("opt/hole-7.jar")).unwrap().set_len(1 << 40).unwrap();
    assert_eq!(tree.says("/opt/hole-7.jar"), "hole 7 - FileName");
    let many =
        (0..1000).map(|n| (format!("META-INF/maven/g/a{n}/pom.properties"), format!("artifactId=a{n}\n")));
    let many: Vec<(String, String)> = many.collect();
    let entries: Vec<(&str, &[u8], bool)> =
        many.iter().map(|(n, c)| (n.as_str(), c.as_bytes(), false)).collect();
    tree.put("opt/a999.jar", &jar(&entries));
    assert_eq!(tree.says("/opt/a999.jar"), "a999 - - FileName", "beyond the bound");
    // What all of them may cost together has an end.
    tree.jars.left.store(300, std::sync::atomic::Ordering::Relaxed);
    tree.put("opt/late-1.jar", &jar(&[(POM_AT, POM, true)]));
    assert_eq!(tree.says("/opt/late-1.jar"), "late 1 - FileName");
}

/// Debian's, which `scripts/install-test-deps.sh` installs.
#[test]
fn real_jars() {
    let root = ProcRoot::open("/proc").unwrap();
    let own = PidDir::open(&root, model::Pid(std::process::id())).unwrap();
    let mut jars = Jars::of_process(&own);
    let mut check = |path: &str, name: &str, group: Option<&str>, by: SaidBy| {
        if !Path::new(path).exists() {
            eprintln!("NOT TESTED: {path} is missing; run scripts/install-test-deps.sh");
            return None;
        }
        let jar = jars.identify(&path.into());
        assert_eq!((jar.name.as_str(), jar.by), (name, by), "{path}");
        assert_eq!(jar.group, group.map(Text::from), "{path}");
        let version = jar.version.unwrap();
        assert!(version.as_str().starts_with(|c: char| c.is_ascii_digit()), "{path}: {version}");
        Some(version)
    };
    let version = check("/usr/share/java/quartz2.jar", "quartz", Some("org.quartz-scheduler"), SaidBy::Maven);
    if let (Some(version), Ok(file)) = (version, std::fs::read_link("/usr/share/java/quartz2.jar")) {
        assert_eq!(file, Path::new(&format!("quartz2-{version}.jar")));
    }
    check("/usr/share/java/slf4j-api.jar", "slf4j-api", Some("org.slf4j"), SaidBy::Maven);
    check("/usr/share/jruby/lib/bcprov.jar", "bcprov", None, SaidBy::Manifest);
    check("/usr/share/java/asm.jar", "asm", None, SaidBy::Manifest);
    check("/usr/share/java/snakeyaml.jar", "snakeyaml", Some("org.yaml"), SaidBy::Maven);
    // Seventeen libraries are in it.
    check("/usr/share/java/jruby-core.jar", "jruby-core", Some("org.jruby"), SaidBy::Maven);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn arbitrary_texts_never_panic(text in prop::collection::vec(any::<u8>(), 0..400), origin in "\\PC{0,60}") {
        let _ = naming::manifest(&text);
        let _ = naming::pom(&text);
        let _ = Origin::parse(&text);
        let place = Origin::parse(origin.as_bytes());
        let _ = naming::conclude(&place, &texts(Some(&text), std::slice::from_ref(&text)));
    }

    #[test]
    fn split_names_lose_nothing(stem in "[a-c0-9._-]{0,20}") {
        let jar = Jars::within(None).identify(&format!("/x/{stem}.jar").as_str().into());
        let length = jar.name.as_str().len() + jar.version.map_or(0, |version| version.as_str().len() + 1);
        prop_assert_eq!(length, stem.len());
    }

    #[test]
    fn damaged_jars_never_panic(at in 0_usize..2000, value in any::<u8>(), cut in 0_usize..2000) {
        let inner = jar(&[(MANIFEST, b"Implementation-Version: 1\n", true), (POM_AT, POM, true)]);
        let mut whole = jar(&[("lib/a.jar", &inner, false), ("lib/b.jar", &inner, true), (POM_AT, POM, false)]);
        let length = whole.len();
        whole[at % length] = value;
        whole.truncate(length - cut % (length / 4));
        let file = tempfile::tempfile().unwrap();
        (&file).write_all(&whole).unwrap();
        let left = Arc::new(AtomicU64::new(MOST_READ));
        for inside in [&[][..], &[b"lib/a.jar".to_vec()], &[b"lib/b.jar".to_vec()]] {
            if let Some(archive) = Archive::of_file(file.try_clone().unwrap(), whole.len() as u64, &left) {
                let _ = in_archive(archive, inside);
            }
        }
    }
}
