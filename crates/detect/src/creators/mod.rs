//! Who makes the threads of a group: from what a JVM told when it was attached to.
//!
//! Three kinds of witnesses, and they are not equally good:
//!
//! 1. A **stack seen at a birth** (agent, JFR) is proof for that birth.
//! 2. An **owner** is what a thread that already exists works for: its task, its pool's factory. The class that wrote the task
//!    is mostly the one that started the thread, and always the one that says what it is for.
//! 3. A **site** is code that could have made such a thread. A suspect: ranked by how well it fits, never more.

mod members;
mod role;
mod sites;

use std::collections::BTreeMap;

use model::{
    CreatedBy, Frame, JavaFrame, JvmInside, LibraryShare, PoolShape, PoolState, ScheduleEntry, ScheduleWhen,
    SpawnStack, Text, Thread, ThreadGroup, ThreadOwner, show,
};

pub use members::{fits, fits_cut};
pub use role::{Role, known_as, of_class as role_of_class, of_frame};

use members::Members;

/// Most entries of each kind of witness.
const MOST: usize = 4;
/// Most libraries that are listed.
const MOST_LIBRARIES: usize = 8;

/// What is known of who makes a group's threads.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Creators {
    /// Stacks, then owners, then sites.
    pub created_by: Vec<CreatedBy>,
    /// Who took part in the births that were seen.
    pub libraries: Vec<LibraryShare>,
    /// Births of the group that were seen, with their stacks.
    pub births_seen: u64,
    /// The pools that its threads belong to.
    pub pool: Option<PoolState>,
    /// How many of its threads these are.
    pub pooled: u64,
    /// Schedules that were found in the process.
    pub schedules: Vec<ScheduleEntry>,
}

/// Asks the witnesses. `threads` in the order of their ids; `command` is the JVM's main class or jar with its arguments.
#[must_use]
pub fn of_group(group: &ThreadGroup, threads: &[Thread], inside: &JvmInside, command: &str) -> Creators {
    let members = Members::of(group, threads);
    let named = Namer { inside, command };
    let mut found = Creators { schedules: schedules(inside), ..Creators::default() };
    let spawns = spawns_of(inside, &members);
    found.births_seen = spawns.iter().map(|(_, births)| births).sum();
    for (spawn, births) in spawns.iter().take(MOST) {
        found.created_by.push(CreatedBy {
            source: spawn.source.to_string(),
            births: *births,
            of: found.births_seen,
            sure: "seen when they were born".to_owned(),
            thread: spawn.births.first().map(|birth| birth.starter.clone()),
            frames: spawn.frames.iter().map(|frame| named.frame(frame)).collect(),
        });
    }
    let owners = owners_of(inside, &members);
    for owner in owners.iter().take(MOST) {
        found.created_by.extend(named.owner(owner, members.count() as u64));
    }
    if let Some((owner, pool)) = owners.iter().find_map(|owner| Some((owner, owner.pool.clone()?))) {
        found.pooled = owner.count;
        found.pool = Some(pool);
    }
    let suspects = sites::ranked(inside, group, &spawns, &owners, command);
    for site in suspects.iter().take(MOST) {
        found.created_by.push(CreatedBy {
            source: "site".to_owned(),
            sure: format!("could make them: calls {}", short(site.makes.as_str())),
            frames: vec![named.frame(&site.at)],
            ..CreatedBy::default()
        });
    }
    found.libraries = named.libraries(&spawns, found.births_seen, &suspects);
    found
}

/// The stacks at which threads of the group were born, most births first.
fn spawns_of<'a>(inside: &'a JvmInside, members: &Members<'_>) -> Vec<(&'a SpawnStack, u64)> {
    let mut found: Vec<(&SpawnStack, u64)> = inside
        .spawns
        .iter()
        .filter_map(|spawn| {
            let born = spawn.births.iter().filter(|birth| members.has_born(birth)).count() as u64;
            // Of those beyond what was kept only the number is known.
            let more = spawn.count.saturating_sub(spawn.births.len() as u64);
            let all = born == spawn.births.len() as u64;
            (born > 0).then_some((spawn, if all { born + more } else { born }))
        })
        .collect();
    found.sort_by_key(|(_, births)| std::cmp::Reverse(*births));
    found
}

