//! What an interpreter runs, as far as a report may name it: a main class, a jar, a module or a script without its folder.
//!
//! ```text
//! java -Xmx1g -Dkey=secret -jar /srv/app.jar --token x        app.jar
//! java -cp a.jar:b.jar -Dkey=secret org.shop.Main x            org.shop.Main
//! python3 -u /home/ann/worker.py x                            worker.py
//! ```
//!
//! Every other word may be a secret. So what stands behind an option that may take it for its value is not named, and
//! neither is a word that only might be a program: what was recorded has lost where its arguments begin.

use model::{ProcessReading, Text};

/// Options of java that take the next word.
const TAKE_ONE: [&str; 14] = [
    "-cp",
    "-classpath",
    "--class-path",
    "-p",
    "--module-path",
    "--upgrade-module-path",
    "--add-modules",
    "--limit-modules",
    "--add-opens",
    "--add-exports",
    "--add-reads",
    "--patch-module",
    "--enable-native-access",
    "--source",
];
/// Options of the others that take no word.
const ALONE_PYTHON: [&str; 12] = ["-u", "-B", "-E", "-I", "-O", "-OO", "-s", "-S", "-b", "-q", "-v", "-P"];
const ALONE_SHELL: [&str; 4] = ["-e", "-u", "-x", "-l"];
/// Names of scripts end so; others lie in a folder of programs.
const SCRIPTS: [&str; 12] = ["py", "pyc", "pyz", "rb", "js", "mjs", "cjs", "ts", "pl", "php", "sh", "bash"];

/// The name of what a process runs, without its folder; `None` unless it is surely that.
pub(super) fn name(process: &ProcessReading) -> Option<&str> {
    let args = process.cmdline.value()?;
    let (first, rest) = args.split_first()?;
    let program = base(first.as_str());
    let words = rest.iter().map(Text::as_str);
    let is = |name: &str| program == name || process.stat.name.as_str() == name;
    if is("java") {
        java(words)
    } else if program.starts_with("python") {
        script(words, &ALONE_PYTHON, true)
    } else if is("bash") || is("sh") {
        script(words, &ALONE_SHELL, false)
    } else if ["ruby", "node", "perl", "php"].into_iter().any(is) {
        script(words, &[], false)
    } else {
        None
    }
}

fn java<'a>(mut words: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let mut before = "";
    loop {
        let word = words.next()?;
        match word {
            "-jar" => return words.next().map(base).filter(|name| is_plain(name) && is_jar(name)),
            "-m" | "--module" => return words.next().map(base).filter(|name| is_class(name)),
            option if TAKE_ONE.contains(&option) => {
                words.next();
            }
            option if option.starts_with(['-', '@']) => {}
            // `-Dkey=two words`, of which the recorder keeps no more than the blank.
            class if before.contains('=') => return Some(class).filter(|class| is_qualified(class)),
            class => return Some(class).filter(|class| is_class(class)),
        }
        before = word;
    }
}

fn script<'a>(
    mut words: impl Iterator<Item = &'a str>,
    alone: &[&str],
    has_modules: bool,
) -> Option<&'a str> {
    loop {
        let word = words.next()?;
        if word == "-m" && has_modules {
            return words.next().filter(|name| is_class(name));
        }
        if alone.contains(&word) {
            continue;
        }
        let (folder, name) = word.rsplit_once('/').unwrap_or(("", word));
        let is_script = name.rsplit_once('.').is_some_and(|(_, end)| SCRIPTS.contains(&end));
        let is_program = ["bin", "sbin"].contains(&base(folder));
        return Some(name).filter(|name| is_plain(name) && (is_script || is_program));
    }
}

/// Is it the name of an archive of Java classes?
pub(super) fn is_jar(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, end)| ["jar", "war"].contains(&end))
}

