//! What happened: ticks, answers, and time that went by.

use model::Tick;

use super::super::act::Now;
use super::super::palette::Role;
use super::{App, Inspected, Judged, Request, Subject, Visited, When};

/// A process is read in full when the selection has rested on it for so long.
pub(super) const REST_S: f64 = 0.15;
/// And again after so long at least, or so many times what it took.
pub(super) const AGAIN_S: f64 = 2.0;
pub(super) const AGAIN_TIMES: f64 = 20.0;
/// The end of what was recorded is looked for after so long.
pub(super) const FOLLOW_S: f64 = 2.0;
/// The whole host is judged again after so long.
pub(super) const SURVEY_S: f64 = 60.0;

impl App {
    /// The host was sampled: the board of now goes on, whatever is shown.
    pub(crate) fn ticked(&mut self, tick: &Tick, now_s: f64) {
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
        if current.as_ref() != Some(&inspected.of) || !self.is_of_now(inspected.when) {
            self.inspect_at_s = now_s;
            return;
        }
        self.inspect_at_s = match self.when {
            When::Live => now_s + AGAIN_S.max(inspected.took_s * AGAIN_TIMES),
            when if when == inspected.when => f64::INFINITY,
            _ => now_s,
        };
        let known = self.inspected().is_some();
        // Who ended meanwhile can't be read any more: what was read before stands.
        let worse = inspected.threads.is_err() && inspected.map.is_err();
        if !known || !(self.frozen || worse) {
            self.inspected_unix_s = self.at_unix_s();
            self.inspected = Some(inspected);
            self.fill_pager();
            self.dirty = true;
        }
    }

    /// A process was diagnosed.
    pub(crate) fn took_diagnosed(&mut self, when: When, of: Subject, judged: Result<Judged, String>) {
        if !self.is_of_now(when) {
            return;
        }
        if let Ok(judged) = &judged {
            self.board.learn(&judged.analyser, &judged.diagnosis.findings, false);
        }
        self.diagnosed_unix_s = self.at_unix_s();
        self.diagnosed = Some((of.id, judged.map(|judged| judged.text)));
        self.fill_pager();
        self.dirty = true;
    }

    /// The host was judged.
    pub(crate) fn took_survey(&mut self, when: When, survey: Result<Judged, String>, now_s: f64) {
        if !self.surveying || !self.is_of_now(when) {
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
    pub(crate) fn took_visited(&mut self, asked: Option<i64>, visited: Result<Visited, String>, now_s: f64) {
        if !self.going || self.going_to_ms != asked {
            // Somebody went on to another moment, or back to now.
            return;
        }
        (self.going, self.going_to_ms) = (false, None);
        self.busy = None;
        self.dirty = true;
        let visited = match visited {
            Ok(visited) => visited,
            Err(error) => {
                self.message = Some((error, Role::Bad));
                return;
            }
        };
        let Visited { board, at_ms, first_ms, last_ms } = visited;
        self.span_ms = Some((first_ms, last_ms));
        if self.start.when == When::Live && asked.is_some_and(|asked| asked > last_ms) {
            return self.go_to_the_end(now_s);
        }
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
        self.arrange();
        self.inspect_at_s = now_s + REST_S;
        self.open(self.screen);
    }

    /// The end of what was recorded moved on, or did not. What was read of the selected process is shown until it is read
    /// anew.
    pub(crate) fn took_followed(&mut self, visited: Option<Visited>, now: Now) {
        if !self.follows {
            return;
        }
        let now_s = now.monotonic_s;
        self.follow_at_s = now_s + FOLLOW_S;
        if self.going {
            return;
        }
        let newest_s = visited.as_ref().map_or(self.at_unix_s(), |visited| visited.at_ms as f64 / 1e3);
        let silent_min = ((now.unix_s - newest_s) / 60.0) as u64;
        self.dirty |= silent_min != self.silent_min;
        self.silent_min = silent_min;
        let Some(Visited { board, at_ms, first_ms, last_ms }) = visited.filter(|_| !self.frozen) else {
            return;
        };
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
        self.survey_at_s =
            if self.surveying { f64::INFINITY } else { self.survey_at_s.min(now_s + SURVEY_S) };
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
    pub(crate) fn after_change(&mut self, change: impl FnOnce(&mut Self), now_s: f64) {
        let before = self.subject();
        change(self);
        if self.subject() != before {
            self.inspect_at_s = now_s + REST_S;
            self.open(self.screen);
        }
        self.dirty = true;
    }
}
