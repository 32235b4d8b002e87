//! The lines of a crontab (crontab(5), Debian's and cronie's).

use model::{ScheduleWhen, Text};

/// Bytes of a command that are kept.
pub(super) const MOST_TEXT: usize = 512;

/// A line that starts something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Job {
    /// Counted from 1.
    pub(super) line: usize,
    /// When.
    pub(super) when: ScheduleWhen,
    /// The command, without the user.
    pub(super) command: Text,
    /// The directory whose scripts it runs, if it calls run-parts.
    pub(super) run_parts: Option<Vec<u8>>,
}

/// Has the crontab a user's name between time and command?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// /etc/crontab and /etc/cron.d.
    System,
    /// A user's own.
    User,
}

/// Takes the jobs from a crontab; what is no job (comments, variables, nonsense) is left out.
///
/// ```text
/// SHELL=/bin/sh
/// 17 *  * * *  root  cd / && run-parts --report /etc/cron.hourly
/// @daily       www   /srv/report --all
/// ```
pub(super) fn parse(bytes: &[u8], kind: Kind) -> impl Iterator<Item = Job> + '_ {
    bytes.split(|b| *b == b'\n').enumerate().filter_map(move |(i, line)| job(i + 1, line, kind))
}

fn job(number: usize, line: &[u8], kind: Kind) -> Option<Job> {
    let line = line.trim_ascii();
    if line.is_empty() || line[0] == b'#' || is_variable(line) {
        return None;
    }
    // cronie: a dash in front keeps the run out of the log.
    let line = line.strip_prefix(b"-").unwrap_or(line);
    let times = if line[..].starts_with(b"@") { 1 } else { 5 };
    let mut fields: Vec<&[u8]> = Vec::with_capacity(times);
    let mut rest = line;
    for _ in 0..times {
        let (field, after) = word(rest)?;
        if !is_time(field) {
            return None;
        }
        fields.push(field);
        rest = after;
    }
    if kind == Kind::System {
        rest = word(rest)?.1;
    }
    let command = rest.trim_ascii();
    if command.is_empty() {
        return None;
    }
    Some(Job {
        line: number,
        when: ScheduleWhen::Cron(Text::from_bytes(&fields.join(&b' '))),
        command: Text::from_bytes(&command[..command.len().min(MOST_TEXT)]),
        run_parts: run_parts(command),
    })
}

/// The next word, and what follows it.
fn word(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let text = text.trim_ascii_start();
    let end = text.iter().position(u8::is_ascii_whitespace).unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

/// `MAILTO=root`, `PATH = /bin`.
fn is_variable(line: &[u8]) -> bool {
    let name = line.iter().take_while(|b| b.is_ascii_alphanumeric() || **b == b'_').count();
    name > 0 && line[name..].trim_ascii_start().starts_with(b"=")
}

/// `*/15`, `1-5`, `mon,wed`, `0~59`, `@hourly`.
fn is_time(field: &[u8]) -> bool {
    match field {
        [b'@', name @ ..] => !name.is_empty() && name.iter().all(u8::is_ascii_lowercase),
        field => {
            field.len() <= 200
                && field.iter().all(|b| b.is_ascii_alphanumeric() || b"*,/-~?#".contains(b))
                && field.iter().any(|b| b.is_ascii_digit() || *b == b'*' || b.is_ascii_alphabetic())
        }
    }
}

/// `/etc/cron.hourly` of `cd / && run-parts --report /etc/cron.hourly`.
fn run_parts(command: &[u8]) -> Option<Vec<u8>> {
    let at = memchr::memmem::find(command, b"run-parts")?;
    let mut rest = &command[at..];
    while let Some((found, after)) = word(rest) {
        let clean = found.iter().take_while(|b| !b";&|)}'\"".contains(b)).count();
        if found.starts_with(b"/") {
            return Some(found[..clean].to_vec());
        }
        rest = after;
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(text: &str, kind: Kind) -> Vec<(usize, String, String)> {
        parse(text.as_bytes(), kind)
            .map(|job| {
                let ScheduleWhen::Cron(when) = job.when else { panic!("a crontab has cron fields") };
                (job.line, when.to_string(), job.command.to_string())
            })
            .collect()
    }

    fn row(line: usize, when: &str, command: &str) -> (usize, String, String) {
        (line, when.to_owned(), command.to_owned())
    }

    #[test]
    fn a_system_crontab() {
        let text = "# comment\nSHELL=/bin/sh\nMAILTO = root\n\n\
                    17 *\t* * *\troot\tcd / && run-parts --report /etc/cron.hourly\n\
                    -*/5 0~59 1-7 jan,feb mon-fri  www  /srv/report --all  \n\
                    @daily root /usr/sbin/tidy\n";
        assert_eq!(
            shown(text, Kind::System),
            [
                row(5, "17 * * * *", "cd / && run-parts --report /etc/cron.hourly"),
                row(6, "*/5 0~59 1-7 jan,feb mon-fri", "/srv/report --all"),
                row(7, "@daily", "/usr/sbin/tidy"),
            ]
        );
    }

    #[test]
    fn a_users_crontab_names_no_user() {
        assert_eq!(shown("0 4 * * * backup --now", Kind::User), [row(1, "0 4 * * *", "backup --now")]);
    }

    #[test]
    fn what_is_no_job_is_left_out() {
        for text in [
            "",
            "\n\n",
            "* * * *",
            "* * * * * root",
            "hello, world! this is no crontab at all",
            "@ root x",
            "@daily root",
        ] {
            assert_eq!(shown(text, Kind::System), [], "{text}");
        }
    }

    #[test]
    fn run_parts_names_its_directory() {
        for (command, dir) in [
            (
                "test -x /usr/sbin/anacron || { cd / && run-parts --report /etc/cron.daily; }",
                Some("/etc/cron.daily"),
            ),
            ("run-parts /etc/periodic/15min", Some("/etc/periodic/15min")),
            ("run-parts", None),
            ("echo /etc/cron.daily", None),
        ] {
            assert_eq!(run_parts(command.as_bytes()).as_deref(), dir.map(str::as_bytes), "{command}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_parse(bytes in prop::collection::vec(prop_oneof![any::<u8>(), Just(b' '), Just(b'*'), Just(b'\n')], 0..400)) {
            for kind in [Kind::System, Kind::User] {
                for job in parse(&bytes, kind) {
                    prop_assert!(!job.command.is_empty());
                    prop_assert!(job.line <= bytes.len() + 1);
                }
            }
        }
    }
}
