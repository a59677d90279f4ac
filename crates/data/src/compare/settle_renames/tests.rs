use std::fs;

use runtime_testing_models::Difference;

use super::settle_renames;
use crate::compare::{Expected, FileDifference, compare};
use crate::options::ProfileOptions;
use crate::profile::profile_path;

/// A folder with a `sample` and what was `found`, each a file or a folder of files.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        for (path, content) in files {
            let path = folder.path(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        folder
    }

    fn path(&self, path: &str) -> camino::Utf8PathBuf {
        camino::Utf8Path::from_path(self.0.path()).unwrap().join(path)
    }

    /// The differences by names and types alone.
    fn compared(&self, sample: &str, found: &str) -> Vec<FileDifference> {
        let [sample, found] = [sample, found].map(|path| profile_path(&self.path(path)).unwrap());
        compare(&Expected::Inferred(&sample), &found)
    }

    fn settled(&self, sample: &str, found: &str) -> Vec<FileDifference> {
        let mut differences = self.compared(sample, found);
        settle_renames(&mut differences, &self.path(sample), &self.path(found), &ProfileOptions::default());
        differences
    }
}

/// Each missing column with what is offered for it.
fn offers(differences: &[FileDifference]) -> Vec<String> {
    let offer = |told: &FileDifference| match &told.difference {
        Difference::MissingColumn { column, renamed, .. } => {
            Some(format!("{}: {column} -> {}", told.file, renamed.as_deref().unwrap_or("?")))
        }
        _ => None,
    };
    differences.iter().filter_map(offer).collect()
}

/// Compares two files of CSV, whose rows are separated by spaces.
#[track_caller]
fn check(sample: &str, found: &str, before: &[&str], after: &[&str]) {
    let folder = Folder::new(&[("a.csv", &sample.replace(' ', "\n")), ("b.csv", &found.replace(' ', "\n"))]);
    let expected = |told: &[&str]| told.iter().map(|told| format!("b.csv: {told}")).collect::<Vec<_>>();
    assert_eq!(offers(&folder.compared("a.csv", "b.csv")), expected(before));
    let settled = folder.settled("a.csv", "b.csv");
    assert_eq!(offers(&settled), expected(after));
    let verdicts = |differences: &[FileDifference]| -> Vec<_> {
        differences.iter().map(|told| told.difference.as_str()).collect()
    };
    assert_eq!(verdicts(&settled), verdicts(&folder.compared("a.csv", "b.csv")));
}

#[test]
fn equal_values_are_offered_and_beat_a_similar_name() {
    check(
        "id,price 1,0.25 2,0.75",
        "id,weight,cost 1,70.5,0.25 2,80,0.75",
        &["price -> ?"],
        &["price -> cost"],
    );
    check(
        "id,price 1,0.25 2,0.75",
        "id,price_eur,cost 1,70.5,0.25 2,80,0.75",
        &["price -> price_eur"],
        &["price -> cost"],
    );
    check("id,city 1,Rome 2,Bonn", "id,x,y 1,a,Bonn 2,b,Rome", &["city -> ?"], &["city -> y"]);
    check(
        "id,day 1,2024-02-29 2,2024-03-01",
        "id,x,y 1,2020-01-01,2024-02-29 2,2020-01-02,2024-03-01",
        &["day -> ?"],
        &["day -> y"],
    );
}

#[test]
fn an_offer_for_which_nothing_speaks_is_withdrawn() {
    check("id,name 1,bob0 2,bob1", "id,uuid 1,6fa4 2,90cd", &["name -> uuid"], &["name -> ?"]);
    check("id,price 1,0.25 2,0.75", "id,weight 1,70.5 2,80", &["price -> weight"], &["price -> ?"]);
}

#[test]
fn a_similar_name_is_enough() {
    check("id,name 1,bob0 2,bob1", "id,NAME 1,eve 2,mia", &["name -> NAME"], &["name -> NAME"]);
    check("id,price 1,0.25", "id,price_eur,cost 1,70.5,99", &["price -> price_eur"], &["price -> price_eur"]);
}

#[test]
fn the_only_one_left_needs_a_value_in_common() {
    check("id,v 1,1 2,5 3,9", "id,w 1,9 2,40 3,50", &["v -> w"], &["v -> w"]);
    check("id,v 1,1 2,5 3,9", "id,w,x 1,9,a 2,40,b 3,50,c", &["v -> w"], &["v -> w"]);
    check("id,v 1,1 2,5 3,9", "id,w,x 1,9,7 2,40,80 3,50,90", &["v -> ?"], &["v -> ?"]);
}

#[test]
fn columns_without_values_keep_their_offers() {
    check("id,v 1, 2,", "id,w 1,a 2,b", &["v -> w"], &["v -> w"]);
    check("id,v 1,x 2,y", "id,w 1, 2,", &["v -> w"], &["v -> w"]);
}

