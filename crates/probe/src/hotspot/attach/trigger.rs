//! Asking HotSpot to listen: it looks for a file `/tmp/.attach_pidPID` of its own user when it gets SIGQUIT. Without
//! the file it would print a thread dump into its output, so the file is there first, and is removed on every way out.

use std::ffi::CString;
use std::os::fd::OwnedFd;

use rustix::fs::{AtFlags, FileType, Mode, OFlags, fstat, openat, statat, unlinkat};
use rustix::io::Errno;

use super::patience::Deadline;
use super::{Refusal, TargetView, listener};
use crate::Clock;
use crate::sys::file;

/// A trigger that is older was left by somebody who died: no tool waits for so long.
const STALE_S: f64 = 15.0;

/// What is in ours. The JVM doesn't read it; a flatfoot that finds it while it holds the lock knows that the one who
/// wrote it was killed.
const MARK: &[u8] = b"flatfoot\n";

/// The file, removed when this goes.
struct Trigger<'a> {
    target: &'a TargetView,
    name: CString,
    file: OwnedFd,
}

impl Drop for Trigger<'_> {
    fn drop(&mut self) {
        let Ok(own) = fstat(&self.file) else { return };
        let _ = self.target.as_user(|| {
            // Only what was created here: not what another tool has put there meanwhile.
            let found = statat(self.target.tmp_dir(), &self.name, AtFlags::SYMLINK_NOFOLLOW);
            if found.is_ok_and(|found| (found.st_dev, found.st_ino) == (own.st_dev, own.st_ino)) {
                let _ = unlinkat(self.target.tmp_dir(), &self.name, AtFlags::empty());
            }
        });
    }
}

/// Asks it to listen, and waits until it does. `before_signal` is the last check.
pub(super) fn start_listener(
    target: &TargetView,
    deadline: &Deadline<'_>,
    before_signal: impl FnOnce() -> Result<(), Refusal>,
) -> Result<(), Refusal> {
    const WHAT: &str = "starting its listener";
    let Some(_trigger) = create(target, deadline)? else {
        // Somebody else's attempt has succeeded meanwhile.
        return Ok(());
    };
    before_signal()?;
    target.quit_signal()?;
    let mut pause = 0.0002;
    loop {
        let left = deadline.slice(WHAT)?;
        if is_up(target, deadline)? {
            return Ok(());
        }
        target.still_there()?;
        Clock::sleep(left.min(pause));
        pause = (pause * 1.5_f64).min(0.02);
    }
}

fn is_up(target: &TargetView, deadline: &Deadline<'_>) -> Result<bool, Refusal> {
    match listener::find(target)? {
        Some(file) => Ok(listener::connect(target, &file, deadline)?.is_some()),
        None => Ok(false),
    }
}

/// Creates the file as the target's user. One that is there already is another tool's, which is waited for, or was left
/// behind, and is removed. `None` when the listener came up while waiting.
fn create<'a>(target: &'a TargetView, deadline: &Deadline<'_>) -> Result<Option<Trigger<'a>>, Refusal> {
    let name = target.name(".attach_pid");
    let path = target.tmp_path(&name.to_string_lossy());
    let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    loop {
        let mode = Mode::RUSR | Mode::WUSR;
        match target.as_user(|| openat(target.tmp_dir(), &name, flags, mode))? {
            Ok(file) => {
                let trigger = Trigger { target, name, file };
                // Without room for the mark it is as good a trigger.
                let _ = rustix::io::write(&trigger.file, MARK);
                return Ok(Some(trigger));
            }
            Err(Errno::EXIST) => {}
            Err(error @ (Errno::ROFS | Errno::NOSPC | Errno::DQUOT | Errno::ACCESS | Errno::PERM)) => {
                return Err(Refusal::TmpNotWritable(error.to_string()));
            }
            Err(error) => return Err(Refusal::system(path, error)),
        }
        let stat = match statat(target.tmp_dir(), &name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => stat,
            Err(Errno::NOENT) => continue,
            Err(error) => return Err(Refusal::system(path, error)),
        };
        let planted = |what: String| Err(Refusal::Planted { path: path.clone(), what });
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return planted("is no file".to_owned());
        }
        if stat.st_uid != target.user().uid && stat.st_uid != 0 {
            return planted(format!("belongs to user {}, not to the target", stat.st_uid));
        }
        let age_s = Clock::wall() - stat.st_mtime as f64;
        if !(-STALE_S..STALE_S).contains(&age_s) || is_ours(target, &name) {
            match remove(target, &name)? {
                Ok(()) | Err(Errno::NOENT) => continue,
                Err(error) => return Err(Refusal::TmpNotWritable(error.to_string())),
            }
        }
        let Ok(left) = deadline.slice("") else {
            deadline.not_cancelled()?;
            return Err(Refusal::Busy("another tool (jcmd, jstack, an agent's loader)".to_owned()));
        };
        Clock::sleep(left.min(0.02));
        if is_up(target, deadline)? {
            return Ok(None);
        }
    }
}

/// Of a JVM that listens: removes what a flatfoot left that was killed after its signal. It is in nobody's way.
pub(super) fn remove_leftover(target: &TargetView) -> Result<(), Refusal> {
    let name = target.name(".attach_pid");
    if is_ours(target, &name) {
        let _ = remove(target, &name)?;
    }
    Ok(())
}

fn remove(target: &TargetView, name: &CString) -> Result<rustix::io::Result<()>, Refusal> {
    target.as_user(|| unlinkat(target.tmp_dir(), name, AtFlags::empty()))
}

fn is_ours(target: &TargetView, name: &CString) -> bool {
    let mut content = Vec::new();
    file::read_at(target.tmp_dir(), name, &mut content, MARK.len() + 1).is_ok() && content == MARK
}
