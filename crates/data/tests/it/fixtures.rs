use camino::{Utf8Path, Utf8PathBuf};
use runtime_testing_data::profile_path;

use crate::folder::shown_all;

fn fixture(path: &str) -> Utf8PathBuf {
    Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/pipelines").join(path)
}
