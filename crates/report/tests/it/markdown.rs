use runtime_testing_report::{MarkdownOptions, render_markdown};

use crate::samples;

#[test]
fn each_report_as_markdown() {
    for (name, report) in samples::all() {
        insta::assert_snapshot!(
            format!("markdown_{name}"),
            render_markdown(&report, MarkdownOptions::default())
        );
    }
}

#[test]
fn what_does_not_fit_is_left_out_and_counted() {
    let report = samples::large(300, 20, 6);
    let whole = render_markdown(&report, MarkdownOptions::default());
    assert!(!whole.contains("Left out"));
    for max_bytes in [0, 500, 5_000, 20_000, whole.len() - 1] {
        let text = render_markdown(&report, MarkdownOptions { max_bytes });
        assert!(text.len() <= max_bytes.max(500), "{max_bytes}: {}", text.len());
        assert!(text.starts_with("## ✗ Pipeline test failed"), "{max_bytes}");
        assert!(text.contains("> Left out, because there is no room for more: "), "{max_bytes}");
    }
    insta::assert_snapshot!(
        render_markdown(&report, MarkdownOptions { max_bytes: 600 }).lines().last().unwrap(),
        @"> Left out, because there is no room for more: the graph, 17 failures, 297 steps, 384 edges."
    );
    let fits = render_markdown(&report, MarkdownOptions { max_bytes: whole.len() + 200 });
    assert_eq!(fits, whole);
}

#[test]
fn a_graph_that_is_too_large_is_drawn_around_what_is_wrong() {
    let drawn = |count, failing| {
        let text = render_markdown(&samples::large(count, 40, failing), MarkdownOptions::default());
        text.split("###").next().unwrap().lines().take(6).collect::<Vec<_>>().join("\n")
    };
    assert!(drawn(200, 0).contains("flowchart LR"));
    insta::assert_snapshot!(drawn(400, 100), @"
    ## ✗ Pipeline test failed

    400 steps: 400 passed; 470 edges: 160 compatible, 284 identical, 26 breaking

    Of the 400 steps, the 118 around what is wrong:
    ");
    insta::assert_snapshot!(drawn(2000, 0), @"
    ## ✓ Pipeline test passed

    2000 steps: 2000 passed; 2595 edges: 1795 identical, 800 compatible

    The graph of 2000 steps is too large to be drawn here.
    ");
}

#[test]
fn markup_of_others_is_not_markup() {
    let text = render_markdown(&samples::hostile(), MarkdownOptions::default());
    let mut in_block = None;
    for line in text.lines() {
        let fence: String = line.chars().take_while(|character| *character == '`').collect();
        if fence.len() >= 3 {
            match &in_block {
                None => in_block = Some(fence),
                Some(open) if *open == line => in_block = None,
                Some(open) => assert!(fence.len() < open.len(), "{line}"),
            }
        }
        if in_block.is_none() {
            for markup in ["<script", "<img", "[link]", "[i]", "</table"] {
                assert!(!line.contains(markup), "{line}");
            }
        }
    }
    assert_eq!(in_block, None);
    assert_eq!(text.matches("<details>").count(), text.matches("\n</details>\n").count());
}
