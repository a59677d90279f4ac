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

/// What a match by synonyms counts, as against one by the same words.
const BY_SYNONYMS: f64 = 0.95;

/// How similar two names are, from 0 to 1: by their letters, by the share of words they have in common, or by the
/// share of words that mean the same; and by which of these.
pub(crate) fn similarity(left: &str, right: &str) -> (f64, Similarity) {
    let by_letters = strsim::normalized_damerau_levenshtein(&left.to_lowercase(), &right.to_lowercase());
    let (left, right) = (words(left), words(right));
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

/// The words of a name, in small letters and without the `s` of the plural.
fn words(name: &str) -> BTreeSet<String> {
    let mut words = vec![String::new()];
    let mut was_small = false;
    for character in name.chars() {
        let begins = character.is_uppercase() && was_small;
        if begins || !character.is_alphanumeric() {
            words.push(String::new());
        }
        if character.is_alphanumeric() {
            words.last_mut().expect("it begins with one").extend(character.to_lowercase());
        }
        was_small = character.is_lowercase();
    }
    let singular = |word: String| match word.strip_suffix('s') {
        Some(stem) if stem.len() > 2 && !stem.ends_with(['s', 'u', 'i']) => stem.to_owned(),
        _ => word,
    };
    words.into_iter().filter(|word| !word.is_empty()).map(singular).collect()
}

fn meaning(word: &str) -> &str {
    SYNONYMS.iter().find(|synonyms| synonyms.contains(&word)).map_or(word, |synonyms| synonyms[0])
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
    }

    #[test]
    fn words_that_do_not() {
        assert!(similarity("train_data", "test_data").0 < 0.7);
        assert!(similarity("raw_data", "processed_data").0 < 0.7);
        assert!(similarity("model", "metrics").0 < 0.7);
        check("", "", 1.0, Similarity::Letters);
        check("customer1", "customer2", 0.89, Similarity::Letters);
    }
}
