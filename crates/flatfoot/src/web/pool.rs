//! The few threads that read /proc and stores, and what they answered a moment ago.
//!
//! ```text
//! request ─► the same was answered just now?  ─ yes ─► that answer
//!            the same is being asked now?     ─ yes ─► waits for that answer
//!            the queue has room?              ─ no ──► 503
//!            a thread of low priority makes it, for all who wait; when all of them are gone by then, nobody does
//! ```
//!
//! So fifty pages cost a target as much as one, and the recorder is never late for them.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use probe::Clock;
use tokio::sync::watch;

use super::answer::{Answer, Problem, Result, Shared};

/// Threads that read.
const THREADS: usize = 2;
/// Jobs that may wait for one.
const WAITING: usize = 64;
/// What is kept of answers.
const MOST_ANSWERS: usize = 256;
const MOST_BYTES: usize = 32 << 20;
/// No answer takes longer; who waits is told to come again.
const LONGEST: Duration = Duration::from_mins(1);

/// What a thread does: reads at its desk, and answers.
pub(super) type Work<D> = Box<dyn FnOnce(&mut D) -> Result<Answer> + Send>;

struct Job<D> {
    key: String,
    work: Work<D>,
    tell: watch::Sender<Option<Shared>>,
}

/// The threads, and what was answered.
pub(super) struct Pool<D> {
    queue: SyncSender<Job<D>>,
    known: Arc<Mutex<Known>>,
}

#[derive(Default)]
struct Known {
    asked: HashMap<String, watch::Receiver<Option<Shared>>>,
    answers: HashMap<String, (f64, Shared)>,
    bytes: usize,
}

impl<D: 'static> Pool<D> {
    /// Starts the threads; each makes its desk when it has its first job.
    pub(super) fn start(
        desk: impl Fn() -> D + Send + Clone + 'static,
        humble: fn(),
    ) -> std::io::Result<Self> {
        let (queue, jobs) = sync_channel::<Job<D>>(WAITING);
        let jobs = Arc::new(Mutex::new(jobs));
        let known = Arc::new(Mutex::new(Known::default()));
        for at in 0..THREADS {
            let (jobs, known, desk) = (Arc::clone(&jobs), Arc::clone(&known), desk.clone());
            let work = move || {
                humble();
                run(&jobs, &known, desk());
            };
            std::thread::Builder::new().name(format!("flatfoot-read-{at}")).spawn(work)?;
        }
        Ok(Self { queue, known })
    }

    /// The answer to what `key` says, whoever makes it.
    pub(super) async fn ask(&self, key: &str, work: Work<D>) -> Result<Shared> {
        let mut waiting = match self.join(key) {
            Ok(answer) => return Ok(answer),
            Err(Some(waiting)) => waiting,
            Err(None) => self.begin(key, work)?,
        };
        let answered = tokio::time::timeout(LONGEST, waiting.wait_for(Option::is_some)).await;
        let answer = answered.ok().and_then(std::result::Result::ok).and_then(|answer| answer.clone());
        answer.ok_or_else(Problem::busy)
    }

    /// An answer that is there, or one to wait for.
    fn join(&self, key: &str) -> std::result::Result<Shared, Option<watch::Receiver<Option<Shared>>>> {
        let known = lock(&self.known);
        if let Some((until, answer)) = known.answers.get(key)
            && *until > Clock::monotonic()
        {
            return Ok(Arc::clone(answer));
        }
        Err(known.asked.get(key).cloned())
    }

    fn begin(&self, key: &str, work: Work<D>) -> Result<watch::Receiver<Option<Shared>>> {
        let (tell, waiting) = watch::channel(None);
        let mut known = lock(&self.known);
        match self.queue.try_send(Job { key: key.to_owned(), work, tell }) {
            Ok(()) => {
                known.asked.insert(key.to_owned(), waiting.clone());
                Ok(waiting)
            }
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => Err(Problem::busy()),
        }
    }
}

fn run<D>(jobs: &Mutex<Receiver<Job<D>>>, known: &Mutex<Known>, mut desk: D) {
    loop {
        let job = lock(jobs).recv();
        let Ok(Job { key, work, tell }) = job else { return };
        if lock(known).is_forgotten(&key, &tell) {
            continue;
        }
        // A fault in one answer is that answer's: the next one is for somebody else.
        let made = catch_unwind(AssertUnwindSafe(|| work(&mut desk)));
        let made = made.unwrap_or_else(|_| {
            Err(Problem::internal(&"flatfoot failed to answer this: a fault of its own"))
        });
        let answer = Arc::new(made.unwrap_or_else(|problem| problem.answer()));
        lock(known).keep(key, &answer);
        let _ = tell.send(Some(answer));
    }
}

