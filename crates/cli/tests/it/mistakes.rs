//! Every mistake yields exit status 2 and one message; nothing is run and nothing is written.

use crate::space::Space;

#[test]
fn pipeline_files_that_are_none() {
    let space = Space::new();
    space.write("empty.json", "");
    space.write("garbage.json", [0xff, 0xfe, 0x00, 0x01]);
    space.write("nodes.json", r#"{"nodes": []}"#);
    space.write("none.json", r#"{"nodes": [], "edges": []}"#);
    space.write("deep.json", "[".repeat(100_000) + &"]".repeat(100_000));
    space.write("nul.json", "{\"nodes\": [\"a\\u0000b\"], \"edges\": []}");
    for (file, expected) in [
        ("lost.json", "could not read the pipeline file `lost.json`"),
        ("data", "the pipeline file `data` is a folder"),
        ("empty.json", "empty.json: line 1, column 1: the file is empty"),
        ("garbage.json", "garbage.json: line 1, column 1: the text is not UTF-8"),
        ("nodes.json", "nodes.json: line 1, column 1: the key `edges` is missing"),
        ("none.json", "there is nothing to test"),
        ("deep.json", "deep.json: line 1, column 130: nested deeper than 128 levels"),
        ("nul.json", "nul.json: line 1, column 12: `nodes[0]`: invalid step name `a\\0b`"),
    ] {
        let message = space.refused(&["test-pipeline", file]);
        assert!(message.starts_with("error: ") && message.contains(expected), "{file}: {message}");
    }
}

#[test]
fn a_hundred_megabytes_of_garbage_are_refused_and_not_read() {
    let space = Space::new();
    let file =
        std::fs::File::create(space.root.join("test_workspace/.specs/train_runtime_test_spec.json")).unwrap();
    file.set_len(100_000_000).unwrap();
    let message = space.refused(&["test-pipeline", "pipeline.json"]);
    assert!(message.contains("train_runtime_test_spec.json") && message.contains("100000000"), "{message}");
}

#[test]
fn arguments_that_make_no_sense() {
    let space = Space::new();
    for (arguments, expected) in [
        (&["test-script", "../evil"][..], "invalid script name `../evil`"),
        (&["test-script", ""], "it is empty"),
        (&["test-script", "clean", "--timeout", "0"], "more than 0"),
        (&["test-script", "clean", "--timeout", "NaN"], "more than 0"),
        (&["test-script", "clean", "--timeout", "soon"], "a number of seconds"),
        (&["test-script", "clean", "--grace", "0"], "more than 0"),
        (&["test-script", "clean", "--isolation", "forkd"], "a similar value exists: 'forked'"),
        (&["test-compatibility", "clean", "train", "--isolation", "none"], "possible values: fresh, forked"),
        (&["test-script", "clean", "--jobs", "0"], "--jobs"),
        (&["test-script", "clean", "--output-format", "xml"], "xml"),
        (&["test-pipeline", "pipeline.json", "--skip", "all"], "all"),
        (&["test-pipelin", "pipeline.json"], "test-pipeline"),
        (&["test-script", "clean", "--workspace-dir", "lost"], "the test workspace `lost` does not exist"),
        (&["test-script", "clean", "--workspace-dir", "pipeline.json"], "is not a folder"),
        (&["-C", "lost", "test-script", "clean"], "could not change to the folder `lost`"),
        (&["test-script", "clean", "--python", "python3.99"], "`python3.99`"),
        (&["test-compatibility", "clean", "clean"], "name two different steps"),
    ] {
        let message = space.refused(arguments);
        assert!(message.contains(expected), "{arguments:?}: {message}");
    }
}

#[test]
fn a_script_path_that_is_a_folder() {
    let space = Space::new();
    space.write(
        "test_workspace/.specs/clean_runtime_test_spec.json",
        r#"{"script_name": "clean", "step_name": "clean", "script_path": "data",
            "input_paths": {"in": "data/raw.csv"}, "output_paths": {"out": "output/rows.csv"}}"#,
    );
    let message = space.refused(&["test-pipeline", "pipeline.json"]);
    assert_eq!(
        message,
        "error: step `clean`: `script_path` `ROOT/data` is not a file: name the script itself"
    );
}

#[cfg(unix)]
#[test]
fn names_that_are_no_text() {
    use std::os::unix::ffi::OsStrExt as _;

    let space = Space::new();
    let outcome = std::process::Command::new(env!("CARGO_BIN_EXE_runtime-testing"))
        .args([std::ffi::OsStr::new("test-script"), std::ffi::OsStr::from_bytes(b"cl\xffean")])
        .current_dir(&space.root)
        .output()
        .unwrap();
    assert_eq!(outcome.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&outcome.stderr).contains("UTF-8"));
}

#[test]
fn several_mistakes_are_reported_together() {
    let space = Space::new();
    space.write(
        "test_workspace/.specs/clean_runtime_test_spec.json",
        r#"{"script_name": "clean", "step_name": "clean", "imput_paths": {}, "environ_vars": {"A": 1}}"#,
    );
    std::fs::remove_file(space.root.join("test_workspace/.specs/train_runtime_test_spec.json")).unwrap();
    let message = space.refused(&["test-pipeline", "pipeline.json"]);
    for expected in
        ["`imput_paths`: unknown key; did you mean `input_paths`?", "`environ_vars.A`", "step `train`"]
    {
        assert!(message.contains(expected), "{expected}: {message}");
    }
}
