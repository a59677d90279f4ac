//! Publishing: when all runs are made, what they wrote is copied to the output paths of the specs. Before, nothing is: no run
//! finds what another one has just published.

use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use camino::{Utf8Path, Utf8PathBuf};
use runtime_testing_models::LogicalName;

use crate::error::TestError;
use crate::ids::{DenseMap, RunId, StepId};
use crate::plan::model::Plan;
use crate::run::context::TestContext;
use crate::run::publish;
use crate::run::record::{self, NotPublished, RunRecord};
use crate::runners::runner::is_of_the_machine;

/// An output to publish.
struct Output<'a> {
    step: StepId,
    name: &'a LogicalName,
    written: Utf8PathBuf,
    target: &'a Utf8Path,
}

/// Publishes what the runs wrote that ended well, several outputs at once. Returns the files that were put in place, and the
/// outputs for which that was not possible.
///
/// # Errors
///
/// Where the disk is full or the like: that is nobody's fault here, and nothing that a test can go on with.
pub(super) fn publish_all(
    test: TestContext<'_>,
    plan: &Plan<'_>,
    records: &DenseMap<RunId, Option<RunRecord>>,
) -> Result<(Vec<PathBuf>, NotPublished), TestError> {
    let outputs = outputs(test, plan, records);
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    let publish = || {
        while let Some(output) = outputs.get(next.fetch_add(1, Ordering::Relaxed)) {
            let published = publish::publish(&output.written, output.target);
            done.lock().expect("no worker panics while it holds it").push((output, published));
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..test.settings.jobs.get().min(outputs.len()) {
            if let Err(error) =
                std::thread::Builder::new().name("publish".to_owned()).spawn_scoped(scope, publish)
            {
                // This thread publishes all that is left.
                tracing::warn!(%error, "could not start a thread");
                break;
            }
        }
        publish();
    });
    let mut done = done.into_inner().expect("no worker panics while it holds it");
    done.sort_by_key(|(output, _)| (output.step, output.name));
    let (mut files, mut not_published) = (Vec::new(), NotPublished::new());
    for (Output { step, name, target, .. }, published) in done {
        match published {
            Ok(published) => files.extend(published),
            // An output folder that is not to be written to is a usual one in a container.
            Err(error) if is_of_the_machine(&error) && error.kind() != ErrorKind::ReadOnlyFilesystem => {
                return Err(TestError::io("publish to", *target)(error));
            }
            Err(error) => {
                not_published.entry(*step).or_default().push(((*name).clone(), error.to_string()));
            }
        }
    }
    Ok((files, not_published))
}

fn outputs<'a>(
    test: TestContext<'_>,
    plan: &'a Plan<'_>,
    records: &DenseMap<RunId, Option<RunRecord>>,
) -> Vec<Output<'a>> {
    let mut outputs = Vec::new();
    for run in plan.runs.ids() {
        let record = records[run].as_ref().filter(|record| record.succeeded());
        let Some(result) = record.and_then(RunRecord::executed) else { continue };
        for step in plan.published_by(run) {
            for port in &plan.steps[step].outputs {
                let written = record::written(result, &port.name, test.places);
                if written.exists() {
                    outputs.push(Output { step, name: &port.name, written, target: &port.path });
                }
            }
        }
    }
    outputs
}
