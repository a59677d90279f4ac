//! Which crate may use which, and within `tester` and `data` which room: `cargo metadata` and the `use` lines say what is so, the tables
//! here what may be.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
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

/// The rooms of a crate: the files and folders directly below its `src`.
struct House {
    /// Its folder below `crates`.
    name: &'static str,
    /// Each room, and what of the other rooms it may use.
    arrows: &'static [(&'static str, &'static [&'static str])],
    /// What every room may use besides, but for those that these use themselves.
    leaves: &'static [&'static str],
}

const TESTER: House = House {
    name: "tester",
    arrows: &[
        ("tester", &["session", "plan", "accept", "history", "events", "runners"]),
        ("session", &["plan", "run", "judge", "history", "events", "runners", "process"]),
        ("plan", &["runners", "history::places"]),
        ("run", &["plan::model", "plan::bindings", "runners", "history", "events"]),
        (
            "judge",
            &[
                "plan::model",
                "plan::bindings",
                "plan::missing_inputs",
                "plan::own_contracts",
                "run::fingerprint",
                "run::record",
                "run::handover",
                "history",
            ],
        ),
        ("accept", &["plan", "history", "session"]),
        ("draft", &["plan", "history", "runners"]),
        ("runners", &["process", "history::places"]),
        ("error", &["plan::PlanError"]),
        ("history", &[]),
        ("events", &[]),
        ("process", &[]),
        ("settings", &[]),
        ("cancel", &[]),
        ("ids", &[]),
        ("plain_file", &[]),
    ],
    leaves: &["settings", "cancel", "error", "ids", "plain_file"],
};

const DATA: House = House {
    name: "data",
    arrows: &[
        ("constraints", &["compare", "read", "files", "tables", "text", "types"]),
        ("compare", &["tables", "types"]),
        ("observe", &["tables", "compare", "types"]),
        ("digest", &["read", "files", "text"]),
        ("sample", &["types", "write"]),
        ("write", &["kind::name", "text", "columnar", "types"]),
        ("read", &["tables", "kind", "csv", "columnar", "files", "types", "text"]),
        ("profile", &["kind", "columnar", "files", "tables", "types"]),
        ("tables", &["types"]),
        ("kind", &["csv", "json", "columnar", "content", "text"]),
        ("csv", &["content", "text", "types"]),
        ("json", &["content", "text", "types"]),
        ("columnar", &["content", "types"]),
        ("proptest1", &[]),
        ("content", &[]),
        ("text", &[]),
        ("types", &[]),
        ("files", &[]),
        ("error", &["text"]),
        ("findings", &[]),
        ("limits", &[]),
        ("options", &[]),
    ],
    leaves: &["error", "findings", "limits", "options"],
};

#[test]
fn rooms_use_each_other_in_one_direction() {
    for house in [&TESTER, &DATA] {
        let source = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(house.name).join("src");
        let mut rooms = BTreeSet::new();
        let mut wrong = Vec::new();
        for file in rust_files(&source) {
            let below = file.strip_prefix(&source).expect("it lies there");
            let room = below.components().next().expect("a file has a name").as_str().trim_end_matches(".rs");
            let is_for_tests = matches!(below.file_stem(), Some("tests" | "testing"));
            if room == "lib" || is_for_tests {
                continue;
            }
            rooms.insert(room.to_owned());
            let text = std::fs::read_to_string(&file).expect("a source file");
            wrong.extend(
                house.wrong_arrows(room, &text).into_iter().map(|used| format!("{below} uses {used}")),
            );
        }
        let known: BTreeSet<String> = house.arrows.iter().map(|(room, _)| (*room).to_owned()).collect();
        assert_eq!(rooms, known, "the rooms of `{}`", house.name);
        assert!(wrong.is_empty(), "arrows that are not allowed in `{}`:\n{}", house.name, wrong.join("\n"));
    }
}

#[test]
fn no_room_may_use_one_that_uses_it() {
    for house in [&TESTER, &DATA] {
        for (room, _) in house.arrows {
            let mut reached = BTreeSet::new();
            let mut next: Vec<&str> = house.rooms_used_by(room);
            while let Some(used) = next.pop() {
                if reached.insert(used) {
                    next.extend(house.rooms_used_by(used));
                }
            }
            assert!(!reached.contains(room), "`{room}` of `{}` comes back to itself", house.name);
        }
    }
}

