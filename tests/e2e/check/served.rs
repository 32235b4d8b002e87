//! A server of tests/leakers/c/server.c, checked.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::leaker::built;
use crate::support::{Flatfoot, Run, wait_until};

/// Requests of each round.
pub(crate) const REQUESTS: i64 = 12;

/// Where one server listens; nobody of it may be left in the end.
pub(crate) struct Served {
    folder: TempDir,
    pub(crate) flatfoot: Flatfoot,
}

impl Served {
    pub(crate) fn new() -> Self {
        Self { folder: TempDir::new().expect("a folder"), flatfoot: Flatfoot::new() }
    }

    /// Its socket; in the command lines of everybody who has to do with it.
    pub(crate) fn socket(&self) -> String {
        self.file("socket").display().to_string()
    }

    /// A file of this test.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The program.
    pub(crate) fn program() -> String {
        built().join("server").display().to_string()
    }

    /// Work: so many requests.
    pub(crate) fn asking(&self, requests: i64, at_once: u32) -> String {
        format!("timeout 60 {} {} ask {requests} {at_once}", Self::program(), self.socket())
    }

    /// The arguments for a server of this mode.
    pub(crate) fn args(&self, options: &[&str], mode: &[&str]) -> Vec<String> {
        let mut args = vec!["check".to_owned()];
        if !options.contains(&"--linger") {
            args.extend(["--linger".to_owned(), "1s".to_owned()]);
        }
        if !options.contains(&"--work") {
            args.extend(["--work".to_owned(), self.asking(REQUESTS, 1)]);
        }
        args.extend(options.iter().map(|&option| option.to_owned()));
        args.extend(["--".to_owned(), Self::program(), self.socket()]);
        args.extend(mode.iter().map(|&word| word.to_owned()));
        args
    }

    /// The command, not yet started.
    pub(crate) fn command(&self, options: &[&str], mode: &[&str]) -> Command {
        let mut command = self.flatfoot.command(&self.args(options, mode));
        command.env_remove("GITHUB_ACTIONS");
        command
    }

    /// Checks a server of this mode.
    #[track_caller]
    pub(crate) fn check(&self, options: &[&str], mode: &[&str]) -> Run {
        let run =
            crate::support::flatfoot::collect(&mut self.command(options, mode).spawn().expect("flatfoot"));
        self.nobody_is_left();
        run
    }

    /// The same, with the document.
    #[track_caller]
    pub(crate) fn json(&self, options: &[&str], mode: &[&str]) -> (i32, Value) {
        let run = self.check(&[options, &["--json"]].concat(), mode);
        (run.status, run.json())
    }

    /// Everybody whose command line names the socket.
    pub(crate) fn there(&self) -> Vec<String> {
        naming(&self.socket())
    }

    #[track_caller]
    pub(crate) fn nobody_is_left(&self) {
        assert_eq!(self.there(), [""; 0], "what was started is ended");
    }

    /// Waits until the server listens.
    #[track_caller]
    pub(crate) fn wait_until_it_listens(&self) {
        let socket = self.file("socket");
        wait_until("the server's socket", 30.0, || socket.exists());
    }
}

/// Processes with this in their command line, flatfoot itself left out.
pub(crate) fn naming(text: &str) -> Vec<String> {
    let entries = std::fs::read_dir("/proc").expect("/proc");
    let line = |entry: std::fs::DirEntry| {
        let words = std::fs::read(entry.path().join("cmdline")).ok()?;
        let words = String::from_utf8_lossy(&words).replace('\0', " ");
        (words.contains(text) && !words.contains("flatfoot")).then_some(words)
    };
    entries.filter_map(|entry| line(entry.ok()?)).collect()
}

/// The only finding.
#[track_caller]
pub(crate) fn only(said: &Value) -> &Value {
    assert_eq!(said["findings"].as_array().map(Vec::len), Some(1), "{said:#}");
    &said["findings"][0]
}
