//! Runs in forks of an interpreter that has made their imports: the same as in a fresh one, but for the time they take.
#![cfg(target_os = "linux")]

use std::process::Command;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use camino::Utf8Path;
use runtime_testing_models::{
    ExitOutcome, Isolation, PipelineTestReport, ScriptExecutionSpec, ScriptFailure, StepStatus,
};
use runtime_testing_tester::{Event, TesterSettings};

use crate::space::Space;

const HEAD: &str = "def main(input_paths, output_paths, environ_vars, job_args):\n";
const WRITE: &str = "    open(output_paths['rows'], 'w').write('id\\n1\\n')\n";

/// A script that has `imports`, does something, and writes its output.
fn script(imports: &str, body: &str) -> String {
    format!("{imports}\n\n{HEAD}{body}{WRITE}")
}

/// The folder in which the interpreter of the project has its packages.
fn site() -> &'static str {
    static SITE: OnceLock<String> = OnceLock::new();
    SITE.get_or_init(|| {
        format!("env/lib/{}/site-packages", ask("f'python{sys.version_info[0]}.{sys.version_info[1]}'"))
    })
}

/// Asks the interpreter behind `python3`, which may be a launcher.
fn ask(expression: &str) -> String {
    let program = format!("import os, sys; print({expression})");
    let asked = Command::new("python3").args(["-c", &program]).output().unwrap();
    String::from_utf8(asked.stdout).unwrap().trim().to_owned()
}

/// A project with an interpreter of its own, which has these modules among its packages.
pub(crate) fn with_package(files: &[(&str, &str)]) -> Space {
    let executable = ask("os.path.realpath(sys.executable)");
    let home = Utf8Path::new(&executable).parent().unwrap();
    let space = Space::new().write("env/pyvenv.cfg", &format!("home = {home}\n"));
    std::fs::create_dir_all(space.root.join("env/bin")).unwrap();
    std::os::unix::fs::symlink(&executable, space.root.join("env/bin/python3")).unwrap();
    std::fs::create_dir_all(space.root.join(site())).unwrap();
    files.iter().fold(space, |space, (path, content)| space.write(&format!("{}/{path}", site()), content))
}

fn add(space: Space, name: &str, content: &str) -> Space {
    let python = space.root.join("env/bin/python3");
    space.step(name, content, &["raw=data/raw.csv"], &[&format!("rows=output/{name}.csv")]).with(|spec| {
        spec.python = python.exists().then_some(python);
    })
}

/// Has steps find modules before all others where the user puts them.
fn on_python_path(space: Space) -> Space {
    let path = space.root.join("lib").into_string();
    space.with(|spec| {
        spec.environ_vars.insert("PYTHONPATH".to_owned(), path);
    })
}

/// Tests in both ways, which must come to the same. Returns the report of the forked one and why runs were not forked.
fn test(space: &Space) -> (PipelineTestReport, Vec<String>) {
    let [fresh, forked] = Isolation::ALL.map(|isolation| test_with(space, isolation));
    assert_eq!(fresh.0.snapshot().to_string(), forked.0.snapshot().to_string());
    assert!(fresh.1.is_empty());
    forked
}

fn test_with(space: &Space, isolation: Isolation) -> (PipelineTestReport, Vec<String>) {
    let reasons = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&reasons);
    let settings = TesterSettings { isolation, preload: packages(space), ..space.settings() };
    let tester = space.tester().with_settings(settings).with_reporter(move |event: &Event<'_>| {
        if let Event::RunNotForked { step, reason } = event {
            log.lock().unwrap().push(format!("{step}: {reason}"));
        }
    });
    let report = tester.test_pipeline().unwrap();
    (report, std::mem::take(&mut *reasons.lock().unwrap()))
}

/// The names of all packages that the project has, which the user wants to be imported before forks.
fn packages(space: &Space) -> Vec<String> {
    let folders = [space.root.join(site()), space.root.join("lib")];
    let entries = folders.iter().filter_map(|folder| folder.read_dir_utf8().ok()).flatten();
    let names = entries.map(|entry| entry.unwrap().file_name().trim_end_matches(".py").to_owned());
    names.filter(|name| name != "sitecustomize").collect()
}

/// What a module of the interpreter's has left.
fn count(space: &Space) -> String {
    space.read(&format!("{}/count", site()))
}

#[track_caller]
fn check_passes(space: &Space) {
    let (report, reasons) = test(space);
    assert!(report.pipeline_success(), "{}", report.errors().join("\n"));
    assert!(reasons.is_empty(), "{reasons:?}");
}

