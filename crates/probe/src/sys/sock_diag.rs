//! One TCP socket of this network namespace, asked for by its two ends (sock_diag(7)): however many others there are, the
//! kernel looks up this one.
//!
//! ```text
//! nlmsghdr  length 72 | type 20 | flags 1 | sequence | 0      inet_diag_req_v2  family 2 | protocol 6 | 0 0 | states | id
//! id        port | remote port | address 16 | remote address 16 | interface | cookie 8        (ports and addresses as on the wire)
//! answer    nlmsghdr | inet_diag_msg: family | state | 0 0 | id | 12 bytes | user | inode, each 4
//! ```

use std::net::{IpAddr, SocketAddr};

use rustix::io::Errno;
use rustix::net::netlink::{SOCK_DIAG, SocketAddrNetlink};
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, connect, recv, send, socket_with,
};

const BY_FAMILY: u16 = 20;
const ERROR: u16 = 2;
const REQUEST: u16 = 1;
const TCP: u8 = 6;

/// A socket as the kernel knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owned {
    /// The user who made it.
    pub user: u32,
    /// 0 when no process has it any more.
    pub inode: u32,
}

/// The socket at `local` that is connected to `remote`; `None` when there is none. An error where the kernel does not tell.
pub fn tcp(local: SocketAddr, remote: SocketAddr) -> Result<Option<Owned>, Errno> {
    let socket =
        socket_with(AddressFamily::NETLINK, SocketType::DGRAM, SocketFlags::CLOEXEC, Some(SOCK_DIAG))?;
    // From now on nobody but the kernel may answer.
    connect(&socket, &SocketAddrNetlink::new(0, 0))?;
    send(&socket, &request(local, remote), SendFlags::empty())?;
    // The answer is there when the question was taken.
    let mut buffer = [0; 4_096];
    let (length, _) = recv(&socket, &mut buffer[..], RecvFlags::DONTWAIT)?;
    answer(buffer.get(..length).unwrap_or_default(), local, remote)
}

fn request(local: SocketAddr, remote: SocketAddr) -> Vec<u8> {
    let family = if local.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let mut body = vec![family.as_raw() as u8, TCP, 0, 0];
    body.extend(u32::MAX.to_ne_bytes());
    body.extend(id(local, remote));
    body.extend([0; 4]);
    // Any cookie.
    body.extend([u8::MAX; 8]);
    let mut all = Vec::with_capacity(72);
    all.extend((16 + body.len() as u32).to_ne_bytes());
    all.extend(BY_FAMILY.to_ne_bytes());
    all.extend(REQUEST.to_ne_bytes());
    all.extend([0; 8]);
    all.extend(body);
    all
}

/// Both ends, as they are on the wire.
fn id(local: SocketAddr, remote: SocketAddr) -> Vec<u8> {
    let mut id = Vec::with_capacity(36);
    id.extend(local.port().to_be_bytes());
    id.extend(remote.port().to_be_bytes());
    for address in [local.ip(), remote.ip()] {
        match address {
            IpAddr::V4(ip) => id.extend(ip.octets().into_iter().chain([0; 12])),
            IpAddr::V6(ip) => id.extend(ip.octets()),
        }
    }
    id
}

/// A socket that speaks both has its IPv4 addresses mapped.
fn mapped(address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) => SocketAddr::new(ip.to_ipv6_mapped().into(), address.port()),
        IpAddr::V6(_) => address,
    }
}

fn answer(bytes: &[u8], local: SocketAddr, remote: SocketAddr) -> Result<Option<Owned>, Errno> {
    let four = |at: usize| bytes.get(at..at.checked_add(4)?)?.try_into().ok();
    let kind = bytes.get(4..6).and_then(|kind| kind.try_into().ok()).map(u16::from_ne_bytes);
    match kind {
        Some(BY_FAMILY) => {}
        Some(ERROR) => {
            let error = four(16).map_or(0, i32::from_ne_bytes);
            return match Errno::from_raw_os_error(error.checked_neg().unwrap_or(0)) {
                Errno::NOENT => Ok(None),
                error => Err(error),
            };
        }
        _ => return Err(Errno::BADMSG),
    }
    // Where no such connection is, the one who listens at that port is answered.
    let said = bytes.get(20..56).ok_or(Errno::BADMSG)?;
    if said != id(local, remote) && said != id(mapped(local), mapped(remote)) {
        return Ok(None);
    }
    match (four(80), four(84)) {
        (Some(user), Some(inode)) => {
            Ok(Some(Owned { user: u32::from_ne_bytes(user), inode: u32::from_ne_bytes(inode) }))
        }
        _ => Err(Errno::BADMSG),
    }
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;
    use proptest::prelude::*;

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_connection_is_found_by_its_ends_alone() {
        if tcp(address("127.0.0.1:1"), address("127.0.0.1:2")).is_err() {
            eprintln!("NOT TESTED: this kernel has no sock_diag");
            return;
        }
        let user = rustix::process::geteuid().as_raw();
        for listen in ["127.0.0.1:0", "[::1]:0", "[::]:0"] {
            let Ok(listener) = TcpListener::bind(listen) else { continue };
            let port = listener.local_addr().unwrap().port();
            let to = if listen.starts_with("[::1") { "[::1]" } else { "127.0.0.1" };
            let stream = TcpStream::connect(format!("{to}:{port}")).unwrap();
            let (peer, own) = (stream.local_addr().unwrap(), stream.peer_addr().unwrap());
            let found = tcp(peer, own).unwrap().unwrap();
            assert!(found.user == user && found.inode != 0, "{listen}: {found:?}");
            // The other end, which is an IPv6 socket with IPv4 addresses in the last round.
            let accepted = listener.accept().unwrap();
            assert!(tcp(own, peer).unwrap().is_some_and(|other| other.inode != found.inode), "{listen}");
            let other = SocketAddr::new(peer.ip(), peer.port() ^ 1);
            assert_eq!(tcp(own, other), Ok(None), "somebody listens there, and has no such connection");
            // Closed here and open there: nobody's, which the kernel says is root's.
            drop(stream);
            assert!(tcp(peer, own).unwrap().is_none_or(|left| left.inode == 0), "{listen}");
            drop(accepted);
        }
    }

    #[test]
    fn what_the_kernel_says_is_read() {
        let (local, remote) = (address("127.0.0.1:1000"), address("127.0.0.1:9417"));
        let head = |kind: u16| [&88_u32.to_ne_bytes()[..], &kind.to_ne_bytes(), &[0; 10]].concat();
        let rest = [&[0; 24][..], &7_u32.to_ne_bytes(), &8_u32.to_ne_bytes()].concat();
        let of =
            |local, remote| [head(BY_FAMILY), vec![2, 1, 0, 0], id(local, remote), rest.clone()].concat();
        let owned = Ok(Some(Owned { user: 7, inode: 8 }));
        assert_eq!(answer(&of(local, remote), local, remote), owned);
        assert_eq!(answer(&of(mapped(local), mapped(remote)), local, remote), owned);
        assert_eq!(answer(&of(remote, local), local, remote), Ok(None));
        assert_eq!(answer(&of(local, remote)[..86], local, remote), Err(Errno::BADMSG));
        let error = |code: i32| [head(ERROR), code.to_ne_bytes().to_vec()].concat();
        assert_eq!(answer(&error(-2), local, remote), Ok(None));
        assert_eq!(answer(&error(-1), local, remote), Err(Errno::PERM));
        assert_eq!(request(local, remote).len(), 72);
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
            let _ = answer(&bytes, address("127.0.0.1:1"), address("127.0.0.1:2"));
        }
    }
}
