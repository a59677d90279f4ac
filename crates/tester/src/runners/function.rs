//! Rust functions as steps: called on a thread of their own.

use std::any::Any;
use std::error::Error;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use camino::{Utf8Path, Utf8PathBuf};
use indexmap::IndexMap;
use runtime_testing_models::{
    ExitOutcome, JobValue, LogicalName, Resources, ScriptFailure, ScriptMainParams, ScriptName,
};

use crate::runners::runner::{Ran, Repeat, RunOutcome, RunRequest, Runner, write_params};

/// What a Rust function is called with: the four parameters of a script, and a way to learn that it is to end.
///
/// ```
/// use runtime_testing_tester::FunctionParams;
///
/// fn clean(params: &FunctionParams) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
///     let text = std::fs::read_to_string(&params.input_paths["raw"])?;
///     for line in text.lines() {
///         if params.is_canceled() {
///             return Err("canceled".into());
///         }
///         // ...
///     }
///     std::fs::write(&params.output_paths["rows"], text)?;
///     Ok(())
/// }
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct FunctionParams {
    /// A path for each input.
    pub input_paths: IndexMap<LogicalName, Utf8PathBuf>,
    /// A path for each output. The folders are there.
    pub output_paths: IndexMap<LogicalName, Utf8PathBuf>,
    /// The environment variables of the spec. They are not set: a process has one environment for all its threads.
    pub environ_vars: IndexMap<String, String>,
    /// The arguments.
    pub job_args: IndexMap<String, JobValue>,
    canceled: Arc<AtomicBool>,
}

/// Parameters without a test around them, to call a function by itself. They are never canceled.
///
/// ```
/// use runtime_testing_models::ScriptExecutionSpec;
/// use runtime_testing_tester::FunctionParams;
///
/// let mut spec = ScriptExecutionSpec::new("clean".parse()?, "clean".parse()?);
/// spec.input_paths.insert("raw".parse()?, "data/raw.csv".into());
/// spec.job_args.insert("limit".to_owned(), 7.into());
/// let params = FunctionParams::from(spec.main_params());
/// assert_eq!(params.job_args["limit"].as_i64(), Some(7));
/// assert!(!params.is_canceled());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
impl From<ScriptMainParams> for FunctionParams {
    fn from(params: ScriptMainParams) -> Self {
        let ScriptMainParams { input_paths, output_paths, environ_vars, job_args } = params;
        Self { input_paths, output_paths, environ_vars, job_args, canceled: Arc::default() }
    }
}

impl FunctionParams {
    /// Whether the function has taken longer than it may, or the test was canceled. It cannot be stopped from outside: it should look from time to
    /// time and come back.
    pub fn is_canceled(&self) -> bool {
        self.canceled.load(Ordering::Relaxed)
    }
}

type Body = dyn Fn(&FunctionParams) -> Result<(), Box<dyn Error + Send + Sync>> + Send + Sync;

/// A function and the script name it was registered under, by which two are told apart.
#[derive(Clone)]
pub(crate) struct Function {
    name: ScriptName,
    body: Arc<Body>,
}

impl Function {
    pub(crate) fn new(
        name: ScriptName,
        body: impl Fn(&FunctionParams) -> Result<(), Box<dyn Error + Send + Sync>> + Send + Sync + 'static,
    ) -> Self {
        Self { name, body: Arc::new(body) }
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Function").field(&self.name).finish()
    }
}

impl PartialEq for Function {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Function {}

impl Hash for Function {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl Runner for Function {
    fn run(&self, request: RunRequest<'_>) -> io::Result<Ran> {
        write_params(&request)?;
        let RunRequest { params, timeout, grace, cancel, .. } = request;
        let params = FunctionParams::from(params.clone());
        let is_canceled = Arc::clone(&params.canceled);
        let body = Arc::clone(&self.body);
        let (sender, receiver) = crossbeam_channel::bounded(1);
        let started = Instant::now();
        std::thread::Builder::new().name(self.name.to_string()).spawn(move || {
            let result = catch_unwind(AssertUnwindSafe(|| body(&params)));
            // Nobody listens any more where it took too long.
            drop(sender.try_send(result));
        })?;
        let mut was_canceled = false;
        let answer = crossbeam_channel::select! {
            recv(receiver) -> answer => answer.ok(),
            recv(cancel) -> _ => {
                was_canceled = true;
                None
            },
            default(timeout) => None,
        };
        if answer.is_none() {
            is_canceled.store(true, Ordering::Relaxed);
            // What comes now counts for nothing; but a function that ends is better than one that goes on.
            drop(receiver.recv_timeout(grace));
        }
        let failure = match answer {
            None => Some(ScriptFailure::TimedOut { limit_seconds: timeout.as_secs_f64() }),
            Some(Ok(Ok(()))) => None,
            Some(Ok(Err(error))) => Some(ScriptFailure::ReturnedError { message: with_causes(&*error) }),
            Some(Err(panic)) => Some(ScriptFailure::Panicked { message: text_of(&*panic) }),
        };
        let exit = match &failure {
            None => ExitOutcome::Exited { status: 0 },
            Some(ScriptFailure::TimedOut { .. }) => ExitOutcome::TimedOut,
            Some(_) => ExitOutcome::Exited { status: 1 },
        };
        let resources = Resources { wall_seconds: started.elapsed().as_secs_f64(), ..Resources::default() };
        Ok(Ran::Over(RunOutcome {
            exit,
            failure,
            resources,
            canceled: was_canceled,
            leaked: Vec::new(),
            not_forked: None,
            observed: None,
            made_anew: Vec::new(),
        }))
    }

    fn repeat(&self, _: &Utf8Path, _: &ScriptMainParams, _: &Utf8Path) -> Option<Repeat> {
        None
    }
}

fn with_causes(error: &dyn Error) -> String {
    let mut message = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_message = inner.to_string();
        // Many errors show their cause themselves.
        if !message.contains(&inner_message) {
            message = format!("{message}: {inner_message}");
        }
        cause = inner.source();
    }
    message
}

fn text_of(panic: &(dyn Any + Send)) -> Option<String> {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
}
