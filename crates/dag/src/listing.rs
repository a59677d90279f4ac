use std::fmt;

/// Writes one problem as it is, and several as a list under their number: how every error of these crates that collects
/// problems shows them. `noun` is their plural, such as `mistakes`.
///
/// # Errors
///
/// Where the formatter cannot be written to.
///
/// ```
/// use std::fmt;
///
/// struct Problems(Vec<&'static str>);
///
/// impl fmt::Display for Problems {
///     fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
///         runtime_testing_dag::write_list(formatter, "mistakes", &self.0)
///     }
/// }
///
/// assert_eq!(Problems(vec!["too long"]).to_string(), "too long");
/// assert_eq!(Problems(vec!["too long", "too late"]).to_string(), "2 mistakes:\n  - too long\n  - too late");
/// ```
pub fn write_list<T: fmt::Display>(
    formatter: &mut fmt::Formatter<'_>,
    noun: &str,
    problems: &[T],
) -> fmt::Result {
    if let [problem] = problems {
        return problem.fmt(formatter);
    }
    write!(formatter, "{} {noun}:", problems.len())?;
    for problem in problems {
        write!(formatter, "\n  - {}", problem.to_string().replace('\n', "\n    "))?;
    }
    Ok(())
}