/// What threads of the group work for, most threads first.
fn owners_of<'a>(inside: &'a JvmInside, members: &Members<'_>) -> Vec<&'a ThreadOwner> {
    let mut found: Vec<&ThreadOwner> = inside
        .owners
        .iter()
        .filter(|owner| owner.examples.iter().any(|name| members.has_name(name.as_str())))
        .collect();
    found.sort_by_key(|owner| std::cmp::Reverse(owner.count));
    found
}

/// What threads of certain names work for, most threads first: all that is known before a birth was seen.
#[must_use]
pub fn owners(inside: &JvmInside, command: &str, is_wanted: impl Fn(&str) -> bool) -> Vec<CreatedBy> {
    let named = Namer { inside, command };
    let mut found: Vec<&ThreadOwner> = inside
        .owners
        .iter()
        .filter(|owner| owner.examples.iter().any(|name| is_wanted(name.as_str())))
        .collect();
    found.sort_by_key(|owner| std::cmp::Reverse(owner.count));
    let all = found.iter().map(|owner| owner.count).sum();
    found.into_iter().take(MOST).filter_map(|owner| named.owner(owner, all)).collect()
}

/// Schedules in the process, in the words of those on the host.
fn schedules(inside: &JvmInside) -> Vec<ScheduleEntry> {
    let mut found: Vec<ScheduleEntry> = Vec::new();
    for schedule in inside.owners.iter().flat_map(|owner| &owner.schedules) {
        let when = match (&schedule.expression, schedule.period_s) {
            (Some(expression), _) => ScheduleWhen::Quartz(expression.clone()),
            (None, Some(period)) if period >= 1.0 => ScheduleWhen::EverySeconds(period.round() as u64),
            _ => continue,
        };
        let source = match schedule.kind.as_str() {
            "quartz" => "Quartz".into(),
            "spring" => "Spring".into(),
            "timer" => "java.util.Timer".into(),
            "scheduled-pool" => "ScheduledThreadPoolExecutor".into(),
            _ => schedule.kind.clone(),
        };
        let entry = ScheduleEntry { source, when, what: schedule.what.clone() };
        if !found.contains(&entry) {
            found.push(entry);
        }
    }
    found
}

/// Class and method, without the packages: `Executors.newSingleThreadExecutor`.
fn short(symbol: &str) -> &str {
    let mut dots = symbol.rmatch_indices('.').map(|(at, _)| at);
    let _method = dots.next();
    dots.next().map_or(symbol, |at| &symbol[at + 1..])
}

/// Turns what the JVM named into what people read.
struct Namer<'a> {
    inside: &'a JvmInside,
    command: &'a str,
}

