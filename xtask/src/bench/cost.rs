//! What a command costs: CPU time and peak memory as the kernel accounts them to it (wait4), and wall time.

use std::fmt;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use probe::Clock;
use wait4::Wait4 as _;

/// One run of a command, its own children included.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    /// User and system seconds.
    pub(crate) cpu_s: f64,
    /// Seconds from start to end.
    pub(crate) wall_s: f64,
    /// The most resident memory at a time, bytes.
    pub(crate) peak: f64,
}

/// A command to be run over and over.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    words: Vec<String>,
    shown: String,
    /// Exit codes that are no failure.
    expected: &'static [i32],
    variables: Vec<(&'static str, String)>,
}

impl Run {
    /// From a line of words; `PID` stands for the target's pid, and is shown so.
    pub(crate) fn new(line: &str, pid: Option<u32>) -> Self {
        let pid = pid.map(|pid| pid.to_string());
        let words = line.split_ascii_whitespace().map(|word| match &pid {
            Some(pid) if word == "PID" => pid.clone(),
            _ => word.to_owned(),
        });
        Self { words: words.collect(), shown: line.to_owned(), expected: &[0], variables: Vec::new() }
    }

    /// Runs this program under the name that stands first in the line.
    #[must_use]
    pub(crate) fn program(mut self, path: &str) -> Self {
        if let Some(first) = self.words.first_mut() {
            path.clone_into(first);
        }
        self
    }

    /// These exit codes are no failure.
    #[must_use]
    pub(crate) fn expecting(mut self, codes: &'static [i32]) -> Self {
        self.expected = codes;
        self
    }

    /// With a variable in the environment.
    #[must_use]
    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.variables.push((name, value.to_owned()));
        self
    }

    /// A command that writes nowhere.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.words[0]);
        command.args(&self.words[1..]).envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// Runs it once.
    pub(crate) fn measure(&self) -> Result<Cost> {
        let began = Clock::monotonic();
        let child = self.command().spawn().with_context(|| {
            format!("{}: cannot be started; scripts/install-test-deps.sh installs it", self.words[0])
        })?;
        let used = child.wait4().with_context(|| self.shown.clone())?;
        let wall_s = Clock::monotonic() - began;
        if !used.status.code().is_some_and(|code| self.expected.contains(&code)) {
            bail!("{self}: {}", used.status);
        }
        let cpu = used.rusage.utime + used.rusage.stime;
        Ok(Cost { cpu_s: cpu.as_secs_f64(), wall_s, peak: used.rusage.maxrss as f64 })
    }
}

impl fmt::Display for Run {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.shown)
    }
}

/// Runs commands in turn, round by round; the first round only warms up. A list of costs for each command.
pub(crate) fn in_turn(runs: &[&Run], rounds: usize) -> Result<Vec<Vec<Cost>>> {
    let mut costs = vec![Vec::with_capacity(rounds); runs.len()];
    for round in 0..=rounds {
        for (run, costs) in runs.iter().zip(&mut costs) {
            let cost = run.measure()?;
            if round > 0 {
                costs.push(cost);
            }
        }
    }
    Ok(costs)
}

/// CPU seconds of each run.
pub(crate) fn cpu(costs: &[Cost]) -> Vec<f64> {
    costs.iter().map(|cost| cost.cpu_s).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_measured() {
        let cost = Run::new("sh -c :", None).measure().unwrap();
        assert!(cost.cpu_s > 0.0 && cost.cpu_s < 5.0, "{cost:?}");
        assert!(cost.wall_s > 0.0, "{cost:?}");
        assert!(cost.peak > 100_000.0, "bytes, not kilobytes: {cost:?}");
    }

    #[test]
    fn what_failed_is_not_measured() {
        assert!(Run::new("false", None).measure().is_err());
        assert!(Run::new("false", None).expecting(&[0, 1]).measure().is_ok());
        let missing = Run::new("no-such-program PID", Some(1)).measure().unwrap_err();
        assert!(missing.to_string().contains("install-test-deps"), "{missing}");
    }

    #[test]
    fn the_pid_is_filled_in_and_not_shown() {
        let run = Run::new("ps -p PID", Some(47)).program("/bin/ps");
        assert_eq!(run.to_string(), "ps -p PID");
        assert_eq!(run.words, ["/bin/ps", "-p", "47"]);
    }
}
