//! The command on a terminal.

use std::process::Command;

use indicatif::{InMemoryTerm, TermLike as _};

use crate::space::{COPY, Space};

/// What a terminal showed, and how the command on it ended.
#[derive(Debug)]
struct Shown {
    status: Option<i32>,
    sent: String,
    /// The screen each time before something on it was moved or removed.
    frames: Vec<String>,
    /// The screen in the end.
    screen: String,
}

#[derive(Clone, Copy)]
struct Terminal {
    rows: u16,
    columns: u16,
    kind: &'static str,
    /// Once the first has been sent, the second is typed.
    typed: (&'static str, &'static str),
}

const WIDE: Terminal = Terminal { rows: 50, columns: 80, kind: "xterm", typed: ("", "") };

impl Terminal {
    fn run(self, space: &Space, arguments: &[&str]) -> Shown {
        let driver = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/terminal.py");
        let outcome = Command::new("python3")
            .args([driver, &self.rows.to_string(), &self.columns.to_string(), self.typed.0, self.typed.1])
            .arg(env!("CARGO_BIN_EXE_runtime-testing"))
            .args(arguments)
            .current_dir(&space.root)
            .env("TERM", self.kind)
            .env("NO_COLOR", "1")
            .output()
            .unwrap();
        let sent = String::from_utf8(outcome.stdout).unwrap();
        let screen = InMemoryTerm::new(self.rows, self.columns);
        let mut frames = Vec::new();
        for (at, piece) in sent.split('\u{1b}').enumerate() {
            if at > 0 {
                frames.push(screen.contents());
                screen.write_str("\u{1b}").unwrap();
            }
            screen.write_str(piece).unwrap();
        }
        Shown { status: outcome.status.code(), sent, frames, screen: screen.contents() }
    }
}

impl Shown {
    /// The first frame that has all of these on it. Nothing in it has taken any time.
    #[track_caller]
    fn frame_with(&self, words: &[&str]) -> String {
        let frame = self.frames.iter().find(|frame| words.iter().all(|word| frame.contains(word)));
        let frame = frame.unwrap_or_else(|| panic!("no frame has {words:?}: {self:#?}"));
        // However long it took to get there.
        (1..10)
            .fold(frame.trim_end().to_owned(), |frame, second| frame.replace(&format!("0:0{second}"), "0:00"))
    }

    /// At no time was the display seen twice, and in the end nothing of it is left.
    #[track_caller]
    fn check_clean(&self) {
        for frame in &self.frames {
            assert!(frame.matches(" runs").count() <= 1, "something was left behind:\n{frame}");
        }
        assert!(!self.screen.contains(" runs") && !self.screen.contains("  0:0"), "{}", self.screen);
        let (hidden, shown) = (self.sent.matches("\u{1b}[?25l"), self.sent.matches("\u{1b}[?25h"));
        assert!(hidden.count() <= shown.count(), "the cursor is gone");
    }
}

const BROKEN: &str = "
import time

def main(input_paths, output_paths, environ_vars, job_args):
    time.sleep(0.7)
    raise ValueError
";

/// A script that takes its time.
fn slow(seconds: f64) -> String {
    format!("import time\ntime.sleep({seconds})\n{COPY}")
}

#[test]
fn what_runs_is_seen_and_what_failed_stays() {
    let space = Space::new();
    space.write("test_workspace/scripts/clean.py", slow(0.7));
    space.write("test_workspace/scripts/train.py", BROKEN);
    let shown = WIDE.run(&space, &["test-pipeline", "pipeline.json"]);
    assert_eq!(shown.status, Some(1), "{shown:#?}");
    let frame = shown.frame_with(&["0/2 runs", "clean"]);
    assert_eq!(frame, "[------------------------------]  0/2 runs  0:00\n   0:00  clean");
    let frame = shown.frame_with(&["1/2 runs", "train"]);
    assert_eq!(frame, "[###############---------------]  1/2 runs  0:00\n   0:00  train");
    shown.check_clean();
    let (line, report) = shown.screen.split_once('\n').unwrap();
    assert!(line.starts_with("FAIL  train (") && !line.contains("clean"), "{line}");
    assert!(report.starts_with("FAIL  2 steps: 1 passed, 1 failed"), "{report}");
}

