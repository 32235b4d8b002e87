//! The judge that watches: takes points one by one, keeps little, and looks at times of its own choosing, so
//! that the same points give the same verdict however often anybody asks.
//!
//! What decides is not the test but the peeking: a judge that looks at each tick and believes its first alarm
//! calls half of all healthy series leaks within a day. So nothing is a leak until it has held while the time
//! of observation doubled; within a moving window ([`super::window`]) until it held for as long as the window is,
//! with growth that is new against what was before; and counted steps until their cadence is sure.

use model::{Cadence, State, Verdict};

use super::ladder::Ladder;
use super::look::{self, Look};
use super::series::{Series, Unit, accept};
use super::staircase::{MOST, MOST_IDLE, Staircase};
use super::window::Window;
use super::{Context, LEAST_SAMPLES, words};

/// Lengths of the moving windows, in seconds.
const WINDOWS: [f64; 3] = [1_800.0, 7_200.0, 28_800.0];

/// All that was seen is looked at each time it is an eighth longer, and once an hour at least.
const NEXT_LOOK: f64 = 1.12;
/// What has grown long enough, yet not without a break (a day's load goes down, too), must hold so long.
const LONGEST_DOUBT: f64 = 4.0 * HOUR;
const HOUR: f64 = 3_600.0;

/// Bytes that grow are no leak before they have grown for so long: a cache that fills, the rise of a day's
/// load, a major collection that has not come are the same to the eye until then.
const PATIENCE: f64 = 11.0 * HOUR;

/// Blocks of a ladder that nothing happens in, and of one that matters.
const IDLE_BLOCKS: u16 = 12;
const IDLE_BLOCKS_OF_COUNTS: u16 = 8;
const FULL_BLOCKS: u16 = 128;

/// Counts of which at most this share is given back need no patience.
const GIVEN_BACK: f64 = 0.25;

/// A train of counted steps is believed from so many steps on, when it explains this share of the rise.
const LEAST_STEPS: u64 = 6;
const EXPLAINED: f64 = 0.8;

/// Watches one series. While nothing moves it is a few hundred bytes; [`Tracker::bytes`] tells.
#[derive(Clone, Debug)]
pub struct Tracker {
    unit: Unit,
    interval: f32,
    first: f64,
    last: f64,
    value: f64,
    body: Body,
}

#[derive(Clone, Debug)]
enum Body {
    New,
    Idle { least: f64, most: f64, ladder: Ladder, stairs: Staircase },
    Full(Box<Full>),
}

/// What is kept of a series that moves.
#[derive(Clone, Debug)]
struct Full {
    ladder: Ladder,
    windows: [Window; 3],
    stairs: Option<Staircase>,
    next_look: f64,
    next_steps: f64,
    /// Since when each way of looking has said Leak without a break; the whole, the windows, the steps.
    since: [Option<f64>; 5],
    /// The same at its last look.
    says: [bool; 5],
    /// Looks in a row that said otherwise: one alone is chance.
    misses: [u8; 5],
    /// Seconds that growth must have lasted.
    patience: f32,
    /// Sums of all rises and falls, from point to point.
    rises: f64,
    falls: f64,
    value: f64,
    /// When what the last look at the whole saw began to grow.
    grows_since: f64,
    /// When it was first confirmed, and by which way it still is.
    confirmed: Option<f64>,
    stopped: Option<f64>,
    cadence: Vec<Cadence>,
}

const WHOLE: usize = 0;
const STEPS: usize = 4;

impl Tracker {
    /// Watches a series whose points come about this many seconds apart.
    #[must_use]
    pub fn new(unit: Unit, interval_s: f64) -> Self {
        let interval = if interval_s.is_finite() { interval_s.clamp(1e-3, 86_400.0) } else { 10.0 };
        Self {
            unit,
            interval: interval as f32,
            first: 0.0,
            last: f64::NEG_INFINITY,
            value: 0.0,
            body: Body::New,
        }
    }

    /// Takes a point; one that is not finite, or not later than the one before, is left out. Returns true
    /// when the verdict may have changed.
    pub fn push(&mut self, at_s: f64, value: f64) -> bool {
        let before = self.last;
        if !accept(&mut self.last, (at_s, value)) {
            return false;
        }
        self.value = value;
        let interval = f64::from(self.interval);
        match &mut self.body {
            Body::New => {
                self.first = at_s;
                let counts = self.unit == Unit::Count;
                let blocks = if counts { IDLE_BLOCKS_OF_COUNTS } else { IDLE_BLOCKS };
                let mut ladder = Ladder::new(at_s, interval, value, blocks);
                ladder.push(at_s, value);
                let mut stairs = Staircase::default();
                if counts {
                    stairs.push(0.0, value, MOST_IDLE);
                }
                self.body = Body::Idle { least: value, most: value, ladder, stairs };
                false
            }
            Body::Idle { least, most, ladder, stairs } => {
                *least = least.min(value);
                *most = most.max(value);
                ladder.push(at_s, value);
                if self.unit == Unit::Count {
                    stairs.push(f64::midpoint(before, at_s) - self.first, value, MOST_IDLE);
                }
                if *most - *least < self.unit.least_growth(*least) {
                    return false;
                }
                let full = Full::new(self.unit, self.first, ladder, std::mem::take(stairs));
                self.body = Body::Full(Box::new(full));
                true
            }
            Body::Full(full) => full.push(self.unit, self.first, before, at_s, value, interval),
        }
    }

