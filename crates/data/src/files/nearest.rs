use camino::{Utf8Path, Utf8PathBuf};
use runtime_testing_models::dag::nearest;

use crate::files::{counts, is_leftover};

/// The path most like one that does not exist: where a folder or file on the way is not there, the one of the same folder
/// whose name is most like it, if one is like enough to be what was meant; or else, in that folder, the one that is most like
/// what the whole path leads to, as if there were folders too many in it. What programs leave on the side is not, such as
/// `orders.csv~`, and a log only where the path asks for one. None where the path exists.
///
/// ```
/// use runtime_testing_data::nearest_path;
///
/// let folder = tempfile::tempdir()?;
/// let folder = camino::Utf8PathBuf::try_from(folder.path().to_owned())?;
/// std::fs::create_dir(folder.join("output"))?;
/// std::fs::write(folder.join("output/orders.csv"), "id\n1\n")?;
/// assert_eq!(nearest_path(&folder.join("ouput/order.csv")), Some(folder.join("output/orders.csv")));
/// assert_eq!(nearest_path(&folder.join("output/train.parquet")), None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn nearest_path(path: &Utf8Path) -> Option<Utf8PathBuf> {
    let mut found = Utf8PathBuf::new();
    let mut is_another = false;
    for part in path.components() {
        let next = found.join(part);
        if next.symlink_metadata().is_ok() {
            found = next;
            continue;
        }
        let Some(name) = nearest_name(&found, part.as_str()) else {
            // There may be a folder too many in the path.
            let name = nearest_name(&found, path.file_name()?)?;
            return Some(found.join(name)).filter(|found| found.extension() == path.extension());
        };
        found.push(name);
        is_another = true;
    }
    is_another.then_some(found)
}

/// The name in a folder that is most like one that is not there, if one is like enough.
fn nearest_name(folder: &Utf8Path, wanted: &str) -> Option<String> {
    let folder = if folder.as_str().is_empty() { Utf8Path::new(".") } else { folder };
    // What cannot be listed has no names to propose.
    let entries = folder.read_dir_utf8().ok()?;
    let names = entries.filter_map(|entry| Some(entry.ok()?.file_name().to_owned()));
    let mut names: Vec<String> = names.filter(|name| may_be_meant(name, wanted)).collect();
    names.sort_unstable();
    if names.iter().any(|name| name == wanted) {
        return Some(wanted.to_owned());
    }
    nearest(wanted, names.iter().map(String::as_str)).map(str::to_owned)
}

/// Whether a name that is there may be meant by one that is not.
fn may_be_meant(name: &str, wanted: &str) -> bool {
    if is_leftover(name) { is_leftover(wanted) } else { counts(name) || wanted.starts_with('.') }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_corrected_part_by_part() {
        let folder = tempfile::tempdir().unwrap();
        let folder = Utf8Path::from_path(folder.path()).unwrap();
        std::fs::create_dir_all(folder.join("data/raw")).unwrap();
        std::fs::write(folder.join("data/raw/orders.csv"), "").unwrap();
        let near = |path: &str| {
            nearest_path(&folder.join(path)).map(|path| path.strip_prefix(folder).unwrap().to_string())
        };
        assert_eq!(near("dta/rwa/order.csv").as_deref(), Some("data/raw/orders.csv"));
        assert_eq!(near("data/Raw/orders.csv").as_deref(), Some("data/raw/orders.csv"));
        assert_eq!(near("data/raw/orders.csv"), None, "it is there");
        assert_eq!(near("data/raw/zzz"), None);
        std::fs::write(folder.join("data/model.pkl.tmp"), "").unwrap();
        assert_eq!(near("data/model.pkl"), None, "it is left on the side");
        assert_eq!(near("data/raw/orders.csv/x"), None);
        assert_eq!(near("data/raw/2024/orders.csv").as_deref(), Some("data/raw/orders.csv"));
        assert_eq!(near("data/raw/2024/order.csv").as_deref(), Some("data/raw/orders.csv"));
        assert_eq!(near("data/raw/2024/orders.parquet"), None, "it is another format");
        std::fs::write(folder.join("data/train.log"), "").unwrap();
        assert_eq!(near("data/tran.log").as_deref(), Some("data/train.log"));
        assert_eq!(near("data/train.lag"), None, "it is no data unless it is asked for");
    }
}
