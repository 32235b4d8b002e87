//! Who may ask, where it listens, and what it leaves behind.

use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;

use rustix::process::Signal;

use crate::client::{Answer, Events, ask, connect};
use crate::server::Server;
use crate::support::{Flatfoot, need, wait_until};

#[test]
fn only_this_machines_own_names_and_pages_are_answered() {
    let flatfoot = Flatfoot::new();
    let server = Server::start(&flatfoot, &[]);
    let address = &server.address;
    let port = address.rsplit_once(':').expect("a port").1;
    let status = |headers: &[(&str, &str)]| ask(address, "GET /api/v1", headers).status;
    for host in [address.as_str(), "localhost", "127.0.0.1:8000", "[::1]:80", &format!("LOCALHOST:{port}")] {
        assert_eq!(status(&[("Host", host)]), 200, "{host}");
    }
    for host in
        ["evil.example", &format!("evil.example:{port}"), "127.0.0.1.evil.example", "10.0.0.1", "0.0.0.0"]
    {
        let answer = ask(address, "GET /", &[("Host", host)]);
        assert_eq!(answer.status, 403, "{host}");
        assert_eq!(answer.json()["schema"], "flatfoot.error/1");
    }
    assert_eq!(status(&[("Host", address), ("Host", "evil.example")]), 403, "two of them");
    assert_eq!(status(&[("Origin", &format!("http://{address}"))]), 200);
    for origin in
        ["http://evil.example", "null", &format!("https://{address}"), &format!("http://localhost:{port}")]
    {
        assert_eq!(status(&[("Origin", origin)]), 403, "{origin}");
    }
    assert_eq!(status(&[("Sec-Fetch-Site", "same-origin")]), 200);
    for site in ["cross-site", "same-site"] {
        assert_eq!(status(&[("Sec-Fetch-Site", site)]), 403, "{site}");
        let link = [("Sec-Fetch-Site", site), ("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "document")];
        assert_eq!(status(&link), 403, "{site}, as a link");
        assert_eq!(ask(address, "GET /", &link).status, 200, "a link may open the page");
    }
    assert_eq!(ask(address, "GET http://evil.example/api/v1", &[]).status, 403, "an absolute form");
}

#[test]
fn nothing_can_be_changed_and_every_answer_is_guarded() {
    let flatfoot = Flatfoot::new();
    let server = Server::start(&flatfoot, &[]);
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND"] {
        for path in ["/", "/api/v1", "/api/v1/processes", "/none"] {
            let answer = ask(&server.address, &format!("{method} {path}"), &[]);
            assert_eq!((answer.status, answer.header("allow")), (405, "GET, HEAD"), "{method} {path}");
        }
    }
    for (path, status) in
        [("/", 200), ("/api/v1", 200), ("/none", 404), ("/api/v1/none", 404), ("/api/v2", 404)]
    {
        let answer = server.get(path);
        assert_eq!(answer.status, status, "{path}");
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'self';") && !policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
        assert_eq!(answer.header("cross-origin-resource-policy"), "same-origin", "{path}");
        assert!(!answer.headers.contains_key("access-control-allow-origin"), "{path}");
        assert!(!answer.headers.contains_key("server"), "{path}");
    }
    let head = ask(&server.address, "HEAD /", &[]);
    assert_eq!((head.status, head.body.len()), (200, 0));
    let page = server.get("/");
    assert_eq!(head.header("content-length"), page.body.len().to_string());
    let again = ask(&server.address, "GET /", &[("If-None-Match", page.header("etag"))]);
    assert_eq!((again.status, again.body.len()), (304, 0));
    assert_eq!(server.get("/api/v1").header("cache-control"), "no-store");
}

#[test]
fn other_machines_are_never_listened_to() {
    let flatfoot = Flatfoot::new();
    for listen in ["0.0.0.0:0", "[::]:0", "192.0.2.1:80", "example.org:80", "9417", "unix:"] {
        let run = flatfoot.run(&["serve", "--listen", listen]);
        assert_eq!(run.status, 2, "{listen}: {run:#?}");
        assert!(run.stderr.contains("hint:"), "{run:#?}");
    }
    let run = flatfoot.run(&["serve", "/no/such.flatfoot"]);
    assert!(run.status == 5 && run.stderr.contains("/no/such.flatfoot"), "{run:#?}");
    let server = Server::start(&flatfoot, &[]);
    let run = flatfoot.run(&["serve", "--listen", &server.address]);
    assert!(run.status == 5 && run.stderr.contains("another flatfoot serve"), "{run:#?}");
}

#[test]
fn a_unix_socket_is_its_users_alone_and_goes_with_it() {
    use std::io::{Read as _, Write as _};
    let flatfoot = Flatfoot::new();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("f.sock");
    let listen = format!("unix:{}", path.display());
    let mut server = Server::on(&flatfoot, &listen, &[]);
    let mode = path.metadata().expect("a socket").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let mut stream = UnixStream::connect(&path).expect("a connection");
    write!(stream, "GET /api/v1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").expect("asked");
    let mut all = Vec::new();
    stream.read_to_end(&mut all).expect("an answer");
    let about = Answer::read(&all).json();
    let ssh = format!("ssh -L 9417:{} ", path.display());
    assert!(about["ssh"].as_str().is_some_and(|line| line.starts_with(&ssh)), "{about:#}");
    let run = flatfoot.run(&["serve", "--listen", &listen]);
    assert!(run.status == 5 && run.stderr.contains("listens there already"), "{run:#?}");
    assert!(path.exists(), "a socket in use is left alone");
    server.signal(Signal::TERM);
    assert!(server.ended().success());
    assert!(!path.exists() && std::fs::read_dir(folder.path()).expect("it").next().is_none());
    // One that a killed server left is taken; a file never is.
    let mut server = Server::on(&flatfoot, &listen, &[]);
    server.signal(Signal::KILL);
    server.ended();
    assert!(path.exists());
    drop(Server::on(&flatfoot, &listen, &[]));
    std::fs::write(&path, "mine").expect("a file");
    let run = flatfoot.run(&["serve", "--listen", &listen]);
    assert!(run.status == 5 && run.stderr.contains("no socket"), "{run:#?}");
    assert_eq!(std::fs::read(&path).expect("the file"), b"mine");
}

#[test]
fn other_users_of_the_host_are_refused() {
    need!("setpriv", "curl");
    if !rustix::process::geteuid().is_root() {
        eprintln!("NOT TESTED: needs root, to be somebody else");
        return;
    }
    let flatfoot = Flatfoot::new();
    let server = Server::start(&flatfoot, &[]);
    let url = format!("http://{}/api/v1", server.address);
    let as_user = |user: &str| {
        let output = std::process::Command::new("setpriv")
            .args([
                "--reuid",
                user,
                "--regid",
                user,
                "--clear-groups",
                "curl",
                "-s",
                "-o",
                "/dev/null",
                "-w",
                "%{http_code}",
                &url,
            ])
            .output()
            .expect("setpriv");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    assert_eq!((as_user("0").as_str(), as_user("12345").as_str()), ("200", "403"));
}

#[test]
fn what_it_kept_goes_with_it_however_it_ends() {
    let flatfoot = Flatfoot::new();
    let mut server = Server::start(&flatfoot, &["--interval", "500ms"]);
    let folder = |server: &Server| std::path::Path::new(server.path()).parent().expect("a folder").to_owned();
    let kept = folder(&server);
    assert_eq!(kept.metadata().expect("it").permissions().mode() & 0o777, 0o700);
    let mut events = Events::open(&server.address);
    events.wait("tick");
    server.signal(Signal::INT);
    events.wait("end");
    assert!(server.ended().success());
    assert!(!kept.exists());
    let mut hung_up = Server::start(&flatfoot, &["--interval", "500ms"]);
    let kept = folder(&hung_up);
    hung_up.signal(Signal::HUP);
    assert!(hung_up.ended().success(), "the terminal was closed");
    assert!(!kept.exists());
    let mut killed = Server::start(&flatfoot, &["--interval", "500ms"]);
    let left = folder(&killed);
    killed.signal(Signal::KILL);
    killed.ended();
    assert!(left.exists());
    let next = Server::start(&flatfoot, &["--interval", "500ms"]);
    wait_until("what was left is gone", 10.0, || !left.exists());
    assert!(folder(&next).exists());
}

#[test]
fn the_end_comes_at_once_whoever_is_connected() {
    let flatfoot = Flatfoot::new();
    let mut server = Server::start(&flatfoot, &[]);
    let idle: Vec<_> = (0..20).map(|_| connect(&server.address).expect("a connection")).collect();
    let mut events: Vec<_> = (0..5).map(|_| Events::open(&server.address)).collect();
    server.signal(Signal::TERM);
    assert!(server.ended().success());
    for one in &mut events {
        while one.next().is_some() {}
    }
    drop(idle);
}