    /// What the series says by now. Looks made on the way decide what was confirmed; `context` may decide more.
    #[must_use]
    pub fn verdict(&self, context: &Context) -> Verdict {
        let window_s = (self.last - self.first).max(0.0);
        let (ladder, full) = match &self.body {
            Body::New => return look::learning(0, 0.0),
            Body::Idle { ladder, .. } => (ladder, None),
            Body::Full(full) => (&full.ladder, Some(full)),
        };
        let samples = ladder.samples();
        let confirmed = full.and_then(|full| full.confirmed);
        if samples < LEAST_SAMPLES && confirmed.is_none() {
            return look::learning(samples, window_s);
        }
        let Some(floors) = ladder.floors() else { return look::learning(samples, window_s) };
        let mut look = look::look(&floors, self.unit, context);
        let Some(full) = full else { return look::verdict(&look, samples, window_s, self.value, context) };
        // What a moving window sees says more of the present than all that was.
        let seen_by = (1..STEPS).find(|&k| full.says[k] && full.held(k, self.last) >= full.asked(k));
        if look.state != State::Leak
            && let Some(k) = seen_by
            && let Some(floors) = full.windows[k - 1].floors()
        {
            look = look::look(&floors, self.unit, context);
        }
        let by_looks = look.state;
        full.settle(&mut look);
        let mut verdict = look::verdict(&look, samples, window_s, self.value, context);
        verdict.confirmed = verdict.state == State::Leak;
        verdict.held_s = full.longest(self.last);
        if verdict.state == State::Growing && by_looks == State::Leak {
            words::not_yet(&mut verdict, &look, full.left(self.last));
        }
        if verdict.state.is_growth() {
            verdict.cadence.clone_from(&full.cadence);
            words::with_cadence(&mut verdict);
        }
        verdict
    }

    /// The state alone, as of the last look: cheap.
    #[must_use]
    pub fn state(&self) -> State {
        match &self.body {
            Body::New => State::Learning,
            Body::Idle { ladder, .. } if ladder.samples() < LEAST_SAMPLES => State::Learning,
            Body::Idle { .. } => State::Flat,
            Body::Full(full) if full.confirmed.is_some() => State::Leak,
            Body::Full(full) if full.stopped.is_some() => State::Stopped,
            Body::Full(full) if full.says.contains(&true) => State::Growing,
            Body::Full(full) if full.ladder.samples() < LEAST_SAMPLES => State::Learning,
            Body::Full(_) => State::Flat,
        }
    }

    /// Samples taken.
    #[must_use]
    pub fn samples(&self) -> u64 {
        match &self.body {
            Body::New => 0,
            Body::Idle { ladder, .. } => ladder.samples(),
            Body::Full(full) => full.ladder.samples(),
        }
    }

    /// Bytes it takes, on the heap and off it.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let heap = match &self.body {
            Body::New => 0,
            Body::Idle { ladder, stairs, .. } => ladder.heap() + stairs.heap(),
            Body::Full(full) => {
                size_of::<Full>()
                    + full.ladder.heap()
                    + full.stairs.as_ref().map_or(0, Staircase::heap)
                    + full.cadence.capacity() * size_of::<Cadence>()
            }
        };
        size_of::<Self>() + heap
    }
}

impl Full {
    fn new(unit: Unit, first: f64, ladder: &Ladder, stairs: Staircase) -> Self {
        Self {
            ladder: ladder.lengthened(FULL_BLOCKS),
            windows: WINDOWS.map(|length| Window::new(first, length, ladder.base())),
            stairs: (unit == Unit::Count).then_some(stairs),
            next_look: 0.0,
            next_steps: 0.0,
            since: [None; 5],
            says: [false; 5],
            misses: [0; 5],
            patience: PATIENCE as f32,
            rises: 0.0,
            falls: 0.0,
            value: f64::NAN,
            grows_since: first,
            confirmed: None,
            stopped: None,
            cadence: Vec::new(),
        }
    }

