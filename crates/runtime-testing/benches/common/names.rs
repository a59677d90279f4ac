//! Names for what the benchmarks make. Apart from the rest, which needs no crate of this workspace.

use runtime_testing::{Name, NameKind};

/// A name that is known to be valid.
pub(crate) fn name<K: NameKind>(text: impl AsRef<str>) -> Name<K> {
    Name::new(text).expect("a valid name")
}
