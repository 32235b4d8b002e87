//! What a mapping's name and permissions say. Names repeat: each is looked at once.

use model::{AddressSpace, Libc, Mapping, MemoryClass};

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// No name, or one that was given to anonymous memory: `[anon:…]` (prctl PR_SET_VMA, and Android).
    Plain,
    /// A file.
    File,
    /// A file that was removed.
    Deleted,
    /// `/dev/zero`: anonymous when private, shared memory when shared; and the same in huge pages.
    Zero,
    /// A file of a file system that is memory: shared memory when shared, a file when private.
    SharedFile,
    /// The same class whatever the permissions.
    Always(MemoryClass),
}

/// The names of an address space, understood.
#[derive(Debug)]
pub(super) struct Named {
    kinds: Vec<Kind>,
    /// Which C library keeps its threads here.
    pub(super) libc: Libc,
    /// Is the HotSpot JVM (or another with its layout: OpenJ9 has it not) loaded?
    pub(super) is_jvm: bool,
    /// Per name: a class data sharing archive?
    pub(super) archives: Vec<bool>,
    /// Per name: ZGC's heap?
    pub(super) zgc_heaps: Vec<bool>,
}

impl Named {
    pub(super) fn of(space: &AddressSpace) -> Self {
        let names = || space.names.iter().map(model::Text::as_str);
        let mut libc = Libc::Unknown;
        let mut is_jvm = false;
        for name in names() {
            let base = base_name(name);
            if base.starts_with("libc.so.6") || (base.starts_with("libc-2.") && base.ends_with(".so")) {
                libc = Libc::Glibc;
            } else if libc == Libc::Unknown && is_musl(name, base) {
                libc = Libc::Musl;
            }
            is_jvm |= base.starts_with("libjvm.so");
        }
        let kinds = names()
            .enumerate()
            .map(|(index, name)| kind(name, space.named_deleted.binary_search(&(index as u32)).is_ok()));
        Self {
            kinds: kinds.collect(),
            libc,
            is_jvm,
            archives: names()
                .map(|name| name.ends_with(".jsa") || name.ends_with(".jsa (deleted)"))
                .collect(),
            zgc_heaps: names().map(|name| name.starts_with("/memfd:java_heap")).collect(),
        }
    }

    /// Is a mapping of an archive, going by `archives` or `zgc_heaps`?
    pub(super) fn is(flags: &[bool], mapping: &Mapping) -> bool {
        mapping.name != 0 && flags.get(mapping.name as usize).copied().unwrap_or(false)
    }
}

/// musl is one file, its own loader; Debian's loader is a link to `…/x86_64-linux-musl/libc.so`. Android's C library has
/// that name too; glibc's `libc.so` is a text for the linker.
fn is_musl(name: &str, base: &str) -> bool {
    base.starts_with("ld-musl-")
        || base.starts_with("libc.musl-")
        || (base == "libc.so" && !name.contains("/bionic/"))
}

