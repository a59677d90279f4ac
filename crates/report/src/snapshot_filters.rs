use runtime_testing_models::PipelineTestReport;

/// What is different in the rendered text of each test although nothing has changed: how long runs have taken, where the
/// project lies, the name of the test, the commands that repeat its runs, and the addresses of objects. For a snapshot of
/// the text of [`render_text`](crate::render_text), [`render_markdown`](crate::render_markdown) or
/// [`render_junit`](crate::render_junit). [`PipelineTestReport::snapshot`] needs none of it, and is the better choice
/// where the form does not matter.
///
/// Iterating over it gives pairs of a regular expression and what takes its place, in the order in which they are applied,
/// as `insta` takes them:
///
/// ```no_run
/// use runtime_testing_models::PipelineTestReport;
/// use runtime_testing_report::{SnapshotFilters, TextOptions, render_text};
///
/// # let report = PipelineTestReport::default();
/// insta::with_settings!({filters => &SnapshotFilters::of(&report)}, {
///     insta::assert_snapshot!(render_text(&report, TextOptions::default()));
/// });
/// ```
///
/// They are made for text without color whose lines are not broken, which is what [`TextOptions`](crate::TextOptions) are
/// by default. What scripts print is theirs: whatever of it differs each time needs filters of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotFilters {
    pairs: Vec<(String, String)>,
}

/// What needs no knowledge of the report.
const FIXED: [(&str, &str); 6] = [
    (r"repeat: [^\n<]+", "repeat: [command]"),
    (r"(?s)(Repeat it:\n\n`+sh\n).+?(\n`+\n)", "$1[command]$2"),
    (r"\b[0-9]+\.[0-9]{2} s\b", "[time] s"),
    (r#" time="[0-9.]+""#, r#" time="[time]""#),
    (r#" timestamp="[^"]+""#, r#" timestamp="[timestamp]""#),
    (r"\b0x[0-9a-fA-F]{6,}\b", "[address]"),
];

impl SnapshotFilters {
    /// The filters for the text of a report.
    pub fn of(report: &PipelineTestReport) -> Self {
        let mut pairs: Vec<(String, String)> =
            FIXED.map(|(pattern, replacement)| (pattern.to_owned(), replacement.to_owned())).into();
        let mut add = |text: &str, replacement: &str| {
            if !text.is_empty() && text != "/" {
                pairs.push((format!(r"{}\b", escaped(text)), replacement.to_owned()));
            }
        };
        add(report.run_id.as_deref().unwrap_or_default(), "[test]");
        add(report.workspace.as_str(), "[workspace]");
        add(report.workspace.parent().map_or("", |project| project.as_str()), "[project]");
        // Libraries of Python lie elsewhere on each machine.
        let frame = r#"(File (?:"|&quot;))(?:/|[A-Za-z]:)(?:[^"&\n]*[/\\])?([^"&/\\\n]+(?:"|&quot;), line)"#;
        pairs.push((frame.to_owned(), "$1[elsewhere]/$2".to_owned()));
        Self { pairs }
    }

    /// The pairs, in the order in which they are applied.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.into_iter()
    }
}

impl<'a> IntoIterator for &'a SnapshotFilters {
    type Item = (&'a str, &'a str);
    type IntoIter =
        std::iter::Map<std::slice::Iter<'a, (String, String)>, fn(&'a (String, String)) -> Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.pairs.iter().map(|(pattern, replacement)| (pattern, replacement))
    }
}

/// A pattern for a text as it is.
fn escaped(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_ascii_punctuation() {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern
}
