//! A bare terminal, without a program that shows it: what is written to it is read by the test, or by nobody.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::process::{Child, Stdio};

use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

use crate::support::{Flatfoot, wait_for, wait_until};

/// The terminal, and flatfoot in it.
pub(crate) struct Pty {
    /// Both ends, until the terminal is gone.
    ends: Option<(File, OwnedFd)>,
    pub(crate) flatfoot: Child,
}

impl Drop for Pty {
    /// Nothing is left of a test that failed.
    fn drop(&mut self) {
        let _ = self.flatfoot.kill();
        let _ = self.flatfoot.wait();
    }
}

impl Pty {
    /// Runs flatfoot with these arguments; its errors go into a file.
    pub(crate) fn start(flatfoot: &Flatfoot, args: &[&str], errors: File) -> Self {
        let ours =
            openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).expect("a terminal");
        grantpt(&ours).expect("its right");
        unlockpt(&ours).expect("its lock");
        let name = ptsname(&ours, Vec::new()).expect("its name");
        let theirs = rustix::fs::open(name, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty())
            .expect("its other end");
        let size = Winsize { ws_row: 60, ws_col: 200, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&theirs, size).expect("a size");
        let stream = || Stdio::from(theirs.try_clone().expect("a stream"));
        let child = flatfoot
            .command(args)
            .env("TERM", "xterm-256color")
            .env("LC_ALL", "C.UTF-8")
            .stdin(stream())
            .stdout(stream())
            .stderr(errors)
            .spawn()
            .expect("flatfoot starts");
        Self { ends: Some((ours.into(), theirs)), flatfoot: child }
    }

    /// Reads until a text was written.
    #[track_caller]
    pub(crate) fn reads(&mut self, text: &str) {
        let (mut written, mut some) = (String::new(), [0; 4_096]);
        while !written.contains(text) {
            let bytes = self.ours().read(&mut some).expect("something");
            written.push_str(&String::from_utf8_lossy(some.get(..bytes).unwrap_or_default()));
        }
    }

    /// Reads nothing more, and has the view drawn until it is held up in a write.
    #[track_caller]
    pub(crate) fn gets_stuck(&mut self) {
        // What its main thread is in: write(2) is 1 on x86_64 and 64 on arm64; `running` when it does not wait.
        let call = format!("/proc/{}/syscall", self.flatfoot.id());
        wait_until("a view that is held up in a write", 60.0, || {
            self.ours().write_all(b"\x0c").expect("a key: draw anew");
            let call = std::fs::read_to_string(&call).unwrap_or_default();
            matches!(call.split(' ').next(), Some("1" | "64"))
        });
    }

    /// Is it as a shell wants it: does it echo, and give lines?
    pub(crate) fn has_its_modes(&self) -> bool {
        let (_, theirs) = self.ends.as_ref().expect("it is there");
        let modes = tcgetattr(theirs).expect("modes").local_modes;
        modes.contains(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG)
    }

    /// Waits for the end of flatfoot.
    #[track_caller]
    pub(crate) fn ends(&mut self) -> std::process::ExitStatus {
        wait_for("the end of flatfoot", 60.0, || self.flatfoot.try_wait().expect("a child"))
    }

    /// The terminal is gone, as when a link breaks.
    pub(crate) fn hang_up(&mut self) {
        self.ends = None;
    }

    fn ours(&mut self) -> &mut File {
        &mut self.ends.as_mut().expect("it is there").0
    }
}
