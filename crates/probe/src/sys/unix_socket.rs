//! A stream to a Unix socket, with a time for each step: the one who listens may be stopped, slow, or hostile.

#![allow(unsafe_code)]

use std::os::fd::{AsFd, AsRawFd as _, OwnedFd};
use std::path::Path;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketAddrUnix, SocketFlags, SocketType, connect, recv, send,
    socket_with,
};

/// An open stream that never blocks.
#[derive(Debug)]
pub struct Stream(OwnedFd);

/// Who listens, as the kernel noted it when they began to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Pid in our namespace; 0 when it is not to be seen there.
    pub pid: u32,
    /// Effective uid.
    pub uid: u32,
}

impl Stream {
    /// Connects to what an O_PATH descriptor points at: nothing is looked up by a name that could have been changed,
    /// and no path is too long. EAGAIN when too many wait to be accepted, ECONNREFUSED when nobody listens.
    pub fn connect(proc: &Path, socket: impl AsFd) -> Result<Self, Errno> {
        let kind = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let stream = socket_with(AddressFamily::UNIX, SocketType::STREAM, kind, None)?;
        let number = socket.as_fd().as_raw_fd();
        let address = SocketAddrUnix::new(proc.join(format!("self/fd/{number}")))?;
        connect(&stream, &address)?;
        Ok(Self(stream))
    }

    /// Who listens.
    pub fn peer(&self) -> Result<Peer, Errno> {
        // Not by rustix, whose pid must not be 0: one of another pid namespace is.
        let mut peer = libc::ucred { pid: 0, uid: u32::MAX, gid: u32::MAX };
        let mut length = size_of::<libc::ucred>() as libc::socklen_t;
        // SAFETY: the kernel writes at most `length` bytes, the size of `peer`, and the length itself; both live through
        // the call, and any bytes are a valid ucred.
        let answer = unsafe {
            libc::getsockopt(
                self.0.as_raw_fd(),
                libc::SOL_SOCKET,
                libc::SO_PEERCRED,
                (&raw mut peer).cast(),
                &raw mut length,
            )
        };
        if answer != 0 {
            return Err(Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::IO));
        }
        Ok(Peer { pid: peer.pid.unsigned_abs(), uid: peer.uid })
    }

    /// Sends as much as fits at once; 0 when nothing does. Never raises SIGPIPE.
    pub fn send(&self, bytes: &[u8]) -> Result<usize, Errno> {
        match send(&self.0, bytes, SendFlags::NOSIGNAL) {
            Err(Errno::AGAIN | Errno::INTR) => Ok(0),
            other => other,
        }
    }

    /// Adds what has come to the buffer, at most `most` bytes: `Some(0)` at the end, `None` when there is nothing yet.
    pub fn receive(&self, buffer: &mut Vec<u8>, most: usize) -> Result<Option<usize>, Errno> {
        let begin = buffer.len();
        buffer.resize(begin + most.min(256 * 1024), 0);
        let result = recv(&self.0, buffer.get_mut(begin..).unwrap_or_default(), RecvFlags::empty());
        let taken = match result {
            Ok((taken, _)) => Ok(Some(taken)),
            Err(Errno::AGAIN | Errno::INTR) => Ok(None),
            Err(error) => Err(error),
        };
        buffer.truncate(begin + taken.unwrap_or(None).unwrap_or(0));
        taken
    }

    /// Waits until it can be read (or written), at most so long.
    pub fn wait(&self, to_write: bool, most_s: f64) {
        let flags = if to_write { PollFlags::OUT } else { PollFlags::IN };
        let time = Timespec {
            tv_sec: most_s.max(0.0) as i64,
            tv_nsec: ((most_s.max(0.0).fract() * 1e9) as i64).min(999_999_999) as _,
        };
        let _ = poll(&mut [PollFd::new(&self.0, flags)], Some(&time));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::place::point_at;
    use std::io::{Read as _, Write as _};
    use std::os::unix::net::UnixListener;

    #[test]
    fn a_socket_is_reached_by_its_descriptor() {
        let dir = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(dir.path().join("s")).unwrap();
        let place = std::fs::File::open(dir.path()).unwrap();
        let socket = point_at(&place, c"s").unwrap();
        let stream = Stream::connect(Path::new("/proc"), &socket).unwrap();
        let own = Peer { pid: std::process::id(), uid: rustix::process::geteuid().as_raw() };
        assert_eq!(stream.peer(), Ok(own));
        let (mut other, _) = listener.accept().unwrap();
        assert_eq!(stream.send(b"ask"), Ok(3));
        let mut asked = [0; 3];
        other.read_exact(&mut asked).unwrap();
        let mut answer = b"so: ".to_vec();
        assert_eq!(stream.receive(&mut answer, 10), Ok(None), "nothing yet");
        other.write_all(b"answer").unwrap();
        stream.wait(false, 10.0);
        assert_eq!(stream.receive(&mut answer, 2), Ok(Some(2)));
        assert_eq!(stream.receive(&mut answer, 100), Ok(Some(4)));
        assert_eq!(answer, b"so: answer");
        drop(other);
        assert_eq!(stream.receive(&mut answer, 100), Ok(Some(0)));
    }

    #[test]
    fn nobody_listens() {
        let dir = tempfile::tempdir().unwrap();
        drop(UnixListener::bind(dir.path().join("s")).unwrap());
        let place = std::fs::File::open(dir.path()).unwrap();
        let socket = point_at(&place, c"s").unwrap();
        assert_eq!(Stream::connect(Path::new("/proc"), socket).unwrap_err(), Errno::CONNREFUSED);
    }
}
