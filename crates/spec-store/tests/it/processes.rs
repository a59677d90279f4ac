//! Several processes at one folder. A test starts itself again, with an environment variable that tells it to be the
//! child.

use std::env;
use std::io::Write as _;
use std::process::{Child, Command, Stdio};

use camino::Utf8PathBuf;
use indexmap::IndexMap;
use runtime_testing_models::{JobValue, ScriptExecutionSpec, TableContract};
use runtime_testing_spec_store::{SavedSpec, SpecStore, SpecUpdate};

use crate::space::{Space, spec, step};

const FOLDER: &str = "SPEC_STORE_TEST_FOLDER";

/// The store that a child works on. `None` in the parent.
fn child_store() -> Option<SpecStore> {
    env::var(FOLDER).ok().map(|folder| SpecStore::new(Utf8PathBuf::from(folder)))
}

/// The test `name` once more, as a child.
fn child(name: &str, space: &Space) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", name, "--nocapture", "--test-threads=1"]).env(FOLDER, space.store.folder());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

#[track_caller]
fn check_passed(child: Child) {
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn count(spec: &ScriptExecutionSpec) -> u32 {
    match spec.job_args.get("count") {
        Some(JobValue::Number(number)) => number.as_str().parse().unwrap(),
        _ => 0,
    }
}

#[test]
fn no_update_is_lost_between_eight_processes() {
    const PROCESSES: u32 = 8;
    const SPECS: u32 = 200;
    if let Some(store) = child_store() {
        for at in 0..SPECS {
            let name = format!("step_{at}");
            let increment = |saved: Option<ScriptExecutionSpec>| {
                let mut spec = saved.unwrap_or_else(|| spec(&name));
                let count = count(&spec) + 1;
                spec.job_args.insert("count".to_owned(), i64::from(count).into());
                Ok::<_, std::fmt::Error>(spec)
            };
            store.update(&step(&name), increment).unwrap();
        }
        return;
    }
    let space = Space::new();
    let name = "processes::no_update_is_lost_between_eight_processes";
    let children: Vec<Child> = (0..PROCESSES).map(|_| child(name, &space).spawn().unwrap()).collect();
    children.into_iter().for_each(check_passed);
    let index = space.store.load_all().unwrap();
    assert_eq!(index.specs().count(), SPECS as usize);
    for saved in index.specs() {
        assert_eq!(count(&saved.spec), PROCESSES, "{}", saved.path);
    }
    assert_eq!(space.names().len(), SPECS as usize, "no temporary file is left");
}

/// `SIGKILL` on Unix, `TerminateProcess` on Windows: neither can be caught.
#[test]
fn a_thousand_killed_savers_lose_nothing() {
    use std::io::{BufRead as _, BufReader};

    const SPECS: usize = 5;
    let names: Vec<String> = (0..SPECS).map(|at| format!("step_{at}")).collect();
    if let Some(store) = child_store() {
        for round in 0.. {
            let mut spec = spec(&names[round % SPECS]);
            spec.user_notes = Some("x".repeat(round * 997 % 20_000));
            // Ends the child when the parent is gone.
            writeln!(std::io::stdout(), "save").unwrap();
            store.save(&spec).unwrap();
        }
        return;
    }
    let space = Space::new();
    for name in &names {
        space.store.save(&spec(name)).unwrap();
    }
    let mut left = 0;
    for kill in 0..1_000_u64 {
        let mut child = child("processes::a_thousand_killed_savers_lose_nothing", &space).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // Different children are killed in the midst of different saves; the scheduler chooses the moment.
        let begun = 1 + usize::try_from(kill % 4).unwrap();
        let seen = lines.filter(|line| line.as_ref().unwrap().ends_with("save")).take(begun).count();
        child.kill().unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(seen, begun, "{}", String::from_utf8_lossy(&output.stderr));

        let index = space.store.load_all().unwrap();
        assert!(index.broken().is_empty(), "{:?}", index.broken());
        assert_eq!(index.specs().count(), SPECS, "no spec is lost");
        let temporary = space.names().len() - SPECS;
        assert!(temporary <= 1, "leftovers pile up: {:?}", space.names());
        left += temporary;
    }
    assert!(left > 0, "no child was killed in the midst of saving, so nothing was tested");
    space.store.save(&spec(&names[0])).unwrap();
    assert_eq!(space.names().len(), SPECS, "{:?}", space.names());
}

/// As on a full disk: a child that may not write a single byte to a file.
#[cfg(unix)]
#[test]
fn a_write_that_fails_leaves_the_old_file() {
    use runtime_testing_spec_store::SaveSpecError;

    if let Some(store) = child_store() {
        let error = store.save(&spec("train")).unwrap_err();
        assert!(matches!(error, SaveSpecError::Write { .. }), "{error:?}");
        let error = store.save(&spec("clean")).unwrap_err();
        assert!(matches!(error, SaveSpecError::Write { .. }), "{error:?}");
        return;
    }
    let space = Space::new();
    space.store.save(&spec("train")).unwrap();
    let before = space.files();
    let limited = child("processes::a_write_that_fails_leaves_the_old_file", &space);
    let mut shell = Command::new("sh");
    // What is ignored in the shell stays ignored, so the write fails instead of ending the child.
    shell.args(["-c", r#"trap "" XFSZ; ulimit -f 0; exec "$0" "$@""#]).arg(limited.get_program());
    shell.args(limited.get_args()).env(FOLDER, space.store.folder());
    check_passed(shell.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap());
    assert_eq!(space.files(), before, "byte for byte, and no temporary file");
}

#[test]
fn a_spec_is_there_at_every_moment() {
    const SAVES: usize = 300;
    let space = Space::new();
    space.store.save(&spec("train")).unwrap();
    std::thread::scope(|scope| {
        let saver = scope.spawn(|| {
            for round in 0..SAVES {
                let mut spec = spec("train");
                spec.user_notes = Some("x".repeat(round * 10));
                space.store.save(&spec).unwrap();
            }
        });
        while !saver.is_finished() {
            space.store.load(&step("train")).unwrap();
        }
    });
}

/// All of them are staged before the first takes its place.
#[cfg(unix)]
#[test]
fn more_specs_are_saved_than_a_process_may_have_files_open() {
    const OPEN_FILES: usize = 64;
    const SPECS: usize = 2 * OPEN_FILES;
    if let Some(store) = child_store() {
        let update = |saved: &SavedSpec| SpecUpdate {
            spec: saved.spec.clone(),
            input_schemas: [("raw".parse().unwrap(), TableContract::default().into())].into(),
            output_schemas: IndexMap::new(),
            bindings: IndexMap::new(),
        };
        let updates: Vec<SpecUpdate> = store.load_all().unwrap().specs().map(update).collect();
        assert_eq!(store.save_updates(&updates).unwrap().len(), SPECS);
        return;
    }
    let space = Space::new();
    for at in 0..SPECS {
        let mut spec = spec(&format!("step_{at}"));
        spec.input_paths = [("raw".parse().unwrap(), "raw.csv".into())].into();
        space.store.save(&spec).unwrap();
    }
    let name = "processes::more_specs_are_saved_than_a_process_may_have_files_open";
    let command = child(name, &space);
    let mut limited = Command::new("sh");
    limited.args(["-c", &format!("ulimit -n {OPEN_FILES} && exec \"$0\" \"$@\"")]);
    limited.arg(command.get_program()).args(command.get_args()).env(FOLDER, space.store.folder());
    check_passed(limited.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap());
    let index = space.store.load_all().unwrap();
    assert_eq!(index.specs().filter(|saved| saved.spec.input_schemas.len() == 1).count(), SPECS);
    assert_eq!(space.names().len(), SPECS, "no temporary file is left");
}
