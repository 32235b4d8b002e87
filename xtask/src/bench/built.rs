//! What is measured is built first: the release binary, the floors, the leaking programs.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use probe::Clock;

/// Where what was built lies.
#[derive(Clone, Debug)]
pub(crate) struct Built {
    /// The repository.
    pub(crate) root: PathBuf,
    /// The release binary that is copied to a box: linked statically.
    pub(crate) flatfoot: PathBuf,
    /// The one that cargo builds.
    pub(crate) release: PathBuf,
    /// The example that measures the floors.
    pub(crate) memory_cost: PathBuf,
    /// The leaking programs.
    pub(crate) leakers: PathBuf,
}

impl Built {
    /// Builds everything that is out of date.
    pub(crate) fn now() -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .context("xtask lies in the repository")?
            .to_owned();
        // target/debug/xtask or target/release/xtask, whichever target directory that is.
        let own = std::env::current_exe().context("where xtask lies")?;
        let target = own.ancestors().nth(2).context("xtask lies in a target directory")?.to_owned();
        cargo(&root, &target, &["--package", "flatfoot"])?;
        run(&root.join("scripts/build-static.sh"), &[])?;
        let mut examples = vec!["--package", "flatfoot-probe"];
        for example in ["memory_cost", "sampler_cost", "inside_cost", "birth_cost", "attach", "counters"] {
            examples.extend(["--example", example]);
        }
        cargo(&root, &target, &examples)?;
        let leakers = root.join("target/leakers");
        run(&root.join("tests/leakers/build.sh"), &[leakers.as_os_str()])?;
        let release = target.join("release");
        Ok(Self {
            flatfoot: root.join("target/static/flatfoot"),
            root,
            release: release.join("flatfoot"),
            memory_cost: release.join("examples/memory_cost"),
            leakers,
        })
    }

    /// Where an example of probe's lies.
    pub(crate) fn example(&self, name: &str) -> String {
        self.memory_cost.with_file_name(name).to_string_lossy().into_owned()
    }

    /// Builds the release binary, dependencies and all, in an empty directory: seconds.
    pub(crate) fn cold(&self) -> Result<f64> {
        let target = self.root.join("target/cold");
        if target.exists() {
            std::fs::remove_dir_all(&target).context("target/cold")?;
        }
        let began = Clock::monotonic();
        cargo(&self.root, &target, &["--package", "flatfoot"])?;
        let took = Clock::monotonic() - began;
        std::fs::remove_dir_all(&target).context("target/cold")?;
        Ok(took)
    }
}

fn run(script: &Path, arguments: &[&OsStr]) -> Result<()> {
    let status = Command::new(script).args(arguments).stdout(Stdio::null()).status();
    if !status.with_context(|| script.display().to_string())?.success() {
        bail!("{} failed", script.display());
    }
    Ok(())
}

fn cargo(root: &Path, target: &Path, what: &[&str]) -> Result<()> {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command.args(["build", "--release", "--locked", "--quiet", "--target-dir"]).arg(target).args(what);
    if !command.current_dir(root).status().context("cargo build")?.success() {
        bail!("cargo build --release {} failed", what.join(" "));
    }
    Ok(())
}
