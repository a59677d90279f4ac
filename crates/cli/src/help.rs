//! What `--help` says behind the options: what to do first, examples, and what the exit status means. Every example is parsed
//! by a test.

pub(crate) const EXIT_STATUS: &str =
    "Exit status: 0 passed, 1 failed, 2 wrong use or a test that could not be carried out, 130 canceled.";

pub(crate) const TOP: &str = "\
What to do first, second, third:
  1. Write the pipeline down: pipeline.json with {\"nodes\": [\"clean\", \"train\"], \"edges\": [[\"clean\", \"train\"]]}
  2. Draft a spec for each step, and say where its inputs and outputs are:
       runtime-testing specs init pipeline.json
       runtime-testing specs edit clean
  3. Look at what would be run, on what, and why:
       runtime-testing plan pipeline.json
  4. Test it, mend what is wrong, and test again what failed:
       runtime-testing test-pipeline pipeline.json
       runtime-testing test-pipeline pipeline.json --rerun-failed
  5. Keep what a good test observed as contracts, so that later drift shows:
       runtime-testing specs accept pipeline.json

Exit status:
  0    what was tested passed, or what was asked for was done
  1    it did not pass
  2    wrong use, or a test that could not be carried out
  130  canceled";

pub(crate) const TEST_SCRIPT: &str = "\
Examples:
  runtime-testing test-script clean
  runtime-testing test-script clean --timeout 60 --python .venv/bin/python
  runtime-testing test-script clean --report junit=clean.xml --quiet

A script without a saved spec is run with the default one. Inputs that do not exist are sample data.

Exit status: 0 it works, 1 it does not, 2 it could not be tested, 130 canceled.";

pub(crate) const TEST_PIPELINE: &str = "\
Examples:
  runtime-testing test-pipeline pipeline.json
  runtime-testing test-pipeline pipeline.json --select +train
  runtime-testing test-pipeline pipeline.json --select 'fold_*' --select report --jobs 4
  runtime-testing test-pipeline pipeline.json --rerun-failed
  runtime-testing test-pipeline pipeline.json --skip individual --output-format json
  runtime-testing test-pipeline pipeline.json --report junit=out/junit.xml,html=out/report.html

--rerun-failed takes the steps that did not pass when they were tested last, and those that edges lead to which were not
compatible, with all that is upstream of them. Tests of parts count, back to the last test of the whole. Where
nothing failed, nothing is run: it says so, writes no report, and the status is 0. Where no test is recorded, the
status is 2.

Exit status: 0 passed, 1 failed, 2 wrong use or a test that could not be carried out, 130 canceled.";

pub(crate) const TEST_COMPATIBILITY: &str = "\
Examples:
  runtime-testing test-compatibility clean train
  runtime-testing test-compatibility clean train --output-format json

Exit status: 0 compatible, and both steps work, 1 not so, 2 it could not be tested, 130 canceled.";

pub(crate) const PLAN: &str = "\
Examples:
  runtime-testing plan pipeline.json
  runtime-testing plan pipeline.json --select +train
  runtime-testing plan pipeline.json --output-format json
  runtime-testing plan pipeline.json --check

No script is run and nothing is written. What is already known not to work is told, and is no error.

Exit status: 0 it can be planned; 1 with --check, an edge carries nothing, or a guess that
nothing can confirm; 2 wrong use or a test that cannot be planned, with all that keeps it from it.";

pub(crate) const GRAPH: &str = "\
Examples:
  runtime-testing graph pipeline.json
  runtime-testing graph pipeline.json --select train+
  runtime-testing graph pipeline.json --format mermaid
  runtime-testing graph pipeline.json --format svg > pipeline.svg
  runtime-testing graph pipeline.json --format dot | dot -Tpng -o pipeline.png

In text, a number counts the stages: the steps of one stage do not wait for each other.

Exit status: 0 shown, 2 wrong use or a pipeline that is none.";

pub(crate) const SCHEMA: &str = "\
Examples:
  runtime-testing schema spec > spec.schema.json
  runtime-testing schema pipeline
  runtime-testing schema report

Exit status: 0 printed, 2 wrong use.";

pub(crate) const SPECS: &str = "\
Examples:
  runtime-testing specs init pipeline.json
  runtime-testing specs edit clean
  runtime-testing specs check pipeline.json

Exit status: 0 done, 1 nothing was accepted, 2 wrong use, or specs that are not as they should be.";

pub(crate) const SPECS_LIST: &str = "\
Examples:
  runtime-testing specs list
  runtime-testing specs list --workspace-dir test/integration/runtime

A line has the step, its script and the file, with tabs between them.

Exit status: 0 listed, 2 wrong use, or files that cannot be read.";

pub(crate) const SPECS_SHOW: &str = "\
Examples:
  runtime-testing specs show train

Exit status: 0 shown, 2 there is no such spec, or it cannot be read.";

pub(crate) const SPECS_INIT: &str = "\
Examples:
  runtime-testing specs init pipeline.json
  runtime-testing specs init pipeline.json --workspace-dir test/integration/runtime
  runtime-testing specs init pipeline.json --scripts src/scripts,src/shared

Each step's script is the one of its name, of its name in snake case, of that without a word such as _training, or of
the most similar name. Its code says which inputs, outputs, variables and arguments it asks for. Specs that are there
are kept as they are.

Exit status: 0 done, 2 wrong use, or a file that cannot be read or written.";

pub(crate) const SPECS_EDIT: &str = "\
Examples:
  runtime-testing specs edit train

Questions come on standard error, answers from standard input, a line each. Nothing is saved before the last one.

Exit status: 0 saved, 2 nothing was saved, 130 canceled.";

pub(crate) const SPECS_BIND: &str = "\
Examples:
  runtime-testing specs bind pipeline.json
  runtime-testing specs bind pipeline.json --dry-run

Enter takes the first pair, a number another one, and 0 none. In a spec's file nothing else changes than `bindings` and
the time stamp.

Exit status: 0 every edge carries something, 1 some still carry nothing,
2 wrong use, or a file that cannot be read or written.";

pub(crate) const SPECS_CHECK: &str = "\
Examples:
  runtime-testing specs check pipeline.json
  runtime-testing specs check

Exit status: 0 all complete, 2 wrong use, or specs that are not.";

pub(crate) const SPECS_ACCEPT: &str = "\
Examples:
  runtime-testing specs accept pipeline.json --dry-run
  runtime-testing specs accept pipeline.json
  runtime-testing specs accept pipeline.json train --yes
  runtime-testing specs accept pipeline.json --constraints

Exit status: 0 written, or there is nothing to accept, 1 nothing was written, 2 wrong use, or no test is recorded.";

pub(crate) const DATA: &str = "\
Examples:
  runtime-testing data profile output/orders.parquet
  runtime-testing data compare data/sample.csv output/orders.csv
  runtime-testing data digest output/orders.csv

Exit status: 0 as it should be, 1 it is not, 2 wrong use, or there is nothing to look at.";

pub(crate) const DATA_PROFILE: &str = "\
Examples:
  runtime-testing data profile output/orders.csv
  runtime-testing data profile output --output-format json

Exit status: 0 all is well, 1 a file cannot be read or is not what its name says, 2 wrong use, or nothing to look at.";

pub(crate) const DATA_COMPARE: &str = "\
Examples:
  runtime-testing data compare data/sample.csv output/orders.csv
  runtime-testing data compare --contract contracts/orders.json output/orders.csv
  runtime-testing data compare --contract .specs/train_runtime_test_spec.json#orders output/orders.csv

Exit status: 0 identical or compatible, 1 breaking or not compared, 2 wrong use, or there is nothing to look at.";

pub(crate) const DATA_DIGEST: &str = "\
Examples:
  runtime-testing data digest output/orders.parquet
  runtime-testing data digest output/orders.csv --ignore-row-order --float-digits 9

Exit status: 0 printed, 1 it cannot be read, 2 wrong use, or there is nothing to look at.";

pub(crate) const COMPLETIONS: &str = "\
Examples:
  runtime-testing completions bash > ~/.local/share/bash-completion/completions/runtime-testing
  runtime-testing completions zsh > ~/.zfunc/_runtime-testing
  runtime-testing completions fish > ~/.config/fish/completions/runtime-testing.fish

Exit status: 0 printed, 2 wrong use.";

pub(crate) const MAN: &str = "\
Examples:
  runtime-testing man ~/.local/share/man/man1

Prints the path of each page. The folder is made where it is not there.

Exit status: 0 written, 2 wrong use, or a folder that cannot be written to.";

#[cfg(test)]
mod tests {
    use clap::{Command, CommandFactory as _, Parser as _};

    use crate::arguments::Arguments;

    fn commands(command: &Command, path: &str, found: &mut Vec<(String, String)>) {
        for nested in command.get_subcommands() {
            let path = format!("{path} {}", nested.get_name());
            let help = nested.get_after_long_help().map(ToString::to_string).unwrap_or_default();
            found.push((path.clone(), help));
            commands(nested, &path, found);
        }
    }

    /// The arguments of an example, without what the shell makes of it.
    fn words(line: &str) -> Vec<String> {
        let line = line.split(['>', '|']).next().unwrap_or_default();
        line.split_whitespace().map(|word| word.trim_matches('\'').to_owned()).collect()
    }

    #[test]
    fn every_command_has_examples_that_are_right() {
        let mut found = vec![("runtime-testing".to_owned(), super::TOP.to_owned())];
        commands(&Arguments::command(), "runtime-testing", &mut found);
        for (path, help) in found {
            assert!(help.contains("Exit status:"), "{path}: what does the status mean?");
            let examples: Vec<&str> =
                help.lines().map(str::trim).filter(|line| line.starts_with("runtime-testing ")).collect();
            assert!(examples.iter().any(|line| line.starts_with(&path)), "{path} has no example");
            for example in examples {
                if let Err(error) = Arguments::try_parse_from(words(example)) {
                    panic!("{path}: {example}: {error}");
                }
            }
            for line in help.lines() {
                assert!(line.chars().count() <= 120, "{path}: {line}");
            }
        }
    }
}
