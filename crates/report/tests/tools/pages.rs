//! Reports as a browser shows them.

use std::path::PathBuf;

use runtime_testing_models::Culprit;
use runtime_testing_report::render_html;
use serde_json::{Value, json};

use crate::browser::{Browser, DOWN, ENTER, ESCAPE, RIGHT, TAB};
use crate::samples;

/// Where pages and pictures of them go, to be looked at.
pub(crate) const PAGES: &str = "RUNTIME_TESTING_PAGES";

pub(crate) fn every_page_is_shown_without_an_error() {
    for (name, report) in samples::pages() {
        let page = render_html(&report);
        if let Some(folder) = std::env::var_os(PAGES) {
            std::fs::write(PathBuf::from(folder).join(format!("{name}.html")), &page).unwrap();
        }
        // The dark one differs in colors only: that is for the eye.
        let themes = if std::env::var_os(PAGES).is_some() { &["light", "dark"][..] } else { &["light"] };
        for theme in themes {
            let scheme = format!("--blink-settings=preferredColorScheme={}", u8::from(*theme == "light"));
            let browser = Browser::open(&page, &[&scheme]);
            browser.picture(&format!("{name}_{theme}"));
            let drawn = browser.eval("return document.querySelectorAll('#canvas .node').length");
            assert_eq!(drawn, report.script_results.len(), "{name}");
            let edges = browser.eval("return document.querySelectorAll('#canvas .edge').length");
            assert_eq!(edges, report.data_flow_results.len(), "{name}");
            // All details of a large page are many.
            let all = "for (const [at] of steps.slice(0, 60).entries()) open('step', at); for (const [at] of edges.slice(0, 60).entries()) open('edge', at);";
            browser.eval(all);
            browser.eval("document.querySelector('.node.fail')?.dispatchEvent(new MouseEvent('click', {bubbles: true}))");
            browser.picture(&format!("{name}_{theme}_step"));
            browser.eval("document.querySelector('.edge.fail')?.dispatchEvent(new MouseEvent('click', {bubbles: true}))");
            browser.picture(&format!("{name}_{theme}_edge"));
            assert_eq!(browser.errors(), [""; 0], "{name}");
        }
    }
}

pub(crate) fn what_is_to_blame_is_shown_at_once() {
    let told = "return [document.getElementById('details').hidden, document.querySelector('#details h2')?.textContent ?? null, document.activeElement.tagName]";
    let mut reports = samples::all();
    // Its names are not shown as they are.
    reports.retain(|(name, _)| *name != "hostile");
    reports.push(("5", samples::large(5, 2, 0)));
    for (name, report) in reports {
        let browser = Browser::open(&render_html(&report), &[]);
        let shown = match report.culprits().first() {
            None => json!([true, null, "BODY"]),
            Some(Culprit::Edge { from, to }) => json!([false, format!("{from} → {to}"), "BODY"]),
            Some(Culprit::Step(step)) => json!([false, step, "BODY"]),
            Some(other) => panic!("{other}"),
        };
        assert_eq!(browser.eval(told), shown, "{name}");
        let narrow = Browser::open(&render_html(&report), &["--window-size=1000,700"]);
        assert_eq!(narrow.eval("return document.getElementById('details').hidden"), true, "{name}");
    }
}

pub(crate) fn what_was_observed_is_folded_away_at_first() {
    let page = render_html(&samples::observed());
    let browser = Browser::open(&page, &[]);
    browser.eval("open('step', 0)");
    let lists = browser.eval(
        "return [...document.querySelectorAll('#details section details')].map((list) => [list.open, list.querySelector('summary').textContent, list.querySelectorAll('li').length, list.querySelector('p')?.textContent ?? null])",
    );
    let expected = json!([
        [false, "Read without being inputs (2)", 2, null],
        [false, "Written without being outputs (1)", 1, null],
        [false, "Removed (1)", 1, null],
        [false, "Programs started (1)", 1, null],
        [false, "Network addresses (1)", 1, null],
        [false, "Threads that failed (1)", 1, null],
        [false, "Not kept, because there was too much (12)", 0, "and 12 more"],
        [false, "Left in its working directory (305)", 200, "and 105 more"],
    ]);
    assert_eq!(lists, expected);
    assert_eq!(browser.errors(), [""; 0]);
}

/// The names of all that had the focus since the script began to listen.
const LISTEN: &str = "window.seen = []; document.addEventListener('focusin', (event) => window.seen.push(event.target.getAttribute('aria-label') ?? event.target.id ?? event.target.textContent));";

