//! Who is at the other end of a TCP connection within this host? The kernel knows the user of each socket. It is asked for
//! that one (`sys::sock_diag`); where it has no answer to that, it is in the list of all:
//!
//! ```text
//! /proc/net/tcp   1: 0100007F:A0B2 0100007F:24C9 01 00000000:00000000 00:00000000 00000000  1000        0 81533 1 …
//!                    local         remote        st                                         uid
//! ```
//!
//! The other end's local address is our remote one. Addresses are the bytes of the wire, four at a time as a number of
//! this machine. A socket that no process has any more is listed as root's, and has no inode: it is nobody's.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use super::{Absence, ProcRoot, scan};
use crate::sys::sock_diag;

/// Some hundred thousand sockets; who is beyond is not found.
const LIMIT: usize = 32 << 20;

/// The user whose socket is at `peer` and connected to `own`; `None` when there is none.
pub fn user_of(root: &ProcRoot, peer: SocketAddr, own: SocketAddr) -> Result<Option<u32>, Absence> {
    match sock_diag::tcp(peer, own) {
        Ok(found) => Ok(found.filter(|socket| socket.inode != 0).map(|socket| socket.user)),
        Err(_) => listed(root, peer, own),
    }
}

fn listed(root: &ProcRoot, peer: SocketAddr, own: SocketAddr) -> Result<Option<u32>, Absence> {
    let mut buffer = Vec::new();
    let plain = matches!(peer, SocketAddr::V4(_)).then_some(c"self/net/tcp");
    // A socket that speaks both is in the other table, with its address mapped.
    for (name, mapped) in plain.map(|name| (name, false)).into_iter().chain([(c"self/net/tcp6", true)]) {
        match root.read(name, &mut buffer, LIMIT) {
            Ok(()) => {}
            Err(Absence::Unsupported) if mapped => continue,
            Err(absence) => return Err(absence),
        }
        let (peer, own) = (written(peer, mapped), written(own, mapped));
        let found = find(&buffer, &peer, &own);
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// The list may have tens of thousands of lines: only the one that has both addresses is read.
fn find(list: &[u8], peer: &str, own: &str) -> Option<u32> {
    let wanted = format!(" {peer} {own} ");
    memchr::memmem::find_iter(list, wanted.as_bytes()).find_map(|at| {
        let begin = memchr::memrchr(b'\n', list.get(..at)?).map_or(0, |end| end + 1);
        let line = list.get(begin..)?;
        let end = memchr::memchr(b'\n', line).unwrap_or(line.len());
        user(line.get(..end)?, peer, own)
    })
}

/// The user of a line, if it is of this connection.
fn user(line: &[u8], peer: &str, own: &str) -> Option<u32> {
    let mut words = scan::words(line);
    let is_it = words.nth(1)? == peer.as_bytes() && words.next()? == own.as_bytes();
    if !is_it {
        return None;
    }
    let user = words.nth(4).and_then(scan::number)?;
    let inode = words.nth(1).and_then(scan::number)?;
    u32::try_from(user).ok().filter(|_| inode != 0)
}

/// `0100007F:24C9`.
fn written(address: SocketAddr, mapped: bool) -> String {
    let bytes: Vec<u8> = match (address.ip(), mapped) {
        (IpAddr::V4(ip), false) => ip.octets().to_vec(),
        (IpAddr::V4(ip), true) => ip.to_ipv6_mapped().octets().to_vec(),
        (IpAddr::V6(ip), _) => Ipv6Addr::octets(&ip).to_vec(),
    };
    let mut text = String::with_capacity(40);
    for word in bytes.chunks_exact(4) {
        let word = word.try_into().map_or(0, u32::from_ne_bytes);
        let _ = write!(text, "{word:08X}");
    }
    let _ = write!(text, ":{:04X}", address.port());
    text
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;
    use proptest::prelude::*;

    #[test]
    fn addresses_are_written_as_the_kernel_does() {
        let address = |text: &str| text.parse::<SocketAddr>().unwrap();
        if cfg!(target_endian = "little") {
            assert_eq!(written(address("127.0.0.1:9417"), false), "0100007F:24C9");
            assert_eq!(written(address("127.0.0.1:80"), true), "0000000000000000FFFF00000100007F:0050");
            assert_eq!(written(address("[::1]:1"), true), "00000000000000000000000001000000:0001");
        }
    }

    #[test]
    fn the_user_of_a_line() {
        let line: &[u8] = b"   1: 0100007F:A0B2 0100007F:24C9 01 00000000:00000000 00:00000000 00000000  1000        0 81533 1 0 20";
        assert_eq!(user(line, "0100007F:A0B2", "0100007F:24C9"), Some(1_000));
        assert_eq!(user(line, "0100007F:24C9", "0100007F:A0B2"), None, "our own end");
        assert_eq!(user(b"   1: 0100007F:A0B2 0100007F:24C9 01", "0100007F:A0B2", "0100007F:24C9"), None);
    }

    #[test]
    fn we_are_who_we_connect_as() {
        let root = ProcRoot::open("/proc").unwrap();
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(listener) = TcpListener::bind(address) else { continue };
            let own = listener.local_addr().unwrap();
            let stream = TcpStream::connect(own).unwrap();
            let peer = stream.local_addr().unwrap();
            let user = rustix::process::geteuid().as_raw();
            let stranger = SocketAddr::new(peer.ip(), peer.port() ^ 1);
            for find in [user_of, listed] {
                assert_eq!(find(&root, peer, own), Ok(Some(user)), "{address}");
                assert_eq!(find(&root, stranger, own), Ok(None));
            }
            drop(stream);
            for find in [user_of, listed] {
                assert_eq!(find(&root, peer, own), Ok(None), "{address}: closed, and not root's");
            }
        }
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = user(&bytes, "0100007F:A0B2", "0100007F:24C9");
            let _ = find(&bytes, "0", "1");
        }
    }
}
