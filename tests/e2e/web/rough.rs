//! Clients that are broken, slow, or worse.

use std::io::{Read as _, Write as _};
use std::time::Duration;

use crate::client::{Answer, connect, get, say};
use crate::server::Server;
use crate::support::Flatfoot;

#[test]
fn what_is_not_understood_is_refused_and_the_next_is_answered() {
    let flatfoot = Flatfoot::new();
    let server = Server::start(&flatfoot, &[]);
    let pid = server.pid();
    for path in [
        "/api/v1/overview?from=nan",
        "/api/v1/overview?from=inf",
        "/api/v1/overview?from=1e300",
        "/api/v1/overview?from=2&to=1",
        "/api/v1/overview?from=yesterday",
        "/api/v1/overview?pixels=1e9",
        "/api/v1/overview?pixels=-1",
        "/api/v1/overview?pixels=16&pixels=17",
        "/api/v1/overview?to=%ff",
        "/api/v1/overview?to=%00",
        "/api/v1/overview?to=%2",
        "/api/v1/processes?rows=1001",
        "/api/v1/processes?by=name",
        "/api/v1/processes?offset=-1",
        "/api/v1/processes/0",
        "/api/v1/processes/-1",
        "/api/v1/processes/1-",
        "/api/v1/processes/%2e%2e",
        "/api/v1/processes/%00",
        "/api/v1/findings/zz",
        "/api/v1/findings/%2e%2e",
        &format!("/api/v1/processes/{pid}/map?sort=name"),
        &format!("/api/v1/processes/{pid}/map?class=none"),
        &format!("/api/v1/processes/{pid}/map?size=-4096"),
        "/api/v1/download/series.csv?redact=maybe",
    ] {
        server.error(400, path);
    }
    for path in [
        "/api/v1/processes/1/../../../etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/..%2f..%2fetc%2fpasswd",
        "/../../etc/passwd",
        "//etc/passwd",
        "/index.html%00.js",
        "/api/v1/download/..%2fcase.flatfoot",
        "/api/v1/download/",
        "/api/v1//overview",
        "/api/v1/findings/00000000",
        "/api/",
        "/api/v1x",
    ] {
        server.error(404, path);
    }
    let empty = server.json("overview", "/api/v1/overview?from=-1e10&to=-9e9");
    assert!(empty["charts"][0]["series"].as_array().is_some_and(Vec::is_empty), "{empty:#}");
    server.json("overview", "/api/v1/overview?from=1e10&to=1e11&pixels=4096");
    assert_eq!(server.get("/api/v1").status, 200);
}

#[test]
fn heads_are_bounded() {
    let flatfoot = Flatfoot::new();
    let server = Server::start(&flatfoot, &[]);
    let address = &server.address;
    let host = format!("Host: {address}\r\nConnection: close\r\n");
    let long_path = format!("GET /{} HTTP/1.1\r\n{host}\r\n", "a".repeat(8 << 10));
    let long_value = format!("GET / HTTP/1.1\r\n{host}X: {}\r\n\r\n", "a".repeat(64 << 10));
    let many = "X: 1\r\n".repeat(1_000);
    let many = format!("GET / HTTP/1.1\r\n{host}{many}\r\n");
    for (what, text, status) in
        [("a path", long_path, 414), ("a value", long_value, 431), ("many", many, 431)]
    {
        let said = say(address, text.as_bytes()).unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(Answer::read(&said).status, status, "{what}");
    }
    for broken in [
        &b"\x00\x01\x02\x03\r\n\r\n"[..],
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\nzzzz",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ] {
        let mut stream = connect(address).expect("a connection");
        let _ = stream.write_all(broken);
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let mut said = Vec::new();
        let _ = stream.read_to_end(&mut said);
        let is_refused =
            said.is_empty() || Answer::read(&said).status >= 400 || said.starts_with(b"HTTP/1.1 200");
        assert!(is_refused, "{broken:?}: {:?}", String::from_utf8_lossy(&said));
    }
    assert_eq!(get(address, "/api/v1").status, 200, "it goes on");
}

#[test]
fn old_and_hasty_clients_are_answered() {
    let flatfoot = Flatfoot::new();
    let server = Server::start(&flatfoot, &[]);
    let address = &server.address;
    let old = say(address, format!("GET /api/v1 HTTP/1.0\r\nHost: {address}\r\n\r\n").as_bytes())
        .expect("an answer");
    assert_eq!(Answer::read(&old).status, 200);
    let nameless = say(address, b"GET /api/v1 HTTP/1.0\r\n\r\n").expect("an answer");
    assert_eq!(Answer::read(&nameless).status, 403);
    // Three at once, on one connection: three answers, in their order.
    let one = |path: &str, more: &str| format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n{more}\r\n");
    let all = [one("/api/v1", ""), one("/none", ""), one("/", "Connection: close\r\n")].concat();
    let said = String::from_utf8_lossy(&say(address, all.as_bytes()).expect("answers")).into_owned();
    let codes: Vec<&str> = said.match_indices("HTTP/1.1 ").map(|(at, _)| &said[at + 9..at + 12]).collect();
    assert_eq!(codes, ["200", "404", "200"], "{said}");
    // A body is not listened to.
    let body = format!(
        "GET /api/v1 HTTP/1.1\r\nHost: {address}\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello"
    );
    assert_eq!(Answer::read(&say(address, body.as_bytes()).expect("an answer")).status, 200);
}

#[test]
fn who_is_slow_or_never_reads_costs_nobody_else() {
    let flatfoot = Flatfoot::new();
    let server = Server::start(&flatfoot, &["--interval", "500ms"]);
    let address = &server.address;
    let before = server.resident_kib();
    // Heads that never end.
    let mut slow: Vec<_> = (0..50)
        .map(|_| {
            let mut stream = connect(address).expect("a connection");
            stream.write_all(b"GET /api/v1 HTTP/1.1\r\nHo").expect("a part");
            stream
        })
        .collect();
    // Asks and asks, and reads nothing.
    let mut deaf = Vec::new();
    for _ in 0..30 {
        let mut stream = connect(address).expect("a connection");
        stream.set_write_timeout(Some(Duration::from_millis(50))).expect("a bound");
        let ask = format!("GET /api/v1/overview?pixels=4096 HTTP/1.1\r\nHost: {address}\r\n\r\n").repeat(50);
        let _ = stream.write_all(ask.as_bytes());
        deaf.push(stream);
    }
    for _ in 0..10 {
        let mut stream = connect(address).expect("a connection");
        write!(stream, "GET /api/v1/events HTTP/1.1\r\nHost: {address}\r\n\r\n").expect("asked");
        deaf.push(stream);
    }
    for round in 0..20 {
        for stream in &mut slow {
            let _ = stream.write_all(b"s");
        }
        let answer = get(address, "/api/v1/processes?rows=20");
        assert_eq!(answer.status, 200, "round {round}: {}", answer.text());
        std::thread::sleep(Duration::from_millis(100));
    }
    let after = server.resident_kib();
    assert!(after < before + (96 << 10), "{before} KiB became {after}");
    // All places taken: one more is turned away, and there is room again when they leave.
    let crowd: Vec<_> = (0..400).filter_map(|_| connect(address).ok()).collect();
    drop((crowd, slow, deaf));
    crate::support::wait_until("room again", 30.0, || {
        say(
            address,
            format!("GET /api/v1 HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").as_bytes(),
        )
        .is_ok_and(|said| said.starts_with(b"HTTP/1.1 200"))
    });
}
