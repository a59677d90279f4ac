//! What happens now, in the last lines of a terminal.

use std::fmt::Write as _;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use console::Term;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle, TermLike};
use runtime_testing::{Event, RunKind, StepName};

use crate::output;

/// What is said when a test is canceled.
pub(crate) const CANCELING: &str = "canceling; once more to end at once";

/// How often it is drawn.
const TICK: Duration = Duration::from_millis(200);

/// How many of the runs that are being made are shown.
const SHOWN_RUNS: usize = 4;

/// Lines that are drawn again and again in the same place. Clones are of the same lines.
#[derive(Clone)]
pub(crate) struct Display {
    /// Draws and clears. A thread of its own does so from the first event to the end; it is never told what to draw.
    bar: ProgressBar,
    /// Is not locked while anything is drawn or said, so that whoever wants it never waits for a terminal.
    status: Arc<Mutex<Status>>,
}

impl Display {
    /// One on standard error, if that is a terminal that can do it.
    pub(crate) fn on_terminal() -> Option<Self> {
        let terminal = Term::buffered_stderr();
        if !terminal.is_term() || console::is_dumb() {
            return None;
        }
        let target = ProgressDrawTarget::term_like(Box::new(Terminal(terminal.clone())));
        let status = Arc::new(Mutex::new(Status::new(Instant::now())));
        let shown = status.clone();
        let lines = move |_: &ProgressState, text: &mut dyn std::fmt::Write| {
            let (rows, columns) = terminal.size();
            let lines = locked(&shown).lines(Instant::now(), rows.into(), columns.into());
            text.write_str(&lines.join("\n")).expect("writing to a string does not fail");
        };
        let style =
            ProgressStyle::with_template("{lines}").expect("the template is valid").with_key("lines", lines);
        Some(Self { bar: ProgressBar::with_draw_target(None, target).with_style(style), status })
    }

    pub(crate) fn take(&self, event: &Event<'_>) {
        locked(&self.status).take(event, Instant::now());
        if let Event::Planned { .. } = event {
            self.bar.enable_steady_tick(TICK);
        }
    }

    /// Puts a line above the display, where it stays.
    pub(crate) fn above(&self, line: &str) {
        self.bar.suspend(|| output::say(line));
    }

    /// Shows from now on that the test is about to end.
    pub(crate) fn canceling(&self) {
        locked(&self.status).is_canceled = true;
    }

    /// Removes the display for good.
    pub(crate) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

/// A terminal whose cursor stands at the start of the last line between two drawings. Ctrl-C is often echoed there: at the
/// end of a line that fills the terminal, the echo would begin a new one, and the lines would be looked for in a wrong place.
#[derive(Debug)]
struct Terminal(Term);

impl TermLike for Terminal {
    fn width(&self) -> u16 {
        self.0.size().1
    }

    fn height(&self) -> u16 {
        self.0.size().0
    }

    fn move_cursor_up(&self, lines: usize) -> io::Result<()> {
        self.0.move_cursor_up(lines)
    }

    fn move_cursor_down(&self, lines: usize) -> io::Result<()> {
        self.0.move_cursor_down(lines)
    }

    fn move_cursor_right(&self, columns: usize) -> io::Result<()> {
        self.0.move_cursor_right(columns)
    }

    fn move_cursor_left(&self, columns: usize) -> io::Result<()> {
        self.0.move_cursor_left(columns)
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.0.write_line(text)
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.0.write_str(text)
    }

    fn clear_line(&self) -> io::Result<()> {
        self.0.clear_line()
    }

    fn flush(&self) -> io::Result<()> {
        self.0.write_str("\r")?;
        self.0.flush()
    }
}

fn locked(status: &Mutex<Status>) -> MutexGuard<'_, Status> {
    // It is only shown: what a panic left of it will do.
    status.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How far a test is.
struct Status {
    started: Instant,
    runs: usize,
    passed: usize,
    failed: usize,
    blocked: usize,
    /// The runs that are being made, in the order they were started.
    running: Vec<Running>,
    is_canceled: bool,
}

struct Running {
    step: StepName,
    kinds: Vec<RunKind>,
    since: Instant,
}

impl Status {
    fn new(started: Instant) -> Self {
        Self { started, runs: 0, passed: 0, failed: 0, blocked: 0, running: Vec::new(), is_canceled: false }
    }

