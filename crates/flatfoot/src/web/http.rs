//! HTTP: connections with bounds on all that a client may do, and the way from a path to an answer.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use axum::Router;
use axum::body::{Body, Bytes, HttpBody as _};
use axum::extract::{Request, State};
use axum::http::header::{self, HeaderMap, HeaderValue};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{Semaphore, watch};

use super::answer::{Answer, Problem, Shared};
use super::api;
use super::desk::{Common, Desk};
use super::events::{self, News};
use super::listen::{Listener, Stream};
use super::patient::Patient;
use super::people::People;
use super::pool::Pool;
use super::query::Query;
use super::{files, guard};
use crate::interrupt;

/// Connections at once; a browser has six.
const CONNECTIONS: usize = 256;
/// Of these, pages that are told news.
const LISTENERS: usize = 128;
/// Downloads at once: each has a thread.
pub(super) const DOWNLOADS: usize = 2;
/// A request's head.
const HEAD_BYTES: usize = 16 << 10;
const HEADERS: usize = 64;
const HEAD_TIME: Duration = Duration::from_secs(20);
/// How long a client may leave what it is sent unread.
const PATIENCE: Duration = Duration::from_secs(30);
/// A path and its question.
const LONGEST_URL: usize = 4 << 10;

/// What answers are made from.
pub(super) struct App {
    pub(super) common: Arc<Common>,
    pub(super) pool: Pool<Desk>,
    news: watch::Receiver<News>,
    listeners: Arc<Semaphore>,
    pub(super) downloads: Arc<Semaphore>,
}

impl App {
    pub(super) fn new(common: Arc<Common>, pool: Pool<Desk>, news: watch::Receiver<News>) -> Self {
        Self {
            common,
            pool,
            news,
            listeners: Arc::new(Semaphore::new(LISTENERS)),
            downloads: Arc::new(Semaphore::new(DOWNLOADS)),
        }
    }
}

/// Answers until Ctrl-C.
pub(super) async fn serve(listener: &Listener, app: Arc<App>, people: People) -> Result<()> {
    let common = Arc::clone(&app.common);
    let people = Arc::new(people);
    let own = listener.address();
    let router = Router::new().fallback(answer).with_state(app);
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        tokio::select! {
            () = ends() => break,
            stream = listener.accept() => {
                let Ok(stream) = stream else {
                    // Out of descriptors: those that there are end some time.
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                };
                // One too many is not kept waiting.
                let Ok(place) = Arc::clone(&places).try_acquire_owned() else { continue };
                let (router, people) = (router.clone(), Arc::clone(&people));
                tokio::spawn(async move {
                    match stream {
                        Stream::Tcp(stream, peer) => {
                            let router = admitted(people, peer, own, router).await;
                            connection(stream, router).await;
                        }
                        // Its mode says who may.
                        Stream::Unix(stream) => connection(stream, router).await,
                    }
                    drop(place);
                });
            }
        }
    }
    common.teller.send_modify(|news| news.ended = true);
    // The word of the end goes out.
    tokio::time::sleep(Duration::from_millis(30)).await;
    Ok(())
}

/// Until Ctrl-C or SIGTERM.
async fn ends() {
    while !interrupt::asked() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The way to the answers, or to a refusal.
async fn admitted(people: Arc<People>, peer: SocketAddr, own: Option<SocketAddr>, router: Router) -> Router {
    let Some(own) = own else { return router };
    // The list of connections may be long, and others wait.
    let checked = tokio::task::spawn_blocking(move || people.check(peer, own)).await;
    match checked.unwrap_or_else(|_| Err(Problem::internal(&"flatfoot failed to tell who connects"))) {
        Ok(()) => router,
        Err(problem) => Router::new().fallback(refuse).with_state(Arc::new(problem.answer())),
    }
}

async fn refuse(State(answer): State<Shared>) -> Response {
    let mut response = of_answer(&answer);
    guard::secure(response.headers_mut());
    response
}

async fn connection(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, router: Router) {
    let io = TokioIo::new(Patient::new(stream, PATIENCE));
    let mut builder = hyper::server::conn::http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_headers(HEADERS)
        .max_buf_size(HEAD_BYTES);
    // How a client broke it is no business of ours.
    let _ = builder.serve_connection(io, TowerToHyperService::new(router)).await;
}

/// One request.
async fn answer(State(app): State<Arc<App>>, request: Request) -> Response {
    // Nothing that a body could say is asked for.
    let (request, _) = request.into_parts();
    let head = request.method == Method::HEAD;
    let mut response = match guarded(&app, &request).await {
        Ok(response) => response,
        Err(problem) => of_answer(&Arc::new(problem.answer())),
    };
    if response.status() == StatusCode::METHOD_NOT_ALLOWED {
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
    }
    if head {
        // As long as it would be.
        if let Some(bytes) = response.body().size_hint().exact() {
            response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(bytes));
        }
        *response.body_mut() = Body::empty();
    }
    guard::secure(response.headers_mut());
    response
}

async fn guarded(app: &Arc<App>, request: &Parts) -> std::result::Result<Response, Problem> {
    let uri = &request.uri;
    guard::check(&request.method, uri, &request.headers)?;
    if uri.path().len() + uri.query().map_or(0, str::len) > LONGEST_URL {
        return Err(Problem::new(StatusCode::URI_TOO_LONG, "the path is too long", "at most 4096 bytes"));
    }
    let Some(path) = uri.path().strip_prefix("/api/") else {
        return file(uri.path(), request);
    };
    let Some(path) =
        path.strip_prefix("v1").and_then(|path| path.strip_prefix('/').or(path.is_empty().then_some("")))
    else {
        return Err(api::no_such(uri.path()));
    };
    if path == "events" {
        return news(app, request.method == Method::HEAD);
    }
    let query = Query::of(uri)?;
    // A new judgement is in the next answer, however long the last one is good for.
    let key = format!("{} {}", app.common.judgements(), uri.path_and_query().map_or("", |all| all.as_str()));
    if let Some(name) = path.strip_prefix("download/") {
        return api::download(app, name, query, &key).await;
    }
    let Some(work) = api::work(path, query)? else { return Err(api::no_such(uri.path())) };
    Ok(of_answer(&app.pool.ask(&key, work).await?))
}

/// An answer as a response.
pub(super) fn of_answer(answer: &Shared) -> Response {
    let Answer { status, kind, body, again_s, file, .. } = &**answer;
    let mut response = Response::new(Body::from(body.clone()));
    *response.status_mut() = *status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(again_s) = again_s {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(*again_s));
    }
    if let Some(file) = file {
        attach(headers, file);
    }
    response
}

/// To be saved under a name, never shown: what is in it is not the page's.
pub(super) fn attach(headers: &mut HeaderMap, name: &str) {
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
}

fn file(path: &str, request: &Parts) -> std::result::Result<Response, Problem> {
    let file = files::find(path).ok_or_else(|| api::no_such(path))?;
    let tag = file.tag();
    let known =
        request.headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let mut response =
        Response::new(if known { Body::empty() } else { Body::from(Bytes::from_static(file.bytes)) });
    if known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(file.kind));
    // Asked for again each time, as another flatfoot may listen here by then, and not sent again.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, tag);
    }
    Ok(response)
}

fn news(app: &App, only_head: bool) -> std::result::Result<Response, Problem> {
    let place = Arc::clone(&app.listeners).try_acquire_owned().map_err(|_| Problem::busy())?;
    let body = if only_head { Body::empty() } else { events::stream(app.news.clone(), place) };
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}
