//! What a report gives away, in each of its forms.

use model::{HostReading, Look, Pid, ProcessReading, Reading, Stat, Text, Thread, Ticks};
use proptest::prelude::*;

use super::*;
use crate::source::{Ask, Source, Watched};
use crate::target::{Chosen, Spec};

const PID: Pid = Pid(4_711);
const FORMS: [Format; 3] = [Format::Html, Format::Markdown, Format::Json];

/// One process that leaks a thread each second, and says its arguments in a remark.
struct One {
    args: Vec<String>,
    thread: String,
}

impl Source for One {
    fn is_live(&self) -> bool {
        false
    }

    fn origin(&self) -> String {
        "this host".to_owned()
    }

    fn find(&mut self, _: &Spec) -> Result<Vec<Pid>> {
        Ok(vec![PID])
    }

    fn detailed(&mut self) -> Result<Vec<Pid>> {
        Ok(vec![PID])
    }

    fn looks(&mut self, _: &Ask, on_look: &mut dyn FnMut(Look) -> Result<()>) -> Result<Watched> {
        let thread = |k: u32| Thread {
            tid: Pid(PID.0 + k),
            name: self.thread.replace('#', &k.to_string()).as_str().into(),
            state: 'S',
            start: Ticks(1_000 + 100 * u64::from(k)),
            ..Thread::default()
        };
        let comm = self.args[0].rsplit('/').next().unwrap_or_default();
        let process = ProcessReading {
            key: model::ProcessKey { pid: PID, start: Ticks(900), ..model::ProcessKey::default() },
            stat: Stat { name: comm.into(), threads: 41, start: Ticks(900), ..Stat::default() },
            cmdline: Reading::Value(self.args.iter().map(|arg| Text::from(arg.as_str())).collect()),
            threads: Reading::Value((0..=40).map(thread).collect()),
            ..ProcessReading::default()
        };
        let host = HostReading {
            name: "web1.shop.example".into(),
            ticks_per_second: 100,
            uptime_s: 51.0,
            ..HostReading::default()
        };
        let processes = vec![process];
        on_look(Look { at_boot_s: 51.0, at_unix_s: 1_772_000_051.0, host, processes, ..Look::default() })?;
        let remarks = self.args.iter().map(|arg| format!("what {arg} means was not read")).collect();
        Ok(Watched { remarks, ended: false })
    }
}

fn said(args: &[String], thread: &str, format: Format, redact: bool) -> String {
    let source = Box::new(One { args: args.to_vec(), thread: thread.to_owned() });
    let outcome = diagnose(Chosen { source, pids: vec![PID] }, How::default()).unwrap();
    assert_eq!(outcome.diagnosis.findings.len(), 1, "it leaks");
    written(outcome, format, redact).unwrap()
}

fn words(line: &str) -> Vec<String> {
    line.split(' ').map(ToOwned::to_owned).collect()
}

#[test]
fn a_java_keeps_its_name() {
    for (line, name) in [
        ("/opt/jdk/bin/java -Dkey=x -jar /srv/shop/app.jar --token y", "java[4711] app.jar"),
        ("java -cp /srv/a.jar:/srv/b.jar -Dkey=x org.shop.Main y", "java[4711] org.shop.Main"),
        ("python3 -u /home/ann/worker.py y", "python3[4711] worker.py"),
        ("python3 -c import@x", "python3[4711] argument-1"),
    ] {
        for format in FORMS {
            let text = said(&words(line), "pool-#-thread-1", format, true);
            let name = match format {
                Format::Html => name.to_owned(),
                Format::Markdown => name.replace('[', "\\[").replace(']', "\\]"),
                Format::Json => format!("\"label\": \"{}\"", name.split(' ').next_back().unwrap()),
            };
            assert!(text.contains(&name), "{format:?}: {name}: {text}");
            assert!(text.contains("names of hosts") && !text.contains("web1"), "{text}");
        }
    }
}

/// Where a secret may stand: `S` is the secret.
const LINES: [&str; 18] = [
    "java -Dpassword=S -cp a.jar org.shop.Main",
    "java -cp a.jar org.shop.Main S",
    "java -cp a.jar Main --token S",
    "java -Durl=jdbc:mysql://ann:S@db1/shop -jar app.jar",
    "java -javaagent:/opt/x.jar=key:S -jar app.jar",
    "java -XssS Main",
    "java -Xlog:gc:S -jar app.jar",
    "java -jar /home/S/app.jar",
    "java -jar /srv/S/app.jar",
    "java --add-exports S Main",
    "java -Dname=two S Main",
    "env PGPASSWORD=S psql",
    "psql postgres://ann:S@db1:5432/shop",
    "curl -u ann:S https://x",
    "python3 -c S",
    "node --require S app.js",
    "bash -c mysql@-pS",
    "mysqld --init-file=/srv/S/x.sql",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// A secret has a digit or a capital: a plain word is taken out only where it is known to be an argument.
    #[test]
    fn no_secret_of_a_command_line_survives(secret in "[a-z]{3,6}[A-Z0-9][a-zA-Z0-9]{3,9}") {
        for line in LINES {
            let args: Vec<String> = words(line).iter().map(|word| word.replace('S', &secret)).collect();
            for format in FORMS {
                let text = said(&args, "pool-#-thread-1", format, true);
                prop_assert!(!text.contains(&secret), "{:?} {:?}: {}", format, args, text);
                let whole = said(&args, "pool-#-thread-1", format, false);
                prop_assert!(whole.contains(&secret), "{:?} {:?}: {}", format, args, whole);
            }
        }
    }

    /// The same of addresses in what is no argument.
    #[test]
    fn no_userinfo_of_an_address_survives(secret in "[a-zA-Z0-9!#$%&'()*+,;=:\"]{6,12}", scheme in "[a-z]{1,5}") {
        let thread = format!("pool-# {scheme}://ann:S{secret}@db1/shop");
        for format in FORMS {
            let text = said(&words("java -jar app.jar"), &thread, format, true);
            prop_assert!(!text.contains(&secret) && !text.contains("ann:"), "{:?}: {}", format, text);
        }
    }
}
