//! Takes out of a report what says more of its owner than of the leak: `/srv/customer/app.jar --password x` becomes
//! `/srv/path-1.jar`, and the host's name `host`.
//!
//! What is equal in the original is equal in the report, by a number in the order of its first mention. A number and not a
//! hash: names of hosts and people are few enough to be guessed, and a hash tells who guesses right.

mod program;

use std::cell::RefCell;
use std::collections::BTreeMap;

use model::{CreatedBy, Evidence, Finding, Frame, Limit, ProcessReading, ProcessRef, ScheduleMatch, Text};

use crate::analyse::{Analyser, Diagnosis, Redacted};

/// What is always taken out, for the report's end.
const WHAT: &str = "Taken out: the host's name, names of users and their home directories, arguments of command lines, \
    addresses, paths outside the system's own directories, ids of containers. What is equal has the same number. Left are \
    names of programs with the main class, jar, module or script that they run, of threads, classes, libraries, jobs and \
    units. --no-redact leaves all.";

/// Directories whose contents are the system's, not their owner's.
const SYSTEM: [&str; 12] =
    ["bin", "boot", "dev", "etc", "lib", "lib64", "proc", "run", "sbin", "snap", "sys", "usr"];
/// Shorter arguments are options and numbers; replaced wherever they occur, they would take words of ours with them.
const SHORTEST: usize = 4;

/// So many processes were asked for; more are a host.
const FEW: usize = 64;

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Host,
    User,
    Argument,
    Address,
    Path,
    Id,
}

impl Kind {
    fn prefix(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::User => "user",
            Self::Argument => "argument",
            Self::Address => "address",
            Self::Path => "path",
            Self::Id => "id",
        }
    }
}

/// Replaces what is private, the same by the same.
#[derive(Debug, Default)]
pub(crate) struct Redactor {
    /// What is private wherever it stands, longest first.
    known: Vec<(String, Kind)>,
    numbers: RefCell<BTreeMap<(Kind, String), usize>>,
}

impl Redactor {
    /// Knows what the readings say of the processes that were asked for, or that a diagnosis of a whole host names.
    pub(crate) fn new(diagnosis: &Diagnosis, analyser: &Analyser) -> Self {
        let public = public(diagnosis);
        let mut known: Vec<(String, Kind)> = Vec::new();
        let host = diagnosis.host.name.as_str();
        known.push((host.to_owned(), Kind::Host));
        if let Some((short, _)) = host.split_once('.') {
            known.push((short.to_owned(), Kind::Host));
        }
        let named = |pid| {
            analyser.processes.len() <= FEW
                || diagnosis.findings.iter().any(|f| f.process.pid == pid)
                || diagnosis.nearest_limit.as_ref().is_some_and(|n| n.process.pid == pid)
        };
        for tracked in analyser.processes.values().filter(|t| named(t.reading.key.pid)) {
            of_process(&tracked.reading, &mut known);
        }
        known.retain(|(text, kind)| {
            *kind == Kind::Host && text.len() > 1 && !SYSTEM.contains(&text.as_str())
                || is_telling(text) && !public.iter().any(|name| name.contains(text.as_str()))
        });
        known.sort_by(|a, b| b.0.len().cmp(&a.0.len()).then_with(|| a.cmp(b)));
        known.dedup();
        Self { known, numbers: RefCell::default() }
    }

    /// Text without what is private.
    pub(crate) fn text(&self, text: &str) -> String {
        let mut out = text.to_owned();
        for (private, kind) in &self.known {
            if out.contains(private.as_str()) {
                out = replaced(&out, private, &self.name(*kind, private));
            }
        }
        self.ids(&self.paths(&self.addresses(&out)))
    }

    /// What was taken out so far.
    pub(crate) fn redacted(&self) -> Redacted {
        let name = |kind: Kind| match kind {
            Kind::Host => "names of hosts",
            Kind::User => "names of users",
            Kind::Argument => "arguments",
            Kind::Address => "addresses",
            Kind::Path => "paths",
            Kind::Id => "ids of containers and the like",
        };
        let mut different: BTreeMap<&'static str, u64> = BTreeMap::new();
        for (kind, _) in self.numbers.borrow().keys() {
            *different.entry(name(*kind)).or_default() += 1;
        }
        Redacted { what: WHAT, different }
    }

