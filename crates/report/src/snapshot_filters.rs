use camino::Utf8Path;
use runtime_testing_models::PipelineTestReport;

use crate::markdown::{html, inline};

/// What is different in the rendered text of each test although nothing has changed: how long runs have taken, where the
/// workspace lies, the name of the test, the commands that repeat its runs, and the addresses of objects. For a snapshot of
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
/// let filters = SnapshotFilters::of(&report).with_folder(env!("CARGO_MANIFEST_DIR"), "[project]");
/// insta::with_settings!({filters => &filters}, {
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
const FIXED: [(&str, &str); 7] = [
    // The three forms of a command: in text, in JUnit, where it is the last of a failure, and in Markdown.
    ("(?m)^      repeat: .+$", "      repeat: [command]"),
    (r"\nrepeat: [^<]*</failure>", "\nrepeat: [command]</failure>"),
    (r"(?s)(Repeat it:\n\n`+sh\n).+?(\n`+\n)", "$1[command]$2"),
    // The same of times.
    (r"(?m)^(  (?:PASS|FAIL|SKIP)  .+?  )[0-9]+\.[0-9]{2} s", "$1[time]"),
    (r#"(<test[^>]* )time="[0-9.]+""#, r#"${1}time="[time]""#),
    (r"\| [0-9]+\.[0-9]{2} s \|", "| [time] |"),
    (r" at 0x[0-9a-fA-F]{6,}\b", " at [address]"),
];

impl SnapshotFilters {
    /// The filters for the text of a report.
    pub fn of(report: &PipelineTestReport) -> Self {
        let pairs = FIXED.map(|(pattern, replacement)| (pattern.to_owned(), replacement.to_owned()));
        let mut filters = Self { pairs: pairs.into() };
        if let Some(id) = &report.run_id {
            filters.pairs.push((escaped(id), "[test]".to_owned()));
        }
        filters.add_folder(&report.workspace, "[workspace]");
        filters
    }

    /// Filters the path of a folder, such as that of the project, wherever it begins a path. Folders are looked for in the
    /// order in which they are added, after the workspace: a folder within another goes before it.
    #[must_use]
    pub fn with_folder(mut self, folder: impl AsRef<Utf8Path>, replacement: &str) -> Self {
        self.add_folder(folder.as_ref(), replacement);
        self
    }

    fn add_folder(&mut self, folder: &Utf8Path, replacement: &str) {
        let folder = folder.as_str();
        if folder.is_empty() || folder == "/" {
            return;
        }
        // As it is, within Python's quotes, in XML, and in both kinds of Markdown.
        let xml =
            folder.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
        let mut forms =
            vec![folder.to_owned(), folder.replace('\\', r"\\"), xml, inline(folder), html(folder)];
        forms.sort_unstable();
        forms.dedup();
        for form in forms {
            let pattern = format!(r"(?m)(^|[^\w./\\-]){}($|[^\w-])", escaped(&form));
            self.pairs.push((pattern, format!("${{1}}{replacement}${{2}}")));
        }
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
        if r"\.+*?()|[]{}^$#&-~".contains(character) {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern
}
