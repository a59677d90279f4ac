//! Inputs of the user's own that several runs are given: guarded, so that what one of them does to such an input reaches no
//! other. Nothing is ever written back to the user's own files.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use camino::{Utf8Path, Utf8PathBuf};

use crate::error::TestError;
use crate::history::places::canonical;
use crate::ids::RunId;
use crate::plan::model::{Action, NO_DATA, Plan, PlannedInput};
use crate::run::context::TestContext;
use crate::run::fingerprint::Fingerprint;
use crate::run::publish;

/// The folder of a test for copies of the user's own inputs. Steps have a folder of their own, so no step's name can be in
/// its way.
const OWN: &str = "own";

/// What the user's own inputs that several runs are given were when the test began, and which runs have them now.
pub(crate) struct SharedInputs<'a> {
    test: TestContext<'a>,
    kept: BTreeMap<Utf8PathBuf, Kept>,
    /// The user's own inputs of the runs that are being made.
    in_use: BTreeMap<RunId, Vec<Utf8PathBuf>>,
    /// Runs that were made while another had an input of the user's own in common with them.
    overlapping: BTreeSet<RunId>,
}

/// An input of the user's own, as it was when the test began.
struct Kept {
    original: Fingerprint,
    /// A copy of it, unless it is too large, and what that was when it was made.
    copy: Option<(Utf8PathBuf, Fingerprint)>,
}

impl Kept {
    fn has_changed(&self, path: &Utf8Path) -> bool {
        !self.original.changes_to(&Fingerprint::take(path)).is_empty()
    }
}

/// Where a run gets an input of the user's own from.
pub(crate) enum OwnSource<'a> {
    /// From where it lies.
    InPlace,
    /// From a copy that was made before anything ran.
    Copy(&'a Utf8Path),
    /// From nowhere: it was changed, and there is no copy of it.
    Damaged,
}

/// What became of the inputs that a run had in common with others.
pub(crate) enum Damage {
    /// They are what they were.
    None,
    /// They changed. There are copies, so that the run can be made again.
    Repairable,
    /// These changed, and it is neither known which run did it nor can they be made again.
    Final(Vec<Utf8PathBuf>),
}

impl<'a> SharedInputs<'a> {
    /// Copies the user's own inputs that more than one run of the plan is given.
    pub(crate) fn keep(plan: &Plan<'_>, test: TestContext<'a>) -> Result<Self, TestError> {
        let mut shared =
            Self { test, kept: BTreeMap::new(), in_use: BTreeMap::new(), overlapping: BTreeSet::new() };
        let mut users: BTreeMap<&Utf8Path, BTreeSet<RunId>> = BTreeMap::new();
        for (run, planned) in &plan.runs {
            let Action::Execute(inputs) = &planned.action else { continue };
            for (_, input) in inputs {
                if let PlannedInput::Own(path) = input {
                    users.entry(path).or_default().insert(run);
                }
            }
        }
        let mut by_place: BTreeMap<Utf8PathBuf, Vec<&BTreeSet<RunId>>> = BTreeMap::new();
        for (path, runs) in &users {
            by_place.entry(canonical(path)).or_default().push(runs);
        }
        let overlapping = |place: &Utf8Path| {
            let above: Vec<_> = place.ancestors().filter_map(|above| by_place.get(above)).collect();
            // All paths below one path come together, right after it.
            let below = by_place.range::<Utf8Path, _>((Bound::Excluded(place), Bound::Unbounded));
            let below = below.take_while(|(path, _)| path.starts_with(place)).map(|(_, runs)| runs);
            above.into_iter().chain(below).flatten().copied().collect::<Vec<_>>()
        };
        for (path, runs) in &users {
            if runs.len() > 1 || overlapping(&canonical(path)).iter().any(|others| !others.is_subset(runs)) {
                shared.keep_one(path)?;
            }
        }
        Ok(shared)
    }

    /// Takes note of what is at a path of the user's own, and copies it unless it is too large.
    pub(crate) fn keep_one(&mut self, path: &Utf8Path) -> Result<(), TestError> {
        if self.kept.contains_key(path) || path == NO_DATA {
            return Ok(());
        }
        let original = Fingerprint::remember(path);
        let copy = if original.bytes() <= self.test.settings.kept_input_bytes {
            let copy = self.test.run_root.join(OWN).join(self.kept.len().to_string());
            publish::copy(path, &copy).map_err(TestError::io("copy", path))?;
            let made = Fingerprint::remember(&copy);
            Some((copy, made))
        } else {
            None
        };
        self.kept.insert(path.to_owned(), Kept { original, copy });
        Ok(())
    }

    /// Where a run is to get an input from: where it lies, as long as it is what it was.
    pub(crate) fn source(&self, path: &Utf8Path) -> OwnSource<'_> {
        match self.kept.get(path) {
            Some(kept) if kept.has_changed(path) => {
                let is_whole = |(copy, made): &&(Utf8PathBuf, Fingerprint)| {
                    made.changes_to(&Fingerprint::take(copy)).is_empty()
                };
                let copy = kept.copy.as_ref().filter(is_whole);
                copy.map_or(OwnSource::Damaged, |(copy, _)| OwnSource::Copy(copy))
            }
            _ => OwnSource::InPlace,
        }
    }

    /// Takes note of a run that is going to be made on these inputs of the user's own.
    pub(crate) fn before(&mut self, run: RunId, inputs: Vec<Utf8PathBuf>) {
        for (other, others) in &self.in_use {
            if inputs.iter().any(|path| others.iter().any(|other| overlap(path, other))) {
                self.overlapping.extend([run, *other]);
            }
        }
        self.in_use.insert(run, inputs);
    }

    /// What became of the inputs of a run that was made.
    pub(crate) fn after(&mut self, run: RunId) -> Damage {
        let inputs = self.in_use.remove(&run).unwrap_or_default();
        if !self.overlapping.remove(&run) {
            return Damage::None;
        }
        let has_changed = |path: &Utf8PathBuf| self.kept.get(path).is_some_and(|kept| kept.has_changed(path));
        let changed: Vec<Utf8PathBuf> = inputs.into_iter().filter(has_changed).collect();
        if changed.is_empty() {
            Damage::None
        } else if changed.iter().any(|path| self.kept[path].copy.is_none()) {
            Damage::Final(changed)
        } else {
            Damage::Repairable
        }
    }
}

/// Whether two paths lead to the same, or one to something in the other.
fn overlap(one: &Utf8Path, other: &Utf8Path) -> bool {
    let (one, other) = (canonical(one), canonical(other));
    one.starts_with(&other) || other.starts_with(&one)
}
