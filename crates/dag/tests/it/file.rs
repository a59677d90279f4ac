use runtime_testing_dag::PipelineFile;

#[track_caller]
fn check(text: &str, expected: &str) {
    let file = PipelineFile::parse(text).expect("a valid pipeline file");
    assert_eq!(serde_json::to_string(file.dag()).unwrap(), expected);
}

fn error(text: &str) -> String {
    PipelineFile::parse(text).unwrap_err().to_string()
}

const CHAIN: &str = r#"{"nodes":["b","a"],"edges":[["b","a"]]}"#;

#[test]
fn all_four_shapes() {
    check(CHAIN, CHAIN);
    check(&format!(r#"{{"name": "x", "dag": {CHAIN}, "note": 1}}"#), CHAIN);
    check(&format!(r#"{{"dag": {CHAIN}, "script_specs": {{}}}}"#), CHAIN);
    check(r#"{"steps": {"b": {"script": "b.py"}, "a": {}}}"#, CHAIN);
    check(r#"{"nodes":[],"edges":[]}"#, r#"{"nodes":[],"edges":[]}"#);
    // As catalogs keep them.
    check(
        r#"{"dag": {"description": "two steps", "nodes": ["b", "a"], "edges": [{"source": "b", "target": "a", "label": "x"}], "metadata": {"framework": "xgboost"}}, "metadata": {}}"#,
        CHAIN,
    );
    insta::assert_snapshot!(error(r#"{"nodes": ["a"], "edges": [{"source": "a"}, {"source": "a", "target": 1}]}"#), @r"
    2 mistakes:
      - line 1, column 28: `edges[0]`: expected an array of two step names, or an object with `source` and `target`, found an object
      - line 1, column 71: `edges[1].target`: expected a step name, found a number
    ");
    insta::assert_snapshot!(error(r#"{"nodes": ["a"], "egdes": []}"#), @"line 1, column 1: the key `edges` is missing; is `egdes` meant for it?");
    let whole = PipelineFile::parse(&format!(r#"{{"dag": {CHAIN}, "script_specs": {{}}}}"#)).unwrap();
    assert!(matches!(whole, PipelineFile::TestingSpec(_)));
}

#[test]
fn a_file_that_is_none() {
    insta::assert_snapshot!(error("[]"), @"line 1, column 1: expected an object, found an array");
    insta::assert_snapshot!(error(r#"{"a": 1}"#), @"line 1, column 1: this is no pipeline file; it should have the keys `nodes` and `edges`, a `dag` that has them, or `steps`");
    insta::assert_snapshot!(error("{\"nodes\": [\"a\"\n"), @"line 2, column 1: EOF while parsing a list; something that was opened before is not closed");
    insta::assert_snapshot!(error(r#"{"nodes": []}"#), @"line 1, column 1: the key `edges` is missing");
    insta::assert_snapshot!(error(r#"{"dag": 3}"#), @"line 1, column 9: `dag`: expected an object, found a number");
    insta::assert_snapshot!(error(r#"{"steps": {"a/b": {}, "": 1}}"#), @r"
    2 mistakes:
      - line 1, column 12: `steps.a/b`: invalid step name `a/b`: it contains `/`
      - line 1, column 23: `steps.`: invalid step name ``: it is empty
    ");
    insta::assert_snapshot!(error(r#"{"steps": []}"#), @"line 1, column 11: `steps`: expected an object, found an array");
}

#[test]
fn wrong_types_are_reported_together() {
    let text = r#"{
  "nodes": ["a", 3, "a/b"],
  "edges": [["a"], "a", ["a", null]],
  "egdes": []
}"#;
    insta::assert_snapshot!(error(text), @r"
    5 mistakes:
      - line 2, column 18: `nodes[1]`: expected a step name, found a number
      - line 2, column 21: `nodes[2]`: invalid step name `a/b`: it contains `/`
      - line 3, column 13: `edges[0]`: expected an array of two step names, found 1 items
      - line 3, column 20: `edges[1]`: expected an array of two step names, or an object with `source` and `target`, found a string
      - line 3, column 31: `edges[2][1]`: expected a step name, found null
    ");
    insta::assert_snapshot!(error(r#"{"nodes": {}, "edges": 1}"#), @r"
    2 mistakes:
      - line 1, column 11: `nodes`: expected an array, found an object
      - line 1, column 24: `edges`: expected an array, found a number
    ");
}

#[test]
fn structural_mistakes_have_a_place() {
    let text = r#"{
  "dag": {
    "nodes": ["a", "b", "c", "a", "a"],
    "edges": [
      ["a", "b"],
      ["a", "b"],
      ["b", "c"],
      ["c", "b"],
      ["c", "c"],
      ["b", "aa"]
    ]
  }
}"#;
    insta::assert_snapshot!(error(text), @r"
    6 mistakes:
      - line 3, column 30: `dag.nodes[3]`: duplicate step `a`
      - line 3, column 35: `dag.nodes[4]`: duplicate step `a`
      - line 6, column 7: `dag.edges[1]`: duplicate edge `a` -> `b`
      - line 9, column 7: `dag.edges[4]`: edge `c` -> `c` is a self-loop: a step cannot feed itself
      - line 10, column 7: `dag.edges[5]`: edge `b` -> `aa`: unknown step `aa`; declare it among the nodes or remove the edge
      - the pipeline has a cycle: `b` -> `c` -> `b`
    ");
}
