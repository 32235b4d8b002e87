//! The first line: which host, what time of it, and how near its memory is to what it may promise.
//!
//! ```text
//! flatfoot  torquebox-1  10:58:42  live    committed 6.2 GiB of 7.8 GiB  79 %  ████████░░   212 processes
//! ```

use model::{Bytes, show};
use ratatui::layout::Rect;

use super::app::{App, When};
use super::palette::Role;
use super::pen::Pen;
use crate::present::time;

const BAR: u16 = 10;

/// Draws it.
pub(crate) fn draw(app: &App, area: Rect, pen: &mut Pen<'_>) {
    let mut x = pen.text(area.x, area.y, area.width, "flatfoot", Role::Strong);
    let mut put = |text: &str, role: Role, pen: &mut Pen<'_>| {
        let room = area.right().saturating_sub(x + 2);
        if !text.is_empty() && pen.width(text) <= room {
            x = pen.text(x + 2, area.y, room, text, role);
        }
    };
    let (moment, state, role) = moment(app);
    // The state first in importance, last in place: a long host name must not push it out.
    let needed = pen.width(&moment) + pen.width(&state) + 4;
    let host: String =
        app.host_name().chars().take(usize::from(area.width.saturating_sub(12 + needed))).collect();
    put(&host, Role::Plain, pen);
    put(&moment, Role::Plain, pen);
    put(&state, role, pen);
    if let Some(busy) = app.busy() {
        put(busy, Role::Dim, pen);
    }
    let left = x + 3;
    figures(app, Rect { x: left, width: area.right().saturating_sub(left), ..area }, pen);
}

/// The time that is shown, what kind of time that is, and how that looks.
fn moment(app: &App) -> (String, String, Role) {
    let unix_s = app.at_unix_s();
    let known = |text: String| if unix_s > 0.0 { text } else { String::new() };
    let local = known(time::local(unix_s));
    match app.when() {
        When::Live => {
            let clock = known(time::clock(unix_s));
            if app.is_frozen() {
                (clock, "frozen".to_owned(), Role::Warn)
            } else {
                (clock, "live".to_owned(), Role::Good)
            }
        }
        When::Past(_) if app.is_frozen() => (local, "recorded, frozen".to_owned(), Role::Warn),
        When::Past(_) if app.silent_min() > 0 => {
            let age = show::duration(app.silent_min() as f64 * 60.0);
            (local, format!("newest, {age} old"), Role::Warn)
        }
        When::Past(_) if app.is_at_end() => (local, "recorded, newest".to_owned(), Role::Accent),
        When::Past(_) => (local, "recorded".to_owned(), Role::Warn),
        When::Case => (local, "case file".to_owned(), Role::Accent),
    }
}

/// At the right, as much as there is room for: commit charge, its bar, processes.
fn figures(app: &App, area: Rect, pen: &mut Pen<'_>) {
    let host = app.host();
    let bytes = |value: u64| show::bytes(Bytes(value));
    let mut parts: Vec<String> = Vec::new();
    let mut share = None;
    match (host.committed, host.commit_limit) {
        (Some(committed), Some(limit)) if limit > 0 => {
            let of = committed as f64 / limit as f64;
            share = Some(of);
            parts.push(format!("committed {} of {}  {}", bytes(committed), bytes(limit), show::percent(of)));
        }
        (Some(committed), _) => parts.push(format!("committed {}", bytes(committed))),
        _ => {}
    }
    if let Some(processes) = host.processes {
        parts.push(crate::present::diagnosis::processes(processes));
    }
    if let Some(tasks) = host.tasks {
        parts.push(format!("{} tasks", show::count(tasks)));
    }
    let bar = if share.is_some() { BAR + 2 } else { 0 };
    let width = |parts: &[String], pen: &Pen<'_>| -> u16 {
        parts.iter().map(|part| pen.width(part) + 2).sum::<u16>().saturating_sub(2)
    };
    while !parts.is_empty() && width(&parts, pen) > area.width {
        parts.pop();
    }
    let has_bar = width(&parts, pen) + bar <= area.width && !parts.is_empty();
    let all = width(&parts, pen) + if has_bar { bar } else { 0 };
    let mut x = area.right().saturating_sub(all);
    for (index, part) in parts.iter().enumerate() {
        let role =
            if index == 0 && share.is_some_and(|share| share >= 0.9) { Role::Bad } else { Role::Plain };
        x = pen.text(x, area.y, area.right() - x, part, role) + 2;
        if let (0, true, Some(share)) = (index, has_bar, share) {
            draw_bar(share, x, area.y, pen);
            x += bar;
        }
    }
}

fn draw_bar(share: f64, x: u16, y: u16, pen: &mut Pen<'_>) {
    let (full, empty) = pen.glyphs.bar();
    let filled = (share.clamp(0.0, 1.0) * f64::from(BAR)).round() as u16;
    for offset in 0..BAR {
        let (sign, role) = if offset < filled { (full, Role::Accent) } else { (empty, Role::Dim) };
        pen.sign(x + offset, y, sign, role);
    }
}
