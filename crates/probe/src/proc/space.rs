//! The address space of a process: its mappings, and as much of what is in them as was asked for.

use std::ffi::CStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use model::{AddressSpace, Mapping, Reading, TouchedFrom, VmFlags};
use rustix::fs::{AtFlags, Mode, OFlags, ResolveFlags, SeekFrom, StatxFlags, openat, openat2};
use rustix::io::Errno;

use super::{maps, pagemap, smaps};
use crate::budget::{Bursts, Pace};
use crate::{Absence, PidDir, SpaceDepth};

/// The most that the kernel hands out in one call: a page of text, or one entry when that is longer. A path of 4 KiB,
/// were it all newlines, takes 16 KiB as text.
const LONGEST: usize = 20 * 1024;
const BUFFER: usize = 64 * 1024;

/// Reads the address space. `stack_hints` are addresses in stacks of threads, in any order: mappings that hold several
/// stacks are then counted stack by stack.
///
/// `Gone` when the process has no memory (any more), a thread of the kernel included; `Denied` without the right to
/// ptrace it. A process that ends while it is read is `Gone`, not a shorter list.
#[must_use]
pub fn read(dir: &PidDir, depth: SpaceDepth, stack_hints: &[u64], pace: &Pace) -> Reading<AddressSpace> {
    read_with(dir, depth, &mut |_| stack_hints.to_vec(), pace)
}

/// The same with the hints looked for when the mappings are listed: they may show that no hints are needed.
pub(crate) fn read_with(
    dir: &PidDir,
    depth: SpaceDepth,
    hints: &mut dyn FnMut(&AddressSpace) -> Vec<u64>,
    pace: &Pace,
) -> Reading<AddressSpace> {
    let result = match depth {
        SpaceDepth::No => return Reading::Skipped,
        SpaceDepth::Maps => list(dir, pace).map(|(_, space)| {
            hints(&space);
            space
        }),
        SpaceDepth::Touched => with_touched(dir, hints, pace),
        SpaceDepth::Details => with_details(dir, hints, pace),
    };
    Absence::or_value(result.map(|mut space| {
        space.named_deleted = named_deleted(dir, &space);
        space
    }))
}

/// maps alone.
fn list(dir: &PidDir, pace: &Pace) -> Result<(OwnedFd, AddressSpace), Absence> {
    let file = dir.open_file(c"maps")?;
    let mut parser = maps::Parser::default();
    let mut buffer = vec![0; BUFFER];
    let paced = pace.maps_paced.then_some(pace);
    let rest = stream(dir, c"maps", &file, &mut buffer, paced, |bytes| parser.feed(bytes))?;
    let space = parser.finish(&buffer[..rest])?;
    still_there(dir, c"maps", &file)?;
    Ok((file, space))
}

/// maps and PAGEMAP_SCAN; smaps where the kernel lacks it.
fn with_touched(
    dir: &PidDir,
    hints: &mut dyn FnMut(&AddressSpace) -> Vec<u64>,
    pace: &Pace,
) -> Result<AddressSpace, Absence> {
    let (file, mut space) = list(dir, pace)?;
    let mut sorted = hints(&space);
    sorted.sort_unstable();
    let Some(found) = count_pages(dir, &space.mappings, &sorted, pace)? else {
        return with_details(dir, &mut |_| sorted.clone(), pace);
    };
    space.touched = Reading::Value(found.bytes);
    space.touched_from = TouchedFrom::PagemapScan;
    space.guards = found.guards;
    space.stretches = found.stretches;
    still_there(dir, c"maps", &file)?;
    Ok(space)
}

/// smaps for everything; PAGEMAP_SCAN, where the kernel has it, only of mappings that hold several stacks. To scan the
/// others too would take the lock, and a third of the time, once more, for what `Rss` and `Swap` say already.
fn with_details(
    dir: &PidDir,
    hints: &mut dyn FnMut(&AddressSpace) -> Vec<u64>,
    pace: &Pace,
) -> Result<AddressSpace, Absence> {
    // Opened before, so that it can tell whether the same memory is still there: to read smaps itself once more would walk
    // the pages of its first mappings again, and the first one may be a heap of gigabytes.
    let witness = dir.open_file(c"maps")?;
    let file = dir.open_file(c"smaps")?;
    let mut parser = smaps::Parser::default();
    let mut buffer = vec![0; BUFFER];
    let rest = stream(dir, c"smaps", &file, &mut buffer, Some(pace), |bytes| parser.feed(bytes))?;
    let (mut space, touched) = parser.finish(&buffer[..rest])?;
    space.touched = Reading::Value(touched);
    space.touched_from = TouchedFrom::Smaps;
    let mut sorted = hints(&space);
    sorted.sort_unstable();
    let several = of_several_stacks(&space, &sorted);
    if !several.is_empty()
        && let Some(found) = count_pages(dir, &several, &sorted, pace)?
    {
        space.guards = found.guards;
        space.stretches = found.stretches;
    }
    still_there(dir, c"maps", &witness)?;
    Ok(space)
}

