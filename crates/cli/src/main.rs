//! The command line of runtime-testing: arguments in, a report out, and an exit status.
//!
//! 0: what was tested passed, or data is what it should be. 1: it did not, or is not. 2: wrong use, or a test that could
//! not be carried out. 130: canceled.

mod accept;
mod arguments;
mod bind;
mod complete;
mod data;
mod display;
mod graph;
mod help;
mod interrupt;
mod output;
mod pipeline;
mod plan;
mod progress;
mod prompter;
mod reports;
mod rerun;
mod specs;
mod test;

use std::process::ExitCode;

use clap::Parser as _;

use crate::arguments::{Arguments, Command};
use crate::interrupt::{CANCELED, Interrupt};
use crate::test::Tested;

/// What a command came to.
enum Verdict {
    Passed,
    Failed,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some(folder) = &arguments.directory
        && let Err(error) = std::env::set_current_dir(folder)
    {
        output::error(&format!(
            "could not change to the folder `{folder}`: {error}{}",
            pipeline::meant(folder)
        ));
        return ExitCode::from(2);
    }
    let interrupt = Interrupt::watch();
    let outcome = match arguments.command {
        Command::TestScript { script, test } => test::script(&script, &test, &interrupt),
        Command::TestPipeline { file, skip, select, rerun_failed, test } => {
            let part = if rerun_failed { Tested::Failed } else { Tested::Selected(select) };
            test::pipeline(&file, &skip, part, &test, &interrupt)
        }
        Command::TestCompatibility { script_a, script_b, test } => {
            test::compatibility(&script_a, &script_b, &test, &interrupt)
        }
        Command::Schema { name } => output::print(&name.json_schema()).map(|()| Verdict::Passed),
        Command::Plan(arguments) => plan::run(arguments),
        Command::Graph { file, select, format, ascii } => graph::run(&file, select, format, ascii),
        Command::Completions { shell } => complete::completions(shell),
        Command::Man { folder } => complete::man(&folder),
        Command::Specs { command } => specs::run(command),
        Command::Data { command } => data::run(&command),
    };
    let status = match outcome {
        Ok(Verdict::Passed) => 0,
        Ok(Verdict::Failed) => 1,
        Err(message) => {
            output::error(&message);
            2
        }
    };
    ExitCode::from(if interrupt.has_canceled() { CANCELED } else { status })
}
