//! Differences that are the same over many files or columns, told once.

use std::collections::HashMap;

use runtime_testing_models::{Difference, EdgeIssue};

/// From so many files or columns on, what is the same of them is told once.
pub(crate) const MANY: usize = 4;

/// How many columns are named beside the first.
const NAMED: usize = 5;

/// A difference, with all files and columns of which it is told.
pub(crate) struct Folded<'a> {
    pub(crate) files: Vec<&'a str>,
    pub(crate) difference: &'a Difference,
    /// The other columns of which the same is so.
    columns: Vec<&'a str>,
}

impl Folded<'_> {
    /// The files as people read them.
    pub(crate) fn places(&self) -> String {
        places(&self.files)
    }

    /// The difference in words, with the other columns.
    pub(crate) fn text(&self) -> String {
        let text = self.difference.to_string();
        if self.columns.is_empty() {
            return text;
        }
        let named: Vec<String> = self.columns.iter().take(NAMED).map(|name| format!("`{name}`")).collect();
        let more = if self.columns.len() > NAMED { ", …" } else { "" };
        format!("{text}; the same of {} more: {}{more}", self.columns.len(), named.join(", "))
    }
}

/// Files as people read them: the first, and how many more there are.
pub(crate) fn places(files: &[&str]) -> String {
    match files {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [first, others @ ..] => {
            format!("{first} and {} more file{}", others.len(), if others.len() == 1 { "" } else { "s" })
        }
    }
}

/// Folds differences, each with its file, in the order in which they first come.
pub(crate) fn folded<'a>(told: impl IntoIterator<Item = (&'a str, &'a Difference)>) -> Vec<Folded<'a>> {
    let told: Vec<(&str, &Difference)> = told.into_iter().collect();
    let by_files = groups(&told, |(_, difference)| Some(format!("{:?}", without_row(difference))));
    let by_files = by_files.into_iter().map(|group| {
        let files = group.iter().map(|place| told[*place].0).collect::<Vec<_>>();
        Folded { files, difference: told[group[0]].1, columns: Vec::new() }
    });
    let by_files: Vec<Folded<'_>> = by_files.collect();
    let by_columns = groups(&by_files, |folded| {
        Some(format!("{:?} {:?}", folded.files, without_column(folded.difference)?))
    });
    let mut by_files: Vec<Option<Folded<'_>>> = by_files.into_iter().map(Some).collect();
    let mut take = |place: usize| by_files[place].take().expect("each is in one group");
    by_columns
        .into_iter()
        .map(|group| {
            let mut first = take(group[0]);
            first.columns = group[1..].iter().filter_map(|place| take(*place).difference.column()).collect();
            first
        })
        .collect()
}

/// The issues of an edge in words, each with what to do about it.
pub(crate) fn folded_issues(issues: &[EdgeIssue]) -> Vec<(String, Option<String>)> {
    let mut lines = Vec::new();
    let mut rest = issues;
    while let Some(first) = rest.first() {
        let EdgeIssue::Data { output, input, .. } = first else {
            lines.push((first.to_string(), first.hint()));
            rest = &rest[1..];
            continue;
        };
        let of_data = |issue: &EdgeIssue| matches!(issue, EdgeIssue::Data { output: other, input: fed, .. } if other == output && fed == input);
        let count = rest.iter().take_while(|issue| of_data(issue)).count();
        let told = rest[..count].iter().filter_map(|issue| match issue {
            EdgeIssue::Data { file, difference, .. } => Some((file.as_str(), difference)),
            _ => None,
        });
        for folded in folded(told) {
            lines.push((format!("`{output}` -> `{input}`, {}: {}", folded.places(), folded.text()), None));
        }
        rest = &rest[count..];
    }
    lines
}

/// The places of what has the same key, where there are many such, and each place for itself where there are few, in the order in
/// which they first come.
fn groups<T>(list: &[T], key: impl Fn(&T) -> Option<String>) -> Vec<Vec<usize>> {
    let keys: Vec<Option<String>> = list.iter().map(key).collect();
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for key in keys.iter().flatten() {
        *counts.entry(key).or_default() += 1;
    }
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut known: HashMap<&str, usize> = HashMap::new();
    for (place, key) in keys.iter().enumerate() {
        match key.as_deref().filter(|key| counts[key] >= MANY) {
            Some(key) => match known.get(key) {
                Some(group) => groups[*group].push(place),
                None => {
                    known.insert(key, groups.len());
                    groups.push(vec![place]);
                }
            },
            None => groups.push(vec![place]),
        }
    }
    groups
}

/// A difference without the row that decided.
fn without_row(difference: &Difference) -> Difference {
    match difference.clone() {
        Difference::TypeChanged { column, expected, found, .. } => {
            Difference::TypeChanged { column, expected, found, row: None, value: None }
        }
        other => other,
    }
}

/// What is the same of several columns.
fn without_column(difference: &Difference) -> Option<Difference> {
    let column = String::new();
    Some(match difference.clone() {
        Difference::MissingColumn { expected, renamed: None, .. } => {
            Difference::MissingColumn { column, expected, renamed: None }
        }
        Difference::MissingKey { expected, renamed: None, .. } => {
            Difference::MissingKey { key: column, expected, renamed: None }
        }
        Difference::TypeChanged { expected, found, .. } => {
            Difference::TypeChanged { column, expected, found, row: None, value: None }
        }
        Difference::ExtraColumn { found, .. } => Difference::ExtraColumn { column, found },
        Difference::UnexpectedColumn { found, .. } => Difference::UnexpectedColumn { column, found },
        Difference::Promoted { expected, found, .. } => Difference::Promoted { column, expected, found },
        Difference::Nullability { expected_nullable, found_nullable, .. } => {
            Difference::Nullability { column, expected_nullable, found_nullable }
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_the_same_is_told_once() {
        let changed = |column: &str, row| Difference::TypeChanged {
            column: column.to_owned(),
            expected: "int64".to_owned(),
            found: "text".to_owned(),
            row: Some(row),
            value: None,
        };
        let names: Vec<String> = (0..200).map(|part| format!("{part}.csv")).collect();
        let differences: Vec<Difference> = (0..7).map(|column| changed(&format!("c{column}"), 3)).collect();
        let told = names.iter().flat_map(|name| differences.iter().map(move |told| (name.as_str(), told)));
        let lines: Vec<String> =
            folded(told).iter().map(|told| format!("{}: {}", told.places(), told.text())).collect();
        assert_eq!(
            lines,
            [
                "0.csv and 199 more files: column `c0`: expected int64, found text; row 3; the same of 6 more: `c1`, `c2`, `c3`, `c4`, `c5`, …"
            ]
        );
        let few = [
            ("a.csv", &Difference::NoRows),
            ("b.csv", &Difference::NoRows),
            ("b.csv", &Difference::ExtraFile),
        ];
        let lines: Vec<String> =
            folded(few).iter().map(|told| format!("{}: {}", told.places(), told.text())).collect();
        assert_eq!(lines, ["a.csv: there are no rows", "b.csv: there are no rows", "b.csv: extra file"]);
    }
}
