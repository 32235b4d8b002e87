//! SQLite, opened for a file that a stranger may have made: what it may contain, and rows read past damage.

use std::fs;
use std::ops::RangeInclusive;
use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, ErrorCode, OpenFlags, Row};

use crate::error::{Error, ErrorKind};
use crate::history::tables;
use crate::schema::MAX_BLOB;
use crate::writer::uri;

/// Opens a case file immutable: no lock, no journal of somebody's making, no side file.
///
/// `truncated`: SQLite refuses a file that is shorter than its header says, except to those who may write the
/// schema; nothing can be written here, so that right costs nothing and the first part of the file is readable.
pub(crate) fn connect(path: &Path, truncated: bool) -> Result<Connection, Error> {
    let absolute = fs::canonicalize(path).map_err(|error| Error::io(error, path))?;
    let flags =
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let open = || -> rusqlite::Result<Connection> {
        let db = Connection::open_with_flags(uri(&absolute, "immutable=1"), flags)?;
        restrict(&db, truncated)?;
        Ok(db)
    };
    open().map_err(|error| Error::sqlite(error, path))
}

/// Opens a store to be read beside its writer: with SQLite's locks, and its write-ahead log.
pub(crate) fn connect_beside(path: &Path) -> Result<Connection, Error> {
    let absolute = fs::canonicalize(path).map_err(|error| Error::io(error, path))?;
    let flags =
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let open = |option: &str| -> rusqlite::Result<Connection> {
        let db = Connection::open_with_flags(uri(&absolute, option), flags)?;
        db.busy_timeout(Duration::from_secs(2))?;
        restrict(&db, false)?;
        // The first that is read: whether there may be locks is known only then.
        db.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
        Ok(db)
    };
    // Where nothing may be written, not even the log's index, and nobody writes: a store that was closed.
    open("mode=ro")
        .or_else(|error| match error.sqlite_error_code() {
            Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly) => open("immutable=1").map_err(|_| error),
            _ => Err(error),
        })
        .map_err(|error| Error::sqlite(error, path).of_store())
}

/// Lowers what a file may ask for.
fn restrict(db: &Connection, truncated: bool) -> rusqlite::Result<()> {
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, !truncated)?;
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_WRITABLE_SCHEMA, truncated)?;
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false)?;
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
    let limits = [
        (Limit::SQLITE_LIMIT_LENGTH, MAX_BLOB as i32 + 4_096),
        (Limit::SQLITE_LIMIT_SQL_LENGTH, 4_096),
        (Limit::SQLITE_LIMIT_COLUMN, 16),
        (Limit::SQLITE_LIMIT_EXPR_DEPTH, 16),
        (Limit::SQLITE_LIMIT_COMPOUND_SELECT, 2),
        (Limit::SQLITE_LIMIT_ATTACHED, 0),
        (Limit::SQLITE_LIMIT_WORKER_THREADS, 0),
    ];
    for (limit, value) in limits {
        db.set_limit(limit, value)?;
    }
    db.execute_batch(
        "PRAGMA cell_size_check=ON; PRAGMA mmap_size=0; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-1024;",
    )
}

/// Makes sure that there is nothing but the schema's own tables: no view, no trigger, no index, no virtual
/// table, no generated column, so that a SELECT runs nothing of the file's.
pub(crate) fn check_tables(db: &Connection, path: &Path, schema: u32) -> Result<(), Error> {
    let read = || -> rusqlite::Result<Vec<(String, String, String)>> {
        let mut select = db.prepare("SELECT type, name, coalesce(sql, '') FROM sqlite_schema LIMIT 10")?;
        select.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?.collect()
    };
    let mut found = read().map_err(|error| Error::sqlite(error, path).at("the list of tables"))?;
    found.sort();
    let mut expected: Vec<_> =
        tables(schema).map(|(name, sql)| ("table".to_owned(), name.to_owned(), sql.to_owned())).collect();
    expected.sort();
    if found != expected {
        return Err(Error::new(ErrorKind::Damaged, path).at("the tables are not those of a case file"));
    }
    Ok(())
}

/// Rows by key, with what stopped the reading of the others.
pub(crate) struct Scan<T> {
    /// In the order of their keys.
    pub(crate) rows: Vec<(i64, T)>,
    /// Why there may be more.
    pub(crate) error: Option<rusqlite::Error>,
}

/// Reads the rows whose `id` lies in `ids`: forwards until a damaged page, then backwards from the end, so that
/// only what the page held is lost.
pub(crate) fn scan<T>(
    db: &Connection,
    select: &str,
    ids: RangeInclusive<i64>,
    most: usize,
    mut read: impl FnMut(&Row<'_>) -> T,
) -> Scan<T> {
    let mut rows = Vec::new();
    let error = scan_one_way(db, select, "ASC", &ids, most, &mut rows, &mut read).err();
    if error.is_some() {
        let after = rows.last().map_or(*ids.start(), |(id, _)| id.saturating_add(1));
        let mut back = Vec::new();
        let most = most.saturating_sub(rows.len());
        // Its own error is the same page's, from the other side.
        let _ = scan_one_way(db, select, "DESC", &(after..=*ids.end()), most, &mut back, &mut read);
        rows.extend(back.into_iter().rev());
    }
    Scan { rows, error }
}

fn scan_one_way<T>(
    db: &Connection,
    select: &str,
    order: &str,
    ids: &RangeInclusive<i64>,
    most: usize,
    rows: &mut Vec<(i64, T)>,
    read: &mut impl FnMut(&Row<'_>) -> T,
) -> rusqlite::Result<()> {
    let mut select = db.prepare_cached(&format!("{select} WHERE id BETWEEN ? AND ? ORDER BY id {order}"))?;
    let mut found = select.query((ids.start(), ids.end()))?;
    while let Some(row) = found.next()? {
        let id: i64 = row.get(0)?;
        // In a damaged tree pages may come round again: keys out of order are the sign of it.
        let in_order =
            rows.last().is_none_or(|(last, _)| if order == "ASC" { id > *last } else { id < *last });
        if !in_order || rows.len() >= most {
            return Err(rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(11), None)); // SQLITE_CORRUPT
        }
        rows.push((id, read(row)));
    }
    Ok(())
}
