//! Which script a step means.

use std::fmt;
use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use runtime_testing_models::StepName;
use walkdir::WalkDir;

/// A script that was found for a step.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ScriptMatch {
    /// The script.
    pub path: Utf8PathBuf,
    /// The rule that applied.
    pub rule: ScriptRule,
    /// For [`ScriptRule::Similar`] how similar the names are, from 0.7; for the other rules 1.
    pub score: f64,
}

/// The rules by which a script is found for a step, in the order in which they are tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ScriptRule {
    /// It has the name of the step.
    Exact,
    /// It has the name in snake case: `XGBoostTraining` is `xgboost_training`.
    SnakeCase,
    /// It has the name without a word for a job at its end, as `_training` is one.
    WithoutJob,
    /// It has the most similar name, letter by letter.
    Similar,
}

impl fmt::Display for ScriptRule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Exact => "of the same name",
            Self::SnakeCase => "of the same name in snake case",
            Self::WithoutJob => "of the name without its job",
            Self::Similar => "of a similar name",
        })
    }
}

/// The words for jobs that stand at the end of steps that run one script several times.
const JOBS: [&str; 14] = [
    "training",
    "train",
    "validation",
    "val",
    "testing",
    "test",
    "evaluation",
    "eval",
    "calibration",
    "inference",
    "production",
    "step",
    "job",
    "task",
];

/// How similar names must be.
const FEWEST_SIMILAR: f64 = 0.7;

/// How deep below a folder scripts are looked for.
const DEEPEST: usize = 4;

/// The scripts in a folder and the folders below it, by their paths below it.
pub(super) fn scripts_in(folder: &Utf8Path) -> io::Result<Vec<Utf8PathBuf>> {
    let mut found = Vec::new();
    let is_looked_into = |entry: &walkdir::DirEntry| {
        let name = entry.file_name().to_string_lossy();
        entry.depth() == 0 || !(name.starts_with('.') || name.starts_with("__"))
    };
    let walk = WalkDir::new(folder).max_depth(DEEPEST).follow_links(true).sort_by_file_name();
    for entry in walk.into_iter().filter_entry(is_looked_into) {
        match entry {
            Ok(entry) => {
                let path = Utf8Path::from_path(entry.path()).filter(|path| path.extension() == Some("py"));
                if let Some(path) = path.filter(|_| entry.file_type().is_file()) {
                    found.push(path.strip_prefix(folder).expect("a walk stays below its start").to_owned());
                }
            }
            Err(error) if error.depth() > 0 => {}
            Err(error) => return Err(error.into()),
        }
    }
    // Those that lie highest go first.
    found.sort_by_key(|path| path.components().count());
    Ok(found)
}

/// The script of a step among these, of which the first goes before others of its name.
pub(super) fn find(step: &StepName, scripts: &[Utf8PathBuf]) -> Option<ScriptMatch> {
    let stem = |path: &Utf8PathBuf| path.file_stem().unwrap_or_default().to_owned();
    let found = |path: &Utf8PathBuf, rule, score| ScriptMatch { path: path.clone(), rule, score };
    let with_stem = |rule, is_it: &dyn Fn(&str) -> bool| {
        scripts.iter().find(|path| is_it(&stem(path))).map(|path| found(path, rule, 1.0))
    };
    let words = words(step.as_str());
    let jobs = words.iter().skip(1).rev().take_while(|word| JOBS.contains(&word.as_str())).count();
    // One word less, two, and so on.
    let without_job: Vec<String> =
        (1..=jobs).map(|left_out| words[..words.len() - left_out].concat()).collect();
    let joined = words.concat();
    if joined.is_empty() {
        return with_stem(ScriptRule::Exact, &|stem| stem == step.as_str());
    }
    with_stem(ScriptRule::Exact, &|stem| stem == step.as_str())
        .or_else(|| with_stem(ScriptRule::SnakeCase, &|stem| self::words(stem).concat() == joined))
        .or_else(|| {
            let is_one = |name: &String| {
                with_stem(ScriptRule::WithoutJob, &|stem| self::words(stem).concat() == *name)
            };
            without_job.iter().find_map(is_one)
        })
        .or_else(|| {
            let name = words.join("_");
            let score = |path: &Utf8PathBuf| {
                strsim::normalized_damerau_levenshtein(&name, &self::words(&stem(path)).join("_"))
            };
            let mut scored: Vec<(f64, &Utf8PathBuf)> =
                scripts.iter().map(|path| (score(path), path)).collect();
            scored.sort_by(|one, other| other.0.total_cmp(&one.0));
            let (score, path) = *scored.first()?;
            let is_alone =
                scored.iter().skip(1).all(|(other, same)| *other < score || stem(same) == stem(path));
            (score >= FEWEST_SIMILAR && is_alone).then(|| found(path, ScriptRule::Similar, score))
        })
}

/// The words of a name in small letters: `XGBoostTraining_eu` has `xgboost`, `training` and `eu`.
fn words(name: &str) -> Vec<String> {
    let characters: Vec<char> = name.chars().collect();
    let mut words = vec![String::new()];
    for (at, character) in characters.iter().enumerate() {
        if !character.is_alphanumeric() {
            words.push(String::new());
            continue;
        }
        let follows_small = at > 0 && characters[at - 1].is_lowercase();
        if character.is_uppercase() && follows_small {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut() {
            word.extend(character.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(step: &str, scripts: &[&str], expected: Option<(&str, ScriptRule)>) {
        let scripts: Vec<Utf8PathBuf> =
            scripts.iter().map(|stem| format!("scripts/{stem}.py").into()).collect();
        let found = find(&StepName::new(step).expect("a name"), &scripts);
        let found = found.as_ref().map(|found| (found.path.file_stem().unwrap_or_default(), found.rule));
        assert_eq!(found, expected, "{step}");
    }

    #[test]
    fn the_first_rule_that_finds_a_script_decides() {
        use ScriptRule::{Exact, Similar, SnakeCase, WithoutJob};

        let scripts = ["train", "xgboost_training", "tabular_preprocessing", "train_step"];
        check("train", &scripts, Some(("train", Exact)));
        check("XGBoostTraining", &scripts, Some(("xgboost_training", SnakeCase)));
        check("tabular-preprocessing", &scripts, Some(("tabular_preprocessing", SnakeCase)));
        check("TabularPreprocessing_training", &scripts, Some(("tabular_preprocessing", WithoutJob)));
        check(
            "XGBoostModelEval_evaluation",
            &["xgboost_model", "xgboost_model_eval"],
            Some(("xgboost_model_eval", WithoutJob)),
        );
        check("training", &["train"], None);
        check("TrainStep", &scripts, Some(("train_step", SnakeCase)));
        check("tabular_preprocess", &scripts, Some(("tabular_preprocessing", Similar)));
        check("report", &scripts, None);
        check("training", &["training_a", "training_b"], None);
        check("load", &[], None);
        check("---", &["a"], None);
    }
}