impl Namer<'_> {
    fn frame(&self, frame: &JavaFrame) -> Frame {
        let role = of_frame(frame, self.inside, self.command);
        Frame {
            symbol: if frame.class.is_empty() || frame.class.as_str() == role::RUBY {
                frame.method.to_string()
            } else {
                format!("{}.{}", frame.class, frame.method)
            },
            file: frame.file.as_ref().map(ToString::to_string),
            line: frame.line,
            origin: self.origin(frame),
            role: role.id().to_owned(),
        }
    }

    /// `polyglot-jobs 1.7.2`; the file's name where the jar doesn't say.
    fn origin(&self, frame: &JavaFrame) -> Option<String> {
        self.jar_name(frame.origin.as_ref()?.as_str())
    }

    fn jar_name(&self, path: &str) -> Option<String> {
        match role::jar(self.inside, path) {
            Some(jar) => Some(match &jar.version {
                Some(version) => format!("{} {version}", jar.name),
                None => jar.name.to_string(),
            }),
            None => path
                .trim_end_matches('/')
                .rsplit('/')
                .next()
                .filter(|name| !name.is_empty())
                .map(|name| Text::from(name).to_string()),
        }
    }

    /// The first thing on the way from a thread that is not of the JDK.
    fn owner(&self, owner: &ThreadOwner, all: u64) -> Option<CreatedBy> {
        let frames: Vec<Frame> = owner
            .links
            .iter()
            .filter(|link| link.application)
            .map(|link| {
                let frame = JavaFrame {
                    class: link.class.clone(),
                    origin: link.origin.clone(),
                    ..JavaFrame::default()
                };
                Frame {
                    symbol: link.class.to_string(),
                    file: None,
                    line: None,
                    origin: self.origin(&frame),
                    role: of_frame(&frame, self.inside, self.command).id().to_owned(),
                }
            })
            .collect();
        let Some(first) = owner.links.iter().find(|link| link.application) else {
            return self.sources(owner, all);
        };
        let how = if first.path.is_empty() {
            first.role.to_string()
        } else {
            format!("{} ({})", first.role, first.path)
        };
        Some(CreatedBy {
            source: "owner".to_owned(),
            births: owner.count.min(all),
            of: all,
            sure: format!("their {how} is of this class"),
            thread: None,
            frames,
        })
    }

    /// Nothing but the JDK's on the way: then the jars whose code was on the stack when the thread was made, which JDKs up
    /// to 23 keep with it.
    fn sources(&self, owner: &ThreadOwner, all: u64) -> Option<CreatedBy> {
        let names: Vec<String> =
            owner.inherited_sources.iter().filter_map(|path| self.jar_name(path.as_str())).collect();
        (!names.is_empty()).then(|| CreatedBy {
            source: "owner".to_owned(),
            births: owner.count.min(all),
            of: all,
            sure: "code of these was on the stack when they were made".to_owned(),
            thread: None,
            frames: names
                .into_iter()
                .map(|name| Frame { symbol: name, role: Role::Library.id().to_owned(), ..Frame::default() })
                .collect(),
        })
    }

    /// In how many of the births each library took part; suspects that took part in none, too: they are cleared by it.
    fn libraries(
        &self,
        spawns: &[(&SpawnStack, u64)],
        seen: u64,
        suspects: &[&model::CreationSite],
    ) -> Vec<LibraryShare> {
        if seen == 0 {
            return Vec::new();
        }
        let mut shares: BTreeMap<String, u64> = BTreeMap::new();
        for (spawn, births) in spawns {
            let mut here: Vec<String> = spawn.frames.iter().filter_map(|frame| self.library(frame)).collect();
            here.sort();
            here.dedup();
            for name in here {
                *shares.entry(name).or_default() += births;
            }
        }
        for site in suspects {
            if let Some(name) = self.library(&site.at) {
                shares.entry(name).or_default();
            }
        }
        let mut shares: Vec<LibraryShare> =
            shares.into_iter().map(|(name, births)| LibraryShare { name, births, of: seen }).collect();
        shares.sort_by(|a, b| b.births.cmp(&a.births).then_with(|| a.name.cmp(&b.name)));
        shares.truncate(MOST_LIBRARIES);
        shares
    }

    fn library(&self, frame: &JavaFrame) -> Option<String> {
        match of_frame(frame, self.inside, self.command) {
            Role::Jdk => None,
            _ => self.origin(frame),
        }
    }
}

/// The first frame that is neither the JDK's nor a language's machinery: the creator that is shown.
#[must_use]
pub fn creator(frames: &[Frame]) -> Option<&Frame> {
    frames
        .iter()
        .find(|frame| !matches!(frame.role.as_str(), "jdk" | "runtime"))
        .or_else(|| frames.iter().find(|frame| frame.role != "jdk"))
}

/// What is never ended, in words.
#[must_use]
pub fn never_ended(group: &ThreadGroup, pool: Option<&PoolState>) -> &'static str {
    match (group.shape, pool) {
        (PoolShape::OneThreadPools | PoolShape::SeveralPools, _) => {
            "a pool is made each time and never shut down"
        }
        (_, Some(pool)) if pool.pools > 1 => "a pool is made each time and never shut down",
        (_, Some(_)) => "one pool grows without an end",
        _ => "a thread is made each time and never ends",
    }
}

/// `a`, `b` and `c` of `n` things, for sentences.
#[must_use]
pub fn share(births: u64, of: u64) -> String {
    format!("{} of {}", show::count(births), show::count(of))
}

#[cfg(test)]
mod tests;
