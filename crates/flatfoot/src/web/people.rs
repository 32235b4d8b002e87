//! Who may open the page: whoever started the server, and root.
//!
//! Any user of a host can connect to its loopback addresses. What is shown is more than `ps` tells them, above all when
//! root serves it. The kernel knows which user has the other end of a connection (`probe::proc::peer`); a connection that
//! comes through `ssh -L` is one of the user who logged in. So nobody needs a password, and nobody else gets in.
//!
//! Where that cannot be told (another network namespace's /proc, a sandbox), everybody is let in and the server says so;
//! a unix socket is then what keeps others out.

use std::net::{SocketAddr, TcpListener, TcpStream};

use axum::http::StatusCode;
use probe::ProcRoot;
use probe::proc::peer;

use super::answer::Problem;

/// Who may.
#[derive(Debug)]
pub(super) struct People {
    users: Vec<u32>,
    root: Option<ProcRoot>,
}

/// No user.
const NOBODY: u32 = u32::MAX;

impl People {
    /// This user, root, and who became root with sudo or logged in as somebody else before.
    pub(super) fn of_this_server() -> Self {
        let own = rustix::process::geteuid().as_raw();
        let mut users = vec![own, 0];
        if own == 0 {
            let number = |text: String| text.trim().parse::<u32>().ok().filter(|user| *user != NOBODY);
            users.extend(std::env::var("SUDO_UID").ok().and_then(number));
            users.extend(std::fs::read_to_string("/proc/self/loginuid").ok().and_then(number));
        }
        users.sort_unstable();
        users.dedup();
        let root = ProcRoot::open("/proc").ok().filter(can_tell);
        Self { users, root }
    }

    /// Can it be told who connects?
    pub(super) fn are_told(&self) -> bool {
        self.root.is_some()
    }

    /// May who connected from there?
    pub(super) fn check(&self, peer: SocketAddr, own: SocketAddr) -> Result<(), Problem> {
        let Some(root) = &self.root else { return Ok(()) };
        let user = peer::user_of(root, peer, own).ok().flatten();
        if user.is_some_and(|user| self.users.contains(&user)) {
            return Ok(());
        }
        let who = user.map_or_else(|| "who that is cannot be told".to_owned(), |user| format!("user {user}"));
        let users: Vec<String> = self.users.iter().map(u32::to_string).collect();
        Err(Problem::new(
            StatusCode::FORBIDDEN,
            format!("this page is not for everybody on this host ({who})"),
            format!(
                "open it as the user who started flatfoot serve (ids {}), or log in as that user with ssh -L",
                users.join(", ")
            ),
        ))
    }
}

/// Is a connection of our own found to be ours?
fn can_tell(root: &ProcRoot) -> bool {
    let own = rustix::process::geteuid().as_raw();
    let tried = || -> std::io::Result<Option<u32>> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let there = listener.local_addr()?;
        let stream = TcpStream::connect(there)?;
        Ok(peer::user_of(root, stream.local_addr()?, there).ok().flatten())
    };
    tried().is_ok_and(|user| user == Some(own))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_those_who_may_get_in() {
        let mut people = People::of_this_server();
        if !people.are_told() {
            return;
        }
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let own = listener.local_addr().unwrap();
        let stream = TcpStream::connect(own).unwrap();
        let peer = stream.local_addr().unwrap();
        assert_eq!(people.check(peer, own), Ok(()));
        people.users = vec![NOBODY];
        let refused = people.check(peer, own).unwrap_err();
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
        people.root = None;
        assert_eq!(people.check(peer, own), Ok(()), "where it cannot be told");
    }
}
