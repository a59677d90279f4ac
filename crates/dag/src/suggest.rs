/// The candidate most like `wanted`, where one is like enough to be what was meant. Case, `_`, `-` and spaces do
/// not count. A tie goes to the first.
///
/// ```
/// assert_eq!(runtime_testing_dag::nearest("imput_paths", ["output_paths", "input_paths"]), Some("input_paths"));
/// assert_eq!(runtime_testing_dag::nearest("color", ["input_paths"]), None);
/// ```
pub fn nearest<'a>(wanted: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = folded(wanted);
    let mut best: Option<(f64, &str)> = None;
    for candidate in candidates {
        let folded = folded(candidate);
        let by_letters = strsim::normalized_damerau_levenshtein(&wanted, &folded);
        // A word of several, such as `timeout` of `timeout_seconds`.
        let is_part = wanted.len() >= 4 && folded.contains(&wanted);
        let score = if is_part { by_letters.max(0.6 + 0.1 * by_letters) } else { by_letters };
        if score >= 0.6 && best.is_none_or(|(highest, _)| score > highest) {
            best = Some((score, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

fn folded(text: &str) -> String {
    text.chars()
        .filter(|character| !matches!(character, '_' | '-' | ' '))
        .flat_map(char::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn finds_what_was_meant() {
        assert_eq!(nearest("Train-Model", ["clean", "train_model"]), Some("train_model"));
        assert_eq!(nearest("trian", ["clean", "train"]), Some("train"));
        assert_eq!(nearest("x", ["clean", "train"]), None);
        assert_eq!(nearest("timeout", ["python", "timeout_seconds"]), Some("timeout_seconds"));
        assert_eq!(nearest("tim", ["python", "timeout_seconds"]), None);
        assert_eq!(nearest("ab", ["ac", "ad", "ab1"]), Some("ab1"));
        assert_eq!(nearest("", [""; 0]), None);
    }
}