#[test]
fn each_new_column_is_offered_once_and_the_best_pair_first() {
    check("a,b x,x y,q", "c z z", &["a -> ?", "b -> ?"], &["a -> ?", "b -> ?"]);
    check("a,b x,x y,q", "c x q", &["a -> ?", "b -> ?"], &["a -> ?", "b -> c"]);
    check("a,b x,x y,y", "c,d x,x y,y", &["a -> ?", "b -> ?"], &["a -> c", "b -> d"]);
    check(
        "old_price,old_cost 1,7 2,8",
        "cost,price 7,1 8,2",
        &["old_price -> price", "old_cost -> cost"],
        &["old_price -> price", "old_cost -> cost"],
    );
    // Among those that have all values the name decides, and then how many values there are.
    check(
        "active true false",
        "deleted,is_active true,true false,true",
        &["active -> is_active"],
        &["active -> is_active"],
    );
    check("id 1 2 3 4", "n,key 1,1 2,2 1,3 2,4", &["id -> ?"], &["id -> key"]);
}

#[test]
fn a_type_that_does_not_fit_is_no_candidate() {
    check("id,v 1,x 2,7", "id,w 1,7 2,7", &["v -> ?"], &["v -> ?"]);
    check("id,v 1,1 2,2", "id,w,x 1,1.0,1.5 2,2.0,70.5", &["v -> ?"], &["v -> w"]);
}

#[test]
fn files_of_other_formats_and_folders() {
    let found = "{\"id\":1,\"weight\":70.5,\"cost\":0.25}\n{\"id\":2,\"weight\":80.0,\"cost\":0.75}\n";
    let sample = "{\"id\":1,\"price\":0.25}\n{\"id\":2,\"price\":0.75}\n";
    let (a, b) = ("id,price\n1,0.25\n2,0.75\n", "id,weight,cost\n1,70.5,0.25\n2,80,0.75\n");
    let folder = Folder::new(&[
        ("sample.ndjson", sample),
        ("found.ndjson", found),
        ("one.csv", a),
        ("samples/below/x.csv", a),
        ("samples/y.csv", a),
        ("parts/below/x.csv", b),
        ("parts/other.csv", b),
    ]);
    assert_eq!(offers(&folder.settled("sample.ndjson", "found.ndjson")), ["found.ndjson: price -> cost"]);
    let both = ["below/x.csv: price -> cost", "other.csv: price -> cost"];
    assert_eq!(offers(&folder.settled("one.csv", "parts")), both);
    assert_eq!(offers(&folder.settled("samples/below", "parts")), both);
    assert_eq!(offers(&folder.settled("samples", "parts")), [both[0], "other.csv: price -> ?"]);
}

#[test]
fn what_cannot_be_read_leaves_the_offers_alone() {
    let (a, b) = ("id,name\n1,bob0\n", "id,uuid\n1,6fa4\n");
    for (damaged, content) in
        [("a.csv", Some("id,na")), ("a.csv", Some("")), ("a.csv", None), ("b.csv", Some("id\n1,2\n"))]
    {
        let folder = Folder::new(&[("a.csv", a), ("b.csv", b)]);
        let mut differences = folder.compared("a.csv", "b.csv");
        let before = differences.clone();
        match content {
            Some(content) => fs::write(folder.path(damaged), content).unwrap(),
            None => fs::remove_file(folder.path(damaged)).unwrap(),
        }
        let options = ProfileOptions::default();
        settle_renames(&mut differences, &folder.path("a.csv"), &folder.path("b.csv"), &options);
        assert_eq!(differences, before);
        assert_eq!(offers(&differences), ["b.csv: name -> uuid"]);
    }
    let folder = Folder::new(&[("a.csv", a), ("b.csv", b)]);
    let mut differences = folder.compared("a.csv", "b.csv");
    let canceled = ProfileOptions::default().with_cancel(|| true);
    settle_renames(&mut differences, &folder.path("a.csv"), &folder.path("b.csv"), &canceled);
    assert_eq!(offers(&differences), ["b.csv: name -> uuid"]);
}

#[test]
fn what_is_within_a_column_keeps_its_offer() {
    let (a, b) = (
        r#"[{"price": 0.25, "address": {"zip": "1010"}}, {"price": 0.75, "address": {"zip": "8020"}}]"#,
        r#"[{"cost": 0.25, "weight": 7.5, "address": {"zip_code": "1010", "note": "x"}}, {"cost": 0.75, "weight": 8.5, "address": {"zip_code": "8020", "note": "y"}}]"#,
    );
    let folder = Folder::new(&[("a.json", a), ("b.json", b)]);
    let compared = offers(&folder.compared("a.json", "b.json"));
    let within = "b.json: address.zip -> address.zip_code";
    assert_eq!(compared, ["b.json: price -> ?", within]);
    assert_eq!(offers(&folder.settled("a.json", "b.json")), ["b.json: price -> cost", within]);
}

#[test]
fn the_first_rows_decide() {
    let rows = |name: &str, first: i32| {
        let numbers = (0..1_500).map(|row| if row < 1_000 { first + row } else { 1 });
        format!("{name}\n{}\n", numbers.map(|number| number.to_string()).collect::<Vec<_>>().join("\n"))
    };
    let folder = Folder::new(&[("a.csv", &rows("v", 10_000)), ("b.csv", &rows("w", 50_000))]);
    assert_eq!(offers(&folder.compared("a.csv", "b.csv")), ["b.csv: v -> w"]);
    assert_eq!(offers(&folder.settled("a.csv", "b.csv")), ["b.csv: v -> ?"]);
}
