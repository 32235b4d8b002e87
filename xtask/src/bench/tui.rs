//! The live view: what drawing adds to sampling a host of a thousand processes each second, in a real terminal.
//!
//! The view draws in its main thread and samples in one of its own, so the kernel's account of each thread
//! (`/proc/PID/task/TID/schedstat`, nanoseconds) tells them apart in one run.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use probe::Clock;

use super::built::Built;
use super::statistics::Spread;
use super::table::{Reach, Row, Unit};
use super::target::Sleepers;

const WORK: &str = "live view, drawing 1,000 processes each second";
/// Columns and rows.
const SIZES: [(&str, &str); 2] = [("80", "24"), ("200", "60")];
/// Until the first judgement of the whole host is over.
const WARM_UP_S: f64 = 8.0;

/// A row for each size, over so many seconds.
pub(crate) fn rows(built: &Built, seconds: u64) -> Vec<Row> {
    let _sleepers = match Sleepers::start(built, 1_000) {
        Ok(sleepers) => sleepers,
        Err(why) => return vec![Row::missing(WORK, &why)],
    };
    SIZES
        .iter()
        .map(|(columns, lines)| {
            let work = format!("{WORK}, {columns}x{lines}: a tick");
            measure(built, columns, lines, seconds).map_or_else(
                |why| Row::missing(work.clone(), &why),
                |Cost { drawing, sampling }| {
                    let aside = format!("sampling {:.2} ms", sampling * 1e3);
                    // 0.3 % of a processor.
                    Row::new(work.clone(), Unit::Milliseconds, Reach::AtMost(3e-3), Spread::of(vec![drawing]))
                        .aside(aside)
                        .command("flatfoot top")
                },
            )
        })
        .collect()
}

/// Seconds of CPU for each tick.
struct Cost {
    drawing: f64,
    sampling: f64,
}

/// A tmux server, ended with its owner.
struct Terminal<'a>(&'a Path);

impl Terminal<'_> {
    fn run(&self, words: &[&str]) -> Result<String> {
        let mut tmux = Command::new("tmux");
        tmux.arg("-u").arg("-S").arg(self.0).args(words).env_remove("TMUX").env("LC_ALL", "C.UTF-8");
        let output = tmux.stdin(Stdio::null()).output().context("tmux (a package of Debian)")?;
        if !output.status.success() {
            bail!("tmux: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }
}

impl Drop for Terminal<'_> {
    fn drop(&mut self) {
        let _ = self.run(&["kill-server"]);
    }
}

fn measure(built: &Built, columns: &str, lines: &str, seconds: u64) -> Result<Cost> {
    let folder = tempfile::tempdir()?;
    let socket = folder.path().join("tmux");
    let terminal = Terminal(&socket);
    let program = built.release.display().to_string();
    let state = format!("XDG_STATE_HOME={}", folder.path().display());
    let begin =
        ["-f", "/dev/null", "new-session", "-d", "-x", columns, "-y", lines, "env", &state, &program, "top"];
    terminal.run(&begin)?;
    let pid = terminal.run(&["display-message", "-p", "#{pane_pid}"])?;
    Clock::sleep(WARM_UP_S);
    let before = spent(&pid)?;
    Clock::sleep(seconds as f64);
    let after = spent(&pid)?;
    let a_tick = |of: fn(&Spent) -> f64| (of(&after) - of(&before)) / seconds as f64;
    Ok(Cost { drawing: a_tick(|spent| spent.main), sampling: a_tick(|spent| spent.sampler) })
}

/// Seconds of CPU so far.
struct Spent {
    main: f64,
    sampler: f64,
}

fn spent(pid: &str) -> Result<Spent> {
    let mut spent = Spent { main: 0.0, sampler: 0.0 };
    for task in std::fs::read_dir(format!("/proc/{pid}/task")).context("flatfoot top ended")? {
        let task = task?;
        let name = std::fs::read_to_string(task.path().join("comm"))?;
        let account = std::fs::read_to_string(task.path().join("schedstat"))?;
        let ran = account.split(' ').next().and_then(|ns| ns.parse::<f64>().ok()).context("schedstat")? / 1e9;
        if task.file_name().to_str() == Some(pid) {
            spent.main = ran;
        } else if name.trim() == "sampler" {
            spent.sampler = ran;
        }
    }
    Ok(spent)
}
