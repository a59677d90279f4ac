use std::sync::LazyLock;

use super::cell::{Cell, value};
use crate::options::NullTokens;

/// The words for a null, made to be looked for in many cells.
#[derive(Debug, Clone)]
pub(crate) struct NullWords {
    words: Vec<Box<[u8]>>,
    /// For each byte, whether a word begins with it.
    firsts: [bool; 256],
    /// Whether some word would be a number, a date or a boolean if it were no null.
    hide_values: bool,
}

impl NullWords {
    pub(crate) fn new(tokens: &NullTokens) -> Self {
        let words: Vec<Box<[u8]>> = tokens.iter().map(|token| token.as_bytes().into()).collect();
        let mut firsts = [false; 256];
        for first in words.iter().filter_map(|word| word.first()) {
            firsts[usize::from(*first)] = true;
        }
        let hide_values = words.iter().any(|word| value(word) != Cell::Text);
        Self { words, firsts, hide_values }
    }

    /// The words of the default options.
    pub(crate) fn by_default() -> &'static Self {
        static WORDS: LazyLock<NullWords> = LazyLock::new(|| NullWords::new(&NullTokens::default()));
        &WORDS
    }

    /// Whether a cell that is not empty is one of the words.
    pub(crate) fn contains(&self, cell: &[u8]) -> bool {
        cell.first().is_some_and(|first| self.firsts[usize::from(*first)])
            && self.words.iter().any(|word| **word == *cell)
    }

    /// Whether some word would be a number, a date or a boolean if it were no null, so that no cell can be taken for one
    /// before it is compared with the words.
    pub(crate) fn hide_values(&self) -> bool {
        self.hide_values
    }
}
