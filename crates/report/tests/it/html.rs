use runtime_testing_report::render_html;
use serde_json::Value;

use crate::samples;

#[test]
fn the_data_of_a_page() {
    for (name, report) in
        [("golden", samples::golden()), ("observed", samples::observed()), ("hostile", samples::hostile())]
    {
        let page = render_html(&report);
        let (_, data) = page.split_once("id=\"data\">").unwrap();
        let (data, _) = data.split_once("</script>").unwrap();
        let data: Value = serde_json::from_str(data).unwrap();
        insta::assert_json_snapshot!(format!("html_{name}"), data);
    }
}

#[test]
fn a_page_needs_nothing_but_itself() {
    for (name, report) in samples::pages() {
        let page = render_html(&report);
        assert_eq!(page.matches("<script").count(), 2, "{name}: only its own");
        assert_eq!(page.matches("Content-Security-Policy").count(), 1, "{name}");
        let without_namespace = page.replace("http://www.w3.org/2000/svg", "");
        let (head, _) = without_namespace.split_once("id=\"data\">").unwrap();
        assert!(!head.contains("://") && !head.contains("<link") && !head.contains("@import"), "{name}");
    }
}
