//! Looks at data files. What is wrong with their content is told and makes the status 1; that there is nothing to look at is
//! wrong use.

use camino::{Utf8Path, Utf8PathBuf};
use runtime_testing::{
    DataError, DataProfile, Difference, DigestOptions, Expected, FileDifference, FileProfile, FloatTolerance,
    NotCompared, ReadTableError, RowOrder, compare, digest_path, nearest_path, profile_path,
    render_differences_text, render_profile_text, without_table,
};
use serde::Serialize;

use crate::Verdict;
use crate::arguments::{DataCommand, OutputFormat};
use crate::output;
use crate::test::json;

pub(crate) fn run(command: &DataCommand) -> Result<Verdict, String> {
    match command {
        DataCommand::Profile { path, output } => profile(path, output.format),
        DataCommand::Compare { expected, found, output } => differences(expected, found, output.format),
        DataCommand::Digest { path, ignore_row_order, float_digits, output } => {
            let row_order = if *ignore_row_order { RowOrder::Ignored } else { RowOrder::Ordered };
            let float_tolerance = float_digits.map_or(FloatTolerance::None, FloatTolerance::Digits);
            digest(path, &DigestOptions { row_order, float_tolerance }, output.format)
        }
    }
}

fn profile(path: &Utf8Path, format: OutputFormat) -> Result<Verdict, String> {
    let profile = profile_of(path)?;
    match format {
        OutputFormat::Json => output::print(&json(&profile))?,
        OutputFormat::Text => output::print(&render_profile_text(&profile, output::text_options(false)))?,
    }
    let is_sound = |file: &FileProfile| file.findings.is_empty() && file.promised.is_none();
    Ok(if profile.files.iter().all(is_sound) { Verdict::Passed } else { Verdict::Failed })
}

/// What `data compare` writes as JSON.
#[derive(Serialize)]
struct Comparison<'a> {
    verdict: &'static str,
    differences: &'a [FileDifference],
}

fn differences(expected: &Utf8Path, found: &Utf8Path, format: OutputFormat) -> Result<Verdict, String> {
    let (expected_path, found_path) = (expected, found);
    let (expected, found) = (profile_of(expected)?, profile_of(found)?);
    let mut differences = compare(&Expected::Inferred(&expected), &found);
    for (one, other) in without_table(&expected, &found) {
        if one.format == other.format
            && content(expected_path, &expected, one)? != content(found_path, &found, other)?
        {
            let difference = Difference::NotCompared { reason: NotCompared::NoTable };
            differences.push(FileDifference { file: other.path.clone(), difference });
        }
    }
    differences.sort_by(|one, other| one.file.as_str().cmp(other.file.as_str()));
    let is_breaking = differences.iter().any(|told| told.difference.is_breaking());
    let is_gap = |told: &FileDifference| matches!(told.difference, Difference::NotCompared { .. });
    let is_compared = !differences.iter().any(is_gap);
    match format {
        OutputFormat::Json => {
            let verdict = match is_breaking {
                true => "breaking",
                false if !is_compared => "not_compared",
                false if differences.is_empty() => "identical",
                false => "compatible",
            };
            output::print(&json(&Comparison { verdict, differences: &differences }))?;
        }
        OutputFormat::Text => {
            let told = differences.iter().map(|told| (told.file.as_str(), &told.difference));
            output::print(&render_differences_text(told, output::text_options(false)))?;
        }
    }
    Ok(if is_breaking || !is_compared { Verdict::Failed } else { Verdict::Passed })
}

/// What a file that is no table holds, in short.
fn content(path: &Utf8Path, profile: &DataProfile, file: &FileProfile) -> Result<String, String> {
    let path = if profile.is_folder { path.join(&file.path) } else { Utf8PathBuf::from(path) };
    match digest_path(&path, &DigestOptions::default()) {
        Ok(digest) => Ok(digest.to_string()),
        Err(ReadTableError::Data(error)) => Err(shown(&error)),
        Err(error) => Err(output::harmless(&error.to_string())),
    }
}

fn digest(path: &Utf8Path, options: &DigestOptions, format: OutputFormat) -> Result<Verdict, String> {
    let digest = match digest_path(path, options) {
        Ok(digest) => digest,
        Err(ReadTableError::Data(error)) => return Err(shown(&error)),
        Err(error @ ReadTableError::NoFiles { .. }) => return Err(output::harmless(&error.to_string())),
        Err(error) => {
            let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
            output::error(&output::harmless(&format!("{error}{}", cause.unwrap_or_default())));
            return Ok(Verdict::Failed);
        }
    };
    match format {
        OutputFormat::Json => output::print(&json(&digest))?,
        OutputFormat::Text => output::print(&digest.to_string())?,
    }
    Ok(Verdict::Passed)
}

fn profile_of(path: &Utf8Path) -> Result<DataProfile, String> {
    let profile = profile_path(path).map_err(|error| shown(&error))?;
    if profile.is_empty() {
        return Err(output::harmless(&format!("`{path}` holds no data files")));
    }
    Ok(profile)
}

/// The error, and for a path that does not exist the one that may be meant.
fn shown(error: &DataError) -> String {
    let near = match error {
        DataError::NotFound { path } => nearest_path(path),
        _ => None,
    };
    let hint = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
    output::harmless(&format!("{error}{hint}"))
}
