use std::fmt;

/// The names as a sentence lists them: each in backticks, with commas between them.
pub(crate) fn list<T: fmt::Display>(names: &[T]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
