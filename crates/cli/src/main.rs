//! The command line of runtime-testing: arguments in, a report out, and an exit status.
//!
//! 0: what was tested passed. 1: it did not. 2: wrong use, or a test that could not be carried out. 130: canceled.

mod arguments;
mod output;
mod prompter;
mod specs;
mod test;

use std::process::ExitCode;

use clap::Parser as _;

use crate::arguments::{Arguments, Command};

/// The exit status after Ctrl-C or a request to end, as shells have it.
const CANCELED: i32 = 130;

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
        output::error(&format!("could not change to the folder `{folder}`: {error}"));
        return ExitCode::from(2);
    }
    // The scripts run in groups of their own, which a signal to this process does not reach.
    let ended = ctrlc::set_handler(|| {
        runtime_testing::end_running_scripts();
        std::process::exit(CANCELED);
    });
    if let Err(error) = ended {
        output::say(&format!("warning: Ctrl-C will not end the scripts: {error}"));
    }
    let outcome = match arguments.command {
        Command::TestScript { script, test } => test::script(&script, &test),
        Command::TestPipeline { file, skip, test } => test::pipeline(&file, &skip, &test),
        Command::TestCompatibility { script_a, script_b, test } => {
            test::compatibility(&script_a, &script_b, &test)
        }
        Command::Specs { command } => specs::run(command),
    };
    match outcome {
        Ok(Verdict::Passed) => ExitCode::SUCCESS,
        Ok(Verdict::Failed) => ExitCode::from(1),
        Err(message) => {
            output::error(&message);
            ExitCode::from(2)
        }
    }
}
