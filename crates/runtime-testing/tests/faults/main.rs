//! Scripts that do the worst they can, in one pipeline with healthy ones: each is judged and blamed as its model says, the
//! others do not notice, and nothing is left of any of them.

#![allow(clippy::print_stdout, reason = "it belongs to what the tests say")]

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

#[cfg(target_os = "linux")]
mod footprint;
#[cfg(target_os = "linux")]
mod space;
#[cfg(target_os = "linux")]
mod suite;
#[path = "../common/tools.rs"]
#[cfg(target_os = "linux")]
mod tools;
#[path = "../common/workbench.rs"]
#[cfg(target_os = "linux")]
mod workbench;

fn main() -> ExitCode {
    libtest_mimic::run(&Arguments::from_args(), trials()).exit_code()
}

#[cfg(target_os = "linux")]
fn trials() -> Vec<Trial> {
    let always = || Ok(());
    vec![
        tools::trial("each_fault_is_blamed_on_its_step_and_nothing_is_left_of_it", always, |()| {
            suite::each_fault_is_blamed_on_its_step_and_nothing_is_left_of_it()
        }),
        tools::trial("a_full_disk_is_never_a_pass", suite::can_mount, |()| {
            suite::a_full_disk_is_never_a_pass()
        }),
        tools::trial("many_tests_leak_nothing", always, |()| suite::many_tests_leak_nothing()),
    ]
}

/// What the scripts do is done on Linux.
#[cfg(not(target_os = "linux"))]
fn trials() -> Vec<Trial> {
    Vec::new()
}
