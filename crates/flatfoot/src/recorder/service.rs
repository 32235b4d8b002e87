//! What makes it a good service: a low priority, and word to systemd (sd_notify(3)).

use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};

/// Below everything that matters.
pub(crate) const NICE: i32 = 10;

/// Takes a low priority of CPU and disk, for the thread that asks. Whoever started it with a lower one still keeps that.
pub(crate) fn be_humble(nice: i32) {
    let now = rustix::process::nice(0).unwrap_or(0);
    if now < nice {
        let _ = rustix::process::nice(nice - now);
    }
    // The kernel derives the priority of I/O from this one while nobody sets it: (nice + 20) / 5, that is 6 of 0 to 7.
}

/// Where systemd listens.
#[derive(Debug, Default)]
pub(super) struct Notify {
    socket: Option<(UnixDatagram, SocketAddr)>,
}

impl Notify {
    /// By $NOTIFY_SOCKET: a path, or `@name` for one that is in no file system. Without it, nobody is told.
    pub(super) fn from_environment() -> Self {
        let socket = std::env::var_os("NOTIFY_SOCKET").and_then(|name| {
            let address = match name.as_bytes() {
                [b'@', name @ ..] => SocketAddr::from_abstract_name(name).ok()?,
                [b'/', ..] => SocketAddr::from_pathname(&name).ok()?,
                _ => return None,
            };
            Some((UnixDatagram::unbound().ok()?, address))
        });
        Self { socket }
    }

    /// Says something: `READY=1`. That nobody listens is no trouble.
    pub(super) fn say(&self, what: &str) {
        if let Some((socket, address)) = &self.socket {
            let _ = socket.send_to_addr(what.as_bytes(), address);
        }
    }
}
