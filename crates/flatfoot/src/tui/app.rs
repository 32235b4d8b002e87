//! What the live view knows and shows, and what it wants done. Draws nothing, reads nothing, knows no clock: it is told
//! what happened and when, and answers with [`Request`]s.

use std::collections::VecDeque;

use model::{Pid, ProcessNo};

use super::list::List;
use super::pager::Pager;
use super::palette::Role;
use super::prompt::{Asked, Prompt};
use crate::analyse::{Analyser, Diagnosis};
use crate::board::{Board, BoardRow, HostFigures};
use crate::cli::TopOrder;
use crate::present::Term;
use crate::present::map::MapDocument;
use crate::present::threads::ThreadsDocument;

/// A process is read in full when the selection has rested on it for so long.
const REST_S: f64 = 0.15;
/// And again after so long at least, or so many times what it took.
const AGAIN_S: f64 = 2.0;
const AGAIN_TIMES: f64 = 20.0;
/// The end of what was recorded is looked for after so long.
const FOLLOW_S: f64 = 2.0;
/// The whole host is judged again after so long.
const SURVEY_S: f64 = 60.0;

/// The time that is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    /// Now, on this host.
    Live,
    /// A moment of what was recorded, in milliseconds since 1970.
    Past(i64),
    /// The looks of a case file.
    Case,
}

/// What is shown over the whole screen, if anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Screen {
    Main,
    Help,
    Map,
    Threads,
    Details,
}

/// A process that something is read of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Subject {
    /// As the board names it.
    pub(crate) id: String,
    pub(crate) pid: Pid,
}

/// What the view wants done; what comes of it is told to it later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    /// Threads and memory of a process.
    Inspect { when: When, of: Subject },
    /// All evidence about a process.
    Diagnose { when: When, of: Subject },
    /// What leaks on the host, or in these processes.
    Survey { when: When, pids: Vec<Pid> },
    /// A case file of a process.
    Save { when: When, pid: Pid },
    /// A report of a process.
    Report { when: When, pid: Pid },
    /// The host at a moment of the past, in milliseconds since 1970; at its end without one.
    Visit { at_ms: Option<i64> },
    /// The end of what was recorded, once it is later than that.
    Follow { known_ms: i64 },
    Mouse(bool),
    Redraw,
    Suspend,
    Quit,
}

/// What was read of the selected process.
#[derive(Debug)]
pub(crate) struct Inspected {
    pub(crate) of: Subject,
    pub(crate) threads: Result<ThreadsDocument, String>,
    pub(crate) map: Result<MapDocument, String>,
    /// Mappings of equal size, as text.
    pub(crate) sizes: String,
    pub(crate) took_s: f64,
}

/// What was concluded by a diagnosis, and from what.
pub(crate) struct Judged {
    pub(crate) diagnosis: Diagnosis,
    pub(crate) analyser: Analyser,
    /// As the command line prints it.
    pub(crate) text: String,
}

/// A moment of the past, opened.
pub(crate) struct Visited {
    pub(crate) board: Board,
    pub(crate) at_ms: i64,
    /// From when to when there is something.
    pub(crate) first_ms: i64,
    pub(crate) last_ms: i64,
}

/// What the view starts from.
#[derive(Clone, Debug)]
pub(crate) struct Start {
    pub(crate) when: When,
    /// Is there a recorder's store to jump into?
    pub(crate) has_past: bool,
    pub(crate) order: TopOrder,
    /// These processes alone; everybody when empty.
    pub(crate) only: Vec<Pid>,
    pub(crate) host: String,
}

/// The live view.
pub(crate) struct App {
    start: Start,
    when: When,
    board: Board,
    /// The board of now, while another is shown: of a moment of the past, or of when it was frozen.
    live: Option<Board>,
    /// Who is listed, in order. Rows are made of those only that are seen.
    listed: Vec<ProcessNo>,
    /// The row that the cursor is on.
    current: Option<BoardRow>,
    order: TopOrder,
    filter: String,
    pub(crate) list: List,
    /// The selected process; without one the first of the list is, whoever that is.
    selected: Option<ProcessNo>,
    frozen: bool,
    screen: Screen,
    pub(crate) pager: Pager,
    prompt: Option<Prompt>,
    filter_before: String,
    message: Option<(String, Role)>,
    /// What is going on that takes a while, as a word.
    busy: Option<&'static str>,
    /// Files that are being written.
    keeping: usize,
    inspected: Option<Inspected>,
    inspecting: Option<String>,
    inspect_at_s: f64,
    diagnosed: Option<(String, Result<String, String>)>,
    survey: Option<Result<Diagnosis, String>>,
    surveying: bool,
    surveyed_unix_s: f64,
    survey_at_s: f64,
    /// A moment on the way to which the view is.
    going_to_ms: Option<i64>,
    span_ms: Option<(i64, i64)>,
    follows: bool,
    follow_at_s: f64,
    mouse: bool,
    requests: VecDeque<Request>,
    dirty: bool,
}

