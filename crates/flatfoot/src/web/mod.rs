//! flatfoot serve: the web page and its API (`docs/api.md`).
//!
//! ```text
//!                    ┌─ follow: new ticks ──► board, events
//! store ── read by ──┼─ judge: each minute ─► findings, events         pages
//!   ▲                └─ pool: two threads ──► answers ──► guard ──► http ──┘
//!   └── flatfoot record, or a recorder in a thread here
//! ```
//!
//! One thread speaks HTTP and reads nothing; the others read and speak to nobody. All of them have a lower priority than
//! the recorder.

mod answer;
mod api;
mod charts;
mod desk;
mod events;
mod files;
mod follow;
mod guard;
mod http;
mod judge;
mod listen;
mod looks;
mod patient;
mod people;
mod pool;
mod private;
mod query;
mod served;

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use anyhow::Result;
use probe::Clock;
use schemars::JsonSchema;
use serde::Serialize;
use tokio::sync::watch;

use crate::cli;
use crate::failure::Code;
use crate::interrupt;
use crate::present::{self, Term, time};
use crate::recorder;
use desk::{Common, Desk};
use events::News;
use listen::{Listener, Place};
use people::People;
use pool::Pool;
use served::{By, Served};

pub(crate) use answer::ErrorDocument;
pub(crate) use api::documents;

/// Somebody waits for an answer, though nobody so much that the recorder may be late for it.
fn be_polite() {
    recorder::be_humble(recorder::NICE / 2);
}

/// Nobody waits: judging, and making large files.
fn be_humble() {
    recorder::be_humble(recorder::NICE + 5);
}

/// Serves until it is told to end.
pub(crate) fn run(args: &cli::Serve, term: Term) -> Result<Code> {
    let place = Place::parse(&args.listen)?;
    interrupt::listen();
    interrupt::listen_to_hangups();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        // Who connects is looked up one by one: the kernel's list may be long, and many may come at once.
        .max_blocking_threads(1)
        .on_thread_start(be_polite)
        .build()?;
    // Before anything is read: that an address is taken is said at once.
    let listener = runtime.block_on(Listener::bind(&place))?;
    let chosen = Served::choose(args.file.as_deref(), args.store.as_deref(), args.interval);
    if interrupt::asked() {
        return Ok(Code::Clean);
    }
    let (mut served, recording) = chosen?;
    let address = listener.address();
    served.ssh = Some(ssh(&place, address.map(|address| address.port()), &served.host));
    let people = People::of_this_server();
    if address.is_some() && !people.are_told() {
        let remark = "any user of this host can open the page: who connects cannot be told here; --listen unix:PATH keeps others out";
        served.remarks.push(remark.to_owned());
    }
    let kept = recording.as_ref().map(served::Recording::place);
    said(&served, &place, address, kept.as_deref(), term)?;

    let (teller, news) = watch::channel(News::default());
    let common = Arc::new(Common::new(served, teller));
    let follower = spawn("flatfoot-follow", &common, be_polite, follow::follow)?;
    let judge = spawn("flatfoot-judge", &common, be_humble, judge::judge)?;
    let desks = Arc::clone(&common);
    let pool = Pool::start(move || Desk::new(Arc::clone(&desks)), be_polite)?;
    let ended = runtime.block_on(http::serve(
        &listener,
        Arc::new(http::App::new(Arc::clone(&common), pool, news)),
        people,
    ));
    common.ending.store(true, Ordering::Relaxed);
    // What still reads is not waited for: it writes nothing.
    runtime.shutdown_background();
    drop((follower, judge));
    drop(listener);
    if let Some(mut recording) = recording {
        recording.end()?;
    }
    ended.map(|()| Code::Clean)
}

fn spawn(
    name: &str,
    common: &Arc<Common>,
    priority: fn(),
    work: fn(&Common),
) -> Result<std::thread::JoinHandle<()>> {
    let common = Arc::clone(common);
    let work = move || {
        priority();
        work(&common);
    };
    Ok(std::thread::Builder::new().name(name.to_owned()).spawn(work)?)
}

/// `ssh -L 9417:127.0.0.1:9417 HOST`.
fn ssh(place: &Place, port: Option<u16>, host: &str) -> String {
    let host = if host.is_empty() { "HOST" } else { host };
    match (place, port) {
        (Place::Tcp(address), Some(port)) => {
            let mut address = *address;
            address.set_port(port);
            format!("ssh -L {port}:{address} {host}")
        }
        (Place::Unix(path), _) => {
            let path = std::path::absolute(path).unwrap_or_else(|_| path.clone());
            let forward = api::quoted(&format!("9417:{}", path.display()));
            format!("ssh -L {forward} {host}")
        }
        (Place::Tcp(_), None) => String::new(),
    }
}

/// `flatfoot serve --json`: one line, when it answers.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct StartedLine {
    /// `flatfoot.serve/1`.
    schema: &'static str,
    /// RFC 3339, UTC.
    at: String,
    /// `started`.
    event: &'static str,
    /// To be opened on this host, or through the ssh line.
    url: String,
    /// The unix socket, if it listens on one.
    socket: Option<String>,
    /// For elsewhere.
    ssh: Option<String>,
    /// Who records what is served.
    by: By,
    /// The file that is read.
    path: String,
    /// What is worth knowing about it, a sentence each.
    remarks: Vec<String>,
}

/// What is served, and where, for who started it.
fn said(
    served: &Served,
    place: &Place,
    address: Option<std::net::SocketAddr>,
    kept: Option<&str>,
    term: Term,
) -> Result<()> {
    let url = match address {
        Some(address) => format!("http://{address}/"),
        None => "http://127.0.0.1:9417/".to_owned(),
    };
    let what = match (served.by, kept) {
        (By::Case, _) => format!("the case file {}", served.path.display()),
        (By::Recorder, _) => format!("what flatfoot record keeps in {}", served.path.display()),
        (By::Page, kept) => format!(
            "this host as it is from now on; kept in {} until this ends, {} at most",
            kept.unwrap_or_default(),
            "64 MiB or a day"
        ),
    };
    if term.json {
        let line = StartedLine {
            schema: "flatfoot.serve/1",
            at: time::rfc3339(Clock::wall()),
            event: "started",
            url,
            socket: match place {
                Place::Tcp(_) => None,
                Place::Unix(path) => Some(path.display().to_string()),
            },
            ssh: served.ssh.clone(),
            by: served.by,
            path: served.path.display().to_string(),
            remarks: served.remarks.clone(),
        };
        return present::print(&format!("{}\n", serde_json::to_string(&line)?));
    }
    let mut text = match place {
        Place::Tcp(_) => format!("{url}\n"),
        Place::Unix(path) => format!("{}\n", path.display()),
    };
    if !term.quiet {
        let ssh = served.ssh.as_deref().unwrap_or_default();
        let _ = writeln!(text, "From elsewhere:  {ssh}    then {url} there");
        let _ = writeln!(text, "Shows {what}.");
        for remark in &served.remarks {
            let _ = writeln!(text, "{remark}");
        }
        text.push_str("Only reads. Ctrl-C ends it.\n");
    }
    present::print(&text)
}
