//! Columns: a table as one JSON list per field, which compresses and parses several times better than one
//! object per row.
//!
//! The first column of a table is always written, and its length is the table's. Any other that holds zeros
//! only is left out, as is one that an older flatfoot did not know: both read back as zeros.
//!
//! A field that is added to one of the model's rows stops the code that reads the row from compiling until it
//! has a column; the round-trip test then fails until that column is written.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{SeqAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::blob::BlobError;
use crate::schema::MAX_ROWS;

/// Writes one column without gathering it first.
pub(crate) fn write<M, I>(map: &mut M, name: &'static str, cells: I) -> Result<(), M::Error>
where
    M: SerializeMap,
    I: Iterator<Item: Serialize> + Clone,
{
    map.serialize_entry(name, &Cells(cells))
}

/// Writes one column unless it holds zeros only.
pub(crate) fn write_unless_zero<M, I>(map: &mut M, name: &'static str, cells: I) -> Result<(), M::Error>
where
    M: SerializeMap,
    I: Iterator<Item: Serialize + Default + PartialEq> + Clone,
{
    if cells.clone().all(|cell| cell == I::Item::default()) {
        return Ok(());
    }
    write(map, name, cells)
}

struct Cells<I>(I);

impl<I: Iterator<Item: Serialize> + Clone> Serialize for Cells<I> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.clone())
    }
}

/// What each value adds to the one before it. Addresses and births grow by equal steps, and equal steps are
/// what compresses. Wrapping: any sequence comes back, ordered or not.
pub(crate) fn steps(values: impl Iterator<Item = u64> + Clone) -> impl Iterator<Item = i64> + Clone {
    values.scan(0_u64, |before, value| {
        let step = value.wrapping_sub(*before) as i64;
        *before = value;
        Some(step)
    })
}

/// Undoes [`steps`].
pub(crate) fn sums(steps: impl Iterator<Item = i64>) -> impl Iterator<Item = u64> {
    steps.scan(0_u64, |sum, step| {
        *sum = sum.wrapping_add(step as u64);
        Some(*sum)
    })
}

/// A column as read, of at most [`MAX_ROWS`] cells.
#[derive(Debug, Default)]
pub(crate) struct Column<T>(pub(crate) Vec<T>);

impl<T: Default + Clone> Column<T> {
    /// Its cells for a table of so many rows: zeros when it was left out.
    pub(crate) fn cells(self, rows: usize, name: &str) -> Result<std::vec::IntoIter<T>, BlobError> {
        let mut cells = self.0;
        if cells.is_empty() {
            cells = vec![T::default(); rows];
        }
        if cells.len() != rows {
            return Err(BlobError::Columns(format!("column {name} has {} rows of {rows}", cells.len())));
        }
        Ok(cells.into_iter())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Column<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(ColumnVisitor(PhantomData))
    }
}

struct ColumnVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ColumnVisitor<T> {
    type Value = Column<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a list of at most {MAX_ROWS}")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut cells = Vec::new();
        while let Some(cell) = list.next_element()? {
            if cells.len() == MAX_ROWS {
                return Err(serde::de::Error::invalid_length(MAX_ROWS + 1, &self));
            }
            cells.push(cell);
        }
        Ok(Column(cells))
    }
}