/// A package that adds a line to a file for each time that it is imported.
const COUNTED: &str =
    "import os\nwith open(os.path.dirname(__file__) + '/count', 'a') as file:\n    file.write('x')\n";

#[test]
fn imports_are_made_once() {
    let mut space = with_package(&[("counted.py", COUNTED), ("other.py", "")]);
    for name in ["a", "b", "c"] {
        space = add(space, name, &script("import counted", ""));
    }
    space = add(space, "d", &script("import json\nfrom counted import os as system\nimport other", ""));
    let (report, reasons) = test_with(&space, Isolation::Forked);
    assert!(report.pipeline_success(), "{}", report.errors().join("\n"));
    assert!(reasons.is_empty(), "{reasons:?}");
    assert_eq!(count(&space), "x");
}

/// What comes after an import of anything else is imported by the script, and so is all of a package that is not among the
/// interpreter's own.
#[test]
fn only_what_a_script_begins_with_is_imported_before() {
    let space = with_package(&[("counted.py", COUNTED), ("other.py", "")]);
    let space = space.write("workspace/scripts/near.py", "import counted\n").write("lib/mine.py", COUNTED);
    let mut space = space.write("lib/count", "");
    for (name, imports) in [
        ("a", "import near"),
        ("b", "import other, near, counted"),
        ("c", "import mine, counted"),
        ("d", "try:\n    import near\nexcept ImportError:\n    pass\nimport counted"),
    ] {
        space = on_python_path(add(space, name, &script(imports, "")));
    }
    let (report, reasons) = test_with(&space, Isolation::Forked);
    assert!(report.pipeline_success(), "{}", report.errors().join("\n"));
    assert!(reasons.is_empty(), "{reasons:?}");
    assert_eq!((count(&space).as_str(), space.read("lib/count").as_str()), ("xxxx", "x"));
}

#[test]
fn what_a_library_imports_of_the_users_is_not_shared() {
    let space = with_package(&[("library.py", "import plugin\n")]).write("lib/plugin.py", "");
    let (report, reasons) = test(&on_python_path(add(space, "a", &script("import library", ""))));
    assert!(report.pipeline_success(), "{}", report.errors().join("\n"));
    let [reason] = &reasons[..] else { panic!("{reasons:?}") };
    assert!(reason.starts_with("a: what the script imports has imported `plugin` from `"), "{reason}");
}

/// A seed that a package of the user's sets when it is imported is set in the run, after all that a fork needs.
#[test]
fn a_seed_at_import_stays() {
    let space = with_package(&[("library.py", "import random\n")])
        .write("lib/seeding.py", "import random\nrandom.seed(42)\n");
    let body = "    import random\n    assert random.random() == random.Random(42).random()\n";
    check_passes(&on_python_path(add(space, "a", &script("import library\nimport seeding", body))));
}

#[test]
fn what_is_to_be_done_once_at_the_end_is_not_shared() {
    let handler = "import atexit\natexit.register(print, 'the end')\n";
    let folder = "import tempfile\nfolder = tempfile.TemporaryDirectory()\n";
    let space =
        with_package(&[("handles.py", handler), ("keeps.py", folder), ("logs.py", "import logging\n")]);
    let mut space = add(space, "fine", &script("import logs", ""));
    for (name, module) in [("handling", "handles"), ("keeping", "keeps")] {
        space = add(space, name, &script(&format!("import {module}"), ""));
    }
    let (report, mut reasons) = test(&space);
    assert!(report.pipeline_success(), "{}", report.errors().join("\n"));
    reasons.sort();
    let reason = "what the script imports has something to do when the process ends";
    assert_eq!(reasons, [format!("handling: {reason}: handles"), format!("keeping: {reason}: tempfile")]);
}

