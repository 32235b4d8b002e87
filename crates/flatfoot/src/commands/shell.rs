//! flatfoot completions and man: made from the command line's own description.

use anyhow::Result;
use clap::CommandFactory as _;

use crate::cli::Args;
use crate::failure::{Code, Failure};
use crate::present;

/// Completions on stdout.
pub(crate) fn completions(shell: clap_complete::Shell) -> Result<Code> {
    let full = Args::command();
    // bash's generator offers hidden commands as well.
    let visible = full.get_subcommands().filter(|command| !command.is_hide_set()).cloned();
    let mut visible = clap::Command::new("flatfoot")
        .version(super::VERSION)
        .disable_help_subcommand(true)
        .args(full.get_arguments().cloned())
        .subcommands(visible);
    let mut out = Vec::new();
    clap_complete::generate(shell, &mut visible, "flatfoot", &mut out);
    present::print(&String::from_utf8_lossy(&out))?;
    Ok(Code::Clean)
}

/// A manual page on stdout.
pub(crate) fn man(command: Option<&str>) -> Result<Code> {
    let mut root = Args::command();
    root.build();
    let page = match command {
        None => root,
        Some(name) => match root.find_subcommand(name).filter(|c| !c.is_hide_set()) {
            Some(found) => found.clone().name(format!("flatfoot-{name}").leak() as &'static str),
            None => {
                return Err(Failure::usage(
                    format!("no command {name:?}"),
                    "flatfoot --help lists the commands",
                )
                .into());
            }
        },
    };
    let mut out = Vec::new();
    clap_mangen::Man::new(page).render(&mut out)?;
    present::print(&String::from_utf8_lossy(&out))?;
    Ok(Code::Clean)
}
