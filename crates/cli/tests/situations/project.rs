//! A copy of a case, and the command in it.

use std::net::TcpListener;
use std::process::{Command, Stdio};

use camino::{Utf8Path, Utf8PathBuf};
use runtime_testing::{Isolation, PipelineTestReport};
use serde_json::Value;

use crate::workbench::Copy;

/// A copy of a case with folders beside it: `outside`, for what its scripts share on purpose, and `tmp`, the folder for
/// temporary files of all that is run.
pub(crate) struct Project {
    copy: Copy,
    port: u16,
}

/// What came of a test.
pub(crate) struct Tested {
    pub(crate) status: Option<i32>,
    /// The report, where the test could be carried out.
    pub(crate) report: Option<PipelineTestReport>,
    pub(crate) stderr: String,
    /// The kinds of all events and the whole of each.
    pub(crate) events: Vec<Value>,
}

impl Project {
    pub(crate) fn of(source: &Utf8Path) -> Self {
        let copy = Copy::of(source);
        // It is free again at once; whoever asks next is given another.
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let project = Self { copy, port };
        std::fs::create_dir(project.temporary()).expect("a new folder");
        project
    }

    pub(crate) fn base(&self) -> &Utf8Path {
        &self.copy.path
    }

    fn beside(&self, name: &str) -> Utf8PathBuf {
        self.copy.path.parent().expect("the copy lies in a folder").join(name)
    }

    pub(crate) fn outside(&self) -> Utf8PathBuf {
        self.beside("outside")
    }

    pub(crate) fn temporary(&self) -> Utf8PathBuf {
        self.beside("tmp")
    }

    /// A text of a model with what is different each time filled in.
    pub(crate) fn fill_in(&self, text: &str, jobs: usize) -> String {
        text.replace("<base>", self.base().as_str())
            .replace("<outside>", self.outside().as_str())
            .replace("<port>", &self.port.to_string())
            .replace("<python>", crate::python3())
            .replace("<jobs>", &jobs.to_string())
    }

    /// The command that tests the pipeline, with nothing in the folder outside.
    pub(crate) fn command(&self, model: &Value, isolation: Isolation, python: &str, jobs: usize) -> Command {
        if self.outside().exists() {
            std::fs::remove_dir_all(self.outside()).expect("the folder can be removed");
        }
        std::fs::create_dir(self.outside()).expect("a new folder");
        let mut command = Command::new(env!("CARGO_BIN_EXE_runtime-testing"));
        command
            .args(["test-pipeline", "pipeline.json", "--output-format", "json", "--timeout", "100"])
            .args(["--isolation", isolation.as_str(), "--jobs", &jobs.to_string(), "--grace", "0.5"])
            .args(["--events", self.beside("events").as_str()])
            .current_dir(self.base())
            .env_remove("GITHUB_STEP_SUMMARY")
            .env_remove("PYTHONPATH")
            .env("TMPDIR", self.temporary())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let arguments = model["arguments"].as_array().into_iter().flatten();
        let arguments: Vec<String> =
            arguments.map(|argument| self.fill_in(argument.as_str().expect("a text"), jobs)).collect();
        if !arguments.iter().any(|argument| argument == "--python") {
            command.args(["--python", python]);
        }
        command.args(arguments);
        for (name, value) in model["environment"].as_object().into_iter().flatten() {
            command.env(name, self.fill_in(value.as_str().expect("a text"), jobs));
        }
        command
    }

    pub(crate) fn test(&self, model: &Value, isolation: Isolation, python: &str, jobs: usize) -> Tested {
        let output =
            self.command(model, isolation, python, jobs).output().expect("the command can be started");
        let events = std::fs::read_to_string(self.beside("events")).unwrap_or_default();
        Tested {
            status: output.status.code(),
            report: serde_json::from_slice(&output.stdout).ok(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            events: events.lines().map(|line| serde_json::from_str(line).expect("an event")).collect(),
        }
    }

    /// Runs what the report says repeats a run, in another folder and with no more of an environment than a new shell
    /// has. Its status and all that it says.
    pub(crate) fn repeat(&self, command: &str) -> (Option<i32>, String) {
        let output = Command::new("sh")
            .args(["-c", &format!("{{ {command}\n}} 2>&1")])
            .current_dir("/")
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .stdin(Stdio::null())
            .output()
            .expect("a shell");
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    }
}
