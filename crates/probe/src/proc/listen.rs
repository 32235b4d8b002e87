//! Does a process listen? The sockets among its descriptors, looked up in the tables of its network namespace.
//!
//! ```text
//! /proc/PID/net/tcp    0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 81532 1 …
//! /proc/PID/net/unix   00000000b1c5c1b5: 00000002 00000000 00010000 0001 01 16159 /run/server.sock
//! ```
//!
//! A TCP socket in state 0A (TCP_LISTEN), a unix socket with the flag __SO_ACCEPTCON (net/unix/af_unix.c).

use rustix::fs::readlinkat_raw;

use super::root::NumberPath;
use super::{Absence, PidDir, scan};
use crate::sys::dents::Listing;

/// Tables of a busy host are long; what is cut off only makes a socket look unused.
const LIMIT: usize = 16 << 20;
/// More descriptors are not looked at.
const MOST: usize = 65_536;

/// Has it a socket that waits for connections?
pub fn listens(dir: &PidDir) -> Result<bool, Absence> {
    let mut sockets = sockets_of(dir)?;
    if sockets.is_empty() {
        return Ok(false);
    }
    sockets.sort_unstable();
    let mut buffer = Vec::new();
    for (name, inode) in
        [(c"net/tcp", tcp as fn(&[u8]) -> Option<u64>), (c"net/tcp6", tcp), (c"net/unix", unix)]
    {
        // No IPv6, or no such table: nothing listens there.
        if dir.read(name, &mut buffer, LIMIT).is_err() {
            continue;
        }
        let mut lines = buffer.split(|byte| *byte == b'\n').skip(1);
        if lines.any(|line| inode(line).is_some_and(|inode| sockets.binary_search(&inode).is_ok())) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Inodes of its sockets.
fn sockets_of(dir: &PidDir) -> Result<Vec<u64>, Absence> {
    let place = dir.open_dir(c"fd")?;
    let (mut listing, mut numbers) = (Listing::default(), Vec::new());
    listing.numbers(&place, &mut numbers).map_err(|error| dir.absence(c"fd", error))?;
    let mut path = NumberPath::default();
    let mut space = [0_u8; 64];
    let mut found = Vec::new();
    for number in numbers.iter().take(MOST) {
        let Ok(length) = readlinkat_raw(&place, path.set(*number, b""), &mut space[..]) else { continue };
        found.extend(space.get(..length).and_then(inode_of_link));
    }
    Ok(found)
}

/// `socket:[81532]`.
fn inode_of_link(link: &[u8]) -> Option<u64> {
    scan::number(link.strip_prefix(b"socket:[")?.strip_suffix(b"]")?)
}

/// The inode of a line of net/tcp, if that socket listens.
fn tcp(line: &[u8]) -> Option<u64> {
    let mut words = scan::words(line);
    (words.nth(3)? == b"0A").then(|| words.nth(5).and_then(scan::number)).flatten()
}

/// The inode of a line of net/unix, if that socket listens.
fn unix(line: &[u8]) -> Option<u64> {
    let mut words = scan::words(line);
    let flags = words.nth(3)?;
    let accepts = flags.len() == 8 && flags.get(3) == Some(&b'1');
    accepts.then(|| words.nth(2).and_then(scan::number)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ProcRoot;
    use model::Pid;
    use proptest::prelude::*;

    #[test]
    fn lines() {
        let listening: &[u8] =
            b"   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 81532 1 0 100 0";
        assert_eq!(tcp(listening), Some(81_532));
        let connected: &[u8] =
            b"   1: 0100007F:1F90 0100007F:A0B2 01 00000000:00000000 00:00000000 00000000     0        0 81533 1 0 20 4";
        assert_eq!(tcp(connected), None);
        assert_eq!(tcp(b"  0: 0100007F:1F90"), None, "cut off");
        assert_eq!(
            unix(b"00000000b1c5c1b5: 00000002 00000000 00010000 0001 01 16159 /run/server.sock"),
            Some(16_159)
        );
        assert_eq!(unix(b"00000000b1c5c1b5: 00000003 00000000 00000000 0001 03 16160"), None);
        assert_eq!(inode_of_link(b"socket:[7]"), Some(7));
        assert_eq!(inode_of_link(b"pipe:[7]"), None);
    }

    #[test]
    fn a_listener_of_our_own_is_found() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let own = PidDir::open(&ProcRoot::open("/proc").unwrap(), Pid(std::process::id())).unwrap();
        assert_eq!(listens(&own), Ok(true));
        drop(listener);
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = (tcp(&bytes), unix(&bytes), inode_of_link(&bytes));
        }
    }
}