/// Whatever is printed by what comes before the interpreter's own work, in whatever encoding.
#[test]
fn what_stepping_stones_print_is_no_answer() {
    let prints = "import os, sys\nprint('welcome')\nos.write(1, b'\\xff{\"run\": 1}')\nprint('noise', file=sys.stderr)\n";
    let space = with_package(&[("sitecustomize.py", prints)]);
    check_passes(&add(space, "a", &script("", "")));
    let space = Space::new().write("wrapper", "#!/bin/sh\necho hello\nprintf '{'\nexec python3 \"$@\"\n");
    let wrapper = space.root.join("wrapper");
    std::fs::set_permissions(&wrapper, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    check_passes(&add(space, "a", &script("", "")).with(|spec| spec.python = Some(wrapper)));
}

#[test]
fn a_script_that_is_a_link_is_beside_what_it_leads_to() {
    let body = format!(
        "import helper\n\nkept = None\n\n\n{HEAD}    global kept\n    assert __file__.endswith('a.py')\n    \
        kept = open(output_paths['rows'], 'w')\n    kept.write('id\\n1\\n')\n"
    );
    let space = Space::new().write("lib/real.py", &body).write("lib/helper.py", "");
    let space = add(space, "a", "");
    let link = space.root.join("workspace/scripts/a.py");
    std::fs::remove_file(&link).unwrap();
    std::os::unix::fs::symlink("../../lib/real.py", &link).unwrap();
    check_passes(&space);
    assert_eq!(space.read("output/a.csv"), "id\n1\n");
}

/// It is started while it is asked about scripts.
#[test]
fn an_interpreter_can_start_early() {
    let space = with_package(&[("counted.py", &format!("print('imported')\n{COUNTED}")), ("other.py", "")]);
    let space = add(space, "a", &script("import counted", ""));
    let space = add(space, "b", &script("import other", "")).with(|spec| {
        spec.environ_vars.insert("LANG".to_owned(), "C".to_owned());
    });
    let (report, reasons) = test_with(&space, Isolation::Forked);
    assert!(report.pipeline_success(), "{}", report.errors().join("\n"));
    assert!(reasons.is_empty(), "{reasons:?}");
    assert_eq!(count(&space), "x");
    let log = report.workspace.join(".runs").join(report.run_id.unwrap()).join("imports.log");
    assert_eq!(std::fs::read_to_string(log).unwrap(), "imported\n");
}

#[test]
fn the_spec_goes_before_the_setting() {
    let space = with_package(&[("counted.py", COUNTED)]);
    let fresh = |spec: &mut ScriptExecutionSpec| spec.isolation = Some(Isolation::Fresh);
    let mut space = add(space, "a", &script("import counted", "")).with(fresh);
    for name in ["b", "c"] {
        space = add(space, name, &script("import counted", ""));
    }
    test_with(&space, Isolation::Forked);
    assert_eq!(count(&space), "xx");
}

#[test]
fn a_script_finds_no_module_that_only_others_import() {
    let space = with_package(&[("pkg/__init__.py", ""), ("pkg/sub.py", "value = 1")]);
    let space = add(space, "a", &script("import pkg.sub", "    assert pkg.sub.value == 1\n"));
    let space = add(space, "b", &script("import pkg", "    assert not hasattr(pkg, 'sub')\n"));
    let body = "    import sys\n    assert 'pkg' not in sys.modules and 'ctypes' not in sys.modules\n";
    check_passes(&add(space, "c", &script("", body)));
}

#[test]
fn what_one_run_does_reaches_no_other() {
    let space = with_package(&[("shared.py", "values = []")]);
    let body = "    assert shared.values == []\n    shared.values.append(1)\n    os.chdir('/')\n    os.environ['MARK'] = '1'\n";
    let check = format!("    assert 'MARK' not in os.environ and os.getcwd() != '/'\n{body}");
    let space = add(space, "a", &script("import os\nimport shared", &check));
    let space = add(space, "b", &script("import os\nimport shared", &check));
    check_passes(&add(space, "c", &script("import os\nimport shared", &check)));
}

#[test]
fn imports_see_the_environment_of_the_step() {
    let space = with_package(&[
        ("reading.py", "import os\nmode = os.environ.get('MODE')\n"),
        ("copying.py", "import os\nmode = dict(os.environ).get('MODE')\n"),
    ]);
    let mut space = space;
    for (name, mode) in [("a", Some("x")), ("b", Some("y")), ("c", None), ("d", Some("x"))] {
        let body = format!(
            "    assert reading.mode == copying.mode == environ_vars.get('MODE'), (reading.mode, copying.mode)\n    assert environ_vars.get('MODE') == {}\n",
            mode.map_or("None".to_owned(), |mode| format!("'{mode}'"))
        );
        space = add(space, name, &script("import reading\nimport copying", &body)).with(|spec| {
            spec.environ_vars.extend(mode.map(|mode| ("MODE".to_owned(), mode.to_owned())));
            spec.environ_vars.insert("UNREAD".to_owned(), name.to_owned());
        });
    }
    check_passes(&space);
}

#[test]
fn what_was_set_before_an_import_is_seen_by_it() {
    let space = with_package(&[("reading.py", "import os\nmode = os.environ.get('MODE')\n")]);
    let imports = "import os\nos.environ['MODE'] = 'set'\nimport reading";
    check_passes(&add(space, "a", &script(imports, "    assert reading.mode == 'set'\n")));
}

#[test]
fn what_packages_and_conditions_do_comes_before_later_imports() {
    let space = with_package(&[("reading.py", "import os\nmode = os.environ.get('MODE')\n")]);
    let set = "import os\nos.environ['MODE'] = 'set'\n";
    let space =
        space.write("workspace/scripts/pkg/__init__.py", set).write("workspace/scripts/pkg/sub.py", "");
    let body = "    assert reading.mode == 'set'\n";
    let space = add(space, "a", &script("from pkg import sub\nimport reading", body));
    let condition = "import os\nif __name__ != '__main__':\n    os.environ['MODE'] = 'set'\nimport reading";
    let space = add(space, "b", &script(condition, body));
    let class = "import os\nclass Setting:\n    os.environ['MODE'] = 'set'\nimport reading";
    check_passes(&add(space, "c", &script(class, body)));
}

#[test]
fn warnings_that_are_errors_stay_errors() {
    let space = with_package(&[("old.py", "import warnings\nwarnings.warn('old', UserWarning)\n")]);
    let imports = "import warnings\nwarnings.simplefilter('error')\nimport old";
    let (report, _) = test(&add(space, "a", &script(imports, "")));
    let failure = report.script_results["a"].status.failure();
    assert!(matches!(failure, Some(ScriptFailure::ImportFailed { .. })), "{failure:?}");
}

#[test]
fn a_file_that_an_import_opens_is_not_shared() {
    let space = with_package(&[("opening.py", "file = open(__file__)\n")]);
    let body = "    assert opening.file.readline()\n";
    let space = add(add(space, "a", &script("import opening", body)), "b", &script("import opening", body));
    let (report, reasons) = test(&space);
    assert!(report.pipeline_success(), "{}", report.errors().join("\n"));
    assert_eq!(reasons.len(), 2, "{reasons:?}");
}

#[test]
fn a_file_beside_the_script_goes_before_an_installed_module() {
    let space = with_package(&[("installed.py", "import helper\n"), ("helper.py", "value = 'installed'")]);
    let space = space.write("workspace/scripts/helper.py", "value = 'own'");
    let body = "    assert installed.helper.value == 'own'\n";
    let (report, reasons) = test(&add(space, "a", &script("import installed", body)));
    assert!(report.pipeline_success(), "{}", report.errors().join("\n"));
    assert_eq!(
        reasons,
        ["a: `helper.py` beside the script has the name of a module that is imported before"]
    );
}

#[test]
fn the_end_of_an_interpreter_is_its_whole_end() {
    let body = "
    global kept, holder
    kept = open(output_paths['rows'], 'w')
    kept.write('id\\n1\\n')
    near.kept = open(output_paths['near'], 'w')
    near.kept.write('id\\n2\\n')
    atexit.register(lambda: open(output_paths['exit'], 'w').write('id\\n3\\n'))
    threading.Thread(target=lambda: (time.sleep(0.2), open(output_paths['thread'], 'w').write('id\\n4\\n'))).start()
    print('the last words', end='')
";
    let space = Space::new().write("workspace/scripts/near.py", "").step(
        "a",
        &format!("import atexit\nimport threading\nimport time\nimport near\n\n{HEAD}{body}"),
        &[],
        &["rows=output/rows.csv", "near=output/near.csv", "exit=output/exit.csv", "thread=output/thread.csv"],
    );
    check_passes(&space);
    for (name, row) in [("rows", 1), ("near", 2), ("exit", 3), ("thread", 4)] {
        assert_eq!(space.read(&format!("output/{name}.csv")), format!("id\n{row}\n"), "{name}");
    }
    let report = space.passes();
    assert_eq!(report.script_results["a"].runs[0].stdout.text, "the last words");
}

/// Modules go in the order in which they came: the script first, whose objects still need what it has imported.
#[test]
fn what_a_script_leaves_finds_its_modules_at_the_end() {
    let helper = "import json\n\n\nclass Writer:\n    def __init__(self, path):\n        self.path = path\n\n    \
        def __del__(self):\n        with Writer.open(self.path) as file:\n            file.write('id\\n' + json.dumps(1) + '\\n')\n\n    \
        @staticmethod\n    def open(path, open=open):\n        return open(path, 'w')\n";
    let body = "import helper\n\nleft = None\n\n\ndef main(input_paths, output_paths, environ_vars, job_args):\n    \
        global left\n    left = helper.Writer(output_paths['rows'])\n";
    check_passes(&add(Space::new().write("workspace/scripts/helper.py", helper), "a", body));
}

#[test]
fn forks_draw_different_numbers() {
    let space = with_package(&[("using.py", "import random\nimport uuid\n")]);
    let content = format!(
        "import using\nimport random\n\n{HEAD}    open(output_paths['rows'], 'w').write(f'id\\n{{random.random()}}\\n')\n"
    );
    let space = add(add(space, "a", &content), "b", &content.replace("'id", "'ID"));
    test_with(&space, Isolation::Forked);
    let [a, b] = ["a", "b"].map(|name| space.read(&format!("output/{name}.csv")).to_lowercase());
    assert_ne!(a, b);
}

#[test]
fn what_cannot_be_imported_before_is_imported_by_the_script() {
    let space = with_package(&[
        ("crashing.py", "import os\nos.kill(os.getpid(), 11)\n"),
        ("raising.py", "raise ValueError('not today')\n"),
        (
            "threading_.py",
            "import threading, time\nthreading.Thread(target=time.sleep, args=(1,), daemon=True).start()\n",
        ),
        ("counted.py", COUNTED),
    ]);
    let mut space = space;
    for name in ["crashing", "raising", "missing", "threading_", "counted"] {
        space = add(space, &format!("{name}_step"), &script(&format!("import {name}"), ""));
    }
    let (report, mut reasons) = test(&space);
    let failure = |name: &str| report.script_results[name].status.failure().cloned();
    assert_eq!(
        failure("crashing_step"),
        Some(ScriptFailure::Signaled { signal: 11, name: Some("SIGSEGV".to_owned()) })
    );
    for name in ["raising_step", "missing_step"] {
        assert!(matches!(failure(name), Some(ScriptFailure::ImportFailed { .. })), "{:?}", failure(name));
    }
    for name in ["threading__step", "counted_step"] {
        assert_eq!(report.script_results[name].status, StepStatus::Passed);
    }
    reasons.sort();
    // One that fails beside others is made once more.
    reasons.dedup();
    assert_eq!(
        reasons,
        [
            "crashing_step: the interpreter ended while it made the script's imports",
            "raising_step: `import raising`: ValueError: not today",
            "threading__step: what the script imports has started threads (1 that a fork is without)",
        ]
    );
}

#[test]
fn a_run_whose_watcher_is_ended_is_made_again() {
    let content = format!(
        "import os, pathlib, signal, time
{HEAD}
    mark, folder = pathlib.Path(environ_vars['MARK']), pathlib.Path(output_paths['rows'])
    if not mark.exists():
        mark.touch()
        (folder / 'half').write_text('half')
        os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(60)
    (folder / 'rows.csv').write_text('id\\n1\\n')
"
    );
    let space = Space::new();
    let mark = space.root.join("mark").into_string();
    let space = space.step("a", &content, &[], &["rows=output/a"]).with(|spec| {
        spec.environ_vars.insert("MARK".to_owned(), mark);
    });
    let (report, reasons) = test_with(&space, Isolation::Forked);
    assert!(report.pipeline_success(), "{}", report.errors().join("\n"));
    assert_eq!(reasons, ["a: the process that watches over the script was ended"]);
    assert!(space.root.join("output/a/rows.csv").exists());
    assert!(!space.root.join("output/a/half").exists(), "what the first one wrote does not count");
}

#[test]
fn it_is_ended_after_its_time() {
    let body =
        "    import signal, time\n    signal.signal(signal.SIGTERM, signal.SIG_IGN)\n    time.sleep(600)\n";
    let space = Space::new().step("a", &script("", body), &[], &["rows=output/a.csv"]).with(|spec| {
        spec.timeout_seconds = Some(0.5);
    });
    let settings = TesterSettings { grace: Duration::from_millis(200), ..space.settings() };
    let started = Instant::now();
    let report = space.tester().with_settings(settings).test_pipeline().unwrap();
    assert!(started.elapsed() < Duration::from_secs(60));
    let result = &report.script_results["a"];
    assert_eq!(result.status.failure(), Some(&ScriptFailure::TimedOut { limit_seconds: 0.5 }));
    assert_eq!(result.runs[0].exit, ExitOutcome::TimedOut);
}