    fn push(&mut self, unit: Unit, first: f64, before: f64, at: f64, value: f64, interval: f64) -> bool {
        self.ladder.push(at, value);
        if value > self.value {
            self.rises += value - self.value;
        } else if value < self.value {
            self.falls += self.value - value;
        }
        self.value = value;
        if unit == Unit::Count {
            // What is hardly ever given back is no pool, and no load that goes down again.
            let kept = self.falls <= GIVEN_BACK * self.rises;
            self.patience = if kept { 0.0 } else { PATIENCE as f32 };
        }
        let none = Context::default();
        let mut looked = false;
        for k in 0..self.windows.len() {
            if !self.windows[k].push(at, value) {
                continue;
            }
            let found = self.windows[k].floors().filter(|floors| floors.samples >= LEAST_SAMPLES);
            let Some(floors) = found else {
                self.note(k + 1, false, at);
                continue;
            };
            let look = look::look(&floors, unit, &none);
            let says = look.state == State::Leak && self.windows[k].is_new(&floors, look.growth);
            self.note(k + 1, says, at);
            looked = true;
        }
        if let Some(stairs) = &mut self.stairs {
            stairs.push(f64::midpoint(before, at) - first, value, MOST);
        }
        if at >= self.next_steps {
            self.look_at_steps(at, first, interval);
        }
        if at - first >= self.next_look && self.ladder.samples() >= LEAST_SAMPLES {
            self.next_look = ((at - first) * NEXT_LOOK).min(at - first + HOUR);
            if let Some(floors) = self.ladder.floors() {
                let look = look::look(&floors, unit, &none);
                if look.state == State::Leak {
                    self.grows_since = look.since;
                }
                self.note(WHOLE, look.state == State::Leak, at);
                looked = true;
            }
        }
        looked
    }

    fn look_at_steps(&mut self, at: f64, first: f64, interval: f64) {
        let Some(stairs) = &self.stairs else { return };
        self.next_steps = at + (6.0 * interval).max((at - first) / 64.0);
        let (trains, explained) = stairs.cadence(at - first, interval);
        let events: u64 = trains.iter().map(|train| train.events).sum();
        let trains_sure = events >= LEAST_STEPS && explained >= EXPLAINED;
        let sure = stairs.risen() >= LEAST_STEPS as f64 && (trains_sure || stairs.is_regular(interval));
        self.cadence = trains;
        self.note(STEPS, sure, at);
    }

    /// Notes what one way of looking said.
    fn note(&mut self, way: usize, says: bool, at: f64) {
        self.says[way] = says;
        if says {
            self.misses[way] = 0;
            self.since[way].get_or_insert(at);
        } else {
            self.misses[way] = self.misses[way].saturating_add(1);
            if self.misses[way] > 1 {
                self.since[way] = None;
            }
        }
        let holds = says && self.held(way, at) >= self.asked(way);
        if holds {
            self.confirmed.get_or_insert(at);
            self.stopped = None;
        } else if self.confirmed.is_some() && self.since.iter().all(Option::is_none) {
            // No way of looking sees it grow any more.
            self.confirmed = None;
            self.stopped = Some(at);
        }
    }

    fn held(&self, way: usize, at: f64) -> f64 {
        self.since[way].map_or(0.0, |since| at - since)
    }

    /// How long this way of looking must say the same.
    fn asked(&self, way: usize) -> f64 {
        let patience = f64::from(self.patience);
        match way {
            WHOLE => self.since[WHOLE].map_or(f64::INFINITY, |since| {
                let doubled = since - self.ladder.start();
                let doubled = if self.stairs.is_some() { doubled } else { doubled.min(LONGEST_DOUBT) };
                doubled.max(patience - (since - self.grows_since))
            }),
            STEPS => 0.0,
            window => {
                let length = self.windows[window - 1].length();
                // A pool under a day's load rises for half of it, and all its steps are as good as new.
                let rises = if self.stairs.is_some() { 2.0 * patience } else { patience };
                length.max(rises - length)
            }
        }
    }

    fn longest(&self, at: f64) -> f64 {
        (0..self.since.len()).map(|way| self.held(way, at)).fold(0.0, f64::max)
    }

    /// Seconds until what holds now will have held for long enough.
    fn left(&self, at: f64) -> f64 {
        let ways = (0..STEPS).filter(|&way| self.since[way].is_some());
        let least = ways.map(|way| self.asked(way) - self.held(way, at)).fold(f64::INFINITY, f64::min);
        if least.is_finite() { least.max(0.0) } else { f64::from(self.patience) }
    }

    /// What was confirmed is a leak, and what was not yet is growth; what only a known bound, the load or
    /// yesterday explains keeps its explanation.
    fn settle(&self, look: &mut Look) {
        use super::known::Known;
        if matches!(look.known, Some(Known::Fills(_) | Known::Full(_) | Known::Load | Known::Yesterday)) {
            return;
        }
        if self.confirmed.is_some() {
            look.state = State::Leak;
        } else if look.state == State::Leak {
            look.state = State::Growing;
        } else if self.stopped.is_some() && !look.state.is_growth() {
            look.state = State::Stopped;
        }
    }
}

/// A whole recorded series, watched from its beginning to its end.
#[must_use]
pub fn replay(series: &Series, interval_s: f64) -> Tracker {
    let mut tracker = Tracker::new(series.unit, interval_s);
    for &(at, value) in series.points.iter() {
        tracker.push(at, value);
    }
    tracker
}
