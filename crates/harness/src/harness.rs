use std::fmt;
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};

use libtest_mimic::{Arguments, Failed, Trial};
use runtime_testing_models::{PipelineDag, PipelineTestReport, Selection, StepName, edge_key};
use runtime_testing_report::{TextOptions, render_edge_text, render_step_text};
use runtime_testing_tester::RuntimeTester;

use crate::cache;

/// Runs the trials of a pipeline test that the arguments of this program ask for: `step::NAME` for each step,
/// `edge::FROM->TO` for each edge. The whole `main` function of a test target with `harness = false`.
pub fn main(tester: RuntimeTester) -> ExitCode {
    Harness::new(tester).main()
}

/// The trials of a pipeline test.
///
/// ```no_run
/// use std::process::ExitCode;
///
/// use runtime_testing_harness::Harness;
/// use runtime_testing_models::{PipelineDag, PipelineTestingSpec};
/// use runtime_testing_tester::RuntimeTester;
///
/// fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
///     let dag = PipelineDag::from_names(["clean", "train"], [("clean", "train")])?;
///     let tester = RuntimeTester::new(PipelineTestingSpec::new(dag));
///     let harness = Harness::new(tester)
///         .ignoring("train+")
///         .with_check("two_steps", |report| assert_eq!(report.script_results.len(), 2));
///     Ok(harness.main())
/// }
/// ```
pub struct Harness {
    tester: RuntimeTester,
    ignored: Option<Selection>,
    checks: Vec<(String, Check)>,
}

type Check = Arc<dyn Fn(&PipelineTestReport) + Send + Sync>;

impl fmt::Debug for Harness {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let checks: Vec<&str> = self.checks.iter().map(|(name, _)| name.as_str()).collect();
        formatter
            .debug_struct("Harness")
            .field("tester", &self.tester)
            .field("ignored", &self.ignored)
            .field("checks", &checks)
            .finish()
    }
}

impl Harness {
    /// The trials of a tester's pipeline. A selection in its configuration is what they are trials of.
    pub fn new(tester: RuntimeTester) -> Self {
        Self { tester, ignored: None, checks: Vec::new() }
    }

    /// The same without the trials of these steps and of the edges to them, unless `--ignored` or `--include-ignored` asks
    /// for them.
    #[must_use]
    pub fn ignoring(mut self, steps: impl Into<Selection>) -> Self {
        let steps = steps.into();
        self.ignored = Some(match self.ignored {
            Some(before) => before.and(steps),
            None => steps,
        });
        self
    }

    /// The same with one more trial, `check::NAME`, that looks at the whole report. It fails where the function panics: a
    /// place for `insta::assert_json_snapshot!(report.snapshot())`.
    #[must_use]
    pub fn with_check(
        mut self,
        name: impl Into<String>,
        check: impl Fn(&PipelineTestReport) + Send + Sync + 'static,
    ) -> Self {
        self.checks.push((name.into(), Arc::new(check)));
        self
    }

    /// Runs the trials that the arguments of this program ask for. The exit status is that of every Rust test: 0 where all
    /// passed, 101 where one failed or what is ignored cannot be told.
    pub fn main(self) -> ExitCode {
        let arguments = Arguments::from_args();
        match self.trials(&arguments) {
            Ok(trials) => libtest_mimic::run(&arguments, trials).exit_code(),
            Err(error) => {
                // Said as every trial's failure would be, where there is none to say it.
                let shown = Trial::test("pipeline", move || Err(Failed::from(error)));
                libtest_mimic::run(&Arguments::default(), vec![shown]).exit_code()
            }
        }
    }

