//! Server-sent events: what is new, to every page that is open.
//!
//! ```text
//! event: tick
//! data: {"at":1795449600.5,"committed_bytes":…,"available_bytes":…,"tasks":812,"processes":212}
//!
//! event: findings
//! data: {"judged_at":1795449600.5,"findings":[{"id":"7c1e09d2","pid":3248}]}
//! ```
//!
//! Each page is told the newest: who reads slowly misses ticks, and holds up nobody.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use hyper::body::Frame;
use schemars::JsonSchema;
use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, mpsc, watch};
use tokio::time::{Instant, timeout, timeout_at};

/// Between two words, so that what lies between does not take the line for dead.
const AWAKE: Duration = Duration::from_secs(15);
/// Between two ticks.
const APART: Duration = Duration::from_millis(950);

/// `event: tick`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub(crate) struct TickEvent {
    /// When, in Unix seconds.
    pub(crate) at: f64,
    /// Committed_AS.
    pub(crate) committed_bytes: Option<u64>,
    /// MemAvailable.
    pub(crate) available_bytes: Option<u64>,
    /// Tasks of the host.
    pub(crate) tasks: Option<u64>,
    /// Its processes.
    pub(crate) processes: Option<u64>,
}

/// `event: findings`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub(crate) struct FindingsEvent {
    /// When it was judged, in Unix seconds.
    pub(crate) judged_at: f64,
    /// All findings there are now.
    pub(crate) findings: Vec<Told>,
}

/// Which finding of which process: two of one program share a finding's id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Told {
    /// The finding's id.
    pub(crate) id: String,
    /// Its process.
    pub(crate) pid: u32,
}

/// What is newest.
#[derive(Clone, Debug, Default)]
pub(super) struct News {
    pub(super) tick: Option<Arc<TickEvent>>,
    pub(super) findings: Option<Arc<FindingsEvent>>,
    /// Nothing more comes.
    pub(super) ended: bool,
}

/// Where news are told from; any thread may.
pub(super) type Teller = watch::Sender<News>;

/// The body of an answer that goes on for as long as somebody reads it.
pub(super) fn stream(news: watch::Receiver<News>, place: OwnedSemaphorePermit) -> Body {
    let (send, receive) = mpsc::channel(1);
    tokio::spawn(async move {
        tell(news, &send).await;
        drop(place);
    });
    Body::new(Stream(receive))
}

/// Until the reader is gone.
async fn tell(mut news: watch::Receiver<News>, to: &Portions) {
    let mut told = News::default();
    let mut text = String::from(": flatfoot\nretry: 2000\n\n");
    let mut ticked = Instant::now();
    loop {
        let now = news.borrow_and_update().clone();
        if let Some(findings) =
            now.findings.as_ref().filter(|_| !is_same(now.findings.as_ref(), told.findings.as_ref()))
        {
            push(&mut text, "findings", findings.as_ref());
        }
        if let Some(tick) = now.tick.as_ref().filter(|_| !is_same(now.tick.as_ref(), told.tick.as_ref())) {
            push(&mut text, "tick", tick.as_ref());
            ticked = Instant::now();
        }
        if now.ended && !told.ended {
            text.push_str("event: end\ndata: {}\n\n");
        }
        told = now;
        // Waits for who reads slowly: what happens meanwhile is not kept.
        if !text.is_empty() && to.send(Ok(std::mem::take(&mut text).into())).await.is_err() {
            return;
        }
        tokio::select! {
            () = to.closed() => return,
            waited = wait(&mut news, &told, ticked + APART) => match waited {
                Waited::News => {}
                Waited::Silence => text.push_str(":\n\n"),
                Waited::Gone => return,
            }
        }
    }
}

enum Waited {
    News,
    Silence,
    Gone,
}

/// Until there is something to tell: a tick not before its time, anything else at once.
async fn wait(news: &mut watch::Receiver<News>, told: &News, tick_from: Instant) -> Waited {
    match timeout(AWAKE, news.changed()).await {
        Err(_) => return Waited::Silence,
        Ok(Err(_)) => return Waited::Gone,
        Ok(Ok(())) => {}
    }
    let is_urgent =
        |now: &News| !is_same(now.findings.as_ref(), told.findings.as_ref()) || now.ended != told.ended;
    let _ = timeout_at(tick_from, news.wait_for(is_urgent)).await;
    Waited::News
}

fn is_same<T>(a: Option<&Arc<T>>, b: Option<&Arc<T>>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => Arc::ptr_eq(a, b),
        (a, b) => a.is_none() == b.is_none(),
    }
}

fn push(text: &mut String, event: &str, data: &impl Serialize) {
    let data = serde_json::to_string(data).unwrap_or_default();
    text.push_str("event: ");
    text.push_str(event);
    text.push_str("\ndata: ");
    text.push_str(&data);
    text.push_str("\n\n");
}

/// Where portions of a body go; after an error the client is told that it is not whole.
pub(super) type Portions = mpsc::Sender<io::Result<Bytes>>;

/// What a task or a thread gives, as a body.
pub(super) struct Stream(pub(super) mpsc::Receiver<io::Result<Bytes>>);

impl hyper::body::Body for Stream {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        self.0.poll_recv(cx).map(|portion| portion.map(|bytes| bytes.map(Frame::data)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tick(at: f64) -> Arc<TickEvent> {
        Arc::new(TickEvent { at, ..TickEvent::default() })
    }

    #[test]
    fn who_reads_slowly_is_told_the_newest() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (teller, news) = watch::channel(News { tick: Some(tick(1.0)), ..News::default() });
            let (send, mut receive) = mpsc::channel(1);
            let task = tokio::spawn(async move { tell(news, &send).await });
            let first = receive.recv().await.unwrap().unwrap();
            assert!(first.starts_with(b": flatfoot"), "{first:?}");
            for at in 2..1_000 {
                teller.send_modify(|news| news.tick = Some(tick(f64::from(at))));
            }
            let findings = vec![Told { id: "7c1e09d2".to_owned(), pid: 3_248 }];
            let findings = Some(Arc::new(FindingsEvent { judged_at: 9.0, findings }));
            teller.send_modify(|news| news.findings = findings);
            let next = String::from_utf8(receive.recv().await.unwrap().unwrap().to_vec()).unwrap();
            assert!(
                next.starts_with("event: findings\ndata: {\"judged_at\":9.0,\"findings\":[{\"id\":\"7c1e09d2\",\"pid\":3248}]}\n\n"),
                "{next}"
            );
            assert!(next.contains("{\"at\":999.0,") && next.matches("event: tick").count() == 1, "{next}");
            teller.send_modify(|news| news.ended = true);
            let last = receive.recv().await.unwrap().unwrap();
            assert_eq!(last, "event: end\ndata: {}\n\n");
            drop(receive);
            task.await.unwrap();
        });
    }
}
