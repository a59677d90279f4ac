//! What a file is: what its name promises, what its first bytes say, and what is in it.

pub(crate) mod detect;
pub(crate) mod magic;
pub(crate) mod name;
