//! `GET /api/v1/download/…`: what is taken away.
//!
//! A case file and a table of figures may be large: they are made by a thread of their own, and sent as they are made.

use std::fmt::Write as _;
use std::io::{self, Read as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use axum::body::Body;
use axum::http::header::{self, HeaderValue};
use axum::response::Response;
use model::{Column, Pid, ProcessNo};
use store::history::{Found, Window};
use tokio::sync::{mpsc, oneshot};

use crate::commands::{About, html_report};
use crate::source::RecordedSource;
use crate::views;
use crate::web::answer::{Answer, Problem, Result};
use crate::web::desk::{Desk, Stretch};
use crate::web::events::{Portions, Stream};
use crate::web::http::{self, App};
use crate::web::pool::Work;
use crate::web::private::Private;
use crate::web::query::{Asked, Query};

/// What is sent at once.
const PORTION: usize = 64 << 10;
/// Portions that may wait for a slow reader.
const AHEAD: usize = 4;

/// What is asked for.
#[derive(Clone, Debug)]
struct Wanted {
    process: Option<String>,
    asked: Asked,
    redact: bool,
}

/// A file, whole or as it is made.
pub(in crate::web) async fn download(
    app: &Arc<App>,
    name: &str,
    query: Query,
    key: &str,
) -> Result<Response> {
    let wanted = |redact: bool| -> Result<Wanted> {
        Ok(Wanted {
            process: query.text("process").map(str::to_owned),
            asked: query.times("from", "to")?,
            redact: query.flag("redact", redact)?,
        })
    };
    match name {
        "report.html" => {
            let work = report(wanted(true)?);
            Ok(http::of_answer(&app.pool.ask(key, work).await?))
        }
        "case.flatfoot" => stream(app, "application/octet-stream", wanted(false)?, case).await,
        "series.csv" => stream(app, "text/csv; charset=utf-8", wanted(false)?, series).await,
        _ => Err(super::no_such(name)),
    }
}

/// What `flatfoot report` makes.
fn report(wanted: Wanted) -> Work<Desk> {
    Box::new(move |desk| {
        let (one, stretch) = wanted.found(desk)?;
        let pids: Vec<Pid> = one.iter().map(|one| one.known.incarnation.key.pid).collect();
        let source = desk.source(Some(&stretch))?;
        let text = html_report(views::diagnosis(source, pids)?, wanted.redact)?;
        let file = name(desk, one.as_ref(), wanted.redact, "html");
        Ok(Answer { file: Some(file), ..Answer::ok("text/html; charset=utf-8", text, 0.0) })
    })
}

impl Wanted {
    fn found(&self, desk: &mut Desk) -> Result<(Option<Found>, Stretch)> {
        let stretch = desk.stretch(self.asked)?;
        Ok((self.process.as_deref().map(|id| desk.process(id, Some(&stretch))).transpose()?, stretch))
    }
}

/// What makes a file: it says its name when all is well, then gives its portions, until nobody reads them any more.
type Make = fn(&mut Desk, &Wanted, Begin<'_>, &Portions) -> Result<()>;

/// Takes the name; false when nobody waits for the file any more.
type Begin<'a> = &'a mut dyn FnMut(String) -> bool;

async fn stream(app: &Arc<App>, kind: &'static str, wanted: Wanted, make: Make) -> Result<Response> {
    let place = Arc::clone(&app.downloads).try_acquire_owned().map_err(|_| Problem::busy())?;
    let (begin, begun) = oneshot::channel::<Result<String>>();
    let (send, portions) = mpsc::channel(AHEAD);
    let common = Arc::clone(&app.common);
    let work_here = move || {
        crate::web::be_humble();
        work(begin, &send, |named| make(&mut Desk::new(common), &wanted, named, &send));
        drop(place);
    };
    std::thread::Builder::new()
        .name("flatfoot-save".to_owned())
        .spawn(work_here)
        .map_err(|error| Problem::internal(&error))?;
    let name = begun.await.map_err(|_| Problem::internal(&"flatfoot failed to make this file"))??;
    let mut response = Response::new(Body::new(Stream(portions)));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    http::attach(headers, &name);
    Ok(response)
}

/// What goes wrong is answered before the first portion, and later breaks the connection: half a file must not look whole.
fn work(begin: oneshot::Sender<Result<String>>, to: &Portions, make: impl FnOnce(Begin<'_>) -> Result<()>) {
    let mut begin = Some(begin);
    let mut named = |name: String| begin.take().is_some_and(|begin| begin.send(Ok(name)).is_ok());
    let made = catch_unwind(AssertUnwindSafe(|| make(&mut named)));
    let Err(problem) = made
        .unwrap_or_else(|_| Err(Problem::internal(&"flatfoot failed to make this file: a fault of its own")))
    else {
        return;
    };
    match begin {
        Some(begin) => drop(begin.send(Err(problem))),
        None => drop(to.blocking_send(Err(io::Error::other(problem.error)))),
    }
}

/// A case file that every command opens.
fn case(desk: &mut Desk, wanted: &Wanted, begin: Begin<'_>, to: &Portions) -> Result<()> {
    let (one, stretch) = wanted.found(desk)?;
    let name = name(desk, one.as_ref(), wanted.redact, "flatfoot");
    if desk.common.served.only_looks {
        if wanted.redact || one.is_some() {
            let hint = "redact=0 and no process: the file as it is; flatfoot report is redacted";
            return Err(Problem::not_understood("a case of looks alone is given whole", hint));
        }
        let file = std::fs::File::open(&desk.common.served.path);
        return send(file, &name, begin, to);
    }
    let pids: Vec<Pid> = one.iter().map(|one| one.known.incarnation.key.pid).collect();
    let folder = Private::roomy().map_err(Problem::from)?;
    let range = stretch.range();
    let span = crate::moment::Span { from: range.from, to: range.to };
    let source = RecordedSource::open(&desk.common.served.path, Some(span))?;
    let about = About::of(&pids).stored();
    crate::source::Source::export(&source, &pids, wanted.redact, &folder.store(), &about)
        .ok_or_else(|| Problem::internal(&"nothing to export"))??;
    let file = std::fs::File::open(folder.store());
    // Opened, it needs no name any more.
    drop(folder);
    send(file, &name, begin, to)
}

fn send(file: io::Result<std::fs::File>, name: &str, begin: Begin<'_>, to: &Portions) -> Result<()> {
    let mut file = file.map_err(|error| Problem::internal(&error))?;
    if !begin(name.to_owned()) {
        return Ok(());
    }
    loop {
        let mut portion = vec![0; PORTION];
        let length = file.read(&mut portion).map_err(|error| Problem::internal(&error))?;
        portion.truncate(length);
        if length == 0 || to.blocking_send(Ok(portion.into())).is_err() {
            return Ok(());
        }
    }
}

/// All figures of a process, or of the host, as they were recorded: one after another, each in the order of time.
fn series(desk: &mut Desk, wanted: &Wanted, begin: Begin<'_>, to: &Portions) -> Result<()> {
    if desk.common.served.only_looks {
        let hint = "flatfoot diagnose FILE --json has the figures of its looks";
        return Err(Problem::not_there("a case of looks alone has no series", hint));
    }
    let (one, stretch) = wanted.found(desk)?;
    let no = one.as_ref().map_or(ProcessNo::HOST, |one| one.known.process);
    let name = name(desk, one.as_ref(), wanted.redact, "csv");
    let window = Window::new(stretch.from_ms, stretch.to_ms);
    let reader = desk.reader()?;
    if !begin(name) {
        return Ok(());
    }
    let mut text = String::from("time,figure,value\n");
    for column in (0..=u8::MAX).filter_map(Column::from_code) {
        let figure = column.name();
        for point in reader.series(no, &[column], window)?.iter().flat_map(|series| &series.points) {
            let at = point.at_unix_ms;
            let _ = writeln!(
                text,
                "{}.{:03},{figure},{}",
                at.div_euclid(1_000),
                at.rem_euclid(1_000),
                point.value
            );
            if text.len() >= PORTION && to.blocking_send(Ok(std::mem::take(&mut text).into())).is_err() {
                return Ok(());
            }
        }
    }
    let _ = to.blocking_send(Ok(text.into()));
    Ok(())
}

/// `flatfoot-torquebox-1-java-3248.html`: nothing in it that a shell, a header or a file system would take for more than
/// a name.
fn name(desk: &Desk, one: Option<&Found>, redact: bool, end: &str) -> String {
    let host = if redact { "" } else { desk.common.served.host.as_str() };
    let process = one.map(|one| {
        let who = &one.known.incarnation;
        format!("{}-{}", who.name, who.key.pid)
    });
    let parts = ["flatfoot", host, process.as_deref().unwrap_or("host")];
    let parts: Vec<String> = parts.iter().filter(|part| !part.is_empty()).map(|part| plain(part)).collect();
    format!("{}.{end}", parts.join("-"))
}

fn plain(text: &str) -> String {
    const LONGEST: usize = 64;
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' };
    text.chars().take(LONGEST).map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_file_never_looks_whole() {
        let fail = || Err(Problem::internal(&"the disk is gone"));
        let made = |make: &dyn Fn(Begin<'_>, &Portions) -> Result<()>| {
            let (begin, mut begun) = oneshot::channel();
            let (send, mut portions) = mpsc::channel(AHEAD);
            work(begin, &send, |named| make(named, &send));
            drop(send);
            let mut all = Vec::new();
            while let Some(portion) = portions.blocking_recv() {
                all.push(portion.map_err(|error| error.to_string()));
            }
            (begun.try_recv().unwrap().map_err(|problem| problem.error), all)
        };
        let gone = "the disk is gone".to_owned();
        assert_eq!(made(&|_, _| fail()), (Err(gone.clone()), vec![]), "said instead of the file");
        let half = |named: Begin<'_>, to: &Portions| {
            assert!(named("a.csv".to_owned()));
            to.blocking_send(Ok("a,b\n".into())).unwrap();
            fail()
        };
        assert_eq!(made(&half), (Ok("a.csv".to_owned()), vec![Ok("a,b\n".into()), Err(gone)]));
        let (name, all) = made(&|named, _| {
            named("a.csv".to_owned());
            panic!("a fault")
        });
        assert!(name.is_ok() && matches!(all.as_slice(), [Err(why)] if why.contains("a fault of its own")));
        let whole = |named: Begin<'_>, _: &Portions| {
            named("a.csv".to_owned());
            Ok(())
        };
        assert_eq!(made(&whole), (Ok("a.csv".to_owned()), vec![]));
    }

    #[test]
    fn a_name_is_only_a_name() {
        assert_eq!(plain("java"), "java");
        assert_eq!(plain("../../etc\"\r\nx: y;é"), "------etc---x--y--");
        assert_eq!(plain(&"a".repeat(200)).len(), 64);
    }
}
