//! Does a figure of the history grow? Short looks are judged by the plain two-window rule, which can only say "possible";
//! from two minutes and 64 looks on the judge decides ([`crate::judge`]).

use model::{Confidence, Finding, State, show};

use super::{Point, Subject};
use crate::growth::{Growth, two_window};
use crate::judge::{self, Context, LEAST_SAMPLES, Series, Unit};

/// Shorter looks see start-ups and pauses of any program, however many samples they take.
const LEAST_S: f64 = 120.0;

/// A figure that grows.
#[derive(Clone, Debug)]
pub(super) struct Trend {
    /// Units per second.
    pub(super) rate: f64,
    /// 95 % interval of the rate.
    pub(super) interval: (f64, f64),
    /// The judge's sentence, when it calls the growth a leak.
    leak: Option<String>,
    /// Points, and the seconds from the first to the last.
    points: usize,
    span_s: f64,
}

impl Trend {
    /// How it was judged: `64 looks in 6 min, two-window rule`.
    pub(super) fn statistic(&self) -> String {
        let how = if self.leak.is_some() { "judged a leak" } else { "two-window rule" };
        format!("{} looks in {}, {how}", show::count(self.points as u64), show::duration(self.span_s))
    }

    /// Sets how sure the finding is, and why not surer.
    pub(super) fn mark(&self, finding: &mut Finding) {
        finding.rate_per_s = Some(self.rate);
        finding.rate_interval = Some(self.interval);
        if let Some(why) = &self.leak {
            finding.confidence = Confidence::Likely;
            finding.confidence_why = Some(format!("{why}; the code that does it was not seen"));
        }
    }
}

/// The growth of a figure over the history, when it grows.
pub(super) fn growing(
    subject: &Subject<'_>,
    figure: impl Fn(&Point) -> Option<f64>,
    unit: Unit,
    min_step: f64,
) -> Option<Trend> {
    let points: Vec<(f64, f64)> =
        subject.history.iter().filter_map(|p| Some((p.at_boot_s, figure(p)?))).collect();
    of_points(&points, unit, min_step, &Context::default())
}

/// The same for a series of (seconds, value), oldest first.
pub(super) fn of_points(
    points: &[(f64, f64)],
    unit: Unit,
    min_step: f64,
    context: &Context<'_>,
) -> Option<Trend> {
    let (first, last) = (points.first()?, points.last()?);
    let trend =
        |rate, interval, leak| Trend { rate, interval, leak, points: points.len(), span_s: last.0 - first.0 };
    if points.len() as u64 >= LEAST_SAMPLES && last.0 - first.0 >= LEAST_S {
        let verdict = judge::judge(&Series::new(points, unit), context);
        let rate = verdict.rate_per_s.filter(|_| verdict.growth >= min_step)?;
        let interval = verdict.rate_interval.unwrap_or((rate, rate));
        return match verdict.state {
            State::Leak => Some(trend(rate, interval, Some(verdict.why))),
            // What the judge leaves open is only said where the plain rule, which wants more, agrees.
            State::Growing => match two_window(points, min_step) {
                Growth::Growing { .. } => Some(trend(rate, interval, None)),
                _ => None,
            },
            _ => None,
        };
    }
    match two_window(points, min_step) {
        Growth::Growing { rate, interval } => Some(trend(rate, interval, None)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(points: u32, step_s: f64, rate: f64) -> Vec<(f64, f64)> {
        (0..points)
            .map(|k| {
                (f64::from(k) * step_s, 1e9 + rate * f64::from(k) * step_s + f64::from(k * 7 % 11) * 1e4)
            })
            .collect()
    }

    #[test]
    fn a_minute_is_too_short_to_call_anything_a_leak() {
        let short = of_points(&line(64, 1.0, 1e6), Unit::Bytes, 1e6, &Context::default()).unwrap();
        assert!(short.leak.is_none() && short.statistic().ends_with("two-window rule"), "{short:?}");
        let long = of_points(&line(128, 5.0, 1e6), Unit::Bytes, 1e6, &Context::default()).unwrap();
        assert!(long.leak.is_some(), "{long:?}");
        assert!((long.rate - 1e6).abs() < 1e4 && long.interval.0 < long.rate && long.rate < long.interval.1);
        assert!(of_points(&line(128, 5.0, 0.0), Unit::Bytes, 1e6, &Context::default()).is_none());
        assert!(of_points(&[], Unit::Bytes, 1e6, &Context::default()).is_none());
    }

    #[test]
    fn a_cache_that_filled_is_no_growth() {
        let filled: Vec<(f64, f64)> =
            (0..256_u32).map(|k| (f64::from(k) * 5.0, 1e9 + f64::from(k.min(60)) * 1e7)).collect();
        assert!(of_points(&filled, Unit::Bytes, 1e6, &Context::default()).is_none());
    }
}
