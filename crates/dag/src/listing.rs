use std::fmt;

/// How many problems are listed. Nobody reads more.
const MOST_LISTED: usize = 100;

/// Writes one problem as it is, and several as a list under their number: how every error of these crates that collects
/// problems shows them. Of more than 100 the first are listed, and the rest is counted. `noun` is their plural, such as `mistakes`.
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
    for problem in problems.iter().take(MOST_LISTED) {
        write!(formatter, "\n  - {}", problem.to_string().replace('\n', "\n    "))?;
    }
    match problems.len().saturating_sub(MOST_LISTED) {
        0 => Ok(()),
        more => write!(formatter, "\n  and {more} more"),
    }
}