    fn take(&mut self, event: &Event<'_>, now: Instant) {
        match event {
            Event::Planned { runs, .. } => self.runs = *runs,
            Event::RunsAdded { kinds, .. } => self.runs += kinds.len(),
            Event::RunStarted { step, kinds } => {
                // A run that is made once more has begun before and not ended.
                self.end(step, kinds);
                self.running.push(Running { step: (*step).clone(), kinds: kinds.to_vec(), since: now });
            }
            Event::RunFinished { step, result, .. } => {
                self.end(step, &result.kinds);
                *(if result.failure.is_none() { &mut self.passed } else { &mut self.failed }) += 1;
            }
            Event::RunNotMade { step, kinds, .. } => {
                self.end(step, kinds);
                self.blocked += 1;
            }
            Event::RunBlocked { .. } => self.blocked += 1,
            _ => {}
        }
    }

    fn end(&mut self, step: &StepName, kinds: &[RunKind]) {
        self.running.retain(|run| run.step != *step || run.kinds != kinds);
    }

    /// The lines to show. None is wider than the terminal, and there are fewer than it has.
    fn lines(&self, now: Instant, rows: usize, columns: usize) -> Vec<String> {
        let mut lines = vec![self.headline(now, columns)];
        if self.is_canceled {
            lines.push(CANCELING.to_owned());
        }
        let room = rows.saturating_sub(lines.len() + 2).min(SHOWN_RUNS);
        for run in self.running.iter().take(room) {
            let elapsed = clock(now.saturating_duration_since(run.since));
            lines.push(format!("  {elapsed:>5}  {}", of_known_width(run.step.as_str())));
        }
        let more = self.running.len().saturating_sub(room);
        if room > 0 && more > 0 {
            lines.push(format!("         and {more} more"));
        }
        lines.iter().map(|line| fitting(line, columns)).collect()
    }