/// Does an option say how large the JVM's memory or stacks are, or switch something, and no more: `-Xss2m`, `-XX:+UseZGC`?
pub(super) fn is_size(option: &str) -> bool {
    let is_amount = |text: &str| {
        let digits = text.trim_end_matches(|c: char| "kKmMgGtT".contains(c));
        !digits.is_empty() && text.len() - digits.len() <= 1 && digits.bytes().all(|b| b.is_ascii_digit())
    };
    let is_word = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric());
    if let Some(flag) = option.strip_prefix("-XX:") {
        return match flag.split_once('=') {
            Some((name, value)) => is_word(name) && is_amount(value),
            None => flag.strip_prefix(['+', '-']).is_some_and(is_word),
        };
    }
    ["-Xss", "-Xms", "-Xmx", "-Xmn"].iter().any(|size| option.strip_prefix(size).is_some_and(is_amount))
}

fn base(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn is_plain(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        && name.chars().all(|c| c.is_alphanumeric() || "._+-".contains(c))
}

/// `Main`, `org.shop.Main$Inner`.
fn is_class(name: &str) -> bool {
    let letter = |c: char| c.is_alphabetic() || c == '_' || c == '$';
    name.split('.')
        .all(|part| part.starts_with(letter) && part.chars().all(|c| letter(c) || c.is_alphanumeric()))
}

/// `org.shop.Main`.
fn is_qualified(name: &str) -> bool {
    let class = name.rsplit_once('.').map_or("", |(_, class)| class);
    is_class(name) && class.starts_with(char::is_uppercase)
}

#[cfg(test)]
mod tests {
    use model::{Reading, Stat};

    use super::*;

    fn named(line: &str) -> Option<String> {
        let args: Vec<Text> = line.split(' ').map(Text::from).collect();
        let comm = base(args[0].as_str()).to_owned();
        let process = ProcessReading {
            stat: Stat { name: comm.as_str().into(), ..Stat::default() },
            cmdline: Reading::Value(args),
            ..ProcessReading::default()
        };
        name(&process).map(ToOwned::to_owned)
    }

    #[test]
    fn what_runs_is_named_without_its_folder() {
        for (line, name) in [
            ("/opt/jdk/bin/java -Xmx1g -Dk=v -jar /srv/shop/app.jar --token x", "app.jar"),
            ("java -cp a.jar:b.jar -Xss2m Main x", "Main"),
            ("java @/opt/opts -Dk=v -cp a.jar -Dk=v org.shop.Main$In x", "org.shop.Main$In"),
            (
                "java --add-opens a.b/c=ALL-UNNAMED --module-path /srv -m shop/org.shop.Main x",
                "org.shop.Main",
            ),
            ("python3.11 -u /home/ann/worker.py x", "worker.py"),
            ("python3 -m http.server x", "http.server"),
            ("/srv/venv/bin/python /srv/venv/bin/gunicorn x", "gunicorn"),
            ("ruby app.rb x", "app.rb"),
            ("bash -e /srv/x/start-all.sh x", "start-all.sh"),
        ] {
            assert_eq!(named(line).as_deref(), Some(name), "{line}");
        }
    }

    #[test]
    fn what_may_be_a_secret_is_not_named() {
        for line in [
            "java -Dk=two S3cret org.shop.Main",
            "java -Dk=v Main",
            "java --add-exports a/b=c -jar S3cret",
            "java -jar /srv/S3cret/",
            "java -Dk=v secret@host.Main",
            "python3 -c S3cret.py",
            "python3 S3cret",
            "python3 -W S3cret /srv/x.py",
            "node --require S3cret app.js",
            "ruby -e S3cret.rb",
            "bash -c S3cret",
            "mysqld --password=x",
            "java",
        ] {
            assert_eq!(named(line), None, "{line}");
        }
    }

    #[test]
    fn sizes_are_no_secrets() {
        for option in ["-Xss2048k", "-Xmx1G", "-XX:ThreadStackSize=512", "-XX:+UseZGC", "-XX:-UsePerfData"] {
            assert!(is_size(option), "{option}");
        }
        for option in ["-XssS3cret", "-Xss", "-Xlog:gc:f", "-XX:OnError=mail", "-XX:a", "-Xmx1kk", "-Xss-1"] {
            assert!(!is_size(option), "{option}");
        }
    }
}
