//! Columns that are missing and may be there under another name, as far as profiles tell it.

use std::collections::BTreeSet;

/// From here on two names count as similar.
const SIMILAR: f64 = 0.5;

/// How alike names are of which one has all the words of the other.
const CONTAINED: f64 = 0.75;

/// The most pairs of names that are compared. Beyond that no one could read the guesses.
const MOST_PAIRS: usize = 10_000;

/// For each missing column, an extra one that may be the same: of a fitting type and a similar name, the most similar
/// pairs first; or, where one is missing, the only new one of a fitting type. `fits` is asked with the places of the two.
pub(super) fn renamed(
    missing: &[&str],
    extra: &[&str],
    fits: impl Fn(usize, usize) -> bool,
) -> Vec<Option<String>> {
    let mut renamed: Vec<Option<String>> = vec![None; missing.len()];
    if missing.len().saturating_mul(extra.len()) > MOST_PAIRS {
        return renamed;
    }
    let mut pairs = Vec::new();
    for (missing_place, name) in missing.iter().enumerate() {
        for (extra_place, extra) in extra.iter().enumerate() {
            let score = similarity(name, extra);
            if score >= SIMILAR && fits(missing_place, extra_place) {
                pairs.push((score, missing_place, extra_place));
            }
        }
    }
    pairs.sort_by(|one, other| other.0.total_cmp(&one.0));
    let pairs = pairs.into_iter().map(|(_, missing_place, extra_place)| (missing_place, extra_place));
    for (missing_place, extra_place) in each_once(pairs) {
        renamed[missing_place] = Some(extra[extra_place].to_owned());
    }
    if let [name @ None] = renamed.as_mut_slice() {
        let mut fitting = (0..extra.len()).filter(|place| fits(0, *place));
        if let (Some(only), None) = (fitting.next(), fitting.next()) {
            *name = Some(extra[only].to_owned());
        }
    }
    renamed
}

/// Of pairs of places, the best first, those neither of whose places is in one that comes before and is kept.
fn each_once(pairs: impl IntoIterator<Item = (usize, usize)>) -> Vec<(usize, usize)> {
    let (mut ones, mut others) = (BTreeSet::new(), BTreeSet::new());
    let mut kept = Vec::new();
    for (one, other) in pairs {
        if !ones.contains(&one) && others.insert(other) {
            ones.insert(one);
            kept.push((one, other));
        }
    }
    kept
}

/// How similar two names are, from 0 to 1. Case and what separates words do not count.
fn similarity(one: &str, other: &str) -> f64 {
    let (one, other) = (words(one), words(other));
    let edited = strsim::normalized_damerau_levenshtein(&one.concat(), &other.concat());
    let contains =
        |all: &[String], some: &[String]| !some.is_empty() && some.iter().all(|word| all.contains(word));
    if contains(&one, &other) || contains(&other, &one) { edited.max(CONTAINED) } else { edited }
}

/// The words of a name in lower case: `orderID_total` has `order`, `id` and `total`.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut last_is_lower = false;
    for character in name.chars() {
        let begins_word = character.is_uppercase() && last_is_lower;
        if !character.is_alphanumeric() || begins_word {
            words.push(String::new());
        }
        if character.is_alphanumeric() {
            words.last_mut().expect("there is always a word").extend(character.to_lowercase());
        }
        last_is_lower = character.is_lowercase() || character.is_numeric();
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(missing: &[&str], extra: &[&str], expected: &[Option<&str>]) {
        let found = renamed(missing, extra, |_, _| true);
        assert_eq!(found.iter().map(Option::as_deref).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn similar_names() {
        check(&["amount"], &["reason", "Amount"], &[Some("Amount")]);
        check(&["amount"], &["quantity", " amount"], &[Some(" amount")]);
        check(&["amount"], &["x", "order_amount_usd"], &[Some("order_amount_usd")]);
        check(&["customerId"], &["customer_id", "customer"], &[Some("customer_id")]);
        check(
            &["feature1", "feature2"],
            &["feature_2", "feature_1"],
            &[Some("feature_1"), Some("feature_2")],
        );
        check(&["amount", "quantity"], &["1", "19.99"], &[None, None]);
        check(&["a", "b"], &["a1"], &[Some("a1"), None]);
        check(&["a"], &[], &[None]);
    }

    #[test]
    fn the_only_one_left() {
        check(&["amount"], &["total"], &[Some("total")]);
        check(&["amount"], &["total", "price"], &[None]);
        check(&["amount", "day"], &["x"], &[None, None]);
        check(&["amount"], &["amount_eur", "x"], &[Some("amount_eur")]);
    }

    #[test]
    fn a_type_that_does_not_fit_is_no_candidate() {
        let extra = ["amount_eur", "sum"];
        let is_float = |_, place: usize| extra[place] == "sum";
        assert_eq!(renamed(&["amount"], &extra, is_float), [Some("sum".to_owned())]);
        assert_eq!(renamed(&["amount"], &extra[..1], is_float), [None]);
    }

    #[test]
    fn very_wide_tables_get_no_guesses() {
        let names: Vec<String> = (0..101).map(|number| format!("c{number}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let found = renamed(&names, &names, |_, _| true);
        assert!(found.iter().all(Option::is_none));
    }

    #[test]
    fn words_of_names() {
        assert_eq!(words("orderID_total"), ["order", "id", "total"]);
        assert_eq!(words("Bill Length (mm)"), ["bill", "length", "mm"]);
        assert_eq!(words("--"), [""; 0]);
    }
}
