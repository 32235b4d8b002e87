//! The part `space`: the columns of an [`AddressSpace`].
//!
//! A mapping is written as its gap after the one before and its size: of a thousand leaked stacks every row is
//! then the same.

use model::{
    AddressSpace, Bytes, Mapping, MappingDetail, Perms, Reading, Stretch, Text, TouchedFrom, VmFlags,
};
use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};

use crate::blob::BlobError;
use crate::columns::{self, Column};

/// An address space, ready to be written.
pub(crate) struct SpaceTable<'a>(pub(crate) &'a AddressSpace);

impl Serialize for SpaceTable<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let AddressSpace {
            mappings,
            names,
            touched,
            touched_from,
            guards,
            stretches,
            named_deleted,
            details,
        } = self.0;
        let rows = || mappings.iter();
        let mut map = serializer.serialize_map(None)?;
        columns::write(&mut map, "size", rows().map(|m| m.end.wrapping_sub(m.start)))?;
        columns::write_unless_zero(&mut map, "gap", gaps(rows().map(|m| (m.start, m.end))))?;
        columns::write_unless_zero(&mut map, "perms", rows().map(|m| m.perms.0))?;
        columns::write_unless_zero(&mut map, "offset", rows().map(|m| m.offset))?;
        columns::write_unless_zero(&mut map, "device", rows().map(|m| m.device))?;
        columns::write_unless_zero(&mut map, "inode", rows().map(|m| m.inode))?;
        columns::write_unless_zero(&mut map, "name", rows().map(|m| m.name))?;
        columns::write(&mut map, "names", names.iter())?;
        map.serialize_entry("touched", touched)?;
        map.serialize_entry("touched_from", touched_from)?;
        if !guards.is_empty() {
            columns::write(
                &mut map,
                "guard_size",
                guards.iter().map(|(start, end)| end.wrapping_sub(*start)),
            )?;
            columns::write(&mut map, "guard_gap", gaps(guards.iter().copied()))?;
        }
        if !stretches.is_empty() {
            let rows = || stretches.iter();
            columns::write(&mut map, "stretch_size", rows().map(|s| s.end.wrapping_sub(s.start)))?;
            columns::write(&mut map, "stretch_gap", gaps(rows().map(|s| (s.start, s.end))))?;
            columns::write(&mut map, "stretch_touched", rows().map(|s| s.touched))?;
        }
        if !named_deleted.is_empty() {
            columns::write(&mut map, "named_deleted", named_deleted.iter())?;
        }
        map.serialize_entry("details", &details.as_ref().map(|details| DetailTable(details)))?;
        map.end()
    }
}

/// From the end of one range to the start of the next; negative when they are not in order.
fn gaps(ranges: impl Iterator<Item = (u64, u64)> + Clone) -> impl Iterator<Item = i64> + Clone {
    ranges.scan(0_u64, |before, (start, end)| {
        let gap = start.wrapping_sub(*before) as i64;
        *before = end;
        Some(gap)
    })
}

/// Undoes [`gaps`], given the sizes.
fn ranges(
    gaps: impl Iterator<Item = i64>,
    sizes: impl Iterator<Item = u64>,
) -> impl Iterator<Item = (u64, u64)> {
    gaps.zip(sizes).scan(0_u64, |before, (gap, size)| {
        let start = before.wrapping_add(gap as u64);
        *before = start.wrapping_add(size);
        Some((start, *before))
    })
}

struct DetailTable<'a>(&'a [MappingDetail]);

impl Serialize for DetailTable<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let rows = || self.0.iter();
        let mut map = serializer.serialize_map(None)?;
        columns::write(&mut map, "rss", rows().map(|d| d.rss))?;
        columns::write_unless_zero(&mut map, "pss", rows().map(|d| d.pss))?;
        columns::write_unless_zero(&mut map, "private_dirty", rows().map(|d| d.private_dirty))?;
        columns::write_unless_zero(&mut map, "private_clean", rows().map(|d| d.private_clean))?;
        columns::write_unless_zero(&mut map, "shared_dirty", rows().map(|d| d.shared_dirty))?;
        columns::write_unless_zero(&mut map, "shared_clean", rows().map(|d| d.shared_clean))?;
        columns::write_unless_zero(&mut map, "anonymous", rows().map(|d| d.anonymous))?;
        columns::write_unless_zero(&mut map, "huge", rows().map(|d| d.huge))?;
        columns::write_unless_zero(&mut map, "swap", rows().map(|d| d.swap))?;
        columns::write_unless_zero(&mut map, "flags", rows().map(|d| d.flags.0))?;
        map.end()
    }
}

