//! Which crate may use which. `cargo metadata` says what is so, this table what may be.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

/// Each crate and those it may name as a dependency: what design assigns to it, and what those use in turn.
const USES: [(&str, &[&str]); 10] = [
    ("dag", &[]),
    ("models", &["dag"]),
    ("spec-store", &["models", "dag"]),
    ("builder", &["spec-store", "models", "dag"]),
    ("data", &["models", "dag"]),
    ("tester", &["builder", "data", "spec-store", "models", "dag"]),
    ("report", &["models", "dag"]),
    ("harness", &["tester", "report", "builder", "data", "spec-store", "models", "dag"]),
    ("runtime-testing", &["harness", "tester", "report", "builder", "data", "spec-store", "models", "dag"]),
    ("cli", &["runtime-testing"]),
];

#[test]
fn dependencies_go_in_one_direction() {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--no-deps", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo writes JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    let short = |package: &str| match package.strip_prefix("runtime-testing") {
        Some("") => Some("runtime-testing".to_owned()),
        Some(rest) => Some(rest.trim_start_matches('-').to_owned()),
        None => None,
    };
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in packages {
        let name = short(package["name"].as_str().expect("a name")).expect("a package of this workspace");
        let dependencies = package["dependencies"].as_array().expect("dependencies");
        let normal = dependencies.iter().filter(|dependency| dependency["kind"].is_null());
        let ours = normal.filter_map(|dependency| short(dependency["name"].as_str().expect("a name")));
        found.insert(name, ours.collect());
    }
    let names: BTreeSet<&str> = found.keys().map(String::as_str).collect();
    assert_eq!(names, USES.iter().map(|(name, _)| *name).collect(), "the crates of the workspace");
    for (name, allowed) in USES {
        let extra: Vec<&String> =
            found[name].iter().filter(|used| !allowed.contains(&used.as_str())).collect();
        assert!(extra.is_empty(), "crate `{name}` must not use {extra:?}");
    }
}
