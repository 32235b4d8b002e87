//! Where the target's libjvm.so has `JVM_StartThread`: the function behind `Thread.start0`, which the hook calls. A wrong
//! address would end the target, so what the file says is compared with what is mapped.
//!
//! ```text
//! 7f8a31000000-7f8a32331000 r--p 00000000 fe:00 1234  /usr/lib/jvm/java-17-openjdk-amd64/lib/server/libjvm.so
//! ```

use std::ffi::CString;
use std::os::fd::OwnedFd;

use rustix::fs::{Mode, OFlags, openat};
use rustix::io::pread;

use super::Refusal;
use crate::hotspot::attach::TargetView;
use crate::sys::place::descend;

const SYMBOL: &[u8] = b"JVM_StartThread";
/// The most that is read of any table: libjvm's have some 60 KiB.
const TABLE: usize = 4 << 20;

/// What /proc/PID/maps says of two files.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Mapped {
    /// Where libjvm.so begins, its inode and path.
    pub(super) libjvm: Option<(u64, u64, String)>,
    /// Paths of the agent that are mapped, as they were loaded.
    pub(super) agents: Vec<String>,
    /// Is its C library musl?
    pub(super) musl: bool,
}

/// Reads maps for libjvm.so and for mapped agents of this name.
pub(super) fn mapped(maps: &[u8], agent: &str) -> Mapped {
    let mut found = Mapped::default();
    for line in maps.split(|byte| *byte == b'\n') {
        let Some((head, path)) = line.iter().position(|byte| *byte == b'/').map(|at| line.split_at(at))
        else {
            continue;
        };
        let (Ok(head), Ok(path)) = (std::str::from_utf8(head), std::str::from_utf8(path)) else { continue };
        let mut words = head.split_ascii_whitespace();
        let (range, _, offset) = (words.next(), words.next(), words.next());
        let inode = words.nth(1).and_then(|inode| inode.parse().ok());
        let start = range.and_then(|range| u64::from_str_radix(range.split('-').next()?, 16).ok());
        let (Some(start), Some("00000000"), Some(inode)) = (start, offset, inode) else { continue };
        let loaded = path.strip_suffix(" (deleted)").unwrap_or(path);
        let file = loaded.rsplit('/').next().unwrap_or_default();
        if file == "libjvm.so" && found.libjvm.is_none() {
            found.libjvm = Some((start, inode, path.to_owned()));
        } else if file == agent && !found.agents.iter().any(|known| known == loaded) {
            found.agents.push(loaded.to_owned());
        }
        found.musl |= file.starts_with("ld-musl-");
    }
    found
}

/// The address of JVM_StartThread in the target.
pub(super) fn start_thread(target: &TargetView, mapped: &Mapped) -> Result<u64, Refusal> {
    let refuse = |why: &str| Refusal::NoSymbol(why.to_owned());
    let (base, inode, path) = mapped.libjvm.as_ref().ok_or_else(|| refuse("no libjvm.so is mapped"))?;
    let file = open(target, path).ok_or_else(|| refuse("its libjvm.so can't be opened"))?;
    let elf = Elf(&file);
    let found = elf.function(SYMBOL).ok_or_else(|| refuse("its libjvm.so has no such function"))?;
    let address = base.checked_add(found.address).ok_or_else(|| refuse("nonsense"))?;
    // Its memory decides: the first page has the build id, and the function's code is the function's code. Where
    // reading it is forbidden the inode has to do (an overlay may show another one than the file's own).
    let same = match target.proc_dir().open_file(c"mem") {
        Ok(memory) => {
            let is_there = |offset, length, address| is_in_memory(&elf, &memory, offset, length, address);
            is_there(0, 4096, *base) && is_there(found.offset, 64, address)
        }
        Err(_) => {
            let stat = rustix::fs::fstat(&file);
            stat.map_err(|error| Refusal::File { what: path.clone(), error })?.st_ino == *inode
        }
    };
    if same { Ok(address) } else { Err(refuse("its libjvm.so is another file by now")) }
}

/// Does the target have the same bytes there as the file?
fn is_in_memory(elf: &Elf<'_>, memory: &OwnedFd, offset: u64, length: usize, address: u64) -> bool {
    let mut there = vec![0; length];
    let here = elf.bytes(offset, length);
    pread(memory, &mut there, address) == Ok(length) && here.is_some_and(|here| here == there)
}

/// Opens a file by the path that maps shows: without links, from the target's root.
fn open(target: &TargetView, path: &str) -> Option<OwnedFd> {
    let names: Option<Vec<CString>> =
        path.split('/').filter(|name| !name.is_empty()).map(|name| CString::new(name).ok()).collect();
    let names = names?;
    let (file, directories) = names.split_last()?;
    let directories: Vec<_> = directories.iter().map(CString::as_c_str).collect();
    let place = descend(target.root_dir(), &directories).ok()?;
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    openat(place, file, flags, Mode::empty()).ok()
}

/// A function: its address above where the file begins in memory, and where its code is in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Function {
    address: u64,
    offset: u64,
}

/// An ELF file of this machine's kind, read piece by piece.
struct Elf<'a>(&'a OwnedFd);

