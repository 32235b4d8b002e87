//! Candidate periods: time differences that occur too often to be chance.

/// One way of looking for frequent differences.
struct Look {
    /// Differences between each event and up to this many that follow it.
    lags: usize,
    /// Half-width of a cluster, on the logarithm of the difference.
    half_width: f64,
    /// Clusters taken, densest first.
    clusters: usize,
}

/// Near neighbours show the period itself, even of a train whose beats vary much; far ones show it through as
/// many events of other trains between two of its own, but mostly by its multiples (a difference of k beats
/// is relatively k times as sharp as one of a single beat).
const LOOKS: [Look; 5] = [
    Look { lags: 2, half_width: 0.02, clusters: 4 },
    Look { lags: 2, half_width: 0.08, clusters: 4 },
    Look { lags: 2, half_width: 0.2, clusters: 3 },
    Look { lags: 12, half_width: 0.02, clusters: 8 },
    Look { lags: 12, half_width: 0.08, clusters: 8 },
];

/// The first so many candidates also give their halves and thirds: where every other beat left no survivor,
/// the true period itself may be rare among the differences.
const WITH_FRACTIONS: usize = 4;

/// Differences in a cluster, at least.
const LEAST_IN_CLUSTER: usize = 3;

/// Candidate periods for sorted event times, none below `shortest_s`.
pub(super) fn periods(times: &[f64], shortest_s: f64) -> Vec<f64> {
    let (Some(first), Some(last)) = (times.first(), times.last()) else { return Vec::new() };
    // Three beats of a train fit between the first and the last event, or it cannot be judged.
    let usable = shortest_s..=(last - first) / 2.5;
    let mut candidates = Vec::new();
    for look in &LOOKS {
        let mut logs = Vec::with_capacity(times.len() * look.lags);
        for (i, start) in times.iter().enumerate() {
            let following = times[i + 1..].iter().take(look.lags);
            logs.extend(following.map(|end| end - start).filter(|d| usable.contains(d)).map(f64::ln));
        }
        logs.sort_by(f64::total_cmp);
        candidates.extend(clusters(&logs, look));
    }
    let fractions: Vec<f64> = candidates
        .iter()
        .take(WITH_FRACTIONS)
        .flat_map(|period| [period / 2.0, period / 3.0])
        .filter(|&period| period >= shortest_s)
        .collect();
    candidates.extend(fractions);
    distinct(candidates)
}

/// Medians of the densest clusters of sorted logarithms, densest first, each clear of those before.
fn clusters(logs: &[f64], look: &Look) -> Vec<f64> {
    let half_width = look.half_width;
    // For each value, the range of values within the half-width: both ends only ever move forward.
    let mut ranges = Vec::with_capacity(logs.len());
    let (mut from, mut to) = (0, 0);
    for &center in logs {
        while logs[from] < center - half_width {
            from += 1;
        }
        while to < logs.len() && logs[to] <= center + half_width {
            to += 1;
        }
        ranges.push(from..to);
    }
    let mut order: Vec<usize> = (0..logs.len()).filter(|&i| ranges[i].len() >= LEAST_IN_CLUSTER).collect();
    order.sort_by_key(|&i| (std::cmp::Reverse(ranges[i].len()), i));

    let mut centers: Vec<f64> = Vec::new();
    let mut found = Vec::new();
    for i in order {
        if found.len() == look.clusters {
            break;
        }
        if centers.iter().any(|center| (center - logs[i]).abs() <= 1.5 * half_width) {
            continue;
        }
        centers.push(logs[i]);
        let members = &logs[ranges[i].clone()];
        found.push(members[members.len() / 2].exp());
    }
    found
}

/// Drops candidates within 0.4 % of an earlier one: the comb's tracking makes no difference between them.
fn distinct(candidates: Vec<f64>) -> Vec<f64> {
    let mut kept: Vec<f64> = Vec::with_capacity(candidates.len());
    for period in candidates {
        if !kept.iter().any(|other| (period / other - 1.0).abs() < 0.004) {
            kept.push(period);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_period_is_among_the_candidates() {
        let times: Vec<f64> = (0..30).map(|k| 17.0 + 0.7 * f64::from(k)).collect();
        let found = periods(&times, 0.04);
        assert!(found.iter().any(|period| (period - 0.7).abs() < 1e-6), "{found:?}");
    }

    #[test]
    fn few_or_equal_times_have_none() {
        assert!(periods(&[], 0.04).is_empty());
        assert!(periods(&[1.0], 0.04).is_empty());
        assert!(periods(&[1.0, 1.0, 1.0, 1.0], 0.04).is_empty());
    }
}