#[test]
fn an_arrow_in_the_wrong_direction_is_noticed() {
    let check = |room: &str, text: &str, expected: &[&str]| {
        assert_eq!(TESTER.wrong_arrows(room, text), expected, "{room}: {text}");
    };
    check("run", "use crate::judge::Evidence;", &["judge::Evidence"]);
    check(
        "run",
        "use crate::plan::{model::Plan, runs::{self, Planner}};",
        &["plan::runs", "plan::runs::Planner"],
    );
    check("run", "pub(crate) use crate::{ids::RunId, session};", &["session"]);
    check("plan", "fn f() { crate::run::publish::copy() }", &["run::publish::copy"]);
    check("plan", "use crate::error::TestError;", &["error::TestError"]);
    check("judge", "use crate::run::{record::Records as All, handover};", &[]);
    check("judge", "#[cfg(test)]\nmod tests {\n    use crate::session::Session;\n}", &[]);
}

impl House {
    /// What a room may use, and not only as one that every room may use.
    fn allowed(&self, room: &str) -> &'static [&'static str] {
        self.arrows.iter().find(|(name, _)| *name == room).map_or(&[], |(_, allowed)| allowed)
    }

    /// The rooms that a room may use, but for those that every room may use.
    fn rooms_used_by(&self, room: &str) -> Vec<&'static str> {
        let first = |path: &&'static str| path.split("::").next().expect("a split has a first part");
        self.allowed(room).iter().map(first).collect()
    }

    /// What a file of a room uses of other rooms and may not.
    fn wrong_arrows(&self, room: &str, text: &str) -> Vec<String> {
        let code = text.split("#[cfg(test)]").next().expect("a split has a first part");
        let lines = code.lines().map(|line| line.split("//").next().expect("a split has a first part"));
        let code = lines.collect::<Vec<_>>().join("\n");
        let mut used = Vec::new();
        for (at, found) in code.match_indices("crate::") {
            if code[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_') {
                continue;
            }
            let path = &code[at + found.len()..];
            let end = path.find(|part: char| !(part.is_alphanumeric() || "_:{}, \n".contains(part)));
            expand(path[..end.unwrap_or(path.len())].trim(), "", &mut used);
        }
        let is_below = |path: &str, allowed: &str| {
            path.strip_prefix(allowed).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
        };
        let may_be_used = |leaf: &str| !self.rooms_used_by(leaf).contains(&room);
        let is_leaf = |path: &str| self.leaves.iter().any(|leaf| is_below(path, leaf) && may_be_used(leaf));
        let is_allowed = |path: &str| self.allowed(room).iter().any(|allowed| is_below(path, allowed));
        used.retain(|path| !is_below(path, room) && !is_leaf(path) && !is_allowed(path));
        used
    }
}

/// The paths of a `use` tree, `a::{b, c::{self, d}}`, in full.
fn expand(tree: &str, prefix: &str, paths: &mut Vec<String>) {
    let mut depth = 0;
    let parts = tree.split(|character| {
        depth += match character {
            '{' => 1,
            '}' => -1,
            _ => 0,
        };
        character == ',' && depth == 0
    });
    // Of a path that does not stand in braces, nothing belongs to it that comes after a blank.
    for part in parts.map(str::trim).filter(|part| !part.is_empty()) {
        match part.split_once('{') {
            Some((before, inner)) => {
                let inner = inner.rsplit_once('}').map_or(inner, |(inner, _)| inner);
                expand(inner, &format!("{prefix}{}", before.trim()), paths);
            }
            None => {
                let name = part.split_whitespace().next().expect("it is not empty");
                let path = format!("{prefix}{name}");
                paths.push(path.trim_end_matches("::self").trim_end_matches("::").to_owned());
            }
        }
    }
}

fn rust_files(folder: &Utf8Path) -> Vec<Utf8PathBuf> {
    let mut files = Vec::new();
    for entry in folder.read_dir_utf8().expect("a folder of sources") {
        let path = entry.expect("an entry").into_path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension() == Some("rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}
