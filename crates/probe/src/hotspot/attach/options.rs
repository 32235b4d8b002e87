//! Options of a JVM that keeps no counters: those of its command line and of the environment variables that HotSpot and
//! its launcher read. Options in files (@argfile) are not seen here.

use model::Text;

use crate::proc::cmdline;
use crate::sys::file;
use crate::{Absence, PidDir};

/// The most that is read of the environment.
const LIMIT: usize = 256 * 1024;

/// The launcher's options with an argument of their own.
const WITH_ARGUMENT: [&str; 15] = [
    "-cp",
    "-classpath",
    "--class-path",
    "-p",
    "--module-path",
    "--upgrade-module-path",
    "--add-modules",
    "--add-exports",
    "--add-opens",
    "--add-reads",
    "--patch-module",
    "--limit-modules",
    "--enable-native-access",
    "--source",
    "--describe-module",
];

/// All of them, in the order in which the JVM takes them: of two that contradict each other the last one counts.
pub(super) fn given(dir: &PidDir) -> Vec<Text> {
    let mut buffer = Vec::new();
    let line = cmdline::read(dir, &mut buffer).into_value().unwrap_or_default();
    let read = file::read_at(dir, c"environ", &mut buffer, LIMIT).map_err(|_| Absence::Unsupported);
    let environment = read.map(|_| cmdline::split(&buffer)).unwrap_or_default();
    in_order(&line, &environment)
}

fn in_order(line: &[Text], environment: &[Text]) -> Vec<Text> {
    let variable = |name: &str| {
        let value = environment.iter().find_map(|one| one.as_str().strip_prefix(name)?.strip_prefix('='));
        value.unwrap_or_default().split_whitespace().map(Text::from).collect::<Vec<_>>()
    };
    let mut options = variable("JAVA_TOOL_OPTIONS");
    options.extend(variable("JDK_JAVA_OPTIONS"));
    let mut words = line.iter().skip(1);
    while let Some(word) = words.next() {
        let text = word.as_str();
        // What follows is the program's own.
        if matches!(text, "-jar" | "-m" | "--module") || !text.starts_with(['-', '@']) {
            break;
        }
        options.push(word.clone());
        if WITH_ARGUMENT.contains(&text) {
            words.next();
        }
    }
    options.extend(variable("_JAVA_OPTIONS"));
    options
}

/// `-XX:+NAME` or `-XX:-NAME`, the last one.
pub(super) fn last_switch(options: &[Text], name: &str) -> Option<bool> {
    options.iter().rev().find_map(|option| {
        let switch = option.as_str().strip_prefix("-XX:")?;
        if switch.strip_prefix('+') == Some(name) {
            return Some(true);
        }
        (switch.strip_prefix('-') == Some(name)).then_some(false)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn switch(line: &[&str], environment: &[&str]) -> Option<bool> {
        let texts = |words: &[&str]| words.iter().map(|word| Text::from(*word)).collect::<Vec<_>>();
        last_switch(&in_order(&texts(line), &texts(environment)), "X")
    }

    #[test]
    fn the_last_option_counts_and_the_programs_own_do_not() {
        let (on, off) = ("-XX:+X", "-XX:-X");
        assert_eq!(switch(&["java", "Main"], &[]), None);
        assert_eq!(switch(&["java", on, off, "Main"], &[]), Some(false));
        assert_eq!(switch(&["java", off, on, "Main"], &[]), Some(true));
        assert_eq!(switch(&["java", "Main", on], &[]), None);
        assert_eq!(switch(&["java", "-jar", "x.jar", on], &[]), None);
        assert_eq!(switch(&["java", "-cp", "lib", on, "Main"], &[]), Some(true));
        assert_eq!(switch(&["java", "-XX:+XY", "Main"], &[]), None);
        let tool = "JAVA_TOOL_OPTIONS=-Da=b -XX:+X";
        assert_eq!(switch(&["java", "Main"], &[tool]), Some(true));
        assert_eq!(switch(&["java", off, "Main"], &[tool]), Some(false));
        assert_eq!(switch(&["java", off, "Main"], &["_JAVA_OPTIONS=-XX:+X"]), Some(true));
    }
}
