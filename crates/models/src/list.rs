use std::fmt;

/// The names as a sentence lists them: each in backticks, with commas between them.
pub(crate) fn list<T: fmt::Display>(names: &[T]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// How many names a sentence lists of a list that can be long.
pub(crate) const FEW: usize = 3;

/// The first few names as a sentence lists them, and how many there are besides.
pub(crate) fn few<T: fmt::Display>(names: &[T]) -> String {
    let shown = list(&names[..names.len().min(FEW)]);
    shown + &more(names.len().saturating_sub(FEW))
}

/// ` and 3 more`, where there are more.
pub(crate) fn more(count: usize) -> String {
    if count == 0 { String::new() } else { format!(" and {count} more") }
}

/// `there is` one name, or `there are` several, the first few of them.
pub(crate) fn there_are<T: fmt::Display>(names: &[T]) -> String {
    let verb = if names.len() == 1 { "is" } else { "are" };
    format!("there {verb} {}", few(names))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_list_names_three() {
        let shown = |names: &str| few(&names.chars().collect::<Vec<_>>());
        assert_eq!(shown(""), "");
        assert_eq!(shown("abc"), "`a`, `b`, `c`");
        assert_eq!(shown("abcd"), "`a`, `b`, `c` and 1 more");
        assert_eq!(shown("abcdefg"), "`a`, `b`, `c` and 4 more");
    }

    #[test]
    fn one_name_is_there_and_several_are() {
        assert_eq!(there_are(&["a"]), "there is `a`");
        assert_eq!(there_are(&["a", "b"]), "there are `a`, `b`");
        assert_eq!(there_are(&["a", "b", "c", "d"]), "there are `a`, `b`, `c` and 1 more");
    }
}
