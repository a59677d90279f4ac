use std::num::{NonZeroU8, NonZeroUsize};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use runtime_testing::{Isolation, SchemaName, ScriptName, Selection, StepName, WorkingDirectory};

use crate::help;
use crate::reports::ReportFile;

/// Tests the scripts of data and ML pipelines by really running them.
#[derive(Debug, Parser)]
#[command(name = "runtime-testing", version, max_term_width = 100)]
#[command(after_help = help::EXIT_STATUS, after_long_help = help::TOP)]
pub(crate) struct Arguments {
    /// Run as if started in this folder; paths in specs are relative to it
    #[arg(short = 'C', long, value_name = "FOLDER")]
    pub(crate) directory: Option<Utf8PathBuf>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run one script, with its saved spec or the default one
    #[command(after_long_help = help::TEST_SCRIPT)]
    TestScript {
        /// The name of the script, or of the step
        script: ScriptName,
        #[command(flatten)]
        test: TestArguments,
    },
    /// Run every step of a pipeline on real data and judge every edge
    #[command(after_long_help = help::TEST_PIPELINE)]
    TestPipeline {
        /// The pipeline file: JSON with `nodes` and `edges`
        file: Utf8PathBuf,
        /// Leave out a part of the test; may be given several times
        #[arg(long, value_enum, value_delimiter = ',')]
        skip: Vec<Part>,
        /// Test a part of the pipeline: `train`, `+train` with what is upstream, `train+` with what is downstream, `fold_*`;
        /// several with commas between them, or given several times
        #[arg(long, value_name = "STEPS")]
        select: Vec<Selection>,
        /// Test what did not pass when it was tested last, with what it needs
        #[arg(long, conflicts_with = "select")]
        rerun_failed: bool,
        #[command(flatten)]
        test: TestArguments,
    },
    /// Run script A, then script B on what A wrote, and judge the edge between them
    #[command(after_long_help = help::TEST_COMPATIBILITY)]
    TestCompatibility {
        /// The script that writes the data
        script_a: ScriptName,
        /// The script that reads it
        script_b: ScriptName,
        #[command(flatten)]
        test: TestArguments,
    },
    /// Tell what a test of a pipeline would run, on what, and why; run nothing
    #[command(after_long_help = help::PLAN)]
    Plan(PlanArguments),
    /// Show the steps and edges of a pipeline
    #[command(after_long_help = help::GRAPH)]
    Graph {
        /// The pipeline file
        file: Utf8PathBuf,
        /// Show a part of the pipeline, as for `test-pipeline`
        #[arg(long, value_name = "STEPS")]
        select: Vec<Selection>,
        /// How it is shown: as text for a terminal, or as Mermaid, DOT (Graphviz) or SVG
        #[arg(long, value_enum, default_value_t = GraphFormat::Text)]
        format: GraphFormat,
        /// Write text in ASCII only; other characters become escapes
        #[arg(long)]
        ascii: bool,
    },
    /// Print the JSON Schema of a kind of file, for editors and other programs
    #[command(after_long_help = help::SCHEMA)]
    Schema {
        /// The kind of file
        #[arg(value_parser = schema_name())]
        name: SchemaName,
    },
    /// Look after the saved specs
    #[command(after_long_help = help::SPECS)]
    Specs {
        #[command(subcommand)]
        command: SpecsCommand,
    },
    /// Look at data files, without running anything
    #[command(after_long_help = help::DATA)]
    Data {
        #[command(subcommand)]
        command: DataCommand,
    },
    /// Print the completions of commands and options for a shell
    #[command(after_long_help = help::COMPLETIONS)]
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Write a manual page for each command
    #[command(after_long_help = help::MAN)]
    Man {
        /// The folder to write to
        folder: Utf8PathBuf,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Workspace {
    /// The test workspace, where `.specs` and `scripts` lie [default: ./test_workspace, or what a testing spec says]
    #[arg(long, value_name = "FOLDER")]
    workspace_dir: Option<Utf8PathBuf>,
}

impl Workspace {
    /// The folder that was named, or the one that is used where nothing is said.
    pub(crate) fn folder(&self) -> Utf8PathBuf {
        self.named().map_or_else(|| "./test_workspace".into(), Utf8Path::to_owned)
    }

    /// The folder that was named.
    pub(crate) fn named(&self) -> Option<&Utf8Path> {
        self.workspace_dir.as_deref()
    }
}

#[derive(Debug, Args)]
pub(crate) struct TestArguments {
    #[command(flatten)]
    pub(crate) workspace: Workspace,
    #[command(flatten)]
    pub(crate) output: Output,
    #[command(flatten)]
    pub(crate) scripts: ScriptArguments,
    /// How long a script that was asked to end may take to do so before it is ended [default: 2]
    #[arg(long, value_name = "SECONDS", value_parser = seconds, allow_negative_numbers = true)]
    pub(crate) grace: Option<Duration>,
    /// Count notes that weaken what the test says as failures: files, network and programs that a step used without declaring
    /// them, sample data, and runs that passed only alone
    #[arg(long)]
    pub(crate) strict: bool,
    /// Import this module before a run is forked, too, where a script begins with it; may be given several times
    #[arg(long, value_name = "NAME", value_parser = module, value_delimiter = ',')]
    pub(crate) preload: Vec<String>,
    /// How many runs are made at once [default: the number of processors]
    #[arg(long, value_name = "NUMBER", value_parser = jobs, allow_negative_numbers = true)]
    pub(crate) jobs: Option<NonZeroUsize>,
    /// Write the report to a file as well: `html=FILE`, `junit=FILE`, `markdown=FILE`, `json=FILE`; may be given several times. Where
    /// `GITHUB_STEP_SUMMARY` is set, the report is appended there as Markdown
    #[arg(long = "report", value_name = "FORM=FILE", value_delimiter = ',')]
    pub(crate) reports: Vec<ReportFile>,
    /// Write what happens to a file while it happens: a JSON object a line
    #[arg(long, value_name = "FILE")]
    pub(crate) events: Option<Utf8PathBuf>,
    /// Say nothing on standard error but errors
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

/// What of a pipeline is planned, and how.
#[derive(Debug, Args)]
pub(crate) struct PlanArguments {
    /// The pipeline file
    pub(crate) file: Utf8PathBuf,
    /// Leave out a part of the test; may be given several times
    #[arg(long, value_enum, value_delimiter = ',')]
    pub(crate) skip: Vec<Part>,
    /// Plan a part of the pipeline, as for `test-pipeline`
    #[arg(long, value_name = "STEPS")]
    pub(crate) select: Vec<Selection>,
    /// End with status 1 where an edge carries nothing, or a guess that nothing can confirm
    #[arg(long)]
    pub(crate) check: bool,
    #[command(flatten)]
    pub(crate) workspace: Workspace,
    #[command(flatten)]
    pub(crate) scripts: ScriptArguments,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// How scripts are run.
#[derive(Debug, Args)]
pub(crate) struct ScriptArguments {
    /// How long a run may take where its spec says nothing [default: 600]
    #[arg(long, value_name = "SECONDS", value_parser = seconds, allow_negative_numbers = true)]
    pub(crate) timeout: Option<Duration>,
    /// The Python interpreter for steps whose spec names none [default: python3]
    #[arg(long, value_name = "PATH")]
    pub(crate) python: Option<Utf8PathBuf>,
    /// The interpreter of each run of a Python script whose spec says nothing: a new one, or a fork of one that has the
    /// script's imports [default: forked]
    #[arg(long, value_name = "HOW", value_parser = isolation())]
    pub(crate) isolation: Option<Isolation>,
    /// The folder of each run whose spec says nothing: one of its own, which shows what the base folder holds, or the base
    /// folder itself [default: own]
    #[arg(long, value_name = "WHICH", value_parser = working_directory())]
    pub(crate) working_directory: Option<WorkingDirectory>,
    /// Make sample data for inputs that do not exist and that nothing feeds, where the spec says nothing
    #[arg(long)]
    pub(crate) sample_data: bool,
}

/// How a result is written.
#[derive(Debug, Args)]
pub(crate) struct Output {
    /// How the result is written to standard output
    #[arg(long = "output-format", value_enum, default_value_t = OutputFormat::Text)]
    pub(crate) format: OutputFormat,
    /// Write the result as text in ASCII only; other characters become escapes
    #[arg(long)]
    pub(crate) ascii: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum GraphFormat {
    Text,
    Mermaid,
    Dot,
    Svg,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutputFormat {
    Text,
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// Runs of steps on their own inputs
    Individual,
    /// The judgment of edges
    Compatibility,
    /// Runs of steps on what their upstream steps wrote
    Flow,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SpecsCommand {
    /// List the saved specs
    #[command(after_long_help = help::SPECS_LIST)]
    List {
        #[command(flatten)]
        workspace: Workspace,
    },
    /// Print a saved spec as JSON
    #[command(after_long_help = help::SPECS_SHOW)]
    Show {
        /// The step
        step: StepName,
        #[command(flatten)]
        workspace: Workspace,
    },
    /// Draft a spec for every step of a pipeline that has none, from its script
    #[command(after_long_help = help::SPECS_INIT)]
    Init {
        /// The pipeline file
        file: Utf8PathBuf,
        /// A folder of scripts, which are read and not run; several folders with commas [default: `scripts` in the workspace, if it
        /// is there]
        #[arg(long, value_name = "FOLDER", value_delimiter = ',')]
        scripts: Vec<Utf8PathBuf>,
        /// The Python interpreter that reads the scripts: a path, or a name that is looked for in PATH [default: python3, on Windows
        /// python]
        #[arg(long, value_name = "PROGRAM")]
        python: Option<Utf8PathBuf>,
        #[command(flatten)]
        workspace: Workspace,
    },
    /// Fill in what a spec lacks, by answering questions
    #[command(after_long_help = help::SPECS_EDIT)]
    Edit {
        /// The step
        step: StepName,
        #[command(flatten)]
        workspace: Workspace,
    },
    /// Write into the specs what feeds the inputs at edges that carry nothing, after asking for each
    #[command(after_long_help = help::SPECS_BIND)]
    Bind {
        /// The pipeline file
        file: Utf8PathBuf,
        /// Take the likeliest pair of each edge, if it is similar enough, without asking
        #[arg(short, long, conflicts_with = "dry_run")]
        yes: bool,
        /// Show what would be taken and write nothing
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        workspace: Workspace,
    },
    /// Write what the last test of a pipeline observed into the specs as contracts, after showing the difference
    #[command(after_long_help = help::SPECS_ACCEPT)]
    Accept {
        /// The pipeline file
        file: Utf8PathBuf,
        /// The steps whose specs are written, and whose contracts are brought up to date; without any, contracts are made
        /// for all steps, where there are none
        steps: Vec<StepName>,
        /// Write what values show, too: the least and the greatest, those of which there are few, that none comes twice, and
        /// the share of nulls
        #[arg(long)]
        constraints: bool,
        /// Write without asking
        #[arg(short, long, conflicts_with = "dry_run")]
        yes: bool,
        /// Show the difference and write nothing
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        workspace: Workspace,
    },
    /// Check that every step of a pipeline has a complete spec
    #[command(after_long_help = help::SPECS_CHECK)]
    Check {
        /// The pipeline file; without it, the saved specs themselves are checked
        file: Option<Utf8PathBuf>,
        #[command(flatten)]
        workspace: Workspace,
    },
}

const COMPARE_USAGE: &str = "runtime-testing data compare [OPTIONS] <EXPECTED> <FOUND>
       runtime-testing data compare [OPTIONS] --contract <FILE | SPEC#NAME> [EXPECTED] <FOUND>";

#[derive(Debug, Subcommand)]
pub(crate) enum DataCommand {
    /// Tell the format, rows and columns of a file, or of each file of a folder; status 1 where one cannot be read or is not
    /// what its name says
    #[command(after_long_help = help::DATA_PROFILE)]
    Profile {
        /// The file or folder
        path: Utf8PathBuf,
        #[command(flatten)]
        output: DataOutput,
    },
    /// Compare data with a sample of what is expected, or with a contract, as the data of an edge is compared; status 1 where an
    /// edge would be breaking, or a file is not compared
    #[command(after_long_help = help::DATA_COMPARE, override_usage = COMPARE_USAGE)]
    Compare {
        /// The file or folder that is as it should be, unless there is a contract, and the one that is compared with it
        #[arg(required = true, num_args = 1..=2, value_names = ["EXPECTED", "FOUND"])]
        paths: Vec<Utf8PathBuf>,
        /// The contract: a file of its own, or a spec and one of its inputs or outputs. With EXPECTED, that decides what the
        /// contract is silent on
        #[arg(long, value_name = "FILE | SPEC#NAME")]
        contract: Option<String>,
        #[command(flatten)]
        output: DataOutput,
    },
    /// Print a digest of what a file or folder holds: the same for the same rows, whatever the format; status 1 where it
    /// cannot be read
    #[command(after_long_help = help::DATA_DIGEST)]
    Digest {
        /// The file or folder
        path: Utf8PathBuf,
        /// Take tables with the same rows in another order for the same
        #[arg(long)]
        ignore_row_order: bool,
        /// Round floats and decimals to this many significant digits first, 1 to 17
        #[arg(long, value_name = "NUMBER", value_parser = float_digits)]
        float_digits: Option<NonZeroU8>,
        #[command(flatten)]
        output: DataOutput,
    },
}

#[derive(Debug, Args)]
pub(crate) struct DataOutput {
    /// How the result is written to standard output
    #[arg(long = "output-format", value_enum, default_value_t = OutputFormat::Text)]
    pub(crate) format: OutputFormat,
}

fn float_digits(text: &str) -> Result<NonZeroU8, String> {
    let digits: Option<NonZeroU8> = text.parse().ok().filter(|digits: &NonZeroU8| digits.get() <= 17);
    digits.ok_or_else(|| "expected a number from 1 to 17".to_owned())
}

fn isolation() -> impl TypedValueParser<Value = Isolation> {
    PossibleValuesParser::new(Isolation::ALL.map(Isolation::as_str)).map(|word| {
        let known = Isolation::ALL.into_iter().find(|isolation| isolation.as_str() == word);
        known.expect("the parser takes no other words")
    })
}

fn working_directory() -> impl TypedValueParser<Value = WorkingDirectory> {
    PossibleValuesParser::new(WorkingDirectory::ALL.map(WorkingDirectory::as_str)).map(|word| {
        let known = WorkingDirectory::ALL.into_iter().find(|directory| directory.as_str() == word);
        known.expect("the parser takes no other words")
    })
}

fn schema_name() -> impl TypedValueParser<Value = SchemaName> {
    PossibleValuesParser::new(SchemaName::ALL.map(SchemaName::as_str)).map(|word| {
        let known = SchemaName::ALL.into_iter().find(|name| name.as_str() == word);
        known.expect("the parser takes no other words")
    })
}

/// The name of a Python module, such as `numpy` or `company.tables`.
fn module(text: &str) -> Result<String, String> {
    let is_name = |part: &str| {
        let mut characters = part.chars();
        characters.next().is_some_and(|first| first.is_alphabetic() || first == '_')
            && characters.all(|character| character.is_alphanumeric() || character == '_')
    };
    if text.split('.').all(is_name) {
        return Ok(text.to_owned());
    }
    Err("expected the name of a Python module, as in `import`".to_owned())
}

fn jobs(text: &str) -> Result<NonZeroUsize, String> {
    text.parse().map_err(|_| "expected a whole number of at least 1".to_owned())
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "expected a number of seconds".to_owned())?;
    if !(seconds > 0.0 && seconds <= 1e9) {
        return Err("expected more than 0 and at most 1e9 seconds".to_owned());
    }
    Ok(Duration::from_secs_f64(seconds))
}
