//! How similar two logical names are.

use std::collections::BTreeSet;

use runtime_testing_models::Similarity;

/// Words that pipelines use for one another. The first of each line stands for all.
const SYNONYMS: [&[&str]; 11] = [
    &["model", "artifact", "estimator"],
    &["data", "dataset", "processed", "table", "frame", "dataframe"],
    &["config", "configuration", "param", "parameter", "hyperparameter", "hyperparam", "setting", "option"],
    &["eval", "evaluation", "evaluate", "evaluated"],
    &["train", "training", "trained"],
    &["test", "testing"],
    &["val", "valid", "validation"],
    &["calibration", "calibrated", "calibrate", "calib"],
    &["prediction", "predicted", "pred"],
    &["preprocessing", "preprocessed", "preprocess", "prep"],
    &["feature", "predictor"],
];

/// Words that tell things apart which are alike in all else, as they stand for all of their synonyms.
const OPPOSITES: [&[&str]; 7] = [
    &["train", "test", "val", "eval", "holdout"],
    &["x", "y"],
    &["left", "right"],
    &["old", "new"],
    &["before", "after"],
    &["first", "last"],
    &["min", "max"],
];

/// What a match by synonyms counts, as against one by the same words.
const BY_SYNONYMS: f64 = 0.95;

/// How similar two names are, from 0 to 1: by their letters, by the share of words they have in common, or by the
/// share of words that mean the same; and by which of these.
pub(crate) fn similarity(left: &str, right: &str) -> (f64, Similarity) {
    let (left, right) = (told(left), told(right));
    let by_letters = strsim::normalized_damerau_levenshtein(&left.to_lowercase(), &right.to_lowercase());
    let (left, right) = (words(&left), words(&right));
    // Most letters are those of the words in common.
    let by_letters = if are_told_apart(&left, &right) { 0.0 } else { by_letters };
    let meanings = |words: &BTreeSet<String>| words.iter().map(|word| meaning(word).to_owned()).collect();
    let by_meaning = BY_SYNONYMS * in_common(&meanings(&left), &meanings(&right));
    // Of equal scores the first is told: it says the most.
    let scores = [
        (in_common(&left, &right), Similarity::Words),
        (by_meaning, Similarity::Meaning),
        (by_letters, Similarity::Letters),
    ];
    let [first, others @ ..] = scores;
    others.into_iter().fold(first, |best, other| if other.0 > best.0 { other } else { best })
}

/// What a name tells beside that it is one of an input or an output, which says nothing where an edge leads from one to the other:
/// of `model_output`, `model`. A name that tells nothing else is left as it is.
fn told(name: &str) -> String {
    let name = separated(name);
    let parts = name.split_inclusive(|character: char| !character.is_alphanumeric());
    let is_told = |part: &&str| {
        let word = part.trim_matches(|character: char| !character.is_alphanumeric()).to_lowercase();
        !SAYS_NOTHING.contains(&word.as_str())
    };
    let kept: String = parts.filter(is_told).collect();
    let kept = kept.trim_matches(|character: char| !character.is_alphanumeric());
    if kept.is_empty() { name } else { kept.to_owned() }
}

/// A name with a separator where a word begins with a capital.
fn separated(name: &str) -> String {
    let mut separated = String::with_capacity(name.len());
    for character in name.chars() {
        if character.is_uppercase() && separated.ends_with(char::is_lowercase) {
            separated.push('_');
        }
        separated.push(character);
    }
    separated
}

/// The words for the two ends of an edge.
const SAYS_NOTHING: [&str; 4] = ["input", "inputs", "output", "outputs"];

/// The words of a name, in small letters and without the `s` of the plural.
fn words(name: &str) -> BTreeSet<String> {
    let words = separated(name).to_lowercase();
    let words = words.split(|character: char| !character.is_alphanumeric()).map(str::to_owned);
    let singular = |word: String| match word.strip_suffix('s') {
        Some(stem) if stem.len() > 2 && !stem.ends_with(['s', 'u', 'i']) => stem.to_owned(),
        _ => word,
    };
    words.filter(|word| !word.is_empty()).map(singular).collect()
}

fn meaning(word: &str) -> &str {
    SYNONYMS.iter().find(|synonyms| synonyms.contains(&word)).map_or(word, |synonyms| synonyms[0])
}

/// Whether a word of one and a word of the other are there to tell them apart: opposites, or numbers.
fn are_told_apart(left: &BTreeSet<String>, right: &BTreeSet<String>) -> bool {
    let is_digit = |character: char| character.is_ascii_digit();
    let are_opposites = |one: &str, other: &str| {
        let (one, other) = (meaning(one), meaning(other));
        one != other
            && OPPOSITES.iter().any(|opposites| opposites.contains(&one) && opposites.contains(&other))
    };
    let are_numbered = |one: &str, other: &str| {
        one.trim_end_matches(is_digit) == other.trim_end_matches(is_digit)
            && one.ends_with(is_digit)
            && other.ends_with(is_digit)
    };
    left.difference(right)
        .any(|one| right.difference(left).any(|other| are_opposites(one, other) || are_numbered(one, other)))
}

fn in_common(left: &BTreeSet<String>, right: &BTreeSet<String>) -> f64 {
    let all = left.union(right).count();
    if all == 0 { 0.0 } else { left.intersection(right).count() as f64 / all as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(left: &str, right: &str, expected: f64, expected_reason: Similarity) {
        let (score, reason) = similarity(left, right);
        assert!((score - expected).abs() < 0.005 && reason == expected_reason, "{score} {reason}");
        assert_eq!(similarity(right, left), (score, reason), "not the same the other way round");
    }

    #[test]
    fn words_that_mean_the_same() {
        check("model_artifacts", "model", 0.95, Similarity::Meaning);
        check("processed_data", "dataset", 0.95, Similarity::Meaning);
        check("evalData", "evaluation_dataset", 0.95, Similarity::Meaning);
        check("hyperparameters", "config", 0.95, Similarity::Meaning);
        check("training_data", "train_data", 0.95, Similarity::Meaning);
        check("orders", "order", 1.0, Similarity::Words);
        check("train_data", "data_train", 1.0, Similarity::Words);
        check("model_output", "model_input", 1.0, Similarity::Words);
        check("output_model", "InputModel", 1.0, Similarity::Words);
        check("model_artifacts_output", "model_input", 0.95, Similarity::Meaning);
        check("output", "input", 0.5, Similarity::Letters);
    }

    #[test]
    fn words_that_do_not() {
        assert!(similarity("train_data", "test_data").0 < 0.7);
        assert!(similarity("raw_data", "processed_data").0 < 0.7);
        assert!(similarity("model", "metrics").0 < 0.7);
        assert!(similarity("metrics_output", "model_input").0 < 0.7);
        assert!(similarity("train_output", "test_input").0 < 0.7);
        check("", "", 1.0, Similarity::Letters);
        check("customers", "customized", 0.6, Similarity::Letters);
    }

    #[test]
    fn words_that_tell_apart() {
        for (one, other) in [
            ("x_train", "y_train"),
            ("train_features", "test_features"),
            ("validationFeatures", "training_features"),
            ("features_v1", "features_v2"),
            ("customer1", "customer2"),
            ("fold_1", "fold_12"),
        ] {
            let (score, _) = similarity(one, other);
            assert!(score < 0.6, "{one} and {other}: {score}");
        }
        check("sales_total1", "sale_totals1", 0.83, Similarity::Letters);
    }
}
