//! Columns that are missing and may be there under another name, as their values tell it.

use std::cmp::Ordering;

use arrow::error::ArrowError;
use camino::{Utf8Path, Utf8PathBuf};
use runtime_testing_models::Difference;

use super::FileDifference;
use super::rename::{MOST_PAIRS, SIMILAR, each_once, similarity};
use super::values::{Likeness, Values};
use crate::files::data_files;
use crate::options::ProfileOptions;
use crate::read::Batches;
use crate::read::table_file::TableFile;
use crate::types::fit::{self, Fit};
use crate::types::logical::TypeWords;

/// How many rows of a file are looked at.
const MOST_ROWS: usize = 1_000;

/// How many values of a file are looked at. Of very wide tables that makes for fewer rows.
const MOST_VALUES: usize = 1_000_000;

/// Above that the values of a column are enough to take it for another one.
const ALIKE: f64 = 0.5;

/// Looks at values to settle which new column a missing one is taken for. `differences` are what
/// [`compare`](crate::compare) returned for a sample, `expected` and `found` the paths of the sample and of what
/// was found. Nothing else of the differences changes, so neither does what they mean: it is a guess for who reads
/// them.
///
/// Values are looked at where a file lacks columns and has others that are new, and there in these columns of the
/// first 1,000 rows. How alike two columns are is the share of different values in common, of the column that has
/// fewer; of numbers also the share that their common range has of both ranges together, if that is more. A new
/// column of a fitting type is offered
///
/// - if its name is similar, because a sample and real data may well have other values,
/// - if its values are more than half alike,
/// - if it was offered before, as the only one of its type, and has anything in common.
///
/// Of these pairs come first those of which one column has all values of the other; then those that are most alike
/// in values and name together; then those with the most values in common. A new column is offered for one missing
/// one only.
///
/// Where a file cannot be read any more or has columns that Arrow has no type for, the offers stay as they are. So
/// they do where the sample is a folder of several files and has none of the same path. `options` say how files
/// are read, and when to give up.
///
/// ```
/// use runtime_testing_data::{Expected, ProfileOptions, compare, profile_path, settle_renames};
///
/// let folder = tempfile::tempdir()?;
/// let folder = camino::Utf8Path::from_path(folder.path()).expect("a temporary folder is UTF-8");
/// let (sample, found) = (folder.join("sample.csv"), folder.join("found.csv"));
/// std::fs::write(&sample, "id,price\n1,0.25\n2,0.75\n")?;
/// std::fs::write(&found, "id,cost,weight\n1,0.25,70\n2,0.75,80\n")?;
///
/// let mut differences = compare(&Expected::Inferred(&profile_path(&sample)?), &profile_path(&found)?);
/// assert_eq!(differences[0].difference.to_string(), "column `price` (float64) is missing");
/// settle_renames(&mut differences, &sample, &found, &ProfileOptions::default());
/// let told = differences[0].difference.to_string();
/// assert_eq!(told, "column `price` (float64) is missing; was it renamed to `cost`?");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn settle_renames(
    differences: &mut [FileDifference],
    expected: &Utf8Path,
    found: &Utf8Path,
    options: &ProfileOptions,
) {
    let mut last = None;
    for of_file in differences.chunk_by_mut(|one, other| one.file == other.file) {
        let Some(renamed) = renamed(of_file, (expected, found), options, &mut last) else { continue };
        let missing = of_file.iter_mut().filter_map(|told| match &mut told.difference {
            Difference::MissingColumn { renamed, .. } => Some(renamed),
            _ => None,
        });
        for (offer, settled) in missing.zip(renamed) {
            if let Some(name) = settled {
                *offer = name;
            }
        }
    }
}

/// A column that is missing, and what is offered for it.
struct Missing<'a> {
    name: &'a str,
    data_type: TypeWords,
    offered: Option<&'a str>,
}

/// A column that is new.
struct New<'a> {
    name: &'a str,
    data_type: TypeWords,
}

/// Columns of a file of the sample, and what they hold.
struct Sample {
    path: Utf8PathBuf,
    columns: Vec<String>,
    /// None for what is told by a path within a column.
    values: Vec<Option<Values>>,
}

/// What each missing column of a file is settled to be called now: none where its offer stays as it is, because it lies
/// within a column. None at all where values say nothing. `last` is what was looked at last of the sample, because the parts
/// of a table lack the same columns.
fn renamed(
    differences: &[FileDifference],
    (expected, found): (&Utf8Path, &Utf8Path),
    options: &ProfileOptions,
    last: &mut Option<Sample>,
) -> Option<Vec<Option<Option<String>>>> {
    let is_missing = |told: &FileDifference| matches!(told.difference, Difference::MissingColumn { .. });
    let file = &differences.iter().find(|told| is_missing(told))?.file;
    let (missing, new) = columns(differences);
    let pairs = missing.len().saturating_mul(new.len());
    if !(1..=MOST_PAIRS).contains(&pairs) {
        return None;
    }
    let path = counterpart(expected, file)?;
    let names: Vec<&str> = missing.iter().map(|column| column.name).collect();
    let sample = match last.take() {
        Some(sample) if sample.path == path && sample.columns == names => sample,
        _ => {
            let values = values(&path, &names, options)?;
            Sample { path, columns: names.into_iter().map(str::to_owned).collect(), values }
        }
    };
    let sample = last.insert(sample);
    let found = if found.is_dir() { found.join(file) } else { found.to_owned() };
    let names: Vec<&str> = new.iter().map(|column| column.name).collect();
    let found = values(&found, &names, options)?;
    let mut settled: Vec<Option<Option<String>>> = vec![None; missing.len()];
    let (missing, sample) = whole_columns(missing, &sample.values);
    let (new, found) = whole_columns(new, &found);
    let best = best(&missing.1, &new.1, |missing, new| sample[missing].likeness(found[new]));
    for (place, name) in missing.0.into_iter().zip(best) {
        settled[place] = Some(name);
    }
    Some(settled)
}

