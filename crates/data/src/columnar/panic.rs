use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

use arrow::error::ArrowError;

/// The decoders of binary formats panic where sizes within the data do not go together. What they say of that is nothing for the
/// user's terminal: it is a finding.
pub(crate) fn without_panic<T>(decode: impl FnOnce() -> Result<T, ArrowError>) -> Result<T, ArrowError> {
    let damaged = || Err(ArrowError::ParseError("the data is damaged".to_owned()));
    caught(decode).unwrap_or_else(damaged)
}

/// What a decoder makes of data; none where it panics.
pub(crate) fn caught<T>(decode: impl FnOnce() -> T) -> Option<T> {
    hush();
    let before = IS_DECODING.replace(true);
    let decoded = catch_unwind(AssertUnwindSafe(decode));
    IS_DECODING.set(before);
    decoded.ok()
}

thread_local! {
    /// Whether a decoder is at work in this thread.
    static IS_DECODING: Cell<bool> = const { Cell::new(false) };
}

/// Has the hook for panics pass over those of decoders. All others are what they were.
fn hush() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let others = take_hook();
        set_hook(Box::new(move |panic| {
            if !IS_DECODING.get() {
                others(panic);
            }
        }));
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error() {
        let decoded = without_panic(|| -> Result<(), ArrowError> { panic!("the sizes do not go together") });
        assert_eq!(decoded.expect_err("it panicked").to_string(), "Parser error: the data is damaged");
        assert!(!IS_DECODING.get());
        assert_eq!(without_panic(|| Ok(1)).expect("it did not"), 1);
    }
}