impl Known {
    /// Have all who asked for it gone? Then who asks next asks anew.
    fn is_forgotten(&mut self, key: &str, tell: &watch::Sender<Option<Shared>>) -> bool {
        // One is kept here, for those who ask the same.
        let is_forgotten = tell.receiver_count() <= 1;
        if is_forgotten {
            self.asked.remove(key);
        }
        is_forgotten
    }

    fn keep(&mut self, key: String, answer: &Shared) {
        self.asked.remove(&key);
        let now = Clock::monotonic();
        if let Some((_, old)) = self.answers.remove(&key) {
            self.bytes -= old.body.len();
        }
        if answer.keep_s <= 0.0 || answer.body.len() > MOST_BYTES / 4 {
            return;
        }
        let full = |known: &Self| {
            known.answers.len() >= MOST_ANSWERS || known.bytes + answer.body.len() > MOST_BYTES
        };
        if full(self) {
            self.answers.retain(|_, (until, _)| *until > now);
            self.bytes = self.answers.values().map(|(_, answer)| answer.body.len()).sum();
        }
        if !full(self) {
            self.bytes += answer.body.len();
            self.answers.insert(key, (now + answer.keep_s, Arc::clone(answer)));
        }
    }
}

/// A lock that outlives the fault of another thread: what it guards is whole between two statements.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc::channel;

    use super::*;

    fn answer(text: &'static str, keep_s: f64) -> Answer {
        Answer::ok("text/plain", text.as_bytes(), keep_s)
    }

    fn within<T>(work: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(work)
    }

    #[test]
    fn what_many_ask_for_is_read_once() {
        static READ: AtomicUsize = AtomicUsize::new(0);
        let pool = Pool::start(|| (), || ()).unwrap();
        let work = |keep_s: f64| -> Work<()> {
            Box::new(move |()| {
                READ.fetch_add(1, Ordering::SeqCst);
                Ok(answer("yes", keep_s))
            })
        };
        within(async {
            let asked = (0..10).map(|_| pool.ask("a", work(60.0)));
            for one in asked {
                assert_eq!(one.await.unwrap().body, "yes");
            }
            assert_eq!(READ.load(Ordering::SeqCst), 1);
            pool.ask("b", work(0.0)).await.unwrap();
            pool.ask("b", work(0.0)).await.unwrap();
            assert_eq!(READ.load(Ordering::SeqCst), 3, "what is not kept is read again");
        });
    }

    #[test]
    fn too_many_are_told_to_come_again_and_who_has_gone_costs_nothing() {
        static MADE: AtomicUsize = AtomicUsize::new(0);
        let pool = Pool::start(|| (), || ()).unwrap();
        let (go, wait) = channel::<()>();
        let wait = Arc::new(Mutex::new(wait));
        let (say, held) = channel();
        let count = || -> Work<()> {
            Box::new(|()| {
                MADE.fetch_add(1, Ordering::SeqCst);
                Ok(answer("x", 0.0))
            })
        };
        within(async {
            // Both threads are held, and then the queue is filled.
            let mut waiting = Vec::new();
            for at in 0..THREADS {
                let (wait, say) = (Arc::clone(&wait), say.clone());
                let work: Work<()> = Box::new(move |()| {
                    let _ = say.send(());
                    let _ = lock(&wait).recv();
                    Ok(answer("late", 0.0))
                });
                waiting.push(pool.begin(&format!("held{at}"), work).unwrap());
            }
            for _ in 0..THREADS {
                held.recv().unwrap();
            }
            for at in 0..WAITING {
                let asked = pool.begin(&at.to_string(), count()).unwrap();
                // Half of them go away.
                if at % 2 == 0 {
                    waiting.push(asked);
                }
            }
            assert_eq!(pool.begin("more", count()).unwrap_err().status.as_u16(), 503);
            // Who asks for the same as somebody who has gone has it made.
            let again = pool.join("1").unwrap_err().unwrap();
            drop(go);
            for mut one in waiting.into_iter().chain([again]) {
                one.wait_for(Option::is_some).await.unwrap();
            }
            assert_eq!(pool.ask("last", count()).await.unwrap().body, "x");
            assert_eq!(MADE.load(Ordering::SeqCst), WAITING / 2 + 2);
            while !lock(&pool.known).asked.is_empty() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        });
    }

    #[test]
    fn a_fault_stays_alone() {
        let pool = Pool::start(|| (), || ()).unwrap();
        within(async {
            let said = pool.ask("fault", Box::new(|()| panic!("a fault"))).await.unwrap();
            assert_eq!(said.status.as_u16(), 500);
            assert_eq!(pool.ask("good", Box::new(|()| Ok(answer("good", 0.0)))).await.unwrap().body, "good");
        });
    }
}
