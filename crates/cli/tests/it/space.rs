//! A project to run the command in.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

pub(crate) struct Space {
    _folder: tempfile::TempDir,
    pub(crate) root: PathBuf,
}

/// What a command came to.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) status: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Outcome {
    /// Waits for a command to end.
    pub(crate) fn of(command: Child) -> Self {
        let output = command.wait_with_output().unwrap();
        Self {
            status: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

pub(crate) const COPY: &str = "
def main(input_paths, output_paths, environ_vars, job_args):
    (source,), (target,) = input_paths.values(), output_paths.values()
    with open(source) as file, open(target, 'w') as out:
        out.write(file.read())
";

impl Space {
    /// A project with a pipeline of two steps that work.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let space = Self { root: folder.path().to_owned(), _folder: folder };
        space.write("pipeline.json", r#"{"nodes": ["clean", "train"], "edges": [["clean", "train"]]}"#);
        space.write("data/raw.csv", "id,amount\n1,2.5\n");
        space.write("test_workspace/scripts/clean.py", COPY);
        space.write("test_workspace/scripts/train.py", COPY);
        space.spec("clean", "data/raw.csv", "output/rows.csv");
        space.spec("train", "output/rows.csv", "output/model.csv");
        space
    }

    pub(crate) fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    pub(crate) fn spec(&self, step: &str, input: &str, output: &str) {
        let text = format!(
            r#"{{"script_name": "{step}", "step_name": "{step}", "input_paths": {{"in": "{input}"}}, "output_paths": {{"out": "{output}"}}}}"#
        );
        self.write(&format!("test_workspace/.specs/{step}_runtime_test_spec.json"), text);
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Outcome {
        self.run_with_input(arguments, "")
    }

    pub(crate) fn run_with_input(&self, arguments: &[&str], input: &str) -> Outcome {
        let mut child = self.start(arguments);
        // A command that does not read its input may be gone already.
        drop(child.stdin.take().unwrap().write_all(input.as_bytes()));
        Outcome::of(child)
    }

    pub(crate) fn start(&self, arguments: &[&str]) -> Child {
        self.command(arguments).spawn().unwrap()
    }

    /// The command, in the project's folder and with pipes for all that it says.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_runtime-testing"));
        command
            .args(arguments)
            .current_dir(&self.root)
            .env_remove("NO_COLOR")
            .env_remove("GITHUB_STEP_SUMMARY")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs a command that must be refused; returns what it says.
    #[track_caller]
    pub(crate) fn refused(&self, arguments: &[&str]) -> String {
        let outcome = self.run(arguments);
        assert_eq!(outcome.status, Some(2), "{outcome:?}");
        assert_eq!(outcome.stdout, "", "standard output is for results");
        assert!(!self.root.join("test_workspace/.runs").exists(), "something was run");
        outcome.stderr.trim_end().replace(self.root.to_str().unwrap(), "ROOT")
    }
}
