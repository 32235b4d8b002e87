//! Where the page listens: `127.0.0.1:9417`, `[::1]:0` or `unix:/run/flatfoot.sock`, and nowhere else.

use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt as _, FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::Result;
use tokio::net::{TcpListener, UnixListener, UnixStream};

use crate::failure::{Code, Failure};

/// An address as it was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

const EXAMPLES: &str = "--listen 127.0.0.1:9417, --listen [::1]:9417 or --listen unix:/run/flatfoot.sock";

const LOOPBACK: &str = "only loopback addresses and unix sockets are listened on; from elsewhere: \
                        ssh -L 9417:127.0.0.1:9417 HOST";

impl Place {
    /// Reads it; what is not this machine's own is refused.
    pub(super) fn parse(text: &str) -> Result<Self> {
        if let Some(path) = text.strip_prefix("unix:") {
            let path = Path::new(path);
            if path.file_name().is_none() {
                return Err(Failure::usage(format!("--listen {text}: no path"), EXAMPLES).into());
            }
            return Ok(Self::Unix(path.to_owned()));
        }
        let address = match text.strip_prefix("localhost:") {
            Some(port) => format!("127.0.0.1:{port}").parse().ok(),
            None => text.parse::<SocketAddr>().ok(),
        };
        match address {
            Some(address) if address.ip().is_loopback() => Ok(Self::Tcp(address)),
            Some(_) => {
                Err(Failure::usage(format!("--listen {text}: other machines could connect"), LOOPBACK).into())
            }
            None if is_a_name(text) => {
                Err(Failure::usage(format!("--listen {text}: not a loopback address"), LOOPBACK).into())
            }
            None => Err(Failure::usage(format!("--listen {text}: not an address"), EXAMPLES).into()),
        }
    }
}

/// `example.org:80`: nothing is asked of a name server for it.
fn is_a_name(text: &str) -> bool {
    text.rsplit_once(':').is_some_and(|(name, port)| !name.is_empty() && port.parse::<u16>().is_ok())
}

/// A socket that is listened on; one in the file system is removed at the end.
pub(super) enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener, #[allow(dead_code)] Mine), // held for its end
}

/// Who connected.
pub(super) enum Stream {
    Tcp(tokio::net::TcpStream, SocketAddr),
    Unix(UnixStream),
}

/// A socket's file, as it was made.
pub(super) struct Mine {
    path: PathBuf,
    node: (u64, u64),
}

impl Drop for Mine {
    fn drop(&mut self) {
        // Whoever put something else there meanwhile keeps it.
        if std::fs::symlink_metadata(&self.path).is_ok_and(|meta| node(&meta) == self.node) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

impl Listener {
    /// Begins to listen. Within the runtime.
    pub(super) async fn bind(place: &Place) -> Result<Self> {
        match place {
            Place::Tcp(address) => {
                let listener =
                    TcpListener::bind(address).await.map_err(|error| taken(&address.to_string(), &error))?;
                Ok(Self::Tcp(listener))
            }
            Place::Unix(path) => {
                let (listener, mine) = bind_unix(path)?;
                Ok(Self::Unix(listener, mine))
            }
        }
    }

    /// The address, with the port that was free.
    pub(super) fn address(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(listener) => listener.local_addr().ok(),
            Self::Unix(..) => None,
        }
    }

    pub(super) async fn accept(&self) -> io::Result<Stream> {
        match self {
            Self::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                let _ = stream.set_nodelay(true);
                Ok(Stream::Tcp(stream, peer))
            }
            Self::Unix(listener, _) => Ok(Stream::Unix(listener.accept().await?.0)),
        }
    }
}

/// A socket that nobody else may open, not even for the moment after it was made: it is made under another name in a
/// folder of our own, and gets its name when its mode is right, if that is still free.
fn bind_unix(path: &Path) -> Result<(UnixListener, Mine)> {
    let left = left_by_the_dead(path)?;
    bind_in_place_of(left, path)
}

fn bind_in_place_of(left: Option<(u64, u64)>, path: &Path) -> Result<(UnixListener, Mine)> {
    let shown = format!("unix:{}", path.display());
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let hidden = hidden(folder).map_err(|error| taken(&shown, &error))?;
    let made = (|| -> io::Result<(UnixListener, Mine)> {
        let inner = hidden.join("s");
        let listener = UnixListener::bind(&inner)?;
        std::fs::set_permissions(&inner, std::fs::Permissions::from_mode(0o600))?;
        let meta = std::fs::symlink_metadata(&inner)?;
        if let Some(left) = left {
            // Whoever began to listen there meanwhile gets the name back.
            let aside = hidden.join("left");
            let _ = std::fs::rename(path, &aside);
            if std::fs::symlink_metadata(&aside).is_ok_and(|meta| node(&meta) != left) {
                let _ = std::fs::hard_link(&aside, path);
            }
        }
        std::fs::hard_link(&inner, path)?;
        Ok((listener, Mine { path: path.to_owned(), node: node(&meta) }))
    })();
    for name in ["s", "left"] {
        let _ = std::fs::remove_file(hidden.join(name));
    }
    let _ = std::fs::remove_dir(&hidden);
    made.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => in_use(path),
        _ => taken(&shown, &error).into(),
    })
}

