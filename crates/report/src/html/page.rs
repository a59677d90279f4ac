use runtime_testing_models::PipelineTestReport;

use super::view::View;
use crate::paint::harmless;
use crate::words::{Sign, summary, total_seconds};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");
const BODY: &str = include_str!("page.html");

/// The hashes by which the page allows its own style and script, and no others. A test says what they are.
const STYLE_HASH: &str = "sha256-4pbH/xcpcjsJHZHB/smyVqF/+whNkIq3XqZp6TtE89Y=";
const SCRIPT_HASH: &str = "sha256-FDPYGG/opYZuIPnm2ZbbhGy5V16FdDnHmb5hSV8UGsE=";

/// Renders a report as one HTML file that needs nothing else: no network, no other file.
///
/// It draws the graph with the status of each step and the verdict of each edge, and the runs in time. A step shows its
/// inputs, its outputs with their columns, what went wrong, the end of what it printed, and the command that repeats it; an
/// edge shows what was written beside what is expected. All of it can be reached with the keyboard. What scripts print, and
/// every name, is shown as text whatever it holds; a policy in the page forbids all scripts but its own.
///
/// ```
/// use runtime_testing_models::PipelineTestReport;
/// use runtime_testing_report::render_html;
///
/// let page = render_html(&PipelineTestReport::default());
/// assert!(page.starts_with("<!doctype html>"));
/// ```
pub fn render_html(report: &PipelineTestReport) -> String {
    let (sign, word) = match (report.pipeline_success(), report.canceled) {
        (true, _) => (Sign::Pass, "passed"),
        (false, true) => (Sign::Skip, "canceled"),
        (false, false) => (Sign::Fail, "failed"),
    };
    let run = match &report.run_id {
        Some(id) => format!("test {id} in {}", report.workspace),
        None => "nothing was run".to_owned(),
    };
    let data =
        serde_json::to_string(&View::of(report)).expect("a view is made of plain values with string keys");
    let policy = format!(
        "default-src 'none'; script-src '{SCRIPT_HASH}'; style-src '{STYLE_HASH}'; base-uri 'none'; form-action 'none'"
    );
    let parts = [
        ("policy", policy),
        ("style", STYLE.to_owned()),
        ("class", sign.class().to_owned()),
        ("symbol", sign.symbol().to_owned()),
        ("word", word.to_owned()),
        ("summary", escaped(&summary(report))),
        ("run", escaped(&harmless(&run))),
        ("seconds", format!("{:.1} s", total_seconds(report))),
        ("data", in_script(&data)),
        ("script", SCRIPT.to_owned()),
    ];
    filled(BODY, &parts)
}

/// A text with each `{{name}}` replaced. What is put in is not looked at again.
fn filled(template: &str, parts: &[(&str, String)]) -> String {
    let mut pieces = template.split("{{");
    let mut text = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (name, rest) = piece.split_once("}}").expect("a placeholder of the template ends");
        let (_, part) = parts.iter().find(|(known, _)| *known == name).expect("a placeholder is known");
        text.push_str(part);
        text.push_str(rest);
    }
    text
}

/// Text between tags or in a quoted attribute.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// JSON inside of a script element: nothing in it can end the element.
fn in_script(json: &str) -> String {
    json.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use sha2::{Digest as _, Sha256};

    use super::*;

    #[test]
    fn the_page_allows_its_own_style_and_script() {
        let hash = |text: &str| {
            let hash = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(text));
            format!("sha256-{hash}")
        };
        assert_eq!([STYLE_HASH, SCRIPT_HASH], [&*hash(STYLE), &*hash(SCRIPT)]);
    }

    #[test]
    fn nothing_in_the_data_ends_the_script() {
        let json = serde_json::to_string("</script><!-- & -->").unwrap();
        let text = in_script(&json);
        assert!(!text.contains(['<', '>', '&']), "{text}");
        assert_eq!(serde_json::from_str::<String>(&text).unwrap(), "</script><!-- & -->");
    }

    #[test]
    fn what_is_put_in_is_not_looked_at_again() {
        let parts = [("a", "{{b}}".to_owned()), ("b", "x".to_owned())];
        assert_eq!(filled("<{{a}}|{{b}}>", &parts), "<{{b}}|x>");
    }
}
