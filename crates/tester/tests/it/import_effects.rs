//! What the imports that are made before a fork do, and what runs see of it.
#![cfg(target_os = "linux")]

use runtime_testing_models::{Isolation, ScriptTestResult};
use runtime_testing_tester::TesterSettings;

use crate::forks::{COUNTED, add, check_passes, script, test, test_with, with_package};
use crate::space::Space;

#[test]
fn a_file_that_an_import_opens_is_not_shared() {
    let space = with_package(&[("opening.py", "file = open(__file__)\n")]);
    let body = "    assert opening.file.readline()\n";
    let space = add(add(space, "a", &script("import opening", body)), "b", &script("import opening", body));
    let (report, reasons) = test(&space);
    assert!(report.pipeline_success(), "{}", report.errors().join("\n"));
    assert_eq!(reasons.len(), 2, "{reasons:?}");
}

/// What every run would do for itself is done by none of them where an import was made before.
#[test]
fn imports_with_an_effect_are_made_by_the_script() {
    let files = [
        ("reads.py", "open('config.json').close()\n"),
        ("looks.py", "try:\n    open('missing.json')\nexcept OSError:\n    pass\n"),
        ("writes.py", "open('left.txt', 'w').close()\n"),
        ("starts.py", "import subprocess\nsubprocess.run(['uname'])\n"),
        ("signals.py", "import signal\nsignal.signal(signal.SIGUSR1, print)\n"),
        ("opens.py", "import os\npipe = os.pipe()\n"),
        ("matplotlib.py", ""),
    ];
    let mut space = with_package(&files).write("config.json", "{}").write("matplotlibrc", "");
    for (name, _) in files {
        let name = name.trim_end_matches(".py");
        space = add(space, &format!("step_{name}"), &script(&format!("import {name}"), ""));
    }
    let [fresh, forked] = Isolation::ALL.map(|isolation| test_with(&space, isolation));
    for (step, result) in &fresh.0.script_results {
        let seen = |result: &ScriptTestResult| result.runs[0].observed.clone();
        assert_eq!(seen(result), seen(&forked.0.script_results[step]), "{step}");
    }
    let mut reasons = forked.1;
    reasons.sort();
    assert_eq!(
        reasons,
        [
            "step_looks: what the script imports reads `missing.json`",
            "step_matplotlib: what the script imports reads `matplotlibrc`",
            "step_opens: what the script imports has opened files that runs would share",
            "step_reads: what the script imports reads `config.json`",
            "step_signals: what the script imports has changed the working directory, the mask of modes, or what is done at a signal",
            "step_starts: what the script imports starts `uname`",
            "step_writes: what the script imports writes `left.txt`",
        ]
    );
    assert!(!space.root.join("left.txt").exists());
}

/// It is the same file for all runs, and each run notes it as if it had read it itself.
#[test]
fn what_imports_read_elsewhere_is_noted_for_each_run() {
    let elsewhere = Space::new();
    let file = elsewhere.root.join("data/raw.csv");
    let space = with_package(&[("reading.py", &format!("open('{file}').close()\n"))]);
    let space = add(add(space, "a", &script("import reading", "")), "b", &script("import reading", ""));
    for isolation in Isolation::ALL {
        let (report, reasons) = test_with(&space, isolation);
        assert!(reasons.is_empty(), "{reasons:?}");
        for result in report.script_results.values() {
            assert_eq!(result.runs[0].observed.clone().unwrap().reads, std::slice::from_ref(&file));
        }
    }
}

/// However it is written there.
#[test]
fn what_is_on_the_python_path_is_the_users_own() {
    let space = with_package(&[]).write("lib/site-packages/mine.py", COUNTED);
    let base = space.root.clone();
    for (number, path) in
        [format!("{base}/lib/site-packages/"), format!("{base}/lib/../lib/site-packages")].iter().enumerate()
    {
        let space = ["a", "b"].into_iter().fold(with_package(&[]), |space, name| {
            add(space, name, &script("import mine", "")).with(|spec| {
                spec.environ_vars.insert("PYTHONPATH".to_owned(), path.clone());
            })
        });
        let settings = TesterSettings { preload: vec!["mine".to_owned()], ..space.settings() };
        let report = space.tester().with_settings(settings).test_pipeline().unwrap();
        assert!(report.pipeline_success(), "{}", report.errors().join("\n"));
        let count = std::fs::read_to_string(base.join("lib/site-packages/count")).unwrap();
        assert_eq!(count, "xx".repeat(number + 1));
    }
}

#[test]
fn what_has_the_name_of_a_module_and_is_none_is_in_no_way() {
    let space = with_package(&[("helper.py", "value = 'installed'")]);
    let space = space
        .write("workspace/scripts/helper.yaml", "")
        .write("workspace/scripts/helper/data.csv", "")
        .write("workspace/scripts/csv/data.csv", "");
    check_passes(&add(
        space,
        "a",
        &script("import csv\nimport helper", "    assert helper.value == 'installed'\n"),
    ));
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
