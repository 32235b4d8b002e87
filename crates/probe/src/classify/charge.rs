//! Which mappings are charged to the commit limit.
//!
//! smaps says it exactly (`ac` in VmFlags). Without it, the kernel's own rule is applied to what maps shows
//! (mm/vma.c, accountable_mapping; mm/mprotect.c): private and writable, or once writable. What maps doesn't show is
//! MAP_NORESERVE, which glibc uses for its arenas and HotSpot for what it has reserved and not yet committed: arenas
//! are uncharged under vm.overcommit_memory 0 and 1, and taken as that; HotSpot's commits are charged.

use model::{AddressSpace, Mapping, MappingDetail, MemoryClass, VmFlags};

/// Tells of each mapping whether it is charged.
#[derive(Debug)]
pub(super) struct Charge<'a> {
    space: &'a AddressSpace,
    details: Option<&'a [MappingDetail]>,
}

impl<'a> Charge<'a> {
    pub(super) fn of(space: &'a AddressSpace) -> Self {
        let details = space.details.value().filter(|details| details.len() == space.mappings.len());
        Self { space, details: details.map(Vec::as_slice) }
    }

    /// Is it known, or derived?
    pub(super) fn is_exact(&self) -> bool {
        self.details.is_some()
    }

    /// What smaps says of a mapping.
    pub(super) fn detail(&self, index: usize) -> Option<&MappingDetail> {
        self.details.and_then(|details| details.get(index))
    }

    /// A flag, when smaps was read.
    pub(super) fn flag(&self, index: usize, flag: u16) -> Option<bool> {
        self.detail(index).map(|detail| detail.flags.has(flag))
    }

    /// Is the mapping, or a part of it that has this class, charged?
    pub(super) fn is_charged(&self, index: usize, class: MemoryClass) -> bool {
        if let Some(charged) = self.flag(index, VmFlags::ACCOUNTED) {
            return charged;
        }
        let Some(mapping) = self.space.mappings.get(index) else { return false };
        if mapping.perms.shared() || matches!(class, MemoryClass::MallocArena | MemoryClass::Vdso) {
            return false;
        }
        if mapping.perms.write() {
            return true;
        }
        // Anonymous memory that can be read but not written was mostly written first, then protected.
        let protected = mapping.inode == 0 && !mapping.perms.none() && class == MemoryClass::Anonymous;
        protected || self.is_relro(index, mapping)
    }

    /// A library's constants that the loader wrote and then protected (RELRO): the file's read-only mapping that goes
    /// on, in the file as in memory, into its writable one. Another read-only part of the file does not: its last page
    /// is mapped once more by what follows.
    fn is_relro(&self, index: usize, mapping: &Mapping) -> bool {
        let Some(next) = self.space.mappings.get(index + 1) else { return false };
        mapping.inode != 0
            && !mapping.perms.exec()
            && next.inode == mapping.inode
            && next.device == mapping.device
            && next.start == mapping.end
            && next.perms.write()
            && next.offset == mapping.offset.wrapping_add(mapping.size().0)
    }
}
