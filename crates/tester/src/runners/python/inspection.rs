//! What interpreters say of themselves and of scripts that are not run.

use std::io;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use runtime_testing_models::{ExitOutcome, MainProblem, ScriptFailure};
use serde::{Deserialize, Serialize};

use crate::cancel::CancelHandle;
use crate::plain_file;
use crate::process::{self, ProcessRequest, Watched};
use crate::runners::runner::is_of_the_machine;

const INSPECT_SCRIPTS: &str = include_str!("inspect_scripts.py");

/// What shows of a script without running it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Finding {
    /// It can be run, as far as can be seen.
    Runnable,
    /// It cannot.
    Failure(ScriptFailure),
}

/// What an interpreter says of itself and of scripts.
pub(crate) struct Inspection {
    /// The interpreter itself, where what was asked is a launcher that finds it anew each time.
    pub(crate) interpreter: Utf8PathBuf,
    /// A finding for each script.
    pub(crate) findings: Vec<Finding>,
    /// For each script the imports of well-known libraries, and of those that the user names, that it begins with: as
    /// statements, in its order.
    pub(crate) imports: Vec<Vec<String>>,
    /// For each script the files beside it that its imports lead to, and those that would be imported before them.
    pub(crate) modules: Vec<Vec<Utf8PathBuf>>,
}

/// Asks an interpreter what shows of `scripts`, all at once: each is its path and the path that findings show. `preload`
/// are the libraries that the user wants to be imported before a fork, besides the well-known ones. `timeout` is how long a script
/// may take. Of a test that is canceled, which runs nothing, nothing is asked.
///
/// # Errors
///
/// [`NoAnswer`] where nothing was told of the scripts.
pub(crate) fn inspect(
    interpreter: &Utf8Path,
    scripts: &[(Utf8PathBuf, Utf8PathBuf)],
    preload: &[String],
    timeout: Duration,
    cancel: &CancelHandle,
) -> Result<Inspection, NoAnswer> {
    #[derive(Serialize)]
    struct Question<'a> {
        paths: Vec<&'a Utf8PathBuf>,
        preload: &'a [String],
    }

    #[derive(Deserialize)]
    struct Answers {
        executable: Option<Utf8PathBuf>,
        findings: Vec<Answer>,
        imports: Vec<Vec<String>>,
        modules: Vec<Vec<Utf8PathBuf>>,
    }

    #[derive(Deserialize)]
    #[serde(tag = "kind", rename_all = "snake_case")]
    enum Answer {
        Fine,
        Unknown,
        MissingMain,
        Unreadable { message: String },
        SyntaxError { line: Option<u32>, message: String },
        WrongSignature { line: u32, signature: String, missing: Vec<String>, unexpected: Vec<String> },
        WrongMain { line: u32, problem: MainProblem },
    }

    let question = Question { paths: scripts.iter().map(|(path, _)| path).collect(), preload };
    let question = serde_json::to_vec(&question).expect("paths and names are plain strings");
    let timeout = timeout.clamp(SHORTEST_TIMEOUT, LONGEST_TIMEOUT);
    let Some(answer) = ask(interpreter, INSPECT_SCRIPTS, &question, timeout, cancel)? else {
        return Ok(Inspection {
            interpreter: interpreter.to_owned(),
            findings: scripts.iter().map(|_| Finding::Runnable).collect(),
            imports: scripts.iter().map(|_| Vec::new()).collect(),
            modules: scripts.iter().map(|_| Vec::new()).collect(),
        });
    };
    let Answers { executable, findings, imports, modules } =
        serde_json::from_slice(&answer).map_err(|_| useless("its answer makes no sense"))?;
    if [findings.len(), imports.len(), modules.len()] != [scripts.len(); 3] {
        return Err(useless("its answer is incomplete"));
    }
    let finding = |(answer, (path, shown)): (Answer, &(Utf8PathBuf, Utf8PathBuf))| match answer {
        Answer::Fine | Answer::Unknown => Finding::Runnable,
        Answer::MissingMain => Finding::Failure(ScriptFailure::MissingMain { file: shown.clone() }),
        Answer::Unreadable { message } => {
            Finding::Failure(ScriptFailure::CouldNotStart { program: path.clone(), message })
        }
        Answer::SyntaxError { line, message } => {
            Finding::Failure(ScriptFailure::SyntaxError { file: shown.clone(), line, message })
        }
        Answer::WrongSignature { line, signature, missing, unexpected } => {
            Finding::Failure(ScriptFailure::WrongSignature {
                file: shown.clone(),
                line: Some(line),
                signature,
                missing,
                unexpected,
            })
        }
        Answer::WrongMain { line, problem } => {
            Finding::Failure(ScriptFailure::WrongMain { file: shown.clone(), line: Some(line), problem })
        }
    };
    Ok(Inspection {
        interpreter: executable.unwrap_or_else(|| interpreter.to_owned()),
        findings: findings.into_iter().zip(scripts).map(finding).collect(),
        imports,
        modules,
    })
}

