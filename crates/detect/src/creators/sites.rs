//! Code that could have made a group's threads, the likeliest first.

use super::role;
use model::{CreationSite, JvmInside, PoolShape, SpawnStack, ThreadGroup, ThreadOwner};

/// The sites that fit the group, best first. Those that were seen at births are left out: they need no suspicion.
pub(super) fn ranked<'a>(
    inside: &'a JvmInside,
    group: &ThreadGroup,
    spawns: &[(&SpawnStack, u64)],
    owners: &[&ThreadOwner],
    command: &str,
) -> Vec<&'a CreationSite> {
    let is_seen = |site: &CreationSite| {
        spawns
            .iter()
            .flat_map(|(spawn, _)| &spawn.frames)
            .any(|frame| frame.class == site.at.class && frame.method == site.at.method)
    };
    let is_ours = |site: &CreationSite| {
        matches!(role::of_frame(&site.at, inside, command), role::Role::Library | role::Role::Application)
    };
    let mut found: Vec<(i32, &CreationSite)> = inside
        .sites
        .iter()
        .filter(|site| !is_seen(site) && is_ours(site))
        .filter_map(|site| Some((fit(site, group)? + kin(site, owners), site)))
        .collect();
    found.sort_by(|a, b| {
        b.0.cmp(&a.0)
            .then_with(|| (a.1.at.class.as_str(), a.1.at.line).cmp(&(b.1.at.class.as_str(), b.1.at.line)))
    });
    let mut sites: Vec<&CreationSite> = Vec::new();
    for (_, site) in found {
        // `new Thread(…)` and `.start()` in one method are one site.
        if !sites.iter().any(|other| other.at.class == site.at.class && other.at.method == site.at.method) {
            sites.push(site);
        }
    }
    sites
}

/// How well what a site makes fits the names of the group: higher is better, `None` not at all.
fn fit(site: &CreationSite, group: &ThreadGroup) -> Option<i32> {
    let makes = site.makes.as_str();
    let makes = makes.rsplit_once("java.util.concurrent.").map_or(makes, |(_, rest)| rest);
    let pattern = group.pattern.as_str();
    let pool = makes.starts_with("Executors.new")
        || makes.starts_with("ThreadPoolExecutor")
        || makes.starts_with("ScheduledThreadPoolExecutor");
    let single = makes.starts_with("Executors.newSingle");
    if pattern.starts_with("Timer-") {
        return makes.contains("Timer").then_some(10);
    }
    if pattern.starts_with("ForkJoinPool") {
        return (makes.starts_with("ForkJoinPool") || makes.contains("newWorkStealingPool")).then_some(10);
    }
    // Executors' own factory names its threads so; a factory of the application's names them otherwise.
    if pattern.starts_with("pool-") {
        return pool.then_some(if single == (group.shape == PoolShape::OneThreadPools) { 10 } else { 6 });
    }
    if pattern.starts_with("Thread-") {
        return makes.contains("lang.Thread").then_some(10);
    }
    if makes.contains("lang.Thread") {
        return Some(4);
    }
    pool.then_some(3)
}

/// Is the site in a class that the threads work for, or in its neighbourhood?
fn kin(site: &CreationSite, owners: &[&ThreadOwner]) -> i32 {
    let class = site.at.class.as_str();
    let outer = |class: &str| class.split('$').next().unwrap_or_default().to_owned();
    let package = |class: &str| class.rsplit_once('.').map_or("", |(package, _)| package).to_owned();
    let links = owners.iter().flat_map(|owner| &owner.links).filter(|link| link.application);
    links
        .map(|link| {
            let other = link.class.as_str();
            match () {
                () if other == class => 8,
                () if outer(other) == outer(class) => 6,
                () if package(other) == package(class) => 2,
                () => 0,
            }
        })
        .max()
        .unwrap_or(0)
}