    /// A whole diagnosis. Each type is taken apart: what is added to it later does not compile until it was thought of.
    pub(crate) fn diagnosis(&self, diagnosis: &mut Diagnosis, analyser: &Analyser) {
        let Diagnosis {
            schema: _,
            version: _,
            origin: from,
            host,
            looked_at: _,
            findings,
            died_before,
            nearest_limit,
            not_judged,
            saved,
            impact,
            redacted,
        } = diagnosis;
        host.name = self.name(Kind::Host, host.name.as_str()).into();
        self.within(&mut host.kernel);
        *from = self.text(&origin(from));
        for finding in findings {
            self.finding(finding, analyser);
        }
        if let Some(nearest) = nearest_limit {
            self.process(&mut nearest.process, analyser);
            self.limit(&mut nearest.limit);
        }
        for death in died_before {
            self.within(&mut death.what);
            self.within(&mut death.source);
        }
        self.all(not_judged);
        self.all(&mut impact.done);
        if let Some(saved) = saved {
            self.string(&mut saved.path);
        }
        *redacted = Some(self.redacted());
    }

    fn finding(&self, finding: &mut Finding, analyser: &Analyser) {
        let Finding {
            id: _,
            kind: _,
            confidence: _,
            confidence_why,
            process,
            subject,
            subject_inferred,
            pool_shape: _,
            count: _,
            none_ended: _,
            rate_per_s: _,
            rate_interval: _,
            cadence: _,
            seen: _,
            reserved_bytes: _,
            committed_bytes: _,
            touched_bytes: _,
            created_by,
            libraries,
            faults,
            schedules,
            evidence,
            ruled_out,
            too_small,
            process_committed_bytes: _,
            unexplained_bytes: _,
            limits,
            risk,
            now,
            next,
        } = finding;
        self.process(process, analyser);
        self.within(subject);
        self.all(confidence_why);
        if let Some(how) = subject_inferred {
            self.within(how);
        }
        for by in created_by {
            self.creator(by);
        }
        for library in libraries {
            self.string(&mut library.name);
        }
        self.all(faults);
        for schedule in schedules {
            self.schedule(schedule);
        }
        for item in evidence {
            self.evidence(item);
        }
        for item in ruled_out.iter_mut().chain(too_small) {
            self.string(&mut item.kind);
            self.string(&mut item.why);
        }
        for limit in limits {
            self.limit(limit);
        }
        self.string(risk);
        self.string(now);
        self.all(next);
    }

    fn creator(&self, by: &mut CreatedBy) {
        let CreatedBy { source: _, births: _, of: _, sure, thread, frames } = by;
        self.string(sure);
        if let Some(thread) = thread {
            self.within(thread);
        }
        for Frame { symbol, file, line: _, origin, role: _ } in frames {
            self.string(symbol);
            self.all(file);
            self.all(origin);
        }
    }

    fn schedule(&self, schedule: &mut ScheduleMatch) {
        let ScheduleMatch { source, expression, what, in_process, meaning, near_miss } = schedule;
        if let Some(source) = source {
            self.within(source);
        }
        self.string(expression);
        self.string(meaning);
        self.all(near_miss);
        // A job in the process has a name; one of the host is a command with arguments.
        if let Some(what) = what {
            *what = if *in_process { self.text(what.as_str()) } else { self.command(what.as_str()) }.into();
        }
    }

    fn evidence(&self, item: &mut Evidence) {
        let Evidence { claim, value: _, source, statistic, supports: _, reproduce } = item;
        self.string(claim);
        self.string(source);
        self.all(statistic);
        self.all(reproduce);
    }

    fn limit(&self, limit: &mut Limit) {
        self.within(&mut limit.scope);
        self.string(&mut limit.reproduce);
    }

    /// A unit's name and a program's stay; what else was told to an interpreter is an argument, a container's name an id.
    pub(crate) fn process(&self, process: &mut ProcessRef, analyser: &Analyser) {
        self.within(&mut process.name);
        let Some(label) = &mut process.label else { return };
        let reading = analyser.by_pid(process.pid).map(|tracked| &tracked.reading);
        let cgroups = reading.and_then(|reading| reading.cgroups.value());
        // A label may be shortened.
        let is_program =
            || reading.and_then(program::name).is_some_and(|name| name.starts_with(label.as_str()));
        *label = if cgroups.is_some_and(|c| c.unit.is_some()) {
            self.text(label.as_str())
        } else if cgroups.is_some_and(|c| c.container.is_some()) {
            self.name(Kind::Id, label.as_str())
        } else if is_program() {
            self.text(label.as_str())
        } else {
            self.name(Kind::Argument, label.as_str())
        }
        .into();
    }