fn base_name(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// The kinds of names, as fs/proc/task_mmu.c and the file systems write them.
fn kind(name: &str, named_deleted: bool) -> Kind {
    use MemoryClass as Class;
    if let Some(inner) = name.strip_prefix('[') {
        // glibc ≥ 2.41 names its own with the tunable glibc.mem.decorate_maps.
        return match inner.strip_suffix(']').unwrap_or(inner) {
            "heap" => Kind::Always(Class::MainHeap),
            "stack" => Kind::Always(Class::ThreadStack),
            "anon: glibc: malloc arena" => Kind::Always(Class::MallocArena),
            "vdso" | "vvar" | "vvar_vclock" | "vsyscall" | "uprobes" | "sigpage" | "vectors" => {
                Kind::Always(Class::Vdso)
            }
            _ => Kind::Plain,
        };
    }
    let (path, deleted) = match name.strip_suffix(" (deleted)") {
        Some(path) if !named_deleted => (path, true),
        _ => (name, false),
    };
    // The names in the kernel's own, unmounted file system end in "(deleted)", as nothing links to their files.
    if deleted && path.starts_with("/memfd:") {
        return Kind::Always(Class::Memfd);
    }
    if deleted && path.starts_with("/SYSV") {
        return Kind::Always(Class::SharedMemory);
    }
    match path {
        "" => Kind::Plain,
        "/dev/zero" | "/anon_hugepage" => Kind::Zero,
        "/[aio]" => Kind::Always(Class::Device),
        _ if path.starts_with("/dev/shm/") || path.starts_with("/dev/hugepages/") => Kind::SharedFile,
        _ if path.starts_with("/dev/") => Kind::Always(Class::Device),
        _ if path.starts_with('/') && deleted => Kind::Deleted,
        _ if path.starts_with('/') => Kind::File,
        // anon_inode:[perf_event], anon_inode:[io_uring], socket:[4711] (packet rings), dmabuf:…
        _ => Kind::Always(Class::Device),
    }
}

/// What one pass over the mappings gives: classes as far as names and permissions go, and where the later steps are to
/// look, so that they need no pass each.
#[derive(Debug, Default)]
pub(super) struct Base {
    /// The class of each mapping: anonymous memory is just that.
    pub(super) classes: Vec<MemoryClass>,
    /// Writable anonymous mappings that begin at a multiple of a mebibyte: heaps of malloc, nodes of metaspace.
    pub(super) aligned: Vec<usize>,
    /// Anonymous mappings that may be written and executed.
    pub(super) code: Vec<usize>,
    /// Mappings of archives.
    pub(super) archives: Vec<usize>,
}

impl Base {
    pub(super) fn of(space: &AddressSpace, named: &Named) -> Self {
        const MASK: u64 = (1 << 20) - 1;
        let mut base = Self { classes: Vec::with_capacity(space.mappings.len()), ..Self::default() };
        for (index, mapping) in space.mappings.iter().enumerate() {
            let class = base_class(mapping, &named.kinds);
            base.classes.push(class);
            if class == MemoryClass::Anonymous {
                if mapping.start & MASK == 0 && mapping.perms.write() {
                    base.aligned.push(index);
                }
                if mapping.perms.write() && mapping.perms.exec() {
                    base.code.push(index);
                }
            } else if Named::is(&named.archives, mapping) {
                base.archives.push(index);
            }
        }
        base
    }
}

#[inline]
fn base_class(mapping: &Mapping, kinds: &[Kind]) -> MemoryClass {
    use MemoryClass as Class;
    let perms = mapping.perms;
    let private = if perms.none() { Class::Reserved } else { Class::Anonymous };
    // Most mappings; name 0 is the empty one.
    if mapping.name == 0 && mapping.inode == 0 && !perms.shared() {
        return private;
    }
    match kinds.get(mapping.name as usize).copied().unwrap_or(Kind::Plain) {
        // A nameless mapping with an inode belongs to a file system that names nothing: a driver's.
        Kind::Plain if mapping.inode != 0 => Class::Device,
        Kind::Plain | Kind::Zero | Kind::SharedFile if perms.shared() => Class::SharedMemory,
        Kind::Plain | Kind::Zero => private,
        Kind::Deleted => Class::FileDeleted,
        Kind::File if perms.shared() => Class::FileShared,
        Kind::File | Kind::SharedFile => Class::FilePrivate,
        Kind::Always(class) => class,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{Perms, Text};

    fn class(name: &str, letters: &str, inode: u64) -> MemoryClass {
        let mut perms = 0;
        for (letter, bit) in
            [('r', Perms::READ), ('w', Perms::WRITE), ('x', Perms::EXEC), ('s', Perms::SHARED)]
        {
            perms |= u8::from(letters.contains(letter)) * bit;
        }
        let mapping =
            Mapping { start: 4096, end: 8192, perms: Perms(perms), inode, name: 1, ..Mapping::default() };
        let space = AddressSpace {
            mappings: vec![mapping],
            names: vec![Text::default(), Text::from(name)],
            ..AddressSpace::default()
        };
        Base::of(&space, &Named::of(&space)).classes[0]
    }

    #[test]
    fn names_and_permissions() {
        use MemoryClass as Class;
        for (name, letters, inode, expected) in [
            ("", "rw-p", 0, Class::Anonymous),
            ("", "---p", 0, Class::Reserved),
            ("", "rw-s", 9, Class::Device),
            ("[heap]", "rw-p", 0, Class::MainHeap),
            ("[heap]", "---p", 0, Class::MainHeap),
            ("[stack]", "rw-p", 0, Class::ThreadStack),
            ("[vvar_vclock]", "r--p", 0, Class::Vdso),
            ("[vsyscall]", "--xp", 0, Class::Vdso),
            ("[anon:dalvik-main space]", "rw-p", 0, Class::Anonymous),
            ("[anon_shmem:buffers]", "rw-s", 0, Class::SharedMemory),
            ("[anon: glibc: malloc arena]", "rw-p", 0, Class::MallocArena),
            ("[anything else", "---p", 0, Class::Reserved),
            ("/usr/lib/libc.so.6", "r-xp", 4, Class::FilePrivate),
            ("/var/lib/db", "rw-s", 4, Class::FileShared),
            ("/usr/lib/old.so (deleted)", "r-xp", 4, Class::FileDeleted),
            ("/dev/zero (deleted)", "rw-s", 4, Class::SharedMemory),
            ("/dev/zero", "rw-p", 4, Class::Anonymous),
            ("/dev/zero", "---p", 4, Class::Reserved),
            ("/anon_hugepage (deleted)", "rw-p", 4, Class::Anonymous),
            ("/anon_hugepage (deleted)", "rw-s", 4, Class::SharedMemory),
            ("/SYSV00000000 (deleted)", "rw-s", 4, Class::SharedMemory),
            ("/SYSV00000000", "rw-s", 4, Class::FileShared),
            ("/dev/shm/ring", "rw-s", 4, Class::SharedMemory),
            ("/dev/shm/ring (deleted)", "rw-s", 4, Class::SharedMemory),
            ("/dev/shm/ring", "rw-p", 4, Class::FilePrivate),
            ("/memfd:x (deleted)", "rw-s", 4, Class::Memfd),
            ("/memfd:x", "rw-s", 4, Class::FileShared),
            ("/dev/nvidia0", "rw-s", 4, Class::Device),
            ("/[aio] (deleted)", "rw-s", 4, Class::Device),
            ("anon_inode:[perf_event]", "rw-s", 4, Class::Device),
            ("anon_inode:[io_uring]", "rw-s", 4, Class::Device),
            ("socket:[12345]", "rw-s", 4, Class::Device),
        ] {
            assert_eq!(class(name, letters, inode), expected, "{name} {letters}");
        }
    }

    #[test]
    fn a_file_may_be_called_deleted() {
        let mapping = Mapping { start: 4096, end: 8192, inode: 4, name: 1, ..Mapping::default() };
        let mut space = AddressSpace {
            mappings: vec![mapping],
            names: vec![Text::default(), Text::from("/tmp/x (deleted)")],
            ..AddressSpace::default()
        };
        assert_eq!(Base::of(&space, &Named::of(&space)).classes, [MemoryClass::FileDeleted]);
        space.named_deleted = vec![1];
        assert_eq!(Base::of(&space, &Named::of(&space)).classes, [MemoryClass::FilePrivate]);
    }

    #[test]
    fn libraries() {
        let of = |name: &str| {
            let names = vec![Text::default(), Text::from(name)];
            let named = Named::of(&AddressSpace { names, ..AddressSpace::default() });
            (named.libc, named.is_jvm)
        };
        assert_eq!(of("/usr/lib/x86_64-linux-gnu/libc.so.6"), (Libc::Glibc, false));
        assert_eq!(of("/lib/libc-2.28.so"), (Libc::Glibc, false));
        assert_eq!(of("/lib/ld-musl-x86_64.so.1"), (Libc::Musl, false));
        assert_eq!(of("/usr/lib/x86_64-linux-musl/libc.so"), (Libc::Musl, false));
        assert_eq!(of("/apex/com.android.runtime/lib64/bionic/libc.so"), (Libc::Unknown, false));
        assert_eq!(of("/usr/lib/jvm/java/lib/server/libjvm.so"), (Libc::Unknown, true));
        assert_eq!(of("/libjvm.so.d/other"), (Libc::Unknown, false));
    }
}
