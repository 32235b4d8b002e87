//! Who may ask, and what every answer carries.
//!
//! The page listens on this machine alone, but a browser on it shows pages of everybody. What a page of somebody else
//! could do from there is stopped by three headers that a script cannot set:
//!
//! - `Host`: a name that an attacker makes point to 127.0.0.1 (DNS rebinding) is not a loopback name. Any port is one of
//!   ours, as with `ssh -L 8000:127.0.0.1:9417` the browser says `127.0.0.1:8000`.
//! - `Origin`: when it is said, it is the page's own.
//! - `Sec-Fetch-Site`: when it is said, the request is from the page itself or typed by a person. A link from elsewhere
//!   may open the page, and nothing of the API.

use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::http::{Method, StatusCode, Uri};

use super::answer::{Problem, Result};

/// What all answers carry.
const HEADERS: [(HeaderName, &str); 6] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (header::X_FRAME_OPTIONS, "DENY"),
];

/// Adds them, over what an answer has.
pub(super) fn secure(headers: &mut HeaderMap) {
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

/// Is a request one that may be answered?
pub(super) fn check(method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<()> {
    let host =
        one(headers, &header::HOST)?.ok_or_else(|| refused("a request without Host", "HTTP/1.1 has it"))?;
    if !is_loopback(host) || uri.authority().is_some_and(|said| said.as_str() != host) {
        let hint = "open it as http://127.0.0.1:PORT or http://localhost:PORT";
        return Err(refused(format!("Host: {host:?} is not this machine's own"), hint));
    }
    if let Some(origin) = one(headers, &header::ORIGIN)?
        && origin.strip_prefix("http://") != Some(host)
    {
        return Err(refused(format!("Origin: {origin:?} is another page"), "only the page itself may ask"));
    }
    let site = HeaderName::from_static("sec-fetch-site");
    match one(headers, &site)? {
        None | Some("same-origin" | "none") => {}
        Some(_) if is_a_link(uri, headers) => {}
        Some(site) => {
            let error = format!("Sec-Fetch-Site: {site}: another page asks");
            return Err(refused(error, "only the page itself may ask"));
        }
    }
    if method != Method::GET && method != Method::HEAD {
        return Err(Problem::new(
            StatusCode::METHOD_NOT_ALLOWED,
            format!("{method}: the page only reads"),
            "GET or HEAD",
        ));
    }
    Ok(())
}

/// Does it open the page in a window, and ask for no data?
fn is_a_link(uri: &Uri, headers: &HeaderMap) -> bool {
    let says = |name: &'static str, value: &str| headers.get(name).is_some_and(|said| said == value);
    !uri.path().starts_with("/api/")
        && says("sec-fetch-mode", "navigate")
        && says("sec-fetch-dest", "document")
}

fn one<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>> {
    let mut all = headers.get_all(name).iter();
    let Some(first) = all.next() else { return Ok(None) };
    match (first.to_str(), all.next()) {
        (Ok(text), None) => Ok(Some(text)),
        _ => Err(refused(format!("{name}: not one that can be read"), "say it once, in ASCII")),
    }
}

fn refused(error: impl Into<String>, hint: impl Into<String>) -> Problem {
    Problem::new(StatusCode::FORBIDDEN, error, hint)
}

/// `127.0.0.1:9417`, `localhost`, `[::1]:80`: this machine, whatever a name server says.
fn is_loopback(host: &str) -> bool {
    let (name, port) = match host.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((name, port)) => (name, port.strip_prefix(':').or_else(|| port.is_empty().then_some("0"))),
            None => return false,
        },
        None => match host.split_once(':') {
            Some((name, port)) => (name, Some(port)),
            None => (host, Some("0")),
        },
    };
    let is_port =
        |port: &str| port.bytes().all(|digit| digit.is_ascii_digit()) && port.parse::<u16>().is_ok();
    if !port.is_some_and(is_port) {
        return false;
    }
    if host.starts_with('[') {
        return name.parse::<std::net::Ipv6Addr>().is_ok_and(|address| address.is_loopback());
    }
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<std::net::Ipv4Addr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn asked(method: &Method, uri: &str, headers: &[(&'static str, &str)]) -> u16 {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        check(method, &uri.parse().unwrap(), &map).map_or_else(|problem| problem.status.as_u16(), |()| 200)
    }

    #[test]
    fn only_names_of_this_machine_are_answered() {
        for host in
            ["127.0.0.1", "127.0.0.1:9417", "127.0.0.1:8000", "localhost:1", "LOCALHOST", "[::1]", "[::1]:80"]
        {
            assert_eq!(asked(&Method::GET, "/", &[("host", host)]), 200, "{host}");
        }
        for host in [
            "evil.example",
            "evil.example:9417",
            "127.0.0.1.evil.example",
            "localhost.evil.example",
            "192.168.1.2",
            "[::2]",
            "[::1",
            "::1",
            "127.0.0.1:",
            "127.0.0.1:99999",
            "127.0.0.1:+1",
            "localhost:80:80",
            "0.0.0.0",
            "[::1]80",
            "user@127.0.0.1",
            "",
        ] {
            assert_eq!(asked(&Method::GET, "/", &[("host", host)]), 403, "{host}");
        }
        assert_eq!(asked(&Method::GET, "/", &[]), 403);
        assert_eq!(asked(&Method::GET, "/", &[("host", "localhost"), ("host", "localhost")]), 403);
        assert_eq!(asked(&Method::GET, "http://evil.example/", &[("host", "localhost")]), 403);
        assert_eq!(asked(&Method::GET, "http://localhost/", &[("host", "localhost")]), 200);
    }

    #[test]
    fn other_pages_are_refused() {
        let host = ("host", "127.0.0.1:9417");
        let get =
            |uri: &str, more: &[(&'static str, &str)]| asked(&Method::GET, uri, &[&[host], more].concat());
        assert_eq!(get("/api/v1", &[("origin", "http://127.0.0.1:9417")]), 200);
        for origin in ["http://127.0.0.1:9418", "https://127.0.0.1:9417", "null", "http://localhost:9417"] {
            assert_eq!(get("/api/v1", &[("origin", origin)]), 403, "{origin}");
        }
        assert_eq!(get("/api/v1", &[("sec-fetch-site", "same-origin")]), 200);
        assert_eq!(get("/api/v1", &[("sec-fetch-site", "none")]), 200);
        // Another port of this machine is the same site.
        assert_eq!(get("/api/v1", &[("sec-fetch-site", "same-site")]), 403);
        let link = [
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-mode", "navigate"),
            ("sec-fetch-dest", "document"),
        ];
        assert_eq!(get("/", &link), 200);
        assert_eq!(get("/api/v1", &link), 403);
        assert_eq!(get("/", &[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors")]), 403);
    }

    #[test]
    fn nothing_changes_anything() {
        let host = [("host", "localhost")];
        assert_eq!(asked(&Method::HEAD, "/", &host), 200);
        for method in
            [Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS, Method::CONNECT, Method::PATCH]
        {
            assert_eq!(asked(&method, "/api/v1", &host), 405, "{method}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_said_is_judged(host in "\\PC{0,40}") {
            let is = is_loopback(&host);
            prop_assert!(!is || host.contains("127.") || host.to_lowercase().contains("localhost") || host.contains(':'));
        }
    }
}