/// A new folder for us alone.
fn hidden(folder: &Path) -> io::Result<PathBuf> {
    const ATTEMPTS: u32 = 100;
    let mut builder = std::fs::DirBuilder::new();
    builder.mode(0o700);
    for attempt in 0..ATTEMPTS {
        // Another pid namespace may have the same pid.
        let hidden = folder.join(format!(".flatfoot-{}-{attempt}", std::process::id()));
        match builder.create(&hidden) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => return made.map(|()| hidden),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// The socket that a server which was killed left in this place, as the file it is; `None` when nothing is there.
fn left_by_the_dead(path: &Path) -> Result<Option<(u64, u64)>> {
    let meta = match std::fs::symlink_metadata(path) {
        Ok(meta) => meta,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(taken(&format!("unix:{}", path.display()), &error).into()),
    };
    if !meta.file_type().is_socket() {
        let message = format!("{}: there is a file that is no socket", path.display());
        return Err(Failure::new(Code::Failed, message, "choose another name").into());
    }
    // Nobody listens on it.
    match std::os::unix::net::UnixStream::connect(path) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused && meta.uid() == own_uid() => {
            Ok(Some(node(&meta)))
        }
        _ => Err(in_use(path)),
    }
}

fn in_use(path: &Path) -> anyhow::Error {
    let message = format!("{}: somebody listens there already", path.display());
    Failure::new(Code::Failed, message, "end that one, or choose another name").into()
}

fn node(meta: &std::fs::Metadata) -> (u64, u64) {
    (meta.dev(), meta.ino())
}

fn own_uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

fn taken(address: &str, error: &io::Error) -> Failure {
    let hint = match error.kind() {
        io::ErrorKind::AddrInUse => {
            "another flatfoot serve may run already; --listen 127.0.0.1:0 takes any port that is free"
        }
        io::ErrorKind::PermissionDenied if address.starts_with("unix:") => {
            "choose a folder that you may write in"
        }
        io::ErrorKind::PermissionDenied => "ports below 1024 are root's; --listen 127.0.0.1:9417",
        _ => EXAMPLES,
    };
    Failure::new(Code::Failed, format!("--listen {address}: {error}"), hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_listened_on() {
        let ok = |text: &str| Place::parse(text).unwrap();
        assert_eq!(ok("127.0.0.1:9417"), Place::Tcp("127.0.0.1:9417".parse().unwrap()));
        assert_eq!(ok("127.8.8.8:0"), Place::Tcp("127.8.8.8:0".parse().unwrap()));
        assert_eq!(ok("localhost:80"), Place::Tcp("127.0.0.1:80".parse().unwrap()));
        assert_eq!(ok("[::1]:80"), Place::Tcp("[::1]:80".parse().unwrap()));
        assert_eq!(ok("unix:/run/f.sock"), Place::Unix("/run/f.sock".into()));
        for text in ["0.0.0.0:9417", "192.168.1.2:80", "[::]:80", "example.org:80", "[2001:db8::1]:80"] {
            let failure = Failure::from_any(Place::parse(text).unwrap_err());
            assert_eq!(failure.code, Code::Usage);
            assert!(failure.hint.unwrap().contains("ssh -L"), "{text}");
        }
        for text in ["", "9417", "127.0.0.1", "unix:", "unix:/", "127.0.0.1:99999"] {
            assert!(Place::parse(text).is_err(), "{text}");
        }
    }

    /// Both saw the place empty, or what the dead left there: the one who comes first has it, and keeps it.
    #[test]
    fn of_two_who_begin_at_once_one_listens() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
        let _within = runtime.enter();
        let folder = tempfile::tempdir().unwrap();
        for is_left in [false, true] {
            let path = folder.path().join(format!("{is_left}.sock"));
            if is_left {
                drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
            }
            let seen = [left_by_the_dead(&path).unwrap(), left_by_the_dead(&path).unwrap()];
            assert!(seen.iter().all(|seen| seen.is_some() == is_left));
            let (listener, mine) = bind_in_place_of(seen[0], &path).unwrap();
            let refused = bind_in_place_of(seen[1], &path).map(drop).unwrap_err();
            assert!(refused.to_string().contains("somebody listens there already"), "{refused}");
            let meta = std::fs::symlink_metadata(&path).unwrap();
            assert_eq!((node(&meta), meta.mode() & 0o777), (mine.node, 0o600));
            assert!(left_by_the_dead(&path).is_err(), "it is still reached");
            drop((listener, mine));
            assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left");
        }
    }
}