pub(crate) fn every_step_is_reached_with_the_keyboard() {
    let report = samples::large(200, 12, 25);
    let browser = Browser::open(&render_html(&report), &[]);
    browser.eval(LISTEN);
    // The places at which Tab stops: the theme, the filter, the switch, a tab, a step of the list, one of the graph.
    browser.press(&[TAB; 7]);
    let stops = browser.eval("return window.seen");
    insta::assert_json_snapshot!(stops, @r#"
    [
      "theme",
      "Filter steps and edges by name",
      "only",
      "tab-steps",
      "load_0000, passed",
      "Smaller",
      "Larger"
    ]
    "#);
    let steps = report.script_results.len();
    let reached = |browser: &Browser| {
        let seen = browser.eval("return [...new Set(window.seen)]");
        let seen: Vec<&str> = seen.as_array().unwrap().iter().filter_map(Value::as_str).collect();
        report
            .script_results
            .keys()
            .filter(|step| seen.iter().any(|name| name.split(',').next() == Some(step.as_str())))
            .count()
    };
    for start in ["#list-steps button", "#canvas [tabindex='0']"] {
        browser.eval(&format!("window.seen = []; document.querySelector(\"{start}\").focus()"));
        browser.press(&vec![DOWN; steps]);
        assert_eq!(reached(&browser), steps, "{start}");
    }
    browser.eval("window.seen = []; document.querySelector(\".run[tabindex='0']\").focus()");
    browser.press(&[RIGHT, RIGHT, ENTER]);
    assert_eq!(browser.eval("return document.getElementById('details').hidden"), false);

    // Enter opens, the details have the focus, and Escape leads back.
    browser.press(&[ESCAPE]);
    browser.eval("document.querySelector(\"#canvas [data-step='0']\").focus()");
    browser.press(&[RIGHT, ENTER]);
    let opened = browser.eval("return [document.activeElement.tagName, document.activeElement.textContent]");
    assert_eq!(opened[0], "H2");
    assert!(opened[1].as_str().unwrap().starts_with("clean_"), "{opened}");
    browser.press(&[ESCAPE]);
    let back = browser.eval("return [document.getElementById('details').hidden, document.activeElement.getAttribute('aria-label')]");
    assert_eq!(back[0], true);
    assert!(back[1].as_str().unwrap().starts_with(opened[1].as_str().unwrap()), "{back}");
    assert_eq!(browser.errors(), [""; 0]);
}

pub(crate) fn the_filter_and_the_switch_leave_what_is_looked_for() {
    let report = samples::large(200, 12, 25);
    let browser = Browser::open(&render_html(&report), &[]);
    let listed = || {
        browser.eval(
            "return [document.querySelectorAll('#list-steps li:not([hidden])').length, document.querySelectorAll('.node:not(.dim)').length, document.getElementById('found').textContent]",
        )
    };
    assert_eq!(listed(), json!([200, 200, ""]));
    browser.eval("document.getElementById('filter').focus()");
    browser.press(&["J", "o", "i", "n", "_", "0", "0", "2"]);
    assert_eq!(listed(), json!([6, 6, "6 of 200"]));
    browser.press(&[ENTER]);
    assert_eq!(
        browser.eval("return document.activeElement.textContent").as_str().unwrap().get(3..12),
        Some("join_0024")
    );
    browser.eval("document.getElementById('filter').value = ''; document.getElementById('only').click()");
    let failed = report.script_results.values().filter(|result| result.status.as_str() == "failed").count();
    assert_eq!(listed()[0], failed);
    browser.picture("only_failures");
    browser.eval("document.getElementById('tab-edges').click()");
    let breaking =
        report.data_flow_results.values().filter(|result| result.verdict.as_str() == "breaking").count();
    assert_eq!(
        browser.eval("return document.querySelectorAll('#list-edges li:not([hidden])').length"),
        breaking
    );
    for theme in ["light", "dark"] {
        browser.eval("document.getElementById('theme').click()");
        assert_eq!(browser.eval("return document.documentElement.dataset.theme"), theme);
    }
    assert_eq!(browser.errors(), [""; 0]);
}

pub(crate) fn hostile_names_and_output_are_text() {
    let report = samples::hostile();
    let browser = Browser::open(&render_html(&report), &[]);
    let mut texts = String::new();
    for at in 0..report.script_results.len() {
        browser.eval(&format!("open('step', {at})"));
        let text = browser.eval("return document.getElementById('details').textContent");
        texts += text.as_str().unwrap();
        browser.picture(&format!("hostile_{at}"));
    }
    for at in 0..report.data_flow_results.len() {
        browser.eval(&format!("open('edge', {at})"));
        texts += browser.eval("return document.getElementById('details').textContent").as_str().unwrap();
    }
    for step in samples::HOSTILE_STEPS {
        assert!(texts.contains(&step.replace('\u{202e}', "\\u{202e}")), "{step}");
    }
    for text in ["</script><script>window.hostile = 1</script>", "</td><script>", &"x".repeat(10_000)] {
        assert!(texts.contains(text), "{text}");
    }
    let state = browser.eval("return [typeof window.hostile, document.scripts.length, document.images.length, document.querySelectorAll('b').length]");
    assert_eq!(state, json!(["undefined", 2, 0, 0]));
    assert_eq!(browser.errors(), [""; 0]);
    // And if something of it became markup, it would not run.
    browser.eval("const script = document.createElement('script'); script.textContent = 'window.hostile = 1'; document.body.append(script)");
    assert_eq!(browser.eval("return typeof window.hostile"), "undefined");
    assert!(browser.errors().concat().contains("Content Security Policy"));
}
