//! Situations that people report, each a small project, tested with the command as its user would: what the report says,
//! and what is on disk afterwards, must be as `expected.json` has it, in fresh interpreters and in forks, whatever the
//! number of jobs and whatever was tested before.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::num::NonZeroUsize;
use std::process::{Command, ExitCode, Stdio};
use std::sync::{Arc, OnceLock};

use libtest_mimic::{Arguments, Completion, Trial};
use runtime_testing::Isolation;
use serde_json::Value;

mod case;
#[cfg(target_os = "linux")]
mod killed;
#[path = "../../../runtime-testing/tests/common/model.rs"]
mod model;
#[path = "../../../runtime-testing/tests/common/packages.rs"]
mod packages;
mod project;
#[path = "../../../runtime-testing/tests/common/workbench.rs"]
mod workbench;

use case::Case;
use model::{Snapshots, folders_in, outcome, words};
use packages::python_with;
use workbench::fixtures;

/// How many cases there are. Change it with them: one that is lost is noticed.
const CASES: usize = 90;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // A trial waits more than it works.
    let processors = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    arguments.test_threads.get_or_insert(processors * 2);
    let cases = folders_in(&fixtures("situations"));
    let (snapshots, found) = (Arc::new(Snapshots::default()), cases.len());
    let mut trials = vec![Trial::test("number_of_cases", move || {
        assert_eq!(found, CASES, "folders in fixtures/situations");
        Ok(())
    })];
    for name in cases {
        for isolation in Isolation::ALL {
            let (name, snapshots) = (name.clone(), Arc::clone(&snapshots));
            trials.push(Trial::ignorable_test(format!("{name}::{isolation}"), move || {
                let case = Case::load(&name);
                let python = match python_for(&case.model) {
                    Ok(python) => python,
                    Err(reason) => return Ok(Completion::ignored_with(reason)),
                };
                outcome(&case.check(isolation, &python, &snapshots)).map(|()| Completion::Completed)
            }));
        }
    }
    #[cfg(target_os = "linux")]
    for isolation in Isolation::ALL {
        for script in ["python", "program"] {
            trials.push(Trial::test(format!("killed_hard::{script}::{isolation}"), move || {
                outcome(&killed::check(script, isolation))
            }));
        }
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// The interpreter for a case, or why none can be used.
fn python_for(model: &Value) -> Result<String, String> {
    let modules: Vec<String> = words(&model["python_modules"]).into_iter().collect();
    if modules.is_empty() {
        return Ok("python3".to_owned());
    }
    let modules = modules.join(", ");
    let python = python_with(&modules)?;
    let imports = Command::new(&python)
        .args(["-c", &format!("import {modules}")])
        .stderr(Stdio::null())
        .status()
        .expect("the interpreter can be started");
    assert!(imports.success(), "`{python}` has not all of {modules}");
    Ok(python)
}

/// The interpreter itself, where `python3` is a program that looks for one.
fn python3() -> &'static str {
    static FOUND: OnceLock<String> = OnceLock::new();
    FOUND.get_or_init(|| {
        let output = Command::new("python3").args(["-c", "import sys; print(sys.executable)"]).output();
        String::from_utf8(output.expect("there is a python3").stdout).expect("a path").trim().to_owned()
    })
}
