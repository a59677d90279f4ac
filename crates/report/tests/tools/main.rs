//! Reports in the hands of other programs: a browser, Graphviz, a validator of XML. Where one is missing, its tests are
//! ignored.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::process::ExitCode;

use libtest_mimic::Arguments;

mod browser;
mod graphviz;
#[path = "../../../runtime-testing/tests/common/packages.rs"]
mod packages;
mod pages;
#[path = "../it/samples.rs"]
mod samples;
mod schema;
#[path = "../../../runtime-testing/tests/common/tools.rs"]
mod tools;

use tools::trial;

fn main() -> ExitCode {
    let trials = vec![
        trial("every_page_is_shown_without_an_error", browser::is_there, |()| {
            pages::every_page_is_shown_without_an_error()
        }),
        trial("what_is_to_blame_is_shown_at_once", browser::is_there, |()| {
            pages::what_is_to_blame_is_shown_at_once()
        }),
        trial("what_was_observed_is_folded_away_at_first", browser::is_there, |()| {
            pages::what_was_observed_is_folded_away_at_first()
        }),
        trial("every_step_is_reached_with_the_keyboard", browser::is_there, |()| {
            pages::every_step_is_reached_with_the_keyboard()
        }),
        trial("the_filter_and_the_switch_leave_what_is_looked_for", browser::is_there, |()| {
            pages::the_filter_and_the_switch_leave_what_is_looked_for()
        }),
        trial("hostile_names_and_output_are_text", browser::is_there, |()| {
            pages::hostile_names_and_output_are_text()
        }),
        trial("graphviz_draws_every_step_and_edge", graphviz::is_there, |()| {
            graphviz::graphviz_draws_every_step_and_edge();
        }),
        trial(
            "reports_follow_the_schema_of_the_common_readers",
            || packages::python_with("lxml"),
            |python| schema::reports_follow_the_schema_of_the_common_readers(&python),
        ),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}
