//! The command killed at random moments: what users own stays whole, nothing is left behind, and the next test is right.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::space::{Outcome, Space};

/// How many times the command is killed, unless `RUNTIME_TESTING_KILLS` says so.
const KILLS: u32 = 8;

/// How long what a killed command has started may outlive it, on a machine that has other things to do.
const PATIENCE: Duration = Duration::from_secs(5);

/// A script that has a child of its own and takes its time to write.
const SLOW_COPY: &str = "
import subprocess, time

def main(input_paths, output_paths, environ_vars, job_args):
    child = subprocess.Popen(['sleep', '0.1'])
    (source,), (target,) = input_paths.values(), output_paths.values()
    with open(source) as file, open(target, 'w') as out:
        for line in file:
            out.write(line)
            out.flush()
            time.sleep(0.02)
    child.wait()
";

#[test]
fn a_command_that_is_killed_leaves_everything_whole() {
    let kills = std::env::var("RUNTIME_TESTING_KILLS").map_or(KILLS, |kills| kills.parse().unwrap());
    let (space, temporary) = (Space::new(), tempfile::tempdir().unwrap());
    space.write("test_workspace/scripts/train.py", SLOW_COPY);
    let commands: [&[&str]; 4] = [
        &["test-pipeline", "pipeline.json", "--isolation", "fresh"],
        &["test-pipeline", "pipeline.json", "--isolation", "forked"],
        &["specs", "accept", "pipeline.json", "--yes"],
        &["test-pipeline", "pipeline.json", "--report", "json=report.json", "--report", "junit=report.xml"],
    ];
    let run = |arguments: &[&str]| {
        let mut command = space.command(arguments);
        Outcome::of(command.env("TMPDIR", temporary.path()).spawn().unwrap())
    };
    let started = Instant::now();
    assert_eq!(run(commands[0]).status, Some(0));
    // By then most have ended.
    let latest = started.elapsed();
    let specs = space.root.join("test_workspace/.specs");
    let bare = content(&specs);
    assert_eq!(run(commands[2]).status, Some(0));
    let accepted = content(&specs);
    assert_ne!(bare, accepted, "contracts were written");
    let put = |files: &BTreeMap<std::path::PathBuf, Vec<u8>>| {
        files.iter().for_each(|(path, text)| std::fs::write(path, text).unwrap());
    };
    for command in commands {
        assert_eq!(run(command).status, Some(0), "{command:?}");
    }
    let owned =
        [(space.root.join("test_workspace/.specs")), space.root.join("output"), space.root.join("data")];
    let content = || owned.iter().flat_map(|folder| content(folder)).collect::<BTreeMap<_, _>>();
    let whole = content();
    let mut killed = 0;
    for kill in 0..kills {
        let arguments = commands[kill as usize % commands.len()];
        let accepts = arguments[0] == "specs";
        if accepts {
            put(&bare);
        }
        let mut child = space.command(arguments).env("TMPDIR", temporary.path()).spawn().unwrap();
        std::thread::sleep(latest.mul_f64(moment(kill)));
        child.kill().unwrap();
        killed += u32::from(Outcome::of(child).status.is_none());
        let seen = format!("kill {kill} of {arguments:?}");
        if accepts {
            // All of it or nothing, with the time of its own.
            let found = without_time(&self::content(&specs));
            assert!(found == without_time(&bare) || found == without_time(&accepted), "{seen}");
            put(&accepted);
        }
        assert_eq!(content(), whole, "{seen}");
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = left_behind(temporary.path());
            if left.is_empty() {
                break;
            }
            assert!(Instant::now() < deadline, "{seen}: {left:?} is left");
            std::thread::sleep(Duration::from_millis(20));
        }
        // Nothing of the killed test is taken for one of the next.
        let is_broken = kill % 3 == 2;
        if is_broken {
            space.write(
                "test_workspace/scripts/train.py",
                "def main(input_paths, output_paths, environ_vars, job_args):\n    pass\n",
            );
        }
        let next = run(&["test-pipeline", "pipeline.json"]);
        assert_eq!(next.status, Some(i32::from(is_broken)), "after {seen}: {next:?}");
        if is_broken {
            space.write("test_workspace/scripts/train.py", SLOW_COPY);
            assert_eq!(run(&["test-pipeline", "pipeline.json"]).status, Some(0), "after {seen}");
        }
        assert_eq!(content(), whole, "after {seen}");
    }
    assert!(killed > kills / 4, "only {killed} commands of {kills} were killed before their end");
}

/// A number from 0 to 1 that looks random and is another one in every run.
fn moment(kill: u32) -> f64 {
    use std::hash::{BuildHasher as _, RandomState};

    let number = RandomState::new().hash_one(kill) >> 32;
    f64::from(u32::try_from(number).unwrap()) / f64::from(u32::MAX)
}

/// The files of a folder with what is in them, but for locks, which mean nothing once nobody holds them.
fn content(folder: &Path) -> BTreeMap<std::path::PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(content(&path));
        } else if path.file_name().is_none_or(|name| name != ".lock") {
            found.insert(path.clone(), std::fs::read(&path).unwrap());
        }
    }
    found
}

/// Specs without the time when they were saved.
fn without_time(files: &BTreeMap<std::path::PathBuf, Vec<u8>>) -> Vec<String> {
    let text = |text: &Vec<u8>| {
        let text = String::from_utf8(text.clone()).unwrap();
        let lines: Vec<&str> = text.split(", \"").filter(|part| !part.starts_with("last_updated")).collect();
        let lines: Vec<&str> = lines
            .iter()
            .flat_map(|part| part.lines())
            .filter(|line| !line.contains("last_updated"))
            .collect();
        lines.concat()
    };
    files.values().map(text).collect()
}

/// Processes that have the folder for temporary files of the killed command, and what lies in it.
fn left_behind(temporary: &Path) -> Vec<String> {
    let mut left: Vec<String> =
        std::fs::read_dir(temporary).unwrap().map(|entry| format!("{:?}", entry.unwrap().path())).collect();
    let Ok(processes) = std::fs::read_dir("/proc") else { return left };
    let wanted = format!("TMPDIR={}", temporary.display());
    for process in processes.flatten() {
        let environment = std::fs::read(process.path().join("environ")).unwrap_or_default();
        if environment.split(|byte| *byte == 0).any(|entry| entry == wanted.as_bytes()) {
            left.push(format!("process {:?}", process.file_name()));
        }
    }
    left
}
