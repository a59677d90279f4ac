//! What a report says of the data that was written and handed over.

use camino::{Utf8Path, Utf8PathBuf};
use runtime_testing_models::{
    DataProfile, FileProfile, InputSource, LogicalName, PipelineTestReport, RunKind, RunResult, StepName,
    edge_key,
};

use crate::history::recorded::RecordedTest;

/// The run whose data counts as a step's: its flow run, or where there is none its individual one.
pub(crate) fn data_run<'a>(report: &'a PipelineTestReport, step: &StepName) -> Option<&'a RunResult> {
    let runs = &report.script_results.get(step)?.runs;
    let of_kind = |kind: RunKind| runs.iter().find(|run| run.kinds.contains(&kind));
    of_kind(RunKind::Flow).or_else(|| of_kind(RunKind::Individual))
}

/// Data, and where it lies.
#[derive(Debug, Clone)]
pub(crate) struct Written {
    pub(crate) data: DataProfile,
    pub(crate) path: Utf8PathBuf,
}

/// What an input was fed of an upstream step's output.
pub(crate) fn fed(
    test: &RecordedTest,
    from: &StepName,
    output: &LogicalName,
    to: &StepName,
    input: &LogicalName,
) -> Option<Written> {
    let wanted = InputSource::Upstream { step: from.clone(), output: output.clone() };
    let is_fed = |run: &&RunResult| run.inputs.get(input).is_some_and(|input| input.source == wanted);
    let runs = &test.report.script_results.get(to)?.runs;
    // A flow run, where there is one: it comes before those on the data of one edge.
    let consumer = runs.iter().find(is_fed)?;
    let producer = data_run(&test.report, from)?;
    if let Some(handed) = test.handed_over.get(&edge_key(from, to)).and_then(|inputs| inputs.get(input)) {
        let path = test.report.workspace.join(&producer.run_folder).join("out").join(output.as_str());
        return Some(Written { data: handed.clone(), path }).filter(|written| !written.data.is_empty());
    }
    let written = producer.outputs.get(output)?;
    let data = written.data.as_ref()?;
    // Both the output and the copy of it that the input is keep their place below a folder of their own.
    let handed_folder = consumer.run_folder.join("in").join(input.as_str());
    let handed = consumer.inputs[input].path.strip_prefix(handed_folder).ok()?;
    let own_folder = producer.run_folder.join("out").join(output.as_str());
    let own = written.path.strip_prefix(own_folder).ok()?;
    let part = handed.strip_prefix(own).ok()?;
    let path = test.report.workspace.join(&written.path);
    let path = if part.as_str().is_empty() { path } else { path.join(part) };
    Some(Written { data: part_of(data, part), path }).filter(|written| !written.data.is_empty())
}

/// A file or folder of what was written.
fn part_of(data: &DataProfile, part: &Utf8Path) -> DataProfile {
    if part.as_str().is_empty() {
        return data.clone();
    }
    if let Some(file) = data.files.iter().find(|file| file.path == part) {
        let path = part.file_name().unwrap_or_default().into();
        return DataProfile { is_folder: false, files: vec![FileProfile { path, ..file.clone() }] };
    }
    let below = |file: &FileProfile| {
        let path = file.path.strip_prefix(part).ok()?.to_owned();
        Some(FileProfile { path, ..file.clone() })
    };
    DataProfile { is_folder: true, files: data.files.iter().filter_map(below).collect() }
}

#[cfg(test)]
mod tests {
    use runtime_testing_models::FileFormat;

    use super::*;

    #[test]
    fn parts_are_files_or_folders() {
        let file = |path: &str| FileProfile {
            path: path.into(),
            format: FileFormat::Csv,
            compression: None,
            promised: None,
            delimiter: None,
            byte_order_mark: false,
            one_line: false,
            partition_columns: Vec::new(),
            bytes: 1,
            schema: None,
            findings: Vec::new(),
        };
        let data = DataProfile {
            is_folder: true,
            files: ["a/x.csv", "a/y.csv", "ab.csv"].into_iter().map(file).collect(),
        };
        let shown = |part: &str| {
            let part = part_of(&data, part.into());
            let files: Vec<String> = part.files.into_iter().map(|file| file.path.into_string()).collect();
            (part.is_folder, files.join(" "))
        };
        assert_eq!(shown(""), (true, "a/x.csv a/y.csv ab.csv".to_owned()));
        assert_eq!(shown("a"), (true, "x.csv y.csv".to_owned()));
        assert_eq!(shown("a/y.csv"), (false, "y.csv".to_owned()));
        assert_eq!(shown("b"), (true, String::new()));
    }
}
