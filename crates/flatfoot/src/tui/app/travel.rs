//! Jumps in time, over what was recorded, and back to now.

use super::super::palette::Role;
use super::heard::REST_S;
use super::{App, Request, When};

impl App {
    pub(super) fn visit(&mut self, at_ms: Option<i64>) {
        (self.going, self.going_to_ms) = (true, at_ms);
        self.busy = Some("reading…");
        self.ask(Request::Visit { at_ms });
        self.dirty = true;
    }

    /// Goes over what was recorded by so many seconds.
    pub(crate) fn jump(&mut self, by_s: i64, now_unix_s: f64, now_s: f64) {
        let from = match (self.going_to_ms, self.when) {
            (Some(going), _) => going,
            (None, When::Past(i64::MAX)) => return self.say("nothing was read yet", Role::Warn),
            (None, When::Past(at_ms)) => at_ms,
            (None, When::Live) if by_s < 0 => (now_unix_s * 1e3) as i64,
            (None, When::Live) => return self.say("this is now", Role::Plain),
            _ => return self.say("a case file of looks has no times between them", Role::Warn),
        };
        self.go_to(from.saturating_add(by_s.saturating_mul(1_000)), now_unix_s, now_s);
    }

    /// Goes to a moment.
    pub(crate) fn go_to(&mut self, at_ms: i64, now_unix_s: f64, now_s: f64) {
        if self.start.when == When::Case {
            return self.say("a case file of looks has no times between them", Role::Warn);
        }
        if !self.start.has_past {
            return self.say("nothing is recorded on this host yet: flatfoot record", Role::Warn);
        }
        if at_ms >= (now_unix_s * 1e3) as i64 - 500 {
            return self.go_to_the_end(now_s);
        }
        if let Some((first, _)) = self.span_ms
            && at_ms < first
        {
            self.say("that is where the recording begins", Role::Plain);
        }
        self.visit(Some(at_ms));
    }

    /// Follows what is newest: the host itself, where that is what was opened, else the end of what was recorded.
    pub(super) fn go_to_the_end(&mut self, now_s: f64) {
        if self.start.when != When::Live {
            return self.visit(None);
        }
        if let Some(live) = self.live.take() {
            self.turn_to(live);
        }
        self.frozen = false;
        self.when = When::Live;
        (self.going, self.going_to_ms) = (false, None);
        self.busy = None;
        self.inspected = None;
        self.diagnosed = None;
        self.survey = None;
        self.surveying = false;
        self.survey_at_s = now_s;
        self.arrange();
        self.inspect_at_s = now_s + REST_S;
        self.open(self.screen);
        self.say("live again", Role::Good);
    }

    /// What the prompt's filter was before it was changed.
    pub(crate) fn filter_before(&self) -> String {
        self.filter_before.clone()
    }
}
