use std::collections::BTreeMap;
use std::fmt;

use camino::Utf8PathBuf;
use indexmap::IndexMap;
use runtime_testing_dag::{Selection, StepName};
use serde::Serialize;

use crate::{
    Binding, BindingRule, Compression, DataProfile, Digest, EdgeBlame, EdgeIssue, EdgeNote, EdgeVerdict,
    FileFormat, FileKind, LogicalName, NotSingledOut, PipelineTestReport, PythonException,
    REPORT_FORMAT_VERSION, RunResult, ScriptFailure, ScriptName, ScriptTestResult, StepNote, StepStatus,
    UndeclaredPath,
};

/// A report without anything that can differ between two correct runs: no times, process ids, memory, sizes, run
/// folders, tracebacks or absolute paths, and no note that depends on the machine or on what else ran. Two runs of the same pipeline give equal bytes, on any machine.
///
/// Made for `insta`: serialize it to JSON, YAML or RON, or print it (`Display` is indented JSON). Its bytes
/// are public API and change only with a note in the changelog.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReportSnapshot {
    pipeline_success: bool,
    execution_order: Vec<StepName>,
    script_results: IndexMap<StepName, StepSnapshot>,
    data_flow_results: IndexMap<String, EdgeSnapshot>,
    errors: Vec<String>,
    format_version: u32,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    canceled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    selection: Option<Selection>,
}

/// What a snapshot has beyond what it has by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SnapshotOptions {
    /// The digests of outputs: then a snapshot changes with every value that a step writes, as far as the report has digests.
    pub digests: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct StepSnapshot {
    script_name: ScriptName,
    success: bool,
    has_main_function: bool,
    status: StepStatus,
    script_path: Option<Utf8PathBuf>,
    runs: Vec<RunSnapshot>,
    notes: Vec<StepNote>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct RunSnapshot {
    /// `individual`, `flow`, `edge from STEP`.
    kinds: Vec<String>,
    failure: Option<&'static str>,
    /// `own`, `sample`, `OUTPUT of STEP`.
    inputs: BTreeMap<LogicalName, String>,
    outputs: BTreeMap<LogicalName, Vec<FileSnapshot>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    digests: BTreeMap<LogicalName, Digest>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct FileSnapshot {
    path: Utf8PathBuf,
    format: FileFormat,
    #[serde(skip_serializing_if = "Option::is_none")]
    compression: Option<Compression>,
    #[serde(skip_serializing_if = "Option::is_none")]
    promised: Option<FileKind>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delimiter: Option<char>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    byte_order_mark: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    rows: Option<u64>,
    /// `name: type`, with `?` behind a type that may be null.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    columns: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    findings: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct EdgeSnapshot {
    compatible: bool,
    verdict: EdgeVerdict,
    bindings: Vec<BindingSnapshot>,
    issues: Vec<EdgeIssue>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    inherited_from: Vec<String>,
    notes: Vec<EdgeNote>,
    data_format_a: Option<String>,
    data_format_b: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename = "Binding")]
struct BindingSnapshot {
    output: LogicalName,
    input: LogicalName,
    rule: BindingRule,
}

impl BindingSnapshot {
    fn of(binding: Binding) -> Self {
        let Binding { output, input, rule, expectation: _ } = binding;
        Self { output, input, rule }
    }
}

impl PipelineTestReport {
    /// The report without anything that can differ between two correct runs.
    pub fn snapshot(&self) -> ReportSnapshot {
        self.snapshot_with(SnapshotOptions::default())
    }

    /// The same with more in it than there is by default.
    pub fn snapshot_with(&self, options: SnapshotOptions) -> ReportSnapshot {
        ReportSnapshot::of(self, options)
    }
}

impl ReportSnapshot {
    fn of(report: &PipelineTestReport, options: SnapshotOptions) -> Self {
        let report = without_volatile_text(report.clone());
        Self {
            pipeline_success: report.pipeline_success(),
            errors: report.errors(),
            execution_order: report.execution_order,
            script_results: report
                .script_results
                .iter()
                .map(|(step, result)| (step.clone(), step_of(result, options)))
                .collect(),
            data_flow_results: report
                .data_flow_results
                .into_iter()
                .map(|(key, edge)| {
                    let edge = EdgeSnapshot {
                        compatible: edge.compatible(),
                        verdict: edge.verdict,
                        bindings: edge.bindings.into_iter().map(BindingSnapshot::of).collect(),
                        issues: edge.issues,
                        inherited_from: edge.inherited_from,
                        notes: edge.notes,
                        data_format_a: edge.data_format_a,
                        data_format_b: edge.data_format_b,
                    };
                    (key, edge)
                })
                .collect(),
            format_version: REPORT_FORMAT_VERSION,
            canceled: report.canceled,
            selection: report.selection.clone(),
        }
    }
}

impl fmt::Display for ReportSnapshot {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&serde_json::to_string_pretty(self).map_err(|_| fmt::Error)?)
    }
}