/// Of columns and their values those that are columns of the file: with their places, and the values of each.
#[allow(clippy::type_complexity, reason = "it is taken apart at once")]
fn whole_columns<T>(columns: Vec<T>, values: &[Option<Values>]) -> ((Vec<usize>, Vec<T>), Vec<&Values>) {
    let all = columns.into_iter().enumerate().zip(values);
    let whole = all.filter_map(|(column, values)| Some((column, values.as_ref()?)));
    whole.unzip()
}

/// The columns of a file that are missing, and those that are new.
fn columns(differences: &[FileDifference]) -> (Vec<Missing<'_>>, Vec<New<'_>>) {
    let (mut missing, mut new) = (Vec::new(), Vec::new());
    for told in differences {
        match &told.difference {
            Difference::MissingColumn { column, expected, renamed } => missing.push(Missing {
                name: column,
                data_type: TypeWords::parse(expected),
                offered: renamed.as_deref(),
            }),
            Difference::ExtraColumn { column, found } => {
                new.push(New { name: column, data_type: TypeWords::parse(found) })
            }
            _ => {}
        }
    }
    (missing, new)
}

/// The file of the sample that one which was found is held against, as far as paths tell it.
fn counterpart(expected: &Utf8Path, file: &Utf8Path) -> Option<Utf8PathBuf> {
    if !expected.is_dir() {
        return Some(expected.to_owned());
    }
    let files = data_files(expected).ok()?;
    let below = match files.as_slice() {
        [only] => only.as_path(),
        files => files.iter().find(|below| *below == file)?,
    };
    Some(expected.join(below))
}

/// What the first rows of a file hold in each of these columns, if it can be read.
fn values(path: &Utf8Path, columns: &[&str], options: &ProfileOptions) -> Option<Vec<Option<Values>>> {
    let unreadable = |error| tracing::debug!(%path, %error, "values were not compared");
    read_values(path, columns, options).map_err(unreadable).ok()
}

fn read_values(
    path: &Utf8Path,
    columns: &[&str],
    options: &ProfileOptions,
) -> Result<Vec<Option<Values>>, ArrowError> {
    let file = TableFile::look_at(path, options)
        .map_err(|error| ArrowError::from_external_error(Box::new(error)))?;
    let schema = file.schema.clone();
    let places: Vec<Option<usize>> = columns.iter().map(|name| schema.index_of(name).ok()).collect();
    let mut values: Vec<Option<Values>> =
        places.iter().map(|place| place.map(|_| Values::default())).collect();
    let mut rows_left = MOST_ROWS.min(MOST_VALUES / columns.len().max(1));
    for batch in Batches::of(vec![file], schema) {
        let batch = batch?;
        // Those of Arrow IPC are as large as they lie in the file.
        let rows = rows_left.min(batch.num_rows());
        for (values, place) in values.iter_mut().flatten().zip(places.iter().flatten()) {
            values.add(&batch.column(*place).slice(0, rows))?;
        }
        rows_left -= rows;
        if rows_left == 0 {
            break;
        }
    }
    Ok(values)
}

/// For each missing column the new one that it is taken for. `likeness` tells of two places how alike the values
/// are.
fn best(
    missing: &[Missing<'_>],
    new: &[New<'_>],
    likeness: impl Fn(usize, usize) -> Option<Likeness>,
) -> Vec<Option<String>> {
    let mut pairs = Vec::new();
    for (missing_place, one) in missing.iter().enumerate() {
        for (new_place, other) in new.iter().enumerate() {
            if fit::to_sample(&one.data_type, &other.data_type) != Fit::Changed {
                let pair = Pair::of(one, other, likeness(missing_place, new_place));
                pairs.extend(pair.map(|pair| (pair, missing_place, new_place)));
            }
        }
    }
    pairs.sort_by(|(one, ..), (other, ..)| one.cmp_best_first(other));
    let mut renamed = vec![None; missing.len()];
    for (missing_place, new_place) in each_once(pairs.into_iter().map(|(_, one, other)| (one, other))) {
        renamed[missing_place] = Some(new[new_place].name.to_owned());
    }
    renamed
}

/// What speaks for a new column being a missing one.
#[derive(Debug)]
struct Pair {
    has_all_values: bool,
    /// How alike values and names are together.
    score: f64,
    common_values: usize,
}

impl Pair {
    /// What speaks for two columns being the same, if it is enough.
    fn of(missing: &Missing<'_>, new: &New<'_>, likeness: Option<Likeness>) -> Option<Self> {
        let similarity = similarity(missing.name, new.name);
        let is_similar = similarity >= SIMILAR;
        let enough = match likeness {
            Some(likeness) if likeness.score > ALIKE => true,
            Some(likeness) if likeness.score == 0.0 => is_similar,
            _ => is_similar || missing.offered == Some(new.name),
        };
        enough.then(|| Self {
            has_all_values: likeness.is_some_and(|likeness| likeness.is_full),
            score: likeness.map_or(0.0, |likeness| likeness.score)
                + if is_similar { similarity } else { 0.0 },
            common_values: likeness.map_or(0, |likeness| likeness.common),
        })
    }

    fn cmp_best_first(&self, other: &Self) -> Ordering {
        (other.has_all_values.cmp(&self.has_all_values))
            .then(other.score.total_cmp(&self.score))
            .then(other.common_values.cmp(&self.common_values))
    }
}

#[cfg(test)]
mod tests;