    fn string(&self, text: &mut String) {
        *text = self.text(text);
    }

    fn within(&self, text: &mut Text) {
        *text = self.text(text.as_str()).into();
    }

    fn all<'a>(&self, texts: impl IntoIterator<Item = &'a mut String>) {
        for text in texts {
            self.string(text);
        }
    }

    /// A program's own name, and that there was more.
    fn command(&self, command: &str) -> String {
        let mut words = command.split_whitespace();
        let program = words.next().unwrap_or_default().rsplit('/').next().unwrap_or_default();
        let more = if words.next().is_some() { " …" } else { "" };
        format!("{}{more}", self.text(program))
    }

    /// `user-2`: the number tells two apart, and not which they are. There is one host.
    fn name(&self, kind: Kind, private: &str) -> String {
        let mut numbers = self.numbers.borrow_mut();
        let next = numbers.keys().filter(|(of, _)| *of == kind).count() + 1;
        let number = *numbers.entry((kind, private.to_owned())).or_insert(next);
        match kind {
            Kind::Host => kind.prefix().to_owned(),
            _ => format!("{}-{number}", kind.prefix()),
        }
    }

    /// Each address with its scheme, to the next blank: `jdbc:mysql://user:password@host/db;key=x`.
    fn addresses(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find("://") {
            let scheme =
                rest[..at].trim_end_matches(|c: char| c.is_ascii_alphanumeric() || "+.-:".contains(c));
            out.push_str(scheme);
            let from = scheme.len();
            let end = rest[at..].find(char::is_whitespace).map_or(rest.len(), |end| at + end);
            let end = rest[..end].trim_end_matches(|c: char| "\"'`<>()[].,;".contains(c)).len().max(at + 3);
            out.push_str(&self.name(Kind::Address, &rest[from..end]));
            rest = &rest[end..];
        }
        out.push_str(rest);
        out
    }

    /// Each absolute path.
    fn paths(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find('/') {
            let (before, path) = rest.split_at(at);
            out.push_str(before);
            // `1,550/min`, `system.slice/x`: not the beginning of a path.
            let within =
                out.chars().next_back().is_some_and(|c| c.is_alphanumeric() || ".-_~…*)".contains(c));
            let end =
                path.find(|c: char| c.is_whitespace() || "\"'`<>|;:,()=".contains(c)).unwrap_or(path.len());
            let end = path[..end].trim_end_matches('.').len();
            // A lone slash, or awk's `/^Committed_AS/`.
            if end < 2 || path[1..].starts_with(['^', '/', '*', '\\', '[', '$']) {
                out.push('/');
                rest = &path[1..];
                continue;
            }
            let (path, after) = path.split_at(end);
            out.push_str(&if within { path.to_owned() } else { self.path(path) });
            rest = after;
        }
        out.push_str(rest);
        out
    }

    /// One path: `/srv/customer/app.jar` → `/srv/path-1.jar`, `/home/ann/x` → `/home/user-1/path-2`.
    fn path(&self, path: &str) -> String {
        let parts: Vec<&str> = path.split('/').skip(1).collect();
        let user = |name: &str| self.name(Kind::User, name);
        let hidden = |from: usize| match parts.get(from..) {
            None | Some([]) => String::new(),
            Some(_) => {
                let last = parts.last().copied().unwrap_or_default();
                let suffix = last.rsplit_once('.').map_or("", |(_, suffix)| suffix);
                let is_usual = (1..=8).contains(&suffix.len())
                    && suffix.bytes().all(|b| b.is_ascii_lowercase())
                    && suffix != "slice";
                let suffix = if is_usual { format!(".{suffix}") } else { String::new() };
                format!("/{}{suffix}", self.name(Kind::Path, path))
            }
        };
        match parts.as_slice() {
            [top @ ("home" | "Users"), name, ..] if !name.is_empty() => {
                format!("/{top}/{}{}", user(name), hidden(2))
            }
            ["run", "user", id, ..] => format!("/run/user/{}{}", user(id), hidden(3)),
            ["var", "spool", "cron", "crontabs", name] | ["var", "spool", "cron", name]
                if *name != "root" =>
            {
                let name = user(name);
                let folder = if parts.len() == 5 { "crontabs/" } else { "" };
                format!("/var/spool/cron/{folder}{name}")
            }
            ["var", "log" | "spool", ..] => path.to_owned(),
            [top, ..] if SYSTEM.contains(top) => path.to_owned(),
            [top, _, ..] => format!("/{top}{}", hidden(1)),
            _ => path.to_owned(),
        }
    }

    /// Long numbers in hexadecimal, and what systemd calls after a user's id.
    fn ids(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        for run in text.split_inclusive(|c: char| !c.is_ascii_alphanumeric()) {
            let word = run.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
            let is_id = word.len() >= 32 && word.bytes().all(|b| b.is_ascii_hexdigit());
            let of_user = (out.ends_with("user-") || out.ends_with("user@"))
                && word.len() >= 3
                && word.bytes().all(|b| b.is_ascii_digit());
            if is_id {
                out.push_str(&self.name(Kind::Id, word));
            } else if of_user {
                out.push_str(&self.name(Kind::User, word).replace("user-", ""));
            } else {
                out.push_str(word);
            }
            out.push_str(&run[word.len()..]);
        }
        out
    }
}

