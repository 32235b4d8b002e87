//! Where the store lies when nobody says.

use std::path::PathBuf;

use anyhow::Result;

use crate::failure::{Code, Failure};

const NAME: &str = "history.flatfoot";

/// The store that views read when nobody says: one's own where there is one, else the system's.
pub(crate) fn store_to_read() -> PathBuf {
    let system = PathBuf::from("/var/lib/flatfoot").join(NAME);
    let env = |name| std::env::var_os(name);
    let own =
        store::cases_dir(env("XDG_STATE_HOME").as_deref(), env("HOME").as_deref()).map(|dir| dir.join(NAME));
    match own {
        Ok(own) if own.exists() || !system.exists() => own,
        _ => system,
    }
}

/// `/var/lib/flatfoot/history.flatfoot` for root (systemd's StateDirectory goes before), else
/// `$XDG_STATE_HOME/flatfoot/history.flatfoot`. The folder is made with mode 0700 when it is not there.
pub(crate) fn default_store() -> Result<PathBuf> {
    let env = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    // systemd gives several folders between colons.
    let of_service = std::env::var("STATE_DIRECTORY").ok();
    let of_service = of_service.as_deref().and_then(|list| list.split(':').next()).map(PathBuf::from);
    let folder = if let Some(folder) = of_service.filter(|folder| folder.is_absolute()) {
        folder
    } else if rustix::process::geteuid().is_root() && env("XDG_STATE_HOME").is_none() {
        PathBuf::from("/var/lib/flatfoot")
    } else {
        let env = |name| std::env::var_os(name);
        return Ok(store::cases_dir(env("XDG_STATE_HOME").as_deref(), env("HOME").as_deref())?.join(NAME));
    };
    let mut builder = std::fs::DirBuilder::new();
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(&folder).map_err(|error| {
        Failure::new(
            Code::Failed,
            format!("{}: {error}", folder.display()),
            "name a store that can be written: flatfoot record --store PATH",
        )
    })?;
    Ok(folder.join(NAME))
}