impl App {
    pub(crate) fn new(start: Start) -> Self {
        let mut app = Self {
            when: start.when,
            board: Board::default(),
            live: None,
            listed: Vec::new(),
            current: None,
            order: start.order,
            filter: String::new(),
            list: List::default(),
            selected: None,
            frozen: false,
            screen: Screen::Main,
            pager: Pager::default(),
            prompt: None,
            filter_before: String::new(),
            message: None,
            busy: None,
            keeping: 0,
            inspected: None,
            inspecting: None,
            inspect_at_s: f64::INFINITY,
            diagnosed: None,
            survey: None,
            surveying: false,
            surveyed_unix_s: 0.0,
            survey_at_s: f64::INFINITY,
            going_to_ms: None,
            span_ms: None,
            follows: true,
            follow_at_s: f64::INFINITY,
            mouse: false,
            requests: VecDeque::new(),
            dirty: true,
            start,
        };
        match app.when {
            When::Live => app.survey_at_s = 0.0,
            When::Past(at_ms) => app.visit((at_ms < i64::MAX).then_some(at_ms)),
            When::Case => app.visit(None),
        }
        app
    }

    /// What is to be done now.
    pub(crate) fn next_request(&mut self) -> Option<Request> {
        self.requests.pop_front()
    }

    /// Did anything change that is seen? Asked once for each drawing.
    pub(crate) fn take_dirty(&mut self) -> bool {
        std::mem::take(&mut self.dirty)
    }

    /// Draw again, whatever changed.
    pub(crate) fn touch(&mut self) {
        self.dirty = true;
    }

    /// How many processes are listed.
    pub(crate) fn len(&self) -> usize {
        self.listed.len()
    }

    /// A row of the list, with so many values of its sparkline at most.
    pub(crate) fn row(&self, at: usize, spark: usize) -> Option<BoardRow> {
        self.board.row(*self.listed.get(at)?, spark)
    }

    pub(crate) fn order(&self) -> TopOrder {
        self.order
    }

    pub(crate) fn filter(&self) -> &str {
        &self.filter
    }

    pub(crate) fn screen(&self) -> Screen {
        self.screen
    }

    pub(crate) fn prompt(&self) -> Option<&Prompt> {
        self.prompt.as_ref()
    }

    pub(crate) fn message(&self) -> Option<(&str, Role)> {
        self.message.as_ref().map(|(text, role)| (text.as_str(), *role))
    }

    pub(crate) fn when(&self) -> When {
        self.when
    }

    pub(crate) fn is_frozen(&self) -> bool {
        self.frozen
    }

    /// Is the newest of what was recorded shown, and followed?
    pub(crate) fn is_at_end(&self) -> bool {
        self.follows
    }

    /// Is a file being written?
    pub(crate) fn busy_keeping(&self) -> bool {
        self.keeping > 0
    }