fn step_of(result: &ScriptTestResult, options: SnapshotOptions) -> StepSnapshot {
    StepSnapshot {
        script_name: result.script_name.clone(),
        success: result.success(),
        has_main_function: result.has_main_function,
        status: result.status.clone(),
        script_path: result.script_path.as_ref().map(stable_path),
        runs: result.runs.iter().map(|run| run_of(run, options)).collect(),
        notes: result.notes.iter().cloned().filter_map(stable_note).collect(),
    }
}

fn run_of(run: &RunResult, options: SnapshotOptions) -> RunSnapshot {
    let digests = run.outputs.iter().filter(|_| options.digests);
    RunSnapshot {
        kinds: run.kinds.iter().map(ToString::to_string).collect(),
        failure: run.failure.as_ref().map(ScriptFailure::as_str),
        inputs: run.inputs.iter().map(|(name, input)| (name.clone(), input.source.to_string())).collect(),
        outputs: run
            .outputs
            .iter()
            .filter_map(|(name, output)| Some((name.clone(), files_of(output.data.as_ref()?))))
            .collect(),
        digests: digests.filter_map(|(name, output)| Some((name.clone(), output.digest?))).collect(),
    }
}

fn files_of(data: &DataProfile) -> Vec<FileSnapshot> {
    let file = |file: &crate::FileProfile| FileSnapshot {
        path: file.path.clone(),
        format: file.format,
        compression: file.compression,
        promised: file.promised,
        delimiter: file.delimiter,
        byte_order_mark: file.byte_order_mark,
        rows: file.schema.as_ref().map(|schema| schema.rows),
        columns: file.schema.as_ref().map_or_else(Vec::new, |schema| {
            let column = |column: &crate::Column| {
                format!("{}: {}{}", column.name, column.data_type, if column.nullable { "?" } else { "" })
            };
            schema.columns.iter().map(column).collect()
        }),
        findings: file.findings.iter().map(ToString::to_string).collect(),
    };
    data.files.iter().map(file).collect()
}

/// Paths in a report are relative to the workspace; one that is not lies elsewhere on this machine, and only its
/// file name is the same on another.
fn stable_path(path: &Utf8PathBuf) -> Utf8PathBuf {
    if path.is_absolute() {
        Utf8PathBuf::from("<elsewhere>").join(path.file_name().unwrap_or_default())
    } else {
        path.clone()
    }
}

/// A note as every run of the test gives it on any machine. None where it depends on the machine, or on what else ran.
fn stable_note(note: StepNote) -> Option<StepNote> {
    // Other files may have names that are made up for the run, or be there on one machine only.
    let published = |mut files: Vec<UndeclaredPath>| {
        files.retain(|file| !file.published_by.is_empty() && !file.path.is_absolute());
        (!files.is_empty()).then_some(files)
    };
    Some(match note {
        StepNote::PassedAlone { .. } | StepNote::Network { .. } | StepNote::Subprocess { .. } => return None,
        StepNote::UndeclaredRead { files } => StepNote::UndeclaredRead { files: published(files)? },
        StepNote::UndeclaredWrite { files } => StepNote::UndeclaredWrite { files: published(files)? },
        StepNote::NearPath { input, path, near } => {
            StepNote::NearPath { input, path: stable_path(&path), near: stable_path(&near) }
        }
        StepNote::ThreadFailed { mut exception } => {
            steady_exception(&mut exception);
            StepNote::ThreadFailed { exception }
        }
        other => other,
    })
}