    fn trials(self, arguments: &Arguments) -> Result<Vec<Trial>, String> {
        let configuration = self.tester.configuration();
        let whole = &configuration.pipeline_spec.dag;
        let select = |selection: &Selection| whole.select(selection).map_err(|error| error.to_string());
        let dag = match &configuration.selection {
            Some(selection) => select(selection)?,
            None => whole.clone(),
        };
        let ignored = self.ignored.as_ref().map(select).transpose()?;
        let is_ignored = |step: &StepName| ignored.as_ref().is_some_and(|ignored| ignored.contains(step));

        let mut planned: Vec<Planned> = Vec::new();
        for step in dag.steps() {
            let what = What::Step(step.clone());
            planned.push(Planned { name: format!("step::{step}"), is_ignored: is_ignored(step), what });
        }
        if configuration.test_data_compatibility {
            for (from, to) in dag.edges() {
                let what = What::Edge(from.clone(), to.clone());
                let is_ignored = is_ignored(from) || is_ignored(to);
                planned.push(Planned { name: format!("edge::{}", edge_key(from, to)), is_ignored, what });
            }
        }
        for (name, check) in self.checks {
            planned.push(Planned {
                name: format!("check::{name}"),
                is_ignored: false,
                what: What::Report(check),
            });
        }
        let needed = needed(&dag, planned.iter().filter(|trial| trial.is_wanted(arguments)));
        let shared = Arc::new(Shared { tester: self.tester, needed, report: OnceLock::new() });
        let trial = |Planned { name, is_ignored, what }| {
            let shared = Arc::clone(&shared);
            Trial::test(name, move || what.check(shared.report()?)).with_ignored_flag(is_ignored)
        };
        Ok(planned.into_iter().map(trial).collect())
    }
}

struct Planned {
    name: String,
    is_ignored: bool,
    what: What,
}

/// What a trial looks at.
enum What {
    Step(StepName),
    Edge(StepName, StepName),
    Report(Check),
}

impl Planned {
    /// Whether the arguments ask for it: as the function that runs the trials does, which keeps that to itself.
    fn is_wanted(&self, arguments: &Arguments) -> bool {
        let is_meant = |text: &String| {
            if arguments.exact { self.name == *text } else { self.name.contains(text.as_str()) }
        };
        let is_skipped = if self.is_ignored {
            !arguments.ignored && !arguments.include_ignored
        } else {
            arguments.ignored
        };
        !is_skipped && arguments.filter.as_ref().is_none_or(is_meant) && !arguments.skip.iter().any(is_meant)
    }
}

/// What these trials need of what is tested. None where that is all of it.
fn needed<'a>(dag: &PipelineDag, trials: impl Iterator<Item = &'a Planned>) -> Option<Selection> {
    let mut steps = Vec::new();
    for trial in trials {
        match &trial.what {
            What::Step(step) | What::Edge(_, step) => steps.push(step),
            What::Report(_) => return None,
        }
    }
    // What lies upstream of a selection is left out of it on purpose.
    let part = dag.select(&Selection::with_upstream(steps)).ok()?;
    (part.steps().len() < dag.steps().len()).then(|| Selection::of(part.steps()))
}

impl What {
    fn check(self, report: &PipelineTestReport) -> Result<(), Failed> {
        let options = TextOptions::default();
        match self {
            Self::Step(step) => match report.script_results.get(&step) {
                Some(result) if result.success() => Ok(()),
                Some(result) => Err(render_step_text(step.as_str(), result, options).into()),
                None => Err(format!("the report says nothing of step `{step}`").into()),
            },
            Self::Edge(from, to) => match report.data_flow_results.get(&edge_key(&from, &to)) {
                Some(result) if result.compatible() => Ok(()),
                Some(result) => Err(render_edge_text(from.as_str(), to.as_str(), result, options).into()),
                None => Err(format!("the report says nothing of edge `{}`", edge_key(&from, &to)).into()),
            },
            Self::Report(check) => {
                check(report);
                Ok(())
            }
        }
    }
}

/// The one test of the pipeline that serves all trials.
struct Shared {
    tester: RuntimeTester,
    needed: Option<Selection>,
    report: OnceLock<Result<PipelineTestReport, String>>,
}

impl Shared {
    /// Tests the pipeline, or waits until it has been tested.
    fn report(&self) -> Result<&PipelineTestReport, Failed> {
        let report = self.report.get_or_init(|| {
            let test = |tester: &RuntimeTester| tester.test_pipeline().map_err(|error| error.to_string());
            if let Some(run) = cache::run_of_processes() {
                return cache::shared(&self.tester, &run, test);
            }
            match &self.needed {
                Some(needed) => test(&self.tester.clone().with_selection(needed.clone())),
                None => test(&self.tester),
            }
        });
        report.as_ref().map_err(|error| Failed::from(error.as_str()))
    }
}
