//! Where a recorder keeps its store.

use std::path::PathBuf;

/// Root's recorder keeps it with the system's state; anybody else's with their own, in a folder of its own: case files
/// beside it come and go.
pub(crate) fn default_store() -> PathBuf {
    const SYSTEM: &str = "/var/lib/flatfoot/history.flatfoot";
    let env = |name| std::env::var_os(name);
    let system = PathBuf::from(SYSTEM);
    if probe::sys::credentials::User::current().uid == 0 {
        return system;
    }
    let own = store::cases_dir(env("XDG_STATE_HOME").as_deref(), env("HOME").as_deref())
        .map(|dir| dir.join("history").join("history.flatfoot"));
    match own {
        Ok(own) if own.exists() || !system.exists() => own,
        _ => system,
    }
}
