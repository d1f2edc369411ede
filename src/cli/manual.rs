//! The commands `completion` and `man`: completion scripts and manual pages, made from the definitions of `--help`.

use std::fs;

use clap::Command;
use clap_mangen::Man;

use bulla::files::Overwrite;

use super::args;
use super::args::CompletionArgs;
use super::args::ManArgs;
use super::exit::Exit;
use super::exit::Failure;
use super::files;
use super::render;

pub(super) fn completion(args: &CompletionArgs) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut args::command(), NAME, &mut script);
    render::text(&String::from_utf8_lossy(&script).lines().collect());
    Ok(Exit::Yes)
}

pub(super) fn man(args: &ManArgs) -> Result<Exit, Failure> {
    let pages = pages(&args::command());
    let Some(folder) = &args.out else {
        let name = [NAME].into_iter().chain(args.verb.iter().map(String::as_str)).collect::<Vec<_>>().join("-");
        let Some((_, page)) = pages.iter().find(|(file, _)| *file == format!("{name}.1")) else {
            return Err(Failure::unknown(format!("there is no command `{}`", args.verb.join(" "))).hint("bulla --help"));
        };
        render::text(&String::from_utf8_lossy(page).lines().collect());
        return Ok(Exit::Yes);
    };
    fs::create_dir_all(folder).map_err(|error| Failure::unknown(format!("{}: {error}", folder.display())))?;
    for (file, page) in &pages {
        files::write(&folder.join(file), page, Overwrite::Replace)?;
    }
    render::line(format_args!("{} pages  {}", pages.len(), folder.display()));
    Ok(Exit::Yes)
}

/// The manual page of each command: file name and content.
fn pages(root: &Command) -> Vec<(String, Vec<u8>)> {
    let mut pages = Vec::new();
    let mut waiting = vec![(root.clone(), NAME.to_owned())];
    while let Some((command, name)) = waiting.pop() {
        for below in command.get_subcommands().filter(|below| !below.is_hide_set() && below.get_name() != "help") {
            waiting.push((below.clone(), format!("{name}-{}", below.get_name())));
        }
        let mut page = Vec::new();
        // Writing into memory does not fail.
        drop(Man::new(command.name(name.clone())).render(&mut page));
        pages.push((format!("{name}.1"), page));
    }
    pages.sort();
    pages
}

const NAME: &str = "bulla";
