//! Types: how those of Arrow, of parts of a table, and of what is expected go together.

pub(crate) mod arrow_type;
pub(crate) mod fit;
pub(crate) mod join;
