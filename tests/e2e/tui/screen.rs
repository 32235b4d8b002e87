//! A terminal that a test looks at: a tmux server of its own, with one window.

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

use crate::support::{Flatfoot, now};

/// A busy machine draws late.
const PATIENCE_S: f64 = 90.0;

/// A terminal of a size.
pub(crate) struct Screen {
    folder: TempDir,
}

/// A terminal is so many columns wide and rows high.
pub(crate) type Size = (u16, u16);

impl Screen {
    /// Runs flatfoot with these arguments; when it ends, `exit=` and its code stay on the screen.
    #[track_caller]
    pub(crate) fn start(flatfoot: &Flatfoot, args: &[&str], size: Size) -> Self {
        Self::with(flatfoot, args, size, "LC_ALL=C.UTF-8")
    }

    /// The same, with more of an environment.
    #[track_caller]
    pub(crate) fn with(flatfoot: &Flatfoot, args: &[&str], size: Size, environment: &str) -> Self {
        let quoted: Vec<String> = args.iter().map(|arg| format!("'{arg}'")).collect();
        let program = env!("CARGO_BIN_EXE_flatfoot");
        // Dies by itself when the test was killed; in the foreground, as it reads keys.
        let command = format!(
            "echo before; {environment} timeout --foreground 600 '{program}' {}; code=$?; stty -a; echo exit=$code; exec sleep 600",
            quoted.join(" ")
        );
        Self::shell(flatfoot, &["sh", "-c", &command], size)
    }

    /// Runs any command.
    #[track_caller]
    pub(crate) fn shell(flatfoot: &Flatfoot, command: &[&str], (width, height): Size) -> Self {
        let screen = Self { folder: TempDir::new().expect("a folder for a socket") };
        let (width, height) = (width.to_string(), height.to_string());
        let begin = ["-f", "/dev/null", "new-session", "-d", "-x", &width, "-y", &height];
        let state = flatfoot.command::<&str>(&[]);
        let state = state.get_envs().find(|(name, _)| *name == "XDG_STATE_HOME").and_then(|(_, value)| value);
        let mut tmux = screen.tmux();
        tmux.args(begin).args(command).env("XDG_STATE_HOME", state.expect("a state folder"));
        let output = tmux.output().expect("tmux starts");
        assert!(output.status.success(), "{output:?}");
        screen
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("tmux")
    }

    fn tmux(&self) -> Command {
        let mut tmux = Command::new("tmux");
        tmux.arg("-u").arg("-S").arg(self.socket());
        tmux.env_remove("TMUX").env_remove("NO_COLOR").env("LC_ALL", "C.UTF-8").stdin(Stdio::null());
        tmux
    }

    #[track_caller]
    fn run(&self, args: &[&str]) -> Output {
        let output = self.tmux().args(args).output().expect("tmux");
        assert!(output.status.success(), "tmux {args:?}: {output:?}");
        output
    }

    /// Types keys by their names: `m`, `Escape`, `C-c`.
    #[track_caller]
    pub(crate) fn keys(&self, keys: &[&str]) {
        let mut args = vec!["send-keys", "--"];
        args.extend(keys);
        self.run(&args);
    }

    /// Types letters.
    #[track_caller]
    pub(crate) fn letters(&self, text: &str) {
        self.run(&["send-keys", "-l", "--", text]);
    }

    /// What is seen.
    #[track_caller]
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.run(&["capture-pane", "-p"]).stdout).into_owned()
    }

    /// The same with the sequences that colour it.
    #[track_caller]
    pub(crate) fn colored(&self) -> String {
        String::from_utf8_lossy(&self.run(&["capture-pane", "-p", "-e"]).stdout).into_owned()
    }

    /// What tmux knows of the terminal: `cursor_flag`, `alternate_on`, `pane_pid`.
    #[track_caller]
    pub(crate) fn about(&self, what: &str) -> String {
        let output = self.run(&["display-message", "-p", &format!("#{{{what}}}")]);
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Makes the terminal another size.
    #[track_caller]
    pub(crate) fn resize(&self, (width, height): Size) {
        self.run(&["resize-window", "-x", &width.to_string(), "-y", &height.to_string()]);
    }

    /// Copies all that is written to the terminal from now on into a file.
    #[track_caller]
    pub(crate) fn record(&self) -> PathBuf {
        let path = self.folder.path().join("raw");
        self.run(&["pipe-pane", "-o", &format!("cat > '{}'", path.display())]);
        path
    }

    /// Waits until what is seen is as it should be; gives it.
    #[track_caller]
    pub(crate) fn wait(&self, what: &str, mut is: impl FnMut(&str) -> bool) -> String {
        let until = now() + PATIENCE_S;
        loop {
            let text = self.text();
            if is(&text) {
                return text;
            }
            assert!(now() < until, "waited {PATIENCE_S} s in vain: {what}\n{text}");
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
    }

    /// Waits until a text is seen.
    #[track_caller]
    pub(crate) fn sees(&self, text: &str) -> String {
        self.wait(text, |screen| screen.contains(text))
    }

    /// The pid of flatfoot in it.
    #[track_caller]
    pub(crate) fn flatfoot(&self) -> u32 {
        let mut pid: u32 = self.about("pane_pid").parse().expect("a pid");
        // The shell's child is `timeout`, and its child is flatfoot.
        for _ in 0..2 {
            let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
            let children = children.expect("children of the shell");
            pid = children.split_whitespace().next().and_then(|pid| pid.parse().ok()).expect("a child");
        }
        pid
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = self.tmux().arg("kill-server").output();
    }
}

/// The first line: the host, its time, and whether that is now.
pub(crate) fn header(screen: &str) -> &str {
    screen.lines().next().unwrap_or("")
}

/// The line that the cursor is on.
pub(crate) fn selected(screen: &str) -> &str {
    screen.lines().find(|line| line.starts_with(['▶', '>'])).unwrap_or("")
}

/// The pid in it.
pub(crate) fn selected_pid(screen: &str) -> Option<u32> {
    selected(screen).trim_start_matches(['▶', '>']).split_whitespace().next()?.parse().ok()
}
