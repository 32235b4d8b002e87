//! What the live view knows and shows, and what it wants done. Draws nothing, reads nothing, knows no clock: it is told
//! what happened and when, and answers with [`Request`]s.

mod heard;
mod travel;
mod wanted;
mod wish;

use std::collections::VecDeque;

use model::ProcessNo;

use super::list::List;
use super::pager::Pager;
use super::palette::Role;
use super::prompt::Prompt;
use crate::analyse::Diagnosis;
use crate::board::{Board, BoardRow, HostFigures};
use crate::cli::TopOrder;
pub(crate) use wish::{Inspected, Judged, Request, Screen, Start, Subject, Visited, When};

/// What was read so many seconds before is not said to be older than the rest.
const FRESH_S: f64 = 5.0;

/// The live view.
#[allow(clippy::struct_excessive_bools)] // each by itself, none a state of another
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
    inspected_unix_s: f64,
    inspecting: Option<String>,
    inspect_at_s: f64,
    diagnosed: Option<(String, Result<String, String>)>,
    diagnosed_unix_s: f64,
    survey: Option<Result<Diagnosis, String>>,
    surveying: bool,
    surveyed_unix_s: f64,
    survey_at_s: f64,
    /// Is the view on its way to another moment?
    going: bool,
    /// And to which? Without one, to the end of what was recorded.
    going_to_ms: Option<i64>,
    span_ms: Option<(i64, i64)>,
    follows: bool,
    follow_at_s: f64,
    /// For how many minutes nothing more was recorded.
    silent_min: u64,
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
            inspected_unix_s: 0.0,
            inspecting: None,
            inspect_at_s: f64::INFINITY,
            diagnosed: None,
            diagnosed_unix_s: 0.0,
            survey: None,
            surveying: false,
            surveyed_unix_s: 0.0,
            survey_at_s: f64::INFINITY,
            going: false,
            going_to_ms: None,
            span_ms: None,
            follows: true,
            follow_at_s: f64::INFINITY,
            silent_min: 0,
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
        self.follows && !self.going && matches!(self.when, When::Past(_))
    }

    /// How many files are being written.
    pub(crate) fn keeping(&self) -> usize {
        self.keeping
    }

    /// Is the mouse ours?
    pub(crate) fn has_mouse(&self) -> bool {
        self.mouse
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

    /// For how many minutes nothing more was recorded, where the newest of it is shown.
    pub(crate) fn silent_min(&self) -> u64 {
        if self.is_at_end() { self.silent_min } else { 0 }
    }

    /// As of when the findings are; `None` where that is the moment that is shown.
    pub(crate) fn surveyed_unix_s(&self) -> Option<f64> {
        let differs = self.when == When::Live || self.surveyed_unix_s != self.at_unix_s();
        (self.goes_on() && differs && self.surveyed_unix_s > 0.0).then_some(self.surveyed_unix_s)
    }

    #[cfg(test)]
    pub(crate) fn going_to_ms(&self) -> Option<i64> {
        self.going_to_ms
    }

    /// Does what is shown change by itself?
    fn goes_on(&self) -> bool {
        self.when == When::Live || (self.follows && self.when != When::Case)
    }

    /// Is an answer about that time one about the time that is shown?
    fn is_of_now(&self, when: When) -> bool {
        let past = |when| matches!(when, When::Past(_));
        when == self.when || (self.follows && past(when) && past(self.when))
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

    /// As of when the selected process was read, where that is well before the moment that is shown.
    pub(crate) fn read_unix_s(&self) -> Option<f64> {
        let read_unix_s = match self.screen {
            Screen::Details => self.diagnosed.as_ref().map(|_| self.diagnosed_unix_s),
            _ => self.inspected().map(|_| self.inspected_unix_s),
        };
        read_unix_s.filter(|read_s| self.when == When::Live && self.at_unix_s() - read_s > FRESH_S)
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
        let was = self.list.at();
        let at = match self.selected {
            None => 0,
            Some(no) => match listed.iter().position(|one| *one == no) {
                // Who ended is the last of all; one that is looked at stays where it was.
                Some(at) if self.board.has_ended(no) && was < at => {
                    listed.remove(at);
                    listed.insert(was, no);
                    was
                }
                found => found.unwrap_or(was),
            },
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
}