fn without_volatile_text(mut report: PipelineTestReport) -> PipelineTestReport {
    for result in report.script_results.values_mut() {
        match &mut result.status {
            StepStatus::Failed { failure } | StepStatus::FailedOnUpstream { failure, .. } => steady(failure),
            StepStatus::Passed | StepStatus::Blocked { .. } | StepStatus::Untested { .. } => {}
        }
    }
    for edge in report.data_flow_results.values_mut() {
        for issue in &mut edge.issues {
            if let EdgeIssue::ConsumerFailed { failure, blame } = issue {
                steady(failure);
                if let EdgeBlame::Unclear { reason: NotSingledOut::Ended { failure }, .. } = blame {
                    steady(failure);
                }
            }
        }
        for note in &mut edge.notes {
            match note {
                EdgeNote::NotSingledOut { reason: NotSingledOut::Ended { failure } }
                | EdgeNote::StepFailed { failure, .. } => steady(failure),
                EdgeNote::Data { .. } | EdgeNote::GuessedBinding { .. } | EdgeNote::NotSingledOut { .. } => {}
            }
        }
    }
    report
}

fn steady(failure: &mut ScriptFailure) {
    match failure {
        ScriptFailure::ImportFailed { exception } | ScriptFailure::Exception { exception } => {
            steady_exception(exception);
        }
        ScriptFailure::ScriptNotFound { searched } => {
            for path in searched {
                *path = stable_path(path);
            }
        }
        ScriptFailure::SyntaxError { file, .. }
        | ScriptFailure::MissingMain { file }
        | ScriptFailure::WrongSignature { file, .. }
        | ScriptFailure::WrongMain { file, .. } => *file = stable_path(file),
        ScriptFailure::Exited { message, cause, .. } => {
            *message = message.as_deref().map(without_addresses);
            cause.iter_mut().for_each(steady_exception);
        }
        ScriptFailure::ReturnedError { message } | ScriptFailure::Panicked { message: Some(message) } => {
            *message = without_addresses(message)
        }
        ScriptFailure::CouldNotStart { program, .. } => *program = stable_path(program),
        ScriptFailure::InputsChanged { changes } => {
            for change in changes {
                change.path = stable_path(&change.path);
            }
        }
        // A name that was made up for the run, with a time in it, is another one each time.
        ScriptFailure::OutputMissing { written, .. } => written.clear(),
        ScriptFailure::LimitExceeded { found, .. } => *found = None,
        ScriptFailure::Panicked { message: None }
        | ScriptFailure::Signaled { .. }
        | ScriptFailure::TimedOut { .. }
        | ScriptFailure::PromiseBroken { .. }
        | ScriptFailure::DamagedOutput { .. }
        | ScriptFailure::Strict { .. } => {}
    }
}

fn steady_exception(exception: &mut PythonException) {
    exception.traceback.clear();
    exception.message = without_addresses(&exception.message);
    exception.file = exception.file.as_ref().map(stable_path);
}

/// Python prints objects as `<Thing object at 0x7f…>`; the address is another one each time.
fn without_addresses(text: &str) -> String {
    let mut steady = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("0x") {
        let digits = rest[at + 2..].bytes().take_while(u8::is_ascii_hexdigit).count();
        steady.push_str(&rest[..at]);
        steady.push_str("0x");
        // Short numbers are values, not addresses.
        steady.push_str(if digits >= 6 { "…" } else { &rest[at + 2..at + 2 + digits] });
        rest = &rest[at + 2 + digits..];
    }
    steady.push_str(rest);
    steady
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_go_and_values_stay() {
        assert_eq!(without_addresses("<A at 0x7f3a12bc9d10> 0x1F 0x"), "<A at 0x…> 0x1F 0x");
        assert_eq!(without_addresses("no address"), "no address");
    }

    #[test]
    fn paths_elsewhere_keep_their_name_only() {
        assert_eq!(stable_path(&"scripts/a.py".into()), "scripts/a.py");
        #[cfg(unix)]
        assert_eq!(stable_path(&"/home/ann/a.py".into()), "<elsewhere>/a.py");
    }
}