/// `Ann.flatfoot, saved 2026-03-01T03:12:09Z by flatfoot save 3248 -o Ann.flatfoot` → `a case file, saved 2026-03-01T03:12:09Z`.
fn origin(origin: &str) -> String {
    if origin == "this host" {
        return origin.to_owned();
    }
    let saved = origin.find(", saved ").or_else(|| origin.rfind(", ")).and_then(|at| origin.get(at..));
    let when = saved.and_then(|saved| saved.split(" by ").next()).unwrap_or_default();
    format!("a case file{when}")
}

/// Names that the report is about: what is in them is no secret.
fn public(diagnosis: &Diagnosis) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for finding in &diagnosis.findings {
        names.push(finding.subject.as_str().to_owned());
        names.push(finding.process.name.as_str().to_owned());
        for by in &finding.created_by {
            names.extend(by.frames.iter().map(|frame| frame.symbol.clone()));
        }
    }
    names
}

/// What a process's readings tell that is private.
fn of_process(reading: &ProcessReading, known: &mut Vec<(String, Kind)>) {
    let program = program::name(reading).unwrap_or_default();
    for arg in reading.cmdline.value().into_iter().flatten().skip(1).map(Text::as_str) {
        // How large stacks and heap are is what a leak is judged by.
        if program::is_size(arg) {
            continue;
        }
        let path = |text: &str| text.starts_with('/') && Redactor::default().path(text) == *text;
        let value = arg.split_once('=').map_or("", |(_, value)| value);
        let file = arg.rsplit('/').next().unwrap_or_default();
        // A library is called by its jar, a program by what it runs.
        let file = if program::is_jar(file) { "" } else { file };
        let is_left = |part: &str| path(part) || part == program;
        for part in [arg, value, file].into_iter().filter(|part| !is_left(part)) {
            known.push((part.to_owned(), Kind::Argument));
            known.push((Text::from(part).to_string(), Kind::Argument));
        }
    }
    if let Some(container) = reading.cgroups.value().and_then(|c| c.container.as_ref()) {
        let id = container.as_str();
        known.push((id.to_owned(), Kind::Id));
        known.push((id.chars().take(12).collect(), Kind::Id));
    }
    let names = reading.space.value().into_iter().flat_map(|space| &space.names).map(Text::as_str);
    let args = reading.cmdline.value().into_iter().flatten().map(Text::as_str);
    for text in names.chain(args) {
        for folder in ["/home/", "/Users/", "hsperfdata_"] {
            if let Some((_, after)) = text.split_once(folder) {
                let name = after.split(['/', ':']).next().unwrap_or_default();
                known.push((name.to_owned(), Kind::User));
            }
        }
    }
}

/// Is it more than a number, an option or a plain word, which our own sentences have, too?
fn is_telling(text: &str) -> bool {
    text.len() >= SHORTEST
        && text.chars().any(char::is_alphabetic)
        && !text.bytes().all(|b| b.is_ascii_lowercase())
}

