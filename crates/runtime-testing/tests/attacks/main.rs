//! Scripts that write where they should not: none makes a broken step pass, gets another one blamed, hangs the test or
//! spoils the next one. `fixtures/attacks/README.md` says what each does.

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

#[cfg(target_os = "linux")]
mod suite;
#[path = "../common/workbench.rs"]
#[cfg(target_os = "linux")]
mod workbench;

fn main() -> ExitCode {
    libtest_mimic::run(&Arguments::from_args(), trials()).exit_code()
}

#[cfg(target_os = "linux")]
fn trials() -> Vec<Trial> {
    suite::trials()
}

/// What the scripts do is done on Linux.
#[cfg(not(target_os = "linux"))]
fn trials() -> Vec<Trial> {
    Vec::new()
}