    fn headline(&self, now: Instant, columns: usize) -> String {
        const WIDEST: usize = 30;
        const NARROWEST: usize = 10;
        let done = self.passed + self.failed + self.blocked;
        let mut counts = format!("{done}/{} runs", self.runs);
        for (count, word) in [(self.failed, "failed"), (self.blocked, "blocked")] {
            if count > 0 {
                write!(counts, ", {count} {word}").expect("writing to a string does not fail");
            }
        }
        let words = format!("{counts}  {}", clock(now.saturating_duration_since(self.started)));
        let width = columns.saturating_sub(words.len() + "[]  ".len()).min(WIDEST);
        if width < NARROWEST {
            return words;
        }
        let filled = (width * done.min(self.runs)).checked_div(self.runs).unwrap_or(0);
        format!("[{:-<width$}]  {words}", "#".repeat(filled))
    }
}

/// A span of time in whole seconds, as on a clock.
fn clock(span: Duration) -> String {
    let seconds = span.as_secs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

/// A name without the characters that terminals do not agree on how wide they are, or that move others: lines that are
/// wider than they were thought to be could not be cleared.
fn of_known_width(name: &str) -> String {
    let is_known = |character: char| match character {
        ' '..='~' => true,
        other => other.is_alphanumeric(),
    };
    name.chars().map(|character| if is_known(character) { character } else { '?' }).collect()
}

/// The beginning of a line, where it is too long. Characters beyond ASCII count as wide ones.
fn fitting(line: &str, columns: usize) -> String {
    let width = |character: char| if character.is_ascii() { 1 } else { 2 };
    if line.chars().map(width).sum::<usize>() <= columns {
        return line.to_owned();
    }
    let dots = &"..."[..columns.min(3)];
    let mut room = columns - dots.len();
    let fits = |character: &char| {
        let is_room = width(*character) <= room;
        room = room.saturating_sub(width(*character));
        is_room
    };
    line.chars().take_while(fits).chain(dots.chars()).collect()
}

#[cfg(test)]
mod tests {
    use runtime_testing::{ExitOutcome, OutputTail, Resources, RunResult, ScriptFailure};

    use super::*;

    fn name(name: &str) -> StepName {
        StepName::new(name).unwrap()
    }

    fn result(failure: Option<ScriptFailure>) -> RunResult {
        RunResult {
            kinds: FLOW.to_vec(),
            failure,
            exit: ExitOutcome::Exited { status: 0 },
            inputs: [].into(),
            outputs: [].into(),
            resources: Resources::default(),
            slot: None,
            run_folder: "".into(),
            stdout: OutputTail::default(),
            stderr: OutputTail::default(),
            isolation: None,
            leaked: Vec::new(),
            observed: None,
            scratch_files: vec![],
            scratch_files_omitted: 0,
            command: String::new(),
        }
    }

    const FLOW: &[RunKind] = &[RunKind::Flow];
    const INDIVIDUAL: &[RunKind] = &[RunKind::Individual];

    /// A test of ten runs in which one has failed, one is blocked and six are being made.
    fn midway(start: Instant) -> Status {
        let mut status = Status::new(start);
        let mut take = |event: &Event<'_>, seconds| status.take(event, start + Duration::from_secs(seconds));
        take(&Event::Planned { steps: 9, runs: 10 }, 0);
        let steps = ["load", "join_orders", "join_orders", "features", "train", "report", "export"].map(name);
        for (seconds, step) in (0..).zip(&steps) {
            let kinds = if seconds == 2 { INDIVIDUAL } else { FLOW };
            take(&Event::RunStarted { step, kinds }, seconds);
        }
        let broken = result(Some(ScriptFailure::MissingMain { file: "load.py".into() }));
        take(&Event::RunFinished { step: &steps[0], result: &broken, elapsed: Duration::ZERO }, 9);
        take(&Event::RunBlocked { step: &name("clean"), by: &steps[..1] }, 9);
        status
    }

    #[test]
    fn no_line_is_wider_than_the_terminal_and_they_are_few() {
        let start = Instant::now();
        let mut status = midway(start);
        let at = start + Duration::from_secs(3675);
        assert_eq!(
            status.lines(at, 24, 80),
            [
                "[######------------------------]  2/10 runs, 1 failed, 1 blocked  1:01:15",
                "  1:01:14  join_orders",
                "  1:01:13  join_orders",
                "  1:01:12  features",
                "  1:01:11  train",
                "         and 2 more",
            ]
        );
        status.take(&Event::RunsAdded { step: &name("train"), kinds: &[FLOW, FLOW].concat() }, start);
        assert_eq!(status.runs, 12);
        status.runs = 10;
        status.is_canceled = true;
        let at = start + Duration::from_secs(10);
        assert_eq!(
            status.lines(at, 6, 30),
            [
                "2/10 runs, 1 failed, 1 bloc...",
                "canceling; once more to end...",
                "   0:09  join_orders",
                "   0:08  join_orders",
                "         and 4 more",
            ]
        );
        for (rows, columns) in [(0, 0), (1, 1), (2, 2), (3, 200), (200, 3)] {
            let lines = status.lines(at, rows, columns);
            assert!(
                lines.len() <= rows.max(2) && lines.iter().all(|line| line.len() <= columns),
                "{lines:?}"
            );
        }
    }

    #[test]
    fn a_run_that_is_made_once_more_is_shown_once() {
        let start = Instant::now();
        let mut status = Status::new(start);
        let step = name("clean");
        status.take(&Event::RunStarted { step: &step, kinds: FLOW }, start);
        status.take(&Event::RunStarted { step: &step, kinds: INDIVIDUAL }, start);
        let later = start + Duration::from_secs(5);
        status.take(&Event::RunStarted { step: &step, kinds: FLOW }, later);
        assert_eq!(status.lines(later, 24, 80)[1..], ["   0:05  clean", "   0:00  clean"]);
        status
            .take(&Event::RunFinished { step: &step, result: &result(None), elapsed: Duration::ZERO }, later);
        assert_eq!(status.lines(later, 24, 80)[1..], ["   0:05  clean"]);
        assert_eq!(status.passed, 1);
    }
}
