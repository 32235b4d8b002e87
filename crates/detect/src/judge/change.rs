//! Where the rate of growth changed: the one place at which two straight lines, with a free level for each,
//! tell the floors so much better than one that it pays for them (BIC). At a known time (a restart, a deploy)
//! there is no place to be found, and less to pay.

use model::RateChange;

use super::context::Context;
use super::floors::Floors;
use super::linear::{inflation, line, range};
use crate::stats::Z95;

/// Blocks on either side, at least.
const LEAST_SIDE: usize = 5;

/// By how much two lines must tell it better than one, where the time is unknown and where it is known.
const LEAD: f64 = 6.0;
const LEAD_AT_KNOWN: f64 = 2.0;

/// How surely the slopes must differ, in errors.
const SURE: f64 = 4.0;

const RESOLUTION: f64 = 2e-3;

/// The change of rate in these floors, if there is a clear one: at a known time when it fits there, else
/// wherever it fits best.
pub(super) fn find(floors: &Floors, context: &Context) -> Option<RateChange> {
    let known = context.changes.iter().filter_map(|&(at, what)| {
        let place = floors.at.partition_point(|&block| block < at);
        let found = best(floors, place..place + 1, 5.0)?;
        (found.lead > LEAD_AT_KNOWN && found.sure > SURE).then(|| found.told(at, Some(what)))
    });
    if let Some(change) = known.max_by(|a, b| size(a).total_cmp(&size(b))) {
        return Some(change);
    }
    let found = best(floors, 0..floors.at.len(), 6.0)?;
    (found.lead > LEAD && found.sure > SURE).then(|| found.told(found.at, None))
}

fn size(change: &RateChange) -> f64 {
    (change.after_per_s - change.before_per_s).abs()
}

#[derive(Clone, Copy, Debug)]
struct Found {
    at: f64,
    lead: f64,
    sure: f64,
    before: f64,
    after: f64,
    error: f64,
}

impl Found {
    fn told(&self, at_s: f64, known: Option<&str>) -> RateChange {
        let (difference, margin) = (self.after - self.before, Z95 * self.error);
        RateChange {
            at_s,
            before_per_s: self.before,
            after_per_s: self.after,
            difference_interval: (difference - margin, difference + margin),
            known: known.map(ToOwned::to_owned),
        }
    }
}

fn best(floors: &Floors, places: std::ops::Range<usize>, parameters: f64) -> Option<Found> {
    let (at, value) = (&floors.at, &floors.value);
    let n = value.len();
    if n < 2 * LEAST_SIDE {
        return None;
    }
    let least = (RESOLUTION * range(value)).powi(2) + 1e-12;
    let bic = |squares: f64, parameters: f64| {
        n as f64 * (squares / n as f64 + least).ln() + parameters * (n as f64).ln()
    };
    let whole = bic(line(at, value).squares, 2.0);
    let by_resolution = 2.0 * RESOLUTION * range(value) / (at[n - 1] - at[0]);
    (places.start.max(LEAST_SIDE)..places.end.min(n - LEAST_SIDE + 1))
        .map(|c| {
            let (before, after) = (line(&at[..c], &value[..c]), line(&at[c..], &value[c..]));
            let error = (before.error * inflation(before.correlation))
                .hypot(after.error * inflation(after.correlation))
                .hypot(by_resolution);
            Found {
                at: f64::midpoint(at[c - 1], at[c]),
                lead: whole - bic(before.squares + after.squares, parameters),
                sure: (after.slope - before.slope).abs() / error,
                before: before.slope,
                after: after.slope,
                error,
            }
        })
        .max_by(|a, b| a.lead.total_cmp(&b.lead))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn floors(rate: impl Fn(f64) -> f64) -> Floors {
        let at: Vec<f64> = (0..32).map(|k| f64::from(k) * 10.0).collect();
        let wiggle = |k: usize| f64::from(u8::from(k.is_multiple_of(3)));
        let value: Vec<f64> = at.iter().enumerate().map(|(k, t)| rate(*t) + wiggle(k)).collect();
        Floors { mean: value.clone(), at, value, level: 100.0, samples: 320 }
    }

    #[test]
    fn a_doubled_rate_is_found_where_it_doubled() {
        let doubled = floors(|t| t.min(150.0) + 2.0 * (t - 150.0).max(0.0));
        let change = find(&doubled, &Context::default()).unwrap();
        assert!((change.at_s - 150.0).abs() <= 10.0 && change.known.is_none(), "{change:?}");
        assert!(change.difference_interval.0 <= 1.0 && change.difference_interval.1 >= 1.0, "{change:?}");
        let deploys = [(152.0, "deploy 7")];
        let at_deploy = find(&doubled, &Context { changes: &deploys, ..Context::default() }).unwrap();
        assert_eq!((at_deploy.at_s, at_deploy.known.as_deref()), (152.0, Some("deploy 7")));
    }

    #[test]
    fn a_steady_rate_has_no_change() {
        assert_eq!(find(&floors(|t| 2.0 * t), &Context::default()), None);
    }
}