/// The mappings that have guards inside, or more than one of the hints (which are sorted).
fn of_several_stacks(space: &AddressSpace, hints: &[u64]) -> Vec<Mapping> {
    let details = space.details.value().map_or(&[][..], Vec::as_slice);
    let is_guarded =
        |index: usize| details.get(index).is_some_and(|detail| detail.flags.has(VmFlags::GUARDED));
    let mut rest = hints;
    let mut found = Vec::new();
    let any = hints.len() > 1 || details.iter().any(|detail| detail.flags.has(VmFlags::GUARDED));
    for (index, mapping) in space.mappings.iter().enumerate().take_while(|_| any) {
        rest = &rest[rest.partition_point(|hint| *hint < mapping.start)..];
        let inside = rest.iter().take(2).filter(|hint| **hint < mapping.end).count();
        if inside > 1 || is_guarded(index) {
            found.push(*mapping);
        }
    }
    found
}

/// What PAGEMAP_SCAN tells of some mappings; `None` when this kernel has no such call (or a sandbox forbids it).
fn count_pages(
    dir: &PidDir,
    mappings: &[Mapping],
    hints: &[u64],
    pace: &Pace,
) -> Result<Option<pagemap::Touched>, Absence> {
    let file = dir.open_file(c"pagemap")?;
    match pagemap::touched(&file, mappings, hints, pace) {
        Ok(found) => Ok(Some(found)),
        Err(Errno::NOTTY | Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP | Errno::PERM) => Ok(None),
        Err(error) => Err(dir.absence(c"pagemap", error)),
    }
}

/// Gives a file to `feed` as the kernel hands it out, at a pace or without pauses; says how many bytes at the beginning of
/// the buffer `feed` did not take.
fn stream(
    dir: &PidDir,
    name: &CStr,
    file: impl AsFd,
    buffer: &mut [u8],
    pace: Option<&Pace>,
    mut feed: impl FnMut(&[u8]) -> Result<usize, Absence>,
) -> Result<usize, Absence> {
    let mut filled = 0;
    let mut bursts = Bursts::new(pace);
    loop {
        let ended = match bursts.read(|| rustix::io::read(&file, &mut buffer[filled..])) {
            Ok(count) => {
                filled += count;
                count == 0
            }
            Err(Errno::INTR) => continue,
            Err(error) => return Err(dir.absence(name, error)),
        };
        // Several calls' worth at a time: parser and kernel keep pushing each other out of the processor's caches.
        if ended || buffer.len() - filled < LONGEST {
            let taken = feed(&buffer[..filled])?.min(filled);
            buffer.copy_within(taken..filled, 0);
            filled -= taken;
        }
        if ended {
            return Ok(filled);
        }
        if buffer.len() - filled < LONGEST {
            return Err(Absence::Malformed(format!("{}: a line of {filled} bytes", name.to_string_lossy())));
        }
    }
}

/// The kernel ends the list of a process that ends just as it ends any list. The opened file belongs to the memory it
/// was opened on: when that has no first line any more, what was read is not the whole.
fn still_there(dir: &PidDir, name: &CStr, file: &OwnedFd) -> Result<(), Absence> {
    let mut byte = [0; 1];
    rustix::fs::seek(file, SeekFrom::Start(0)).map_err(|error| dir.absence(name, error))?;
    match rustix::io::read(file, &mut byte) {
        Ok(1..) => Ok(()),
        Ok(0) | Err(_) => Err(Absence::Gone),
    }
}

/// Which names that look deleted are files of just that name. Some hundred are looked at: a process that maps more
/// removed files than that is not worth a call for each.
fn named_deleted(dir: &PidDir, space: &AddressSpace) -> Vec<u32> {
    const MOST: usize = 256;
    let looks_so = |name: &str| name.starts_with('/') && name.ends_with(" (deleted)");
    let candidates = space.names.iter().enumerate().filter(|(_, name)| looks_so(name.as_str()));
    let candidates: Vec<u32> = candidates.map(|(index, _)| index as u32).take(MOST).collect();
    if candidates.is_empty() {
        return candidates;
    }
    // The target's own root, as a place only; no link is followed in what lies below.
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let Ok(root) = openat(dir, c"root", flags, Mode::empty()) else { return Vec::new() };
    let mut found: Vec<u32> = Vec::new();
    let mut seen = vec![false; candidates.len()];
    for mapping in &space.mappings {
        let Ok(place) = candidates.binary_search(&mapping.name) else { continue };
        let path = space.name(mapping).trim_start_matches('/');
        if !std::mem::replace(&mut seen[place], true) && inode(root.as_fd(), path) == Some(mapping.inode) {
            found.push(mapping.name);
        }
    }
    found.sort_unstable();
    found
}

/// The inode of a path below a root; `None` when there is none, or a link on the way.
fn inode(root: BorrowedFd<'_>, path: &str) -> Option<u64> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    let file = openat2(root, path, flags, Mode::empty(), resolve).ok()?;
    let stat = rustix::fs::statx(file, c"", AtFlags::EMPTY_PATH, StatxFlags::INO).ok()?;
    Some(stat.stx_ino)
}
