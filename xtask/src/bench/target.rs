//! The processes that are looked at. They die with the bench, whatever becomes of it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context as _, Result, bail};
use probe::Clock;

use super::built::Built;

/// Longer than any bench takes.
const LIFETIME_S: &str = "3600";

/// A running target.
#[derive(Debug)]
pub(crate) struct Target {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    /// Its pid.
    pub(crate) pid: u32,
}

impl Target {
    /// A JVM with so many one-thread pools.
    pub(crate) fn java(built: &Built, threads: u32) -> Result<Self> {
        Self::java_mode(built, &["many-pools", &threads.to_string()])
    }

    /// A JVM in any of the modes of tests/leakers.
    pub(crate) fn java_mode(built: &Built, arguments: &[&str]) -> Result<Self> {
        let mut command = Command::new(built.root.join("tests/leakers/run-java.sh"));
        command.env("LEAKERS", &built.leakers).args(arguments);
        Self::start(command).context("run-java.sh: scripts/install-test-deps.sh installs a JDK and Quartz")
    }

    /// A process of so many mappings.
    pub(crate) fn mappings(built: &Built, count: u32) -> Result<Self> {
        let mut command = Command::new(built.leakers.join("shape"));
        command.arg("many-maps").arg(count.to_string());
        Self::start(command).context("shape many-maps")
    }

    /// A process of so many mappings that measures its own mmap and munmap when asked.
    pub(crate) fn mmap_latency(built: &Built, mappings: u32) -> Result<Self> {
        let mut command = Command::new(built.leakers.join("mmap-latency"));
        command.arg(mappings.to_string()).arg("-");
        Self::start(command).context("mmap-latency")
    }

    fn start(mut command: Command) -> Result<Self> {
        command.env("LEAKER_LIFETIME_S", LIFETIME_S);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn()?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            bail!("no pipes to the target");
        };
        let pid = child.id();
        let mut target = Self { child, input, output: BufReader::new(output), pid };
        let line = target.line()?;
        if !line.starts_with("ready ") {
            bail!("the target said {line:?} instead of ready");
        }
        // A JVM compiles for a while what it has just run, and would do so on the peers' time.
        Clock::sleep(1.0);
        Ok(target)
    }

    /// Writes a line to it.
    pub(crate) fn ask(&mut self, line: &str) -> Result<()> {
        writeln!(self.input, "{line}").context("asking the target")
    }

    /// The next line it writes.
    pub(crate) fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        if self.output.read_line(&mut line).context("reading from the target")? == 0 {
            bail!("the target ended");
        }
        Ok(line)
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Many processes that sleep.
#[derive(Debug, Default)]
pub(crate) struct Sleepers(Vec<Child>);

impl Sleepers {
    /// Starts so many.
    pub(crate) fn start(built: &Built, count: usize) -> Result<Self> {
        let mut sleepers = Self::default();
        for _ in 0..count {
            let mut command = Command::new(built.leakers.join("tether"));
            command
                .env("LEAKER_LIFETIME_S", LIFETIME_S)
                .args(["sleep", LIFETIME_S])
                .stdin(Stdio::null())
                .stdout(Stdio::null());
            sleepers.0.push(command.spawn().context("starting a thousand sleeping processes")?);
        }
        // Until all of them have become `sleep`.
        Clock::sleep(1.0);
        Ok(sleepers)
    }
}

impl Drop for Sleepers {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let _ = child.kill();
        }
        for child in &mut self.0 {
            let _ = child.wait();
        }
    }
}