/// Why nothing was told of scripts.
pub(crate) enum NoAnswer {
    /// The interpreter is of no use, and why.
    Useless(String),
    /// The machine has no room, no process or no temporary folder for it.
    Machine(io::Error),
}

pub(super) fn useless(reason: &str) -> NoAnswer {
    NoAnswer::Useless(format!("it does not work as a Python 3 interpreter: {reason}"))
}

/// How long an interpreter may take to tell what shows of scripts: as long as a script, within these.
const SHORTEST_TIMEOUT: Duration = Duration::from_secs(5);
pub(super) const LONGEST_TIMEOUT: Duration = Duration::from_secs(120);

/// What is longer is no answer.
const MOST_ANSWER_BYTES: u64 = 256 * 1024 * 1024;

/// The variable by which what an interpreter starts while it answers is known.
const MARK: &str = "RUNTIME_TESTING_INSPECTION";

/// Hands a program a question, and returns the answer that it leaves in a file: a wrapper around the interpreter may print what it
/// likes. None where the test was canceled.
pub(super) fn ask(
    interpreter: &Utf8Path,
    text: &str,
    question: &[u8],
    timeout: Duration,
    cancel: &CancelHandle,
) -> Result<Option<Vec<u8>>, NoAnswer> {
    let in_folder = NoAnswer::Machine;
    // A test may not have begun yet.
    let _watched = Watched::new();
    let folder = process::temporary_folder().map_err(in_folder)?;
    let folder = Utf8Path::from_path(folder.path());
    let folder = folder.ok_or_else(|| in_folder(io::Error::other("the temporary folder is not UTF-8")))?;
    let names = ["ask.py", "question.json", "answer.json", "stdout.log", "stderr.log"];
    let [program, question_file, answer_file, stdout_file, stderr_file] =
        &names.map(|name| folder.join(name));
    std::fs::write(program, text).map_err(in_folder)?;
    std::fs::write(question_file, question).map_err(in_folder)?;
    let ended = process::execute(&ProcessRequest {
        program: interpreter,
        // Isolated and without site-packages: only the grammar is asked for.
        arguments: vec![
            "-I".into(),
            "-S".into(),
            program.clone(),
            question_file.clone(),
            answer_file.clone(),
        ],
        environment: vec![(MARK, folder.as_str())],
        folder,
        stdout: std::fs::File::create(stdout_file).map_err(in_folder)?,
        stderr: std::fs::File::create(stderr_file).map_err(in_folder)?,
        timeout,
        grace: Duration::ZERO,
        cancel: cancel.receiver(),
        mark: &format!("{MARK}={folder}"),
    })
    .map_err(|error| match is_of_the_machine(&error) {
        true => NoAnswer::Machine(error),
        false => NoAnswer::Useless(error.to_string()),
    })?;
    if ended.canceled {
        return Ok(None);
    }
    if ended.exit == (ExitOutcome::Exited { status: 0 }) {
        let answer = plain_file::read(answer_file, MOST_ANSWER_BYTES);
        return answer.map(Some).map_err(|_| useless("it left no answer"));
    }
    if ended.exit == ExitOutcome::TimedOut {
        return Err(useless(&format!("it gave no answer in {} s", timeout.as_secs())));
    }
    // Where there is no room for an answer, that is not the interpreter's doing.
    std::fs::write(folder.join("probe"), [0; 64 * 1024]).map_err(in_folder)?;
    let said = plain_file::read(stderr_file, MOST_ANSWER_BYTES).map_err(in_folder)?;
    let said = String::from_utf8_lossy(&said);
    Err(useless(said.trim().lines().last().unwrap_or("it ended without an answer")))
}
