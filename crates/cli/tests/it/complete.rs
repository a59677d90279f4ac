//! Completions and manual pages.

use std::process::Command;

use crate::space::Space;

#[test]
fn each_shell_takes_its_completions() {
    let space = Space::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let outcome = space.run(&["completions", shell]);
        assert_eq!((outcome.status, outcome.stderr.as_str()), (Some(0), ""), "{shell}");
        for word in ["test-pipeline", "rerun-failed", "accept"] {
            assert!(outcome.stdout.contains(word), "{shell}: {word}");
        }
        space.write("completions", &outcome.stdout);
        // Those shells that are there and can check a script without running it.
        if ["bash", "zsh", "fish"].contains(&shell)
            && let Ok(checked) =
                Command::new(shell).args(["-n", "completions"]).current_dir(&space.root).output()
        {
            assert!(checked.status.success(), "{shell}: {}", String::from_utf8_lossy(&checked.stderr));
        }
    }
    assert!(space.refused(&["completions", "tcsh"]).contains("possible values: bash"));
}

#[test]
fn bash_completes_commands_and_options() {
    let space = Space::new();
    space.write("completions", space.run(&["completions", "bash"]).stdout);
    let complete = |words: &str| {
        let script = format!(
            "source completions; COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); \
             _runtime__testing runtime-testing \"${{COMP_WORDS[$COMP_CWORD]}}\" \"\"; echo \"${{COMPREPLY[*]}}\""
        );
        let outcome = Command::new("bash").args(["-c", &script]).current_dir(&space.root).output().unwrap();
        String::from_utf8(outcome.stdout).unwrap().trim().to_owned()
    };
    assert_eq!(complete("runtime-testing test-p"), "test-pipeline");
    assert_eq!(complete("runtime-testing test-pipeline --rer"), "--rerun-failed");
    assert_eq!(complete("runtime-testing specs acc"), "accept");
}

#[test]
fn a_manual_page_for_each_command() {
    let space = Space::new();
    let outcome = space.run(&["man", "out/man"]);
    assert_eq!((outcome.status, outcome.stderr.as_str()), (Some(0), ""));
    let pages: Vec<&str> = outcome.stdout.lines().collect();
    for page in ["runtime-testing.1", "runtime-testing-test-pipeline.1", "runtime-testing-specs-accept.1"] {
        assert!(pages.contains(&format!("out/man/{page}").as_str()), "{page}: {pages:?}");
    }
    for page in &pages {
        let text = std::fs::read_to_string(space.root.join(page)).unwrap();
        for section in [".SH NAME", ".SH SYNOPSIS"] {
            assert!(text.contains(section), "{page}: {section}");
        }
    }
    let page = std::fs::read_to_string(space.root.join("out/man/runtime-testing-plan.1")).unwrap();
    assert!(page.contains("runtime\\-testing plan pipeline.json \\-\\-select"), "{page}");
    space.write("file", "");
    let message = space.refused(&["man", "file"]);
    assert!(message.starts_with("error: could not make the folder `file`: "), "{message}");
}
