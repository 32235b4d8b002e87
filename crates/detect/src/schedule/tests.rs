//! Which schedules fit a cadence, and which don't.

use model::Text;
use proptest::prelude::*;

use super::*;

fn entry(when: ScheduleWhen) -> ScheduleEntry {
    ScheduleEntry { source: Text::from("/etc/cron.d/reports:3"), when, what: Text::from("report") }
}

fn cron_fits(cadence: &Cadence, text: &str) -> bool {
    let entries = [entry(ScheduleWhen::Cron(Text::from(text)))];
    matches(cadence, &entries, 0).iter().any(|found| found.source.is_some())
}

fn timer_fits(cadence: &Cadence, text: &str, utc_offset_s: i32) -> bool {
    let entries = [entry(ScheduleWhen::Calendar(Text::from(text)))];
    matches(cadence, &entries, utc_offset_s).iter().any(|found| found.source.is_some())
}

fn train(period_s: f64, phase_s: f64, events: u64, missed: u64) -> Cadence {
    Cadence {
        period_s,
        period_error_s: 1e-4 * period_s,
        jitter_s: 0.02,
        phase_s: Some(phase_s),
        events,
        missed,
        per_event: 1.0,
    }
}

#[test]
fn period_and_phase_must_agree() {
    let each_minute = train(60.0, 1.02, 1_550, 0);
    assert!(cron_fits(&each_minute, "* * * * *"));
    assert!(!cron_fits(&each_minute, "*/2 * * * *"));
    assert!(!cron_fits(&each_minute, "0 * * * *"));
    assert!(!cron_fits(&train(60.0, 31.0, 1_550, 0), "* * * * *"), "half a minute off");

    let hourly = train(3_600.0, 17.0 * 60.0 + 1.5, 30, 0);
    assert!(cron_fits(&hourly, "17 * * * *"));
    assert!(!cron_fits(&hourly, "18 * * * *"));
    assert!(!cron_fits(&hourly, "@hourly"));
    assert!(cron_fits(&train(900.0, 0.4, 30, 0), "*/15 * * * *"));
    assert!(cron_fits(&train(900.0, 0.4, 30, 0), "0,15,30,45 * * * *"));
    assert!(!cron_fits(&train(900.0, 420.4, 30, 0), "*/15 * * * *"));
    assert!(cron_fits(&train(86_400.0, 9.0 * 3_600.0 + 1.0, 8, 2), "0 9 * * mon-fri"));
}

#[test]
fn births_outside_a_schedules_hours_exonerate_it() {
    assert!(cron_fits(&train(60.0, 0.5, 300, 0), "* 9-17 * * *"));
    assert!(!cron_fits(&train(60.0, 0.5, 1_550, 0), "* 9-17 * * *"));
    assert!(cron_fits(&train(60.0, 0.5, 1_080, 900), "* 9-17 * * *"));
    assert!(!cron_fits(&train(60.0, 0.5, 300, 0), "1,2,3,4 * * * *"));
}

#[test]
fn systemd_timers_may_be_a_minute_late_and_in_utc() {
    assert!(timer_fits(&train(3_600.0, 40.0, 30, 0), "hourly", 0));
    assert!(!timer_fits(&train(3_600.0, 100.0, 30, 0), "hourly", 0));
    assert!(timer_fits(&train(900.0, 12.0, 30, 0), "*:0/15", 0));
    // Noon UTC is 17:30 in Kolkata.
    let daily = train(86_400.0, 17.5 * 3_600.0 + 5.0, 9, 0);
    assert!(timer_fits(&daily, "*-*-* 12:00:00 UTC", 19_800));
    assert!(!timer_fits(&daily, "*-*-* 12:00:00", 19_800));
    assert!(timer_fits(&daily, "*-*-* 17:30:00", 19_800));
}

#[test]
fn interval_timers_need_the_period_only() {
    let fits = |period: f64, seconds: u64| {
        let cadence = Cadence { phase_s: None, ..train(period, 0.0, 30, 0) };
        !matches(&cadence, &[entry(ScheduleWhen::EverySeconds(seconds))], 0).is_empty()
    };
    assert!(fits(300.2, 300));
    assert!(!fits(310.0, 300));
    assert!(!fits(300.0, 0));
}

#[test]
fn a_found_schedule_says_where_it_is_and_what_was_meant() {
    let entries = [entry(ScheduleWhen::Cron(Text::from("* 3 * * *")))];
    let found = matches(&train(60.0, 0.2, 55, 0), &entries, 0);
    assert_eq!(found[0].source, Some(Text::from("/etc/cron.d/reports:3")));
    assert_eq!(found[0].expression, "* 3 * * *");
    assert_eq!(found[0].meaning, "fires each minute");
    assert_eq!(found[0].near_miss.as_deref(), Some("a daily field would be \"0 3 * * *\""));
    // The cadence's own names follow.
    assert_eq!(found[1].expression, "0 * * * * ?");
    assert_eq!(found[1].source, None);
}

#[test]
fn without_a_phase_nothing_is_claimed() {
    let cadence = Cadence { phase_s: None, ..train(60.0, 0.0, 100, 0) };
    assert!(matches(&cadence, &[entry(ScheduleWhen::Cron(Text::from("* * * * *")))], 0).is_empty());
}

proptest! {
    /// Hostile text gives an answer or none, never a panic, and firings rise strictly.
    #[test]
    fn any_text_is_survived(text in "[*0-9a-z,./@~: -]{0,40}") {
        for calendar in [parse_cron(&text), parse_calendar(&text)].into_iter().flatten() {
            let firings: Vec<i64> = calendar.firings(SOME_DAY).take(50).collect();
            prop_assert!(firings.windows(2).all(|pair| pair[0] < pair[1]));
        }
    }

    /// Each expression that names a cadence fires like it, by the parser for found ones.
    #[test]
    fn the_cron_expression_of_a_cadence_fits_it(
        period in prop::sample::select(vec![60.0, 300.0, 900.0, 1_800.0, 3_600.0, 21_600.0, 86_400.0]),
        minute in 0_u32..1_440,
    ) {
        let cadence = train(period, (f64::from(minute) * 60.0 + 0.7) % period, 40, 0);
        let own = matches(&cadence, &[], 0);
        prop_assert_eq!(own.len(), 2);
        prop_assert!(cron_fits(&cadence, &own[1].expression), "{}", &own[1].expression);
    }

    #[test]
    fn any_cadence_is_survived(period in any::<f64>(), error in any::<f64>(), phase in any::<f64>(), n in any::<u32>()) {
        let cadence = Cadence {
            period_s: period, period_error_s: error, jitter_s: error, phase_s: Some(phase),
            events: u64::from(n), missed: u64::from(n), per_event: phase,
        };
        let entries = [
            entry(ScheduleWhen::Cron(Text::from("* * * * *"))),
            entry(ScheduleWhen::EverySeconds(u64::from(n))),
        ];
        let _ = matches(&cadence, &entries, i32::MIN);
    }
}