    pub(crate) fn busy(&self) -> Option<&'static str> {
        self.busy
    }

    pub(crate) fn host(&self) -> &HostFigures {
        self.board.host()
    }

    pub(crate) fn host_name(&self) -> &str {
        match &self.survey {
            Some(Ok(diagnosis)) if !diagnosis.host.name.is_empty() => diagnosis.host.name.as_str(),
            _ => &self.start.host,
        }
    }

    /// The moment that is shown, in Unix seconds; 0 before anything is known.
    pub(crate) fn at_unix_s(&self) -> f64 {
        match self.when {
            When::Past(at_ms) if at_ms < i64::MAX => at_ms as f64 / 1e3,
            _ => self.board.at_unix_s(),
        }
    }

    pub(crate) fn survey(&self) -> Option<&Result<Diagnosis, String>> {
        self.survey.as_ref()
    }

    /// As of when the findings are; `None` where that is the moment that is shown.
    pub(crate) fn surveyed_unix_s(&self) -> Option<f64> {
        (self.when == When::Live && self.surveyed_unix_s > 0.0).then_some(self.surveyed_unix_s)
    }

    pub(crate) fn is_surveying(&self) -> bool {
        self.surveying
    }

    /// The selected process, as the list has it.
    pub(crate) fn current(&self) -> Option<&BoardRow> {
        self.current.as_ref()
    }

    fn has_ended(&self) -> bool {
        self.current.as_ref().is_some_and(|row| row.ended)
    }

    /// What was read of the selected process, if that was.
    pub(crate) fn inspected(&self) -> Option<&Inspected> {
        let current = self.current()?;
        self.inspected.as_ref().filter(|inspected| inspected.of.id == current.id)
    }

    /// Why no process is shown.
    pub(crate) fn nobody(&self) -> &'static str {
        if self.busy.is_some() || self.at_unix_s() == 0.0 {
            "reading…"
        } else if self.start.only.is_empty() {
            "no process was seen"
        } else {
            "the processes that were asked for have ended"
        }
    }

    fn subject(&self) -> Option<Subject> {
        self.current().map(|row| Subject { id: row.id.clone(), pid: row.row.process.pid })
    }

    /// Lists who is on the board now, with the cursor where it was. Who ended is left out, but for the selected one.
    fn arrange(&mut self) {
        let only = &self.start.only;
        let board = &self.board;
        let wanted = |no: &ProcessNo| {
            (!board.has_ended(*no) || self.selected == Some(*no))
                && (only.is_empty() || board.who(*no).is_some_and(|who| only.contains(&who.key.pid)))
        };
        let mut listed = board.order(self.order, &self.filter);
        listed.retain(wanted);
        let at = match self.selected {
            None => 0,
            Some(no) => listed.iter().position(|one| *one == no).unwrap_or(self.list.at()),
        };
        self.listed = listed;
        self.list.set(self.listed.len(), at);
        self.point();
    }

    /// Looks at what the cursor is on.
    fn point(&mut self) {
        self.current = self.row(self.list.at(), 0);
        self.dirty = true;
    }

    /// Takes another board; who was selected still is, if it is there.
    fn turn_to(&mut self, board: Board) -> Board {
        let id = self.selected.and(self.current.as_ref()).map(|row| row.id.clone());
        let before = std::mem::replace(&mut self.board, board);
        self.selected = id.and_then(|id| self.board.find(&id));
        before
    }

    // What happened.

    /// The host was sampled: the board of now goes on, whatever is shown.
    pub(crate) fn ticked(&mut self, tick: &model::Tick, now_s: f64) {
        match &mut self.live {
            Some(live) => live.take(tick),
            None => self.board.take(tick),
        }
        if self.when == When::Live && !self.frozen {
            let first = self.listed.is_empty();
            self.after_change(Self::arrange, now_s);
            if first {
                // Who comes first is seen without waiting for a rest.
                self.inspect_at_s = now_s;
            }
        }
    }

    /// The selected process was read.
    pub(crate) fn took_inspected(&mut self, inspected: Inspected, now_s: f64) {
        self.inspecting = None;
        let current = self.subject();
        if current.as_ref() != Some(&inspected.of) {
            self.inspect_at_s = now_s;
            return;
        }
        self.inspect_at_s = match self.when {
            When::Live => now_s + AGAIN_S.max(inspected.took_s * AGAIN_TIMES),
            _ => f64::INFINITY,
        };
        let known = self.inspected().is_some();
        // Who ended meanwhile can't be read any more: what was read before stands.
        let worse = inspected.threads.is_err() && inspected.map.is_err();
        if !known || !(self.frozen || worse) {
            self.inspected = Some(inspected);
            self.fill_pager();
            self.dirty = true;
        }
    }

    /// A process was diagnosed.
    pub(crate) fn took_diagnosed(&mut self, of: Subject, judged: Result<Judged, String>) {
        if let Ok(judged) = &judged {
            self.board.learn(&judged.analyser, &judged.diagnosis.findings, false);
        }
        self.diagnosed = Some((of.id, judged.map(|judged| judged.text)));
        self.fill_pager();
        self.dirty = true;
    }

    /// The host was judged.
    pub(crate) fn took_survey(&mut self, when: When, survey: Result<Judged, String>, now_s: f64) {
        if !self.surveying || (when != self.when && !self.follows) {
            // Of a moment that was left meanwhile.
            return;
        }
        self.surveying = false;
        self.surveyed_unix_s = self.at_unix_s();
        self.survey_at_s = if when == When::Live { now_s + SURVEY_S } else { f64::INFINITY };
        if let Ok(judged) = &survey {
            let now = self.live.as_mut().filter(|_| when == When::Live);
            now.unwrap_or(&mut self.board).learn(&judged.analyser, &judged.diagnosis.findings, true);
        }
        self.survey = Some(survey.map(|judged| judged.diagnosis));
        if !self.frozen {
            self.after_change(Self::arrange, now_s);
        }
        self.dirty = true;
    }

    /// A moment of the past was opened.
    pub(crate) fn took_visited(&mut self, visited: Result<Visited, String>, now_s: f64) {
        self.busy = None;
        self.dirty = true;
        let visited = match visited {
            Ok(visited) => visited,
            Err(error) => {
                self.going_to_ms = None;
                self.message = Some((error, Role::Bad));
                return;
            }
        };
        let Visited { board, at_ms, first_ms, last_ms } = visited;
        self.going_to_ms = None;
        self.span_ms = Some((first_ms, last_ms));
        let before = self.turn_to(board);
        if self.when == When::Live {
            // A frozen one is not that of now.
            self.live.get_or_insert(before);
        }
        self.frozen = false;
        self.when = if self.start.when == When::Case { When::Case } else { When::Past(at_ms) };
        self.follows = at_ms >= last_ms && matches!(self.start.when, When::Past(_));
        self.follow_at_s = if self.follows { now_s + FOLLOW_S } else { f64::INFINITY };
        self.inspected = None;
        self.diagnosed = None;
        self.survey = None;
        self.survey_at_s = now_s;
        self.surveying = false;
        self.after_change(Self::arrange, now_s);
        self.inspect_at_s = now_s + REST_S;
        self.fill_pager();
    }

    /// The end of what was recorded moved on, or did not. What was read of the selected process is shown until it is read
    /// anew.
    pub(crate) fn took_followed(&mut self, visited: Option<Visited>, now_s: f64) {
        if !self.follows || self.going_to_ms.is_some() {
            return;
        }
        self.follow_at_s = now_s + FOLLOW_S;
        let Some(Visited { board, at_ms, first_ms, last_ms }) = visited.filter(|_| !self.frozen) else { return };
        self.span_ms = Some((first_ms, last_ms));
        self.when = When::Past(at_ms);
        self.after_change(
            |app| {
                let before = app.turn_to(board);
                app.board.remember(before);
                app.arrange();
            },
            now_s,
        );
        self.inspect_at_s = now_s;
        self.survey_at_s = if self.surveying { f64::INFINITY } else { self.survey_at_s.min(now_s + SURVEY_S) };
    }

    /// A file was written, or not.
    pub(crate) fn took_kept(&mut self, kept: Result<String, String>) {
        self.keeping = self.keeping.saturating_sub(1);
        self.busy = None;
        self.dirty = true;
        self.message = Some(match kept {
            Ok(said) => (said, Role::Good),
            Err(error) => (error, Role::Bad),
        });
    }

    /// Time went by: what is due is asked for.
    pub(crate) fn at(&mut self, now_s: f64) {
        if self.survey_at_s <= now_s && !self.surveying {
            self.survey_at_s = f64::INFINITY;
            if !self.frozen || self.survey.is_none() {
                self.surveying = true;
                self.requests.push_back(Request::Survey { when: self.when, pids: self.start.only.clone() });
                self.dirty = true;
            }
        }
        if self.follow_at_s <= now_s {
            self.follow_at_s = f64::INFINITY;
            if let Some((_, known_ms)) = self.span_ms {
                self.requests.push_back(Request::Follow { known_ms });
            }
        }
        if self.inspect_at_s <= now_s && self.inspecting.is_none() {
            self.inspect_at_s = f64::INFINITY;
            let Some(of) = self.subject() else { return };
            let known = self.inspected().is_some();
            if self.has_ended() || (self.frozen && known) {
                return;
            }
            self.inspecting = Some(of.id.clone());
            self.requests.push_back(Request::Inspect { when: self.when, of });
            self.dirty |= !known;
        }
    }

    /// When something is due next, in seconds; infinity when nothing is.
    pub(crate) fn due_s(&self) -> f64 {
        let inspect = if self.inspecting.is_some() { f64::INFINITY } else { self.inspect_at_s };
        let survey = if self.surveying { f64::INFINITY } else { self.survey_at_s };
        inspect.min(survey).min(self.follow_at_s)
    }

    /// Does something that may change which process is selected; if it did, that one is read once the cursor rests.
    pub(super) fn after_change(&mut self, change: impl FnOnce(&mut Self), now_s: f64) {
        let before = self.subject();
        change(self);
        if self.subject() != before {
            self.inspect_at_s = now_s + REST_S;
            self.fill_pager();
        }
        self.dirty = true;
    }

    // What is shown over the whole screen.

    /// Fills the text of the screen that is shown, as far as what it shows was read.
    fn fill_pager(&mut self) {
        let term = Term::default();
        let reading = || "reading…".to_owned();
        let (text, wraps) = match self.screen {
            Screen::Main | Screen::Help => return,
            Screen::Map => (
                match self.inspected().map(|inspected| (&inspected.map, &inspected.sizes)) {
                    Some((Ok(map), sizes)) => format!("{}\n{sizes}", map.text(term)),
                    Some((Err(error), _)) => error.clone(),
                    None => reading(),
                },
                false,
            ),
            Screen::Threads => (
                match self.inspected().map(|inspected| &inspected.threads) {
                    Some(Ok(threads)) => threads.text(term, true),
                    Some(Err(error)) => error.clone(),
                    None => reading(),
                },
                false,
            ),
            Screen::Details => {
                let id = self.current().map(|row| &row.id);
                let text = match &self.diagnosed {
                    Some((of, Ok(text))) if Some(of) == id => text.clone(),
                    Some((of, Err(error))) if Some(of) == id => error.clone(),
                    _ => reading(),
                };
                (text, true)
            }
        };
        self.pager.set(text, wraps);
    }

    // What the keys ask for, see `act`.

    pub(super) fn ask(&mut self, request: Request) {
        self.requests.push_back(request);
    }

    pub(super) fn say(&mut self, text: impl Into<String>, role: Role) {
        self.message = Some((text.into(), role));
        self.dirty = true;
    }

    pub(super) fn forget_message(&mut self) {
        self.dirty |= self.message.take().is_some();
    }

    pub(super) fn open(&mut self, screen: Screen) {
        if screen != self.screen {
            self.pager = Pager::default();
        }
        self.screen = screen;
        if screen == Screen::Details
            && let Some(of) = self.subject()
        {
            if self.has_ended() {
                // What was said of it while it was there stands.
                if self.diagnosed.as_ref().is_none_or(|(id, _)| *id != of.id) {
                    self.diagnosed = Some((of.id, Err("it ended before it was looked at".to_owned())));
                }
            } else {
                self.diagnosed = self.diagnosed.take().filter(|(id, _)| *id == of.id);
                self.ask(Request::Diagnose { when: self.when, of });
            }
        }
        self.fill_pager();
        self.dirty = true;
    }

    pub(super) fn keep(&mut self, report: bool) {
        let Some(of) = self.subject() else { return self.say("no process is selected", Role::Warn) };
        if self.has_ended() {
            return self.say(format!("process {} ended: there is nothing left to read of it", of.pid), Role::Warn);
        }
        let (when, pid) = (self.when, of.pid);
        self.keeping += 1;
        self.busy = Some(if report { "writing the report…" } else { "saving…" });
        self.ask(if report { Request::Report { when, pid } } else { Request::Save { when, pid } });
        self.dirty = true;
    }

    pub(super) fn freeze(&mut self, now_s: f64) {
        self.frozen = !self.frozen;
        if self.frozen && self.when == When::Live {
            self.live = Some(self.board.clone());
        }
        if !self.frozen {
            if let (When::Live, Some(live)) = (self.when, self.live.take()) {
                self.board = live;
            }
            self.after_change(Self::arrange, now_s);
            self.inspect_at_s = self.inspect_at_s.min(now_s + REST_S);
            if self.when == When::Live && self.survey_at_s.is_infinite() {
                self.survey_at_s = now_s + SURVEY_S;
            }
        }
        self.dirty = true;
    }

    pub(super) fn turn_mouse(&mut self) {
        self.mouse = !self.mouse;
        self.ask(Request::Mouse(self.mouse));
        let words = if self.mouse { "the mouse selects; M gives it back" } else { "the mouse is the terminal's again" };
        self.say(words, Role::Plain);
    }

    pub(super) fn set_order(&mut self, order: TopOrder, now_s: f64) {
        self.order = order;
        self.after_change(Self::arrange, now_s);
    }

    pub(super) fn set_filter(&mut self, filter: &str, now_s: f64) {
        filter.clone_into(&mut self.filter);
        self.after_change(Self::arrange, now_s);
    }

    pub(super) fn ask_for(&mut self, asked: Asked) {
        let text = if asked == Asked::Filter { self.filter.clone() } else { String::new() };
        self.filter_before.clone_from(&self.filter);
        self.prompt = Some(Prompt::new(asked, &text));
        self.dirty = true;
    }

    pub(super) fn prompt_mut(&mut self) -> Option<&mut Prompt> {
        self.prompt.as_mut()
    }

    pub(super) fn close_prompt(&mut self) -> Option<Prompt> {
        self.dirty = true;
        self.prompt.take()
    }

    /// Moves the cursor; from then on the process that it is on is meant, wherever it goes.
    pub(super) fn select(&mut self, step: impl FnOnce(&mut List), now_s: f64) {
        self.after_change(
            |app| {
                let ended = app.has_ended();
                step(&mut app.list);
                app.selected = app.listed.get(app.list.at()).copied();
                app.point();
                if ended && !app.has_ended() {
                    // Who ended was listed as long as it was selected.
                    app.arrange();
                }
            },
            now_s,
        );
    }

    /// The first of the list is meant from now on, whoever that is.
    pub(super) fn select_first(&mut self, now_s: f64) {
        self.after_change(
            |app| {
                app.selected = None;
                app.arrange();
            },
            now_s,
        );
    }

    // Time.

    fn visit(&mut self, at_ms: Option<i64>) {
        self.going_to_ms = at_ms;
        self.busy = Some("reading…");
        self.ask(Request::Visit { at_ms });
        self.dirty = true;
    }

    /// Goes over what was recorded by so many seconds.
    pub(super) fn jump(&mut self, by_s: i64, now_unix_s: f64, now_s: f64) {
        let from = match (self.going_to_ms, self.when) {
            (Some(going), _) => going,
            (None, When::Past(at_ms)) if at_ms < i64::MAX => at_ms,
            (None, When::Live) if by_s < 0 => (now_unix_s * 1e3) as i64,
            (None, When::Live) => return self.say("this is now", Role::Plain),
            _ => return self.say("a case file of looks has no times between them", Role::Warn),
        };
        self.go_to(from.saturating_add(by_s.saturating_mul(1_000)), now_unix_s, now_s);
    }

    /// Goes to a moment.
    pub(super) fn go_to(&mut self, at_ms: i64, now_unix_s: f64, now_s: f64) {
        if self.start.when == When::Case {
            return self.say("a case file of looks has no times between them", Role::Warn);
        }
        if !self.start.has_past {
            return self.say("nothing is recorded on this host yet: flatfoot record", Role::Warn);
        }
        let last = self.span_ms.map_or(i64::MAX, |(_, last)| last);
        if at_ms >= (now_unix_s * 1e3) as i64 - 500 || at_ms > last {
            return self.to_the_end(now_s);
        }
        if let Some((first, _)) = self.span_ms
            && at_ms < first
        {
            self.say("that is where the recording begins", Role::Plain);
        }
        self.follows = false;
        self.visit(Some(at_ms));
    }

    /// Follows what is newest: the host itself, where that is what was opened, else the end of what was recorded.
    fn to_the_end(&mut self, now_s: f64) {
        if self.start.when != When::Live {
            self.follows = true;
            return self.visit(None);
        }
        if let Some(live) = self.live.take() {
            self.turn_to(live);
        }
        self.frozen = false;
        self.when = When::Live;
        self.going_to_ms = None;
        self.busy = None;
        self.inspected = None;
        self.diagnosed = None;
        self.survey = None;
        self.surveying = false;
        self.survey_at_s = now_s;
        self.after_change(Self::arrange, now_s);
        self.inspect_at_s = now_s + REST_S;
        self.fill_pager();
        self.say("live again", Role::Good);
    }

    /// What the prompt's filter was before it was changed.
    pub(super) fn filter_before(&self) -> String {
        self.filter_before.clone()
    }
}
