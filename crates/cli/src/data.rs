//! Looks at data files. What is wrong with their content is told and makes the status 1; that there is nothing to look at is
//! wrong use.

use camino::{Utf8Path, Utf8PathBuf};
use runtime_testing::{
    DataContract, DataError, DataProfile, Difference, DigestOptions, Expected, FileDifference, FileProfile,
    FloatTolerance, NotCompared, ProfileOptions, ReadTableError, RowOrder, ScriptExecutionSpec, compare,
    compare_values, digest_path, nearest_path, profile_path_with, render_differences_text,
    render_profile_text, without_table,
};
use serde::Serialize;

use crate::Verdict;
use crate::arguments::{DataCommand, OutputFormat};
use crate::output;
use crate::test::json;

pub(crate) fn run(command: &DataCommand) -> Result<Verdict, String> {
    match command {
        DataCommand::Profile { path, output } => profile(path, output.format),
        DataCommand::Compare { paths, contract, output } => match (paths.as_slice(), contract) {
            ([expected, found], None) => differences(expected, found, output.format),
            ([found], Some(contract)) => against_contract(contract, None, found, output.format),
            ([expected, found], Some(contract)) => {
                against_contract(contract, Some(expected), found, output.format)
            }
            _ => Err("say what is expected: EXPECTED FOUND, or --contract and FOUND".to_owned()),
        },
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
    tell(&differences, format)
}

/// Holds data against a contract, and against a sample where the contract is silent.
fn against_contract(
    contract: &str,
    sample: Option<&Utf8PathBuf>,
    found_path: &Utf8Path,
    format: OutputFormat,
) -> Result<Verdict, String> {
    let contract = contract_of(contract)?;
    let options = ProfileOptions::default().for_contract(&contract);
    let sample = sample.map(|sample| profile_with(sample, &options)).transpose()?;
    let found = profile_with(found_path, &options)?;
    let expected = match &sample {
        Some(sample) => Expected::Both { contract: &contract, sample },
        None => Expected::Contract(&contract),
    };
    let differences = compare_values(&expected, found_path, &found, &options);
    tell(&differences.map_err(|error| shown(&error))?, format)
}

/// The contract in a file, or that of an input or output in a spec.
fn contract_of(source: &str) -> Result<DataContract, String> {
    let read = |path: &str| {
        std::fs::read_to_string(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => shown(&DataError::NotFound { path: path.into() }),
            _ => output::harmless(&format!("cannot read `{path}`: {error}")),
        })
    };
    let located = |error: &dyn std::fmt::Display, path: &str| {
        let text = format!("`{path}`: {error}");
        text.lines().map(output::harmless).collect::<Vec<_>>().join("\n")
    };
    let (path, name) = match source.rsplit_once('#') {
        Some((path, name)) if !Utf8Path::new(source).exists() => (path, name),
        _ => {
            let text = read(source)?;
            return text.parse::<DataContract>().map_err(|error| match text.parse::<ScriptExecutionSpec>() {
                Ok(spec) => located(&format!("it is a spec: {}", named_contracts(source, &spec)), source),
                Err(_) => located(&error, source),
            });
        }
    };
    let spec: ScriptExecutionSpec = read(path)?.parse().map_err(|error| located(&error, path))?;
    let contracts = || spec.input_schemas.iter().chain(&spec.output_schemas);
    match contracts().find(|(known, _)| known.as_str() == name) {
        Some((_, contract)) => Ok(contract.clone()),
        None => Err(located(&format!("no contract for `{name}`: {}", named_contracts(path, &spec)), path)),
    }
}

/// The contracts that a spec has, as they are asked for.
fn named_contracts(path: &str, spec: &ScriptExecutionSpec) -> String {
    let names = spec.input_schemas.keys().chain(spec.output_schemas.keys());
    let names: Vec<String> = names.map(|name| format!("`{path}#{name}`")).collect();
    if names.is_empty() { "it has no contracts".to_owned() } else { format!("it has {}", names.join(", ")) }
}

/// Tells differences, and what they come to.
fn tell(differences: &[FileDifference], format: OutputFormat) -> Result<Verdict, String> {
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
            output::print(&json(&Comparison { verdict, differences }))?;
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
    profile_with(path, &ProfileOptions::default())
}

fn profile_with(path: &Utf8Path, options: &ProfileOptions) -> Result<DataProfile, String> {
    let profile = profile_path_with(path, options).map_err(|error| shown(&error))?;
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
