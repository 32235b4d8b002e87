//! Calendar times as sets of seconds, minutes, hours and days, and the firings they give.

/// A set of small numbers: bit n is number n.
pub(super) type Set = u64;

/// The set of all numbers from `low` to `high`, both at most 63.
pub(super) fn range(low: u32, high: u32) -> Set {
    (low..=high.min(63)).fold(0, |set, n| set | 1 << n)
}

/// When a schedule fires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Calendar {
    /// Seconds of the minute, 0 to 59.
    pub(super) seconds: Set,
    /// Minutes of the hour, 0 to 59.
    pub(super) minutes: Set,
    /// Hours of the day, 0 to 23.
    pub(super) hours: Set,
    /// Days of the month, 1 to 31.
    pub(super) days: Set,
    /// Months, 1 to 12.
    pub(super) months: Set,
    /// Days of the week, 0 (Sunday) to 6.
    pub(super) weekdays: Set,
    /// cron's rule: when both kinds of days are restricted, either may match.
    pub(super) either_day: bool,
    /// Meant in UTC, not in local time.
    pub(super) utc: bool,
}

const DAY_S: i64 = 86_400;

/// Days looked through for a firing: the rarest that can be written, 29 February on a given weekday, returns
/// after 28 years at most (40 around 2100).
const MOST_DAYS: i64 = 41 * 366;

impl Calendar {
    /// Each second there is.
    pub(super) const ALWAYS: Self = Self {
        seconds: (1 << 60) - 1,
        minutes: (1 << 60) - 1,
        hours: (1 << 24) - 1,
        days: (1 << 32) - 2,
        months: (1 << 13) - 2,
        weekdays: (1 << 7) - 1,
        either_day: false,
        utc: false,
    };

    /// Is it meant in UTC, not in local time?
    #[must_use]
    pub fn is_utc(self) -> bool {
        self.utc
    }

    /// Firings from midnight of `first_day` (days since 1970-01-01) on, in seconds since 1970-01-01 00:00 of
    /// the calendar's own clock (local time or UTC). Ends when none comes for four decades.
    pub fn firings(self, first_day: i64) -> impl Iterator<Item = i64> {
        let mut day = first_day;
        let mut silent = 0;
        std::iter::from_fn(move || {
            while silent <= MOST_DAYS {
                let this = day;
                day = day.saturating_add(1);
                if self.has_day(this) {
                    silent = 0;
                    return Some(this);
                }
                silent += 1;
            }
            None
        })
        .flat_map(move |day| self.times_of_day().map(move |second| day.saturating_mul(DAY_S) + second))
    }

    /// Firings within a day, in seconds after midnight.
    fn times_of_day(self) -> impl Iterator<Item = i64> {
        members(self.hours, 24).flat_map(move |hour| {
            members(self.minutes, 60).flat_map(move |minute| {
                members(self.seconds, 60).map(move |second| hour * 3_600 + minute * 60 + second)
            })
        })
    }

    fn has_day(&self, day: i64) -> bool {
        let (month, day_of_month) = month_and_day(day);
        // 1970-01-01 was a Thursday.
        let weekday = day.saturating_add(4).rem_euclid(7);
        let by_month = self.days >> day_of_month & 1 == 1;
        let by_week = self.weekdays >> weekday & 1 == 1;
        let days_match = if self.either_day { by_month || by_week } else { by_month && by_week };
        days_match && self.months >> month & 1 == 1
    }

    /// Does it fire at all in a day that matches?
    pub(super) fn is_possible(&self) -> bool {
        [self.seconds, self.minutes, self.hours, self.days, self.months, self.weekdays]
            .iter()
            .all(|&set| set != 0)
    }
}

fn members(set: Set, below: i64) -> impl Iterator<Item = i64> {
    (0..below).filter(move |n| set >> n & 1 == 1)
}

/// Month (1 to 12) and day of the month of a day counted from 1970-01-01, in the proleptic Gregorian calendar
/// (Howard Hinnant's `civil_from_days`: years begin in March, so that the leap day is a year's last).
fn month_and_day(day: i64) -> (i64, i64) {
    const ERA: i64 = 146_097; // days in 400 years
    let day_of_era = day.saturating_add(719_468).rem_euclid(ERA);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * march_month + 2) / 5 + 1;
    (if march_month < 10 { march_month + 3 } else { march_month - 9 }, day_of_month)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_known_days() {
        assert_eq!(month_and_day(0), (1, 1));
        assert_eq!(month_and_day(31 + 28 - 1), (2, 28));
        assert_eq!(month_and_day(19_723), (1, 1)); // 2024-01-01
        assert_eq!(month_and_day(19_723 + 59), (2, 29));
        assert_eq!(month_and_day(-1), (12, 31));
    }

    #[test]
    fn weekdays_at_nine() {
        let calendar =
            Calendar { weekdays: range(1, 5), hours: 1 << 9, minutes: 1, seconds: 1, ..Calendar::ALWAYS };
        // 2024-01-01 was a Monday.
        let days: Vec<i64> = calendar.firings(19_723).take(6).map(|at| at / DAY_S - 19_723).collect();
        assert_eq!(days, [0, 1, 2, 3, 4, 7]);
        assert_eq!(calendar.firings(19_723).next().unwrap() % DAY_S, 9 * 3_600);
    }

    #[test]
    fn a_day_that_never_comes_ends_the_search() {
        let never = Calendar { days: 1 << 31, months: 1 << 2, ..Calendar::ALWAYS };
        assert_eq!(never.firings(0).next(), None);
        let empty = Calendar { minutes: 0, ..Calendar::ALWAYS };
        assert!(!empty.is_possible());
    }
}