/// Names that are long, that turn the direction of the text, and that terminals do not agree about.
#[test]
fn no_name_breaks_a_narrow_terminal() {
    let space = Space::new();
    space.write("test_workspace/scripts/slow.py", slow(0.6));
    let family = "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}".repeat(5);
    let names =
        ["a".repeat(150), family, "日本".repeat(30), "\u{202e}back".to_owned(), "e\u{301}".repeat(50)];
    for (at, name) in names.iter().enumerate() {
        let spec = serde_json::json!({
            "script_name": "slow", "step_name": name, "job_args": {"number": at},
            "input_paths": {"in": "data/raw.csv"}, "output_paths": {"out": format!("output/{at}.csv")},
        });
        space.write(&format!("test_workspace/.specs/{at}_runtime_test_spec.json"), spec.to_string());
    }
    let pipeline = serde_json::json!({"nodes": names, "edges": []}).to_string();
    space.write("wide.json", pipeline);
    for (rows, columns) in [(24, 40), (3, 40), (2, 12)] {
        let terminal = Terminal { rows, columns, ..WIDE };
        let shown =
            terminal.run(&space, &["test-pipeline", "wide.json", "--jobs", "5", "--output-format", "json"]);
        assert_eq!(shown.status, Some(0), "{shown:#?}");
        let display = shown.sent.split('{').next().unwrap();
        assert!(!display.contains(['\u{202e}', '\u{200d}', '\u{301}']), "{display:?}");
        if (rows, columns) == (24, 40) {
            let frame = shown.frame_with(&["0/5 runs", "more"]);
            let line = |at: usize| frame.lines().nth(at).unwrap_or_default();
            assert_eq!(line(0), "[----------------------]  0/5 runs  0:00");
            assert_eq!(line(1), format!("   0:00  {}...", "a".repeat(28)));
            assert_eq!(line(2), format!("   0:00  {}", "?".repeat(25)));
            assert_eq!(line(3), format!("   0:00  {}...", "日本".repeat(7)));
            assert_eq!(line(4), "   0:00  ?back");
            assert_eq!(line(5), "         and 1 more");
            for frame in &shown.frames {
                assert!(frame.matches(" runs").count() <= 1, "something was left behind:\n{frame}");
            }
        }
    }
}

#[test]
fn nothing_of_it_where_it_is_not_wanted_or_not_possible() {
    let space = Space::new();
    let quiet = WIDE.run(&space, &["test-pipeline", "pipeline.json", "-q"]);
    assert_eq!(quiet.status, Some(0), "{quiet:#?}");
    assert!(quiet.sent.starts_with("PASS  2 steps"), "{}", quiet.sent);
    let dumb = Terminal { kind: "dumb", ..WIDE }.run(&space, &["test-pipeline", "pipeline.json"]);
    assert!(dumb.sent.starts_with("pass  clean ("), "{}", dumb.sent);
    for shown in [quiet, dumb] {
        assert!(!shown.sent.contains('\u{1b}'), "{}", shown.sent);
    }
}

#[test]
fn a_key_cancels_and_the_terminal_is_left_clean() {
    let space = Space::new();
    space.write("test_workspace/scripts/clean.py", slow(60.0));
    let terminal = Terminal { typed: ("  clean", "\u{3}"), ..WIDE };
    let shown = terminal.run(&space, &["test-pipeline", "pipeline.json"]);
    assert_eq!(shown.status, Some(130), "{shown:#?}");
    shown.check_clean();
    assert!(shown.screen.contains("canceled"), "{}", shown.screen);
}
