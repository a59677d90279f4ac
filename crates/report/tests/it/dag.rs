//! The DAG, drawn in every form.

use std::process::{Command, Stdio};

use runtime_testing_models::PipelineDag;
use runtime_testing_report::{
    TextOptions, render_dag_dot, render_dag_mermaid, render_dag_svg, render_dag_text,
};

use crate::samples;

fn pipeline() -> PipelineDag {
    PipelineDag::from_names(
        ["extract", "report", "clean", "enrich", "train"],
        [
            ("extract", "clean"),
            ("extract", "enrich"),
            ("clean", "train"),
            ("enrich", "train"),
            ("train", "report"),
            ("extract", "report"),
        ],
    )
    .unwrap()
}

fn width(width: usize) -> TextOptions {
    TextOptions { width: Some(width), ..TextOptions::default() }
}

#[test]
fn text_counts_the_stages() {
    insta::assert_snapshot!(render_dag_text(&pipeline(), width(80)), @"
    5 steps, 6 edges, 4 stages

    1  extract
    2  clean    <- extract
       enrich   <- extract
    3  train    <- clean, enrich
    4  report   <- train, extract
    ");
    insta::assert_snapshot!(render_dag_text(&pipeline(), width(30)), @"
    5 steps, 6 edges, 4 stages

    1  extract
    2  clean    <- extract
       enrich   <- extract
    3  train    <- clean, enrich
    4  report   <- train, extract
    ");
    assert_eq!(render_dag_text(&PipelineDag::new(), width(80)), "0 steps, 0 edges, 0 stages\n");
}

#[test]
fn text_is_never_wider_than_it_may_be() {
    for columns in [30, 40, 80] {
        let text = render_dag_text(&samples::hostile_dag(), TextOptions { ascii: true, ..width(columns) });
        assert!(text.is_ascii(), "{text}");
        assert!(text.lines().all(|line| line.len() <= columns), "{text}");
    }
    let text = render_dag_text(&samples::hostile_dag(), width(80));
    assert!(!text.contains('\u{202e}'), "{text}");
}

#[test]
fn mermaid_and_dot() {
    insta::assert_snapshot!(render_dag_mermaid(&pipeline()), @r#"
    flowchart LR
      n0["extract"]
      n1["report"]
      n2["clean"]
      n3["enrich"]
      n4["train"]
      n0 --> n2
      n0 --> n3
      n2 --> n4
      n3 --> n4
      n4 --> n1
      n0 --> n1
    "#);
    insta::assert_snapshot!(render_dag_mermaid(&samples::hostile_dag()), @r##"
    flowchart LR
      n0["a#34;#93; #61;#61; b#59; click c"]
      n1["#60;script#62;alert#40;1#41; #38; #38;lt#59;"]
      n2["#92;u#123;202e#125;back"]
      n3["#92;u#123;fffe#125;none"]
      n4["日本語の長い名前がここにあります"]
      n5["#93;#93;#62; #61;#61; #37;#37;#123;init#125;#37;#37;"]
      n0 --> n1
      n1 --> n4
    "##);
    insta::assert_snapshot!(render_dag_dot(&samples::hostile_dag()), @r#"
    digraph pipeline {
      rankdir=LR;
      node [shape=box, style=rounded];
      n0 [label="a\"] == b; click c"];
      n1 [label="<script>alert(1) &amp; &amp;lt;"];
      n2 [label="\\u{202e}back"];
      n3 [label="\\u{fffe}none"];
      n4 [label="日本語の長い名前がここにあります"];
      n5 [label="]]> == %%{init}%%"];
      n0 -> n1;
      n1 -> n4;
    }
    "#);
}

#[test]
fn svg_is_xml_that_shows_every_name() {
    let program = "
import sys, xml.etree.ElementTree as tree
root = tree.fromstring(sys.stdin.buffer.read())
space = '{http://www.w3.org/2000/svg}'
left, top, width, height = map(int, root.get('viewBox').split())
assert str(width) == root.get('width') and str(height) == root.get('height')
for title in root.iter(space + 'title'):
    print(ascii(title.text))
for path in root.iter(space + 'path'):
    assert path.get('d').startswith('M')
print(len([path for path in root.iter(space + 'path') if path.get('class') == 'edge']))
";
    let mut python = Command::new("python3")
        .args(["-c", program])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(
        &mut python.stdin.take().unwrap(),
        render_dag_svg(&samples::hostile_dag()).as_bytes(),
    )
    .unwrap();
    let output = python.wait_with_output().unwrap();
    assert!(output.status.success(), "it is no XML");
    insta::assert_snapshot!(String::from_utf8(output.stdout).unwrap(), @r#"
    'Pipeline with 6 steps'
    'a"] == b; click c'
    '<script>alert(1) & &lt;'
    '\\u{202e}back'
    '\\u{fffe}none'
    '\u65e5\u672c\u8a9e\u306e\u9577\u3044\u540d\u524d\u304c\u3053\u3053\u306b\u3042\u308a\u307e\u3059'
    ']]> == %%{init}%%'
    2
    "#);
}

#[test]
fn svg_has_room_for_all_edges() {
    let svg = render_dag_svg(&pipeline());
    let number = |text: &str| -> i32 { text.parse().unwrap() };
    let height = number(svg.split("height=\"").nth(1).unwrap().split('"').next().unwrap());
    for path in svg.split("class=\"edge\"").skip(1) {
        let line = path.split(" d=\"").nth(1).unwrap().split('"').next().unwrap();
        // Each curve is given by three points; a line to the right by one number.
        for curve in line.split(['M', 'C']).skip(1) {
            let numbers: Vec<i32> = curve.split('H').next().unwrap().split(' ').map(number).collect();
            for y in numbers.chunks(2).map(|point| point[1]) {
                assert!((-12..=height - 12).contains(&y), "{y} of {height}: {line}");
            }
        }
    }
}