impl Elf<'_> {
    fn bytes(&self, offset: u64, length: usize) -> Option<Vec<u8>> {
        let mut bytes = vec![0; length.min(TABLE)];
        let mut read = 0;
        while read < bytes.len() {
            match pread(self.0, bytes.get_mut(read..)?, offset.checked_add(read as u64)?) {
                Ok(0) => return None,
                Ok(more) => read += more,
                Err(rustix::io::Errno::INTR) => {}
                Err(_) => return None,
            }
        }
        Some(bytes)
    }

    fn function(&self, name: &[u8]) -> Option<Function> {
        const DYNSYM: u32 = 11;
        let header = self.bytes(0, 64)?;
        header.starts_with(b"\x7fELF\x02").then_some(())?;
        let segments = self.table(word(&header, 32)?, half(&header, 54)?, half(&header, 56)?)?;
        let sections = self.table(word(&header, 40)?, half(&header, 58)?, half(&header, 60)?)?;
        let symbols = sections.iter().find(|section| number(section, 4) == Some(DYNSYM))?;
        let strings = sections.get(number(symbols, 40)? as usize)?;
        let text = self.bytes(word(strings, 24)?, usize::try_from(word(strings, 32)?).ok()?)?;
        let table = self.bytes(word(symbols, 24)?, usize::try_from(word(symbols, 32)?).ok()?)?;
        let symbol = table.chunks_exact(24).find(|symbol| {
            let at = number(symbol, 0).unwrap_or(u32::MAX) as usize;
            let rest = text.get(at..).and_then(|rest| rest.strip_prefix(name));
            // STT_FUNC, and defined here.
            rest.and_then(<[u8]>::first) == Some(&0)
                && symbol.get(4).is_some_and(|info| info & 15 == 2)
                && half(symbol, 6) != Some(0)
        })?;
        let address = word(symbol, 8)?;
        let loads: Vec<&Vec<u8>> = segments.iter().filter(|segment| number(segment, 0) == Some(1)).collect();
        let first = loads.first()?;
        let page = |address: u64| address & !0xfff;
        let holder = loads.iter().find(|load| {
            word(load, 16).zip(word(load, 40)).is_some_and(|(start, length)| {
                address.checked_sub(start).is_some_and(|inside| inside < length)
            })
        })?;
        let offset = address.checked_sub(word(holder, 16)?)?.checked_add(word(holder, 8)?)?;
        Some(Function { address: address.checked_sub(page(word(first, 16)?))?, offset })
    }

    fn table(&self, offset: u64, size: u16, count: u16) -> Option<Vec<Vec<u8>>> {
        let size = usize::from(size);
        let bytes = self.bytes(offset, size.checked_mul(usize::from(count))?)?;
        (size >= 56).then(|| bytes.chunks_exact(size).map(<[u8]>::to_vec).collect())
    }
}

fn word(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..)?.first_chunk().map(|word| u64::from_le_bytes(*word))
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|word| u32::from_le_bytes(*word))
}

fn half(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|word| u16::from_le_bytes(*word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Write as _;

    #[test]
    fn maps_tell_the_library_and_old_agents() {
        let maps = b"7f00-7f10 r--p 00000000 fe:00 77 /jdk/lib/server/libjvm.so\n\
            7f10-7f20 r-xp 00010000 fe:00 77 /jdk/lib/server/libjvm.so\n\
            8000-9000 r--p 00000000 fe:00 78 /tmp/.flatfoot-0/agent-1.so (deleted)\n\
            8000-9000 r--p 00000000 00:00 0 \n\
            a000-b000 r--p 00000000 fe:00 79 /lib/ld-musl-x86_64.so.1\n";
        let found = mapped(maps, "agent-1.so");
        assert_eq!(found.libjvm, Some((0x7f00, 77, "/jdk/lib/server/libjvm.so".to_owned())));
        assert_eq!(found.agents, ["/tmp/.flatfoot-0/agent-1.so"]);
        assert!(found.musl);
    }

    fn file(bytes: &[u8]) -> OwnedFd {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file.into()
    }

    #[test]
    fn functions_are_found_in_a_real_library() {
        let own = file(super::super::library::LIBRARY);
        if cfg!(target_arch = "x86_64") {
            let found = Elf(&own).function(b"Agent_OnAttach").unwrap();
            assert!(found.address > found.offset && found.offset > 0);
        }
        assert_eq!(Elf(&own).function(b"Agent_OnLoad"), None);
        assert_eq!(Elf(&own).function(b"Agent_On"), None, "no part of a name");
    }

    proptest! {
        #[test]
        fn damaged_libraries_never_panic(at in 0_usize..4096, value in any::<u8>(), length in 0_usize..70_000) {
            let mut bytes = super::super::library::LIBRARY.to_vec();
            if let Some(byte) = bytes.get_mut(at) {
                *byte = value;
            }
            bytes.truncate(length);
            let _ = Elf(&file(&bytes)).function(b"Agent_OnAttach");
        }

        #[test]
        fn arbitrary_maps_never_panic(maps in prop::collection::vec(any::<u8>(), 0..512)) {
            let _ = mapped(&maps, "agent-1.so");
        }
    }
}
