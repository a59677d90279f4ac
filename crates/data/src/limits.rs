//! How much of what data says of itself is kept in memory.

/// How many bytes of names the types of one table or value may hold, about. Types live in memory while the rows do not.
pub(crate) const MOST_NAME_BYTES: usize = 2 * 1024 * 1024;

/// What is wrong with more.
pub(crate) const TOO_MANY_NAMES: &str =
    "too many different keys: they look like data, and not like columns or fields";

/// What a name takes in memory besides its bytes, about.
const NAME_OVERHEAD: usize = 64;

/// What a name counts of [`MOST_NAME_BYTES`].
pub(crate) fn name_bytes(name: &str) -> usize {
    name.len() + NAME_OVERHEAD
}

/// The most bytes that so many packed ones may become: what is packed tighter was made to do harm.
pub(crate) fn most_unpacked(bytes: u64) -> u64 {
    const ALWAYS: u64 = 256 * 1024 * 1024;
    const TIGHTEST: u64 = 250;
    bytes.saturating_mul(TIGHTEST).max(ALWAYS)
}