/// An address space as it was stored.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct StoredSpace {
    size: Column<u64>,
    gap: Column<i64>,
    perms: Column<u8>,
    offset: Column<u64>,
    device: Column<u64>,
    inode: Column<u64>,
    name: Column<u32>,
    names: Column<Text>,
    touched: Reading<Column<u64>>,
    touched_from: TouchedFrom,
    guard_size: Column<u64>,
    guard_gap: Column<i64>,
    stretch_size: Column<u64>,
    stretch_gap: Column<i64>,
    stretch_touched: Column<u64>,
    named_deleted: Column<u32>,
    details: Reading<StoredDetails>,
}

impl StoredSpace {
    pub(crate) fn rows(&self) -> usize {
        let details = self.details.value().map_or(0, |details| details.rss.0.len());
        let touched = self.touched.value().map_or(0, |touched| touched.0.len());
        let lists = [&self.size.0, &self.guard_size.0, &self.stretch_size.0].map(Vec::len);
        lists.iter().sum::<usize>() + self.names.0.len() + self.named_deleted.0.len() + touched + details
    }

    pub(crate) fn into_space(self) -> Result<AddressSpace, BlobError> {
        let rows = self.size.0.len();
        let mut perms = self.perms.cells(rows, "perms")?;
        let mut offsets = self.offset.cells(rows, "offset")?;
        let mut devices = self.device.cells(rows, "device")?;
        let mut inodes = self.inode.cells(rows, "inode")?;
        let mut names = self.name.cells(rows, "name")?;
        let mappings = ranges(self.gap.cells(rows, "gap")?, self.size.0.into_iter())
            .map(|(start, end)| Mapping {
                start,
                end,
                perms: Perms(perms.next().unwrap_or_default()),
                offset: offsets.next().unwrap_or_default(),
                device: devices.next().unwrap_or_default(),
                inode: inodes.next().unwrap_or_default(),
                name: names.next().unwrap_or_default(),
            })
            .collect();
        let guards = self.guard_size.0.len();
        let guards =
            ranges(self.guard_gap.cells(guards, "guard_gap")?, self.guard_size.0.into_iter()).collect();
        let stretches = self.stretch_size.0.len();
        let mut in_use = self.stretch_touched.cells(stretches, "stretch_touched")?;
        let stretches =
            ranges(self.stretch_gap.cells(stretches, "stretch_gap")?, self.stretch_size.0.into_iter())
                .map(|(start, end)| Stretch { start, end, touched: in_use.next().unwrap_or_default() })
                .collect();
        let details = match self.details {
            Reading::Value(details) => Reading::Value(details.into_details()?),
            absent => absent.map(|_| Vec::new()),
        };
        Ok(AddressSpace {
            mappings,
            names: self.names.0,
            touched: self.touched.map(|column| column.0),
            touched_from: self.touched_from,
            guards,
            stretches,
            named_deleted: self.named_deleted.0,
            details,
        })
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct StoredDetails {
    rss: Column<Bytes>,
    pss: Column<Bytes>,
    private_dirty: Column<Bytes>,
    private_clean: Column<Bytes>,
    shared_dirty: Column<Bytes>,
    shared_clean: Column<Bytes>,
    anonymous: Column<Bytes>,
    huge: Column<Bytes>,
    swap: Column<Bytes>,
    flags: Column<u16>,
}

impl StoredDetails {
    fn into_details(self) -> Result<Vec<MappingDetail>, BlobError> {
        let rows = self.rss.0.len();
        let mut pss = self.pss.cells(rows, "pss")?;
        let mut private_dirty = self.private_dirty.cells(rows, "private_dirty")?;
        let mut private_clean = self.private_clean.cells(rows, "private_clean")?;
        let mut shared_dirty = self.shared_dirty.cells(rows, "shared_dirty")?;
        let mut shared_clean = self.shared_clean.cells(rows, "shared_clean")?;
        let mut anonymous = self.anonymous.cells(rows, "anonymous")?;
        let mut huge = self.huge.cells(rows, "huge")?;
        let mut swap = self.swap.cells(rows, "swap")?;
        let mut flags = self.flags.cells(rows, "flags")?;
        let details = self.rss.0.into_iter().map(|rss| MappingDetail {
            rss,
            pss: pss.next().unwrap_or_default(),
            private_dirty: private_dirty.next().unwrap_or_default(),
            private_clean: private_clean.next().unwrap_or_default(),
            shared_dirty: shared_dirty.next().unwrap_or_default(),
            shared_clean: shared_clean.next().unwrap_or_default(),
            anonymous: anonymous.next().unwrap_or_default(),
            huge: huge.next().unwrap_or_default(),
            swap: swap.next().unwrap_or_default(),
            flags: VmFlags(flags.next().unwrap_or_default()),
        });
        Ok(details.collect())
    }
}
