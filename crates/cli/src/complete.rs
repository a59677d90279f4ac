//! What shells and `man` are told of the commands.

use camino::Utf8Path;
use clap::{Command, CommandFactory as _};
use clap_complete::Shell;

use crate::Verdict;
use crate::arguments::Arguments;
use crate::output;

/// Prints the completions for a shell.
pub(crate) fn completions(shell: Shell) -> Result<Verdict, String> {
    let mut script = Vec::new();
    let mut command = Arguments::command();
    let name = command.get_name().to_owned();
    clap_complete::generate(shell, &mut command, name.as_str(), &mut script);
    let mut script = String::from_utf8(script).expect("completions are made of UTF-8 texts");
    if shell == Shell::Bash {
        // The generator writes a hyphen in the program's name in two ways, and its branches for commands are never taken.
        script = script.replace(&name.replace('-', "__subcmd__"), &name.replace('-', "__"));
    }
    output::print(&script)?;
    Ok(Verdict::Passed)
}

/// Writes a page for each command into a folder, and prints their paths.
pub(crate) fn man(folder: &Utf8Path) -> Result<Verdict, String> {
    let could_not = |what: &str, path: &Utf8Path, error: std::io::Error| {
        format!("could not {what} `{path}`: {error}; name a folder that can be written to")
    };
    std::fs::create_dir_all(folder).map_err(|error| could_not("make the folder", folder, error))?;
    let mut command = Arguments::command();
    command.build();
    let mut pages = Vec::new();
    collect(&command, &mut pages);
    for (name, page) in pages {
        let path = folder.join(name);
        std::fs::write(&path, page).map_err(|error| could_not("write", &path, error))?;
        output::print(path.as_str())?;
    }
    Ok(Verdict::Passed)
}

fn collect(command: &Command, pages: &mut Vec<(String, Vec<u8>)>) {
    let man = clap_mangen::Man::new(command.clone());
    let mut page = Vec::new();
    man.render(&mut page).expect("writing to memory does not fail");
    pages.push((man.get_filename(), page));
    for nested in command.get_subcommands().filter(|nested| nested.get_name() != "help") {
        collect(nested, pages);
    }
}
