//! What of a real output is handed to an input.

use camino::{Utf8Path, Utf8PathBuf};
use runtime_testing_models::PathKind;

/// What can be handed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Feed {
    /// The file or folder at this path.
    Path(Utf8PathBuf),
    /// Nothing was written to the output.
    Nothing,
    /// What was written cannot be looked into.
    Broken {
        /// Why not.
        message: String,
    },
    /// Something was written, but not what the input takes.
    Missing {
        /// What it takes, below the output.
        wanted: Utf8PathBuf,
        /// The files that are there, below the output.
        files: Vec<Utf8PathBuf>,
    },
}

/// Finds what of the output at `written`, in its `folder`, feeds an input whose path in the spec is `input`. `below` is the
/// way from the
/// output's path to the input's, where the input asks for a part of the output: that part must be there. Otherwise an
/// input keeps its shape: a file is handed one file, a folder a folder.
pub(crate) fn feed(
    folder: &Utf8Path,
    written: &Utf8Path,
    input: &Utf8Path,
    kind: PathKind,
    below: Option<&Utf8Path>,
) -> Feed {
    if !written.exists() {
        return Feed::Nothing;
    }
    let files = match runtime_testing_data::data_files(written) {
        Ok(files) => files,
        Err(error) => return Feed::Broken { message: error.to_string() },
    };
    if files.is_empty() {
        return Feed::Nothing;
    }
    if let Some(below) = below {
        let part = written.join(below);
        return if part.exists() {
            Feed::Path(part)
        } else {
            Feed::Missing { wanted: below.to_owned(), files }
        };
    }
    match (kind, written.is_dir()) {
        (PathKind::File, false) | (PathKind::Folder, true) => Feed::Path(written.to_owned()),
        (PathKind::Folder, false) if written != folder => Feed::Path(folder.to_owned()),
        // The script put a file where its folder was.
        (PathKind::Folder, false) => {
            Feed::Missing { wanted: input.file_name().unwrap_or_default().into(), files }
        }
        (PathKind::File, true) => {
            let name = input.file_name().unwrap_or_default();
            let named: Vec<&Utf8PathBuf> =
                files.iter().filter(|file| file.file_name() == Some(name)).collect();
            match (files.as_slice(), named.as_slice()) {
                ([only], _) => Feed::Path(written.join(only)),
                (_, [named]) => Feed::Path(written.join(named)),
                _ => Feed::Missing { wanted: name.into(), files },
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes the files `content` below `out`, and hands `out/<written>` to an input at `input`.
    #[track_caller]
    fn check(content: &[&str], written: &str, input: &str, below: Option<&str>, expected: &str) {
        let folder = tempfile::tempdir().unwrap();
        let out = Utf8Path::from_path(folder.path()).unwrap().join("out");
        for file in content {
            let path = out.join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "x").unwrap();
        }
        let folder = if content.contains(&written) {
            out.join(written).parent().unwrap().to_owned()
        } else {
            out.join(written)
        };
        let kind = if input.contains('.') { PathKind::File } else { PathKind::Folder };
        let fed = feed(&folder, &out.join(written), input.into(), kind, below.map(Utf8Path::new));
        let shown = match fed {
            Feed::Path(path) => path.strip_prefix(&out).unwrap().to_string(),
            Feed::Nothing => "nothing".to_owned(),
            Feed::Missing { wanted, files } => format!("no {wanted} in {files:?}"),
            Feed::Broken { message } => message,
        };
        assert_eq!(shown, expected);
    }

    #[test]
    fn an_input_keeps_its_shape() {
        check(&["a.csv"], "a.csv", "in/x.csv", None, "a.csv");
        check(&["d/a.csv"], "d", "in/x.csv", None, "d/a.csv");
        check(&["d/a.csv"], "d/a.csv", "in/folder", None, "d");
        check(&["d/a.csv", "d/b.csv"], "d", "in/folder", None, "d");
        check(&["d/a.csv", "d/b.csv"], "d", "in/b.csv", None, "d/b.csv");
        check(&["d/a.csv", "d/b.csv"], "d", "in/x.csv", None, r#"no x.csv in ["a.csv", "b.csv"]"#);
        check(&["d/p/a.csv", "d/q/a.csv"], "d", "in/a.csv", None, r#"no a.csv in ["p/a.csv", "q/a.csv"]"#);
    }

    #[test]
    fn an_input_below_an_output_is_that_part() {
        check(&["d/p/a.csv", "d/q/a.csv"], "d", "out/d/q", Some("q"), "d/q");
        check(&["d/p/a.csv", "d/q/a.csv"], "d", "out/d/q/a.csv", Some("q/a.csv"), "d/q/a.csv");
        check(&["d/a.csv"], "d", "out/d/b.csv", Some("b.csv"), r#"no b.csv in ["a.csv"]"#);
        check(&["d/a.csv"], "d", "out/d/train", Some("train"), r#"no train in ["a.csv"]"#);
    }

    #[test]
    fn nothing_is_nothing() {
        check(&["other"], "d", "in/x.csv", None, "nothing");
        check(&["d/.DS_Store"], "d", "in/x", None, "nothing");
    }
}
