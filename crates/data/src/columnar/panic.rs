use std::panic::{AssertUnwindSafe, catch_unwind};

use arrow::error::ArrowError;

/// The decoders of binary formats panic where sizes within the data do not go together.
pub(crate) fn without_panic<T>(decode: impl FnOnce() -> Result<T, ArrowError>) -> Result<T, ArrowError> {
    let damaged = |_| Err(ArrowError::ParseError("the data is damaged".to_owned()));
    catch_unwind(AssertUnwindSafe(decode)).unwrap_or_else(damaged)
}
