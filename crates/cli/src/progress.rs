//! How a test goes, told on standard error while it goes on.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use runtime_testing::{Event, Reporter};

use crate::display::{CANCELING, Display};
use crate::output::{self, harmless};

/// Tells how a test goes. Clones tell of the same test.
#[derive(Clone)]
pub(crate) struct Progress {
    manner: Manner,
    /// What is said once, however often it happens.
    noted: Arc<Mutex<BTreeSet<String>>>,
}

#[derive(Clone)]
enum Manner {
    /// Nothing is told.
    Quiet,
    /// A line for each thing that happens: for files and for other programs.
    Lines,
    /// What happens now, in the last lines of a terminal.
    Display(Display),
}

impl Progress {
    /// The manner that fits standard error.
    pub(crate) fn new(quiet: bool) -> Self {
        let manner =
            if quiet { Manner::Quiet } else { Display::on_terminal().map_or(Manner::Lines, Manner::Display) };
        Self { manner, noted: Arc::default() }
    }

    /// Says that the test was canceled and is about to end.
    pub(crate) fn canceling(&self) {
        match &self.manner {
            Manner::Quiet => {}
            Manner::Lines => output::say(CANCELING),
            Manner::Display(display) => display.canceling(),
        }
    }

    /// Leaves the terminal as if there had been no display.
    pub(crate) fn clear(&self) {
        if let Manner::Display(display) = &self.manner {
            display.clear();
        }
    }

    /// Whether a line has not been said yet, if it is of the kind that is said once.
    fn is_news(&self, event: &Event<'_>, line: &str) -> bool {
        !matches!(event, Event::RunNotForked { .. } | Event::RunInBaseFolder { .. })
            || self.noted.lock().unwrap_or_else(PoisonError::into_inner).insert(line.to_owned())
    }
}

impl Reporter for Progress {
    fn report(&self, event: &Event<'_>) {
        let line = line(event).filter(|line| self.is_news(event, line));
        match (&self.manner, line) {
            // What is lost is told in any case.
            (Manner::Quiet, Some(line)) if matches!(event, Event::NotRecorded { .. }) => output::say(&line),
            (Manner::Quiet, _) | (Manner::Lines, None) => {}
            (Manner::Lines, Some(line)) => output::say(&line),
            (Manner::Display(display), line) => {
                display.take(event);
                if let Some(line) = line.filter(|_| stays(event)) {
                    display.above(&line);
                }
            }
        }
    }
}

/// Whether a line stays on a terminal, where what is running and how much is done is seen anyway.
fn stays(event: &Event<'_>) -> bool {
    match event {
        Event::RunFinished { result, .. } => result.failure.is_some(),
        Event::RunNotForked { .. }
        | Event::RunInBaseFolder { .. }
        | Event::RunRepeated { .. }
        | Event::NotRecorded { .. } => true,
        _ => false,
    }
}

/// What there is to say of an event.
fn line(event: &Event<'_>) -> Option<String> {
    let line = match event {
        Event::RunFinished { step, result, .. } => {
            let word = if result.failure.is_none() { "pass" } else { "FAIL" };
            format!("{word}  {step} ({:.2} s)", result.resources.wall_seconds)
        }
        Event::RunSlow { step, elapsed, .. } => {
            format!("slow  {step} ({:.0} s so far)", elapsed.as_secs_f64())
        }
        Event::RunNotMade { step, reason, .. } => format!("skip  {step} ({reason})"),
        Event::RunBlocked { step, by } => {
            let by: Vec<&str> = by.iter().map(|step| step.as_str()).collect();
            format!("skip  {step} (blocked by {})", by.join(", "))
        }
        Event::RunsAdded { step, kinds } => {
            format!("more  {step}: {} runs to see which edge makes it fail", kinds.len())
        }
        Event::RunNotForked { step, reason } => {
            format!("note  {step}: run in a fresh interpreter: {}", reason.trim())
        }
        Event::RunInBaseFolder { step, reason } => {
            format!("note  {step}: run in the base folder: {}", reason.trim())
        }
        Event::RunRepeated { step, beside, .. } => {
            let beside: Vec<&str> = beside.iter().map(|step| step.as_str()).collect();
            format!("more  {step}: it failed beside {}, and is run again alone", beside.join(", "))
        }
        Event::NotRecorded { reason } => format!("note  {}", reason.trim()),
        _ => return None,
    };
    Some(harmless(&line))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use runtime_testing::{RunKind, ScriptFailure, StepName};

    use super::*;

    #[test]
    fn each_event_is_one_line_of_text() {
        let (clean, train) = (StepName::new("clean").unwrap(), StepName::new("tr\u{202e}ain").unwrap());
        let said = |event: Event<'_>| line(&event).unwrap();
        let slow = Event::RunSlow { step: &clean, kinds: &[], elapsed: Duration::from_millis(30_004) };
        assert_eq!(said(slow), "slow  clean (30 s so far)");
        let by = [clean.clone(), train.clone()];
        let blocked = Event::RunBlocked { step: &train, by: &by };
        assert_eq!(said(blocked), "skip  tr\\u{202e}ain (blocked by clean, tr\\u{202e}ain)");
        let reason = "the module `torch` said:\n\u{1b}[2Jno threads\n";
        let forked = || Event::RunNotForked { step: &clean, reason };
        assert_eq!(
            said(forked()),
            "note  clean: run in a fresh interpreter: the module `torch` said:\\n\\u{1b}[2Jno threads"
        );
        let kinds = [RunKind::Edge { from: clean.clone() }, RunKind::Edge { from: train.clone() }];
        let added = Event::RunsAdded { step: &clean, kinds: &kinds };
        assert_eq!(said(added), "more  clean: 2 runs to see which edge makes it fail");
        let shared = Event::RunInBaseFolder { step: &clean, reason: "it has 3000 entries\n" };
        assert!(stays(&shared));
        assert_eq!(said(shared), "note  clean: run in the base folder: it has 3000 entries");
        let failure = ScriptFailure::TimedOut { limit_seconds: 1.0 };
        let repeated = Event::RunRepeated { step: &clean, kinds: &[], failure: &failure, beside: &by };
        assert_eq!(
            said(repeated),
            "more  clean: it failed beside clean, tr\\u{202e}ain, and is run again alone"
        );
        let not_recorded = Event::NotRecorded { reason: "cannot write the report to `.runs/1`: full" };
        assert!(stays(&not_recorded));
        assert_eq!(said(not_recorded), "note  cannot write the report to `.runs/1`: full");
        assert_eq!(line(&Event::Planned { steps: 1, runs: 1 }), None);

        let progress = Progress { manner: Manner::Lines, noted: Arc::default() };
        assert!(progress.is_news(&forked(), "a") && !progress.is_news(&forked(), "a"));
    }
}