/// With each occurrence replaced that is no part of a longer word.
fn replaced(text: &str, private: &str, by: &str) -> String {
    // A short one may be a part of what is the system's: `/proc/sys/vm`, `vm.max_map_count`.
    let joins = if private.len() <= SHORTEST { "/._-" } else { "" };
    let word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || joins.contains(c));
    let (first, last) = (private.chars().next(), private.chars().next_back());
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(private) {
        let (before, found) = rest.split_at(at);
        let after = &found[private.len()..];
        out.push_str(before);
        let joined = word(first) && word(out.chars().next_back()) || word(last) && word(after.chars().next());
        out.push_str(if joined { private } else { by });
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn redactor(known: &[(&str, Kind)]) -> Redactor {
        let known = known.iter().map(|(text, kind)| ((*text).to_owned(), *kind)).collect();
        Redactor { known, ..Redactor::default() }
    }

    #[test]
    fn paths_keep_what_is_the_systems() {
        let r = redactor(&[]);
        assert_eq!(r.text("check: ls /proc/4711/task | wc -l"), "check: ls /proc/4711/task | wc -l");
        assert_eq!(r.text("/usr/lib/jvm/libjvm.so (deleted)"), "/usr/lib/jvm/libjvm.so (deleted)");
        assert_eq!(
            r.text("/srv/customer/app.jar, again /srv/customer/app.jar"),
            "/srv/path-1.jar, again /srv/path-1.jar"
        );
        assert_eq!(r.text("x=/home/ann/secret/y.py."), "x=/home/user-1/path-2.py.");
        assert_eq!(r.text("/home/bob /home/ann"), "/home/user-2 /home/user-1");
        assert_eq!(r.text("/var/spool/cron/crontabs/ann"), "/var/spool/cron/crontabs/user-1");
        assert_eq!(r.text("/var/spool/cron/crontabs/root"), "/var/spool/cron/crontabs/root");
        assert_eq!(
            r.text("awk '/^Name/ {print $2}' /proc/1/status"),
            "awk '/^Name/ {print $2}' /proc/1/status"
        );
        assert_eq!(r.text("1.00/min, 4/h, /, /tmp"), "1.00/min, 4/h, /, /tmp");
    }

    #[test]
    fn what_is_known_goes_wherever_it_stands() {
        let short = redactor(&[("vm", Kind::Host)]);
        assert_eq!(
            short.text("on vm: cat /proc/sys/vm/max_map_count"),
            "on host: cat /proc/sys/vm/max_map_count"
        );
        let r =
            redactor(&[("--token=s3cret", Kind::Argument), ("s3cret", Kind::Argument), ("web1", Kind::Host)]);
        assert_eq!(r.text("web1: s3cret in --token=s3cret"), "host: argument-2 in argument-1");
        assert_eq!(r.text("web12 myweb1"), "web12 myweb1", "parts of longer words are others");
        assert_eq!(
            r.text("/sys/fs/cgroup/user.slice/user-1000.slice/x"),
            "/sys/fs/cgroup/user.slice/user-1.slice/x"
        );
        let id = "0123456789abcdef0123456789abcdef";
        assert_eq!(r.text(&format!("docker-{id}.scope")), "docker-id-1.scope");
        let counts = [
            ("arguments", 2),
            ("ids of containers and the like", 1),
            ("names of hosts", 1),
            ("names of users", 1),
        ];
        assert_eq!(r.redacted().different, counts.into_iter().collect());
    }

    #[test]
    fn addresses_go_with_all_that_is_in_them() {
        let r = redactor(&[]);
        assert_eq!(
            r.text("pool of jdbc:mysql://ann:pw@db1:3306/shop;key=v, \"http://ann@x/y\" and http://ann@x/y"),
            "pool of address-1, \"address-2\" and address-2"
        );
        assert_eq!(r.text("a:// (s://u:p'\"w@h) ://"), "address-3 (address-4) address-5");
    }

    #[test]
    fn a_files_name_is_its_owners() {
        assert_eq!(origin("this host"), "this host");
        let saved = "Ann.flatfoot, saved 2026-03-01T03:12:09Z by flatfoot save 1 -o Ann.flatfoot";
        assert_eq!(origin(saved), "a case file, saved 2026-03-01T03:12:09Z");
        assert_eq!(origin("/srv/a, b, 2026-03-01 to 2026-03-02"), "a case file, 2026-03-01 to 2026-03-02");
        assert_eq!(origin("Ann.flatfoot"), "a case file");
    }

    #[test]
    fn words_that_every_sentence_has_stay() {
        let telling = ["s3cret", "app.jar", "--key=x", "Main"];
        assert!(telling.iter().all(|text| is_telling(text)));
        assert!(!["threads", "100", "-v", "0.5"].iter().any(|text| is_telling(text)));
    }

    proptest! {
        #[test]
        fn what_is_private_does_not_survive(before in "\\PC{0,20}", after in "\\PC{0,20}") {
            let r = redactor(&[("s3cr3t-pass", Kind::Argument)]);
            let out = r.text(&format!("{before} s3cr3t-pass {after}"));
            prop_assert!(!out.contains("s3cr3t-pass"), "{out}");
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,60}") {
            let _ = redactor(&[("a/", Kind::Host)]).text(&text);
        }
    }
}
