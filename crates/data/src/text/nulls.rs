use std::sync::LazyLock;

use super::cell::{Cell, value};
use crate::options::ProfileOptions;

/// The words that pandas takes for a null, `none`, and `\N`, which databases write.
pub(crate) const USUAL: [&str; 20] = [
    "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A",
    "NA", "NULL", "NaN", "None", "\\N", "n/a", "nan", "none", "null",
];

/// The words for a null, made to be looked for in many cells.
#[derive(Debug, Clone)]
pub(crate) struct NullWords {
    words: Vec<Box<[u8]>>,
    /// For each byte, whether a word begins with it.
    firsts: [bool; 256],
    /// Whether some word would be a number, a date or a boolean if it were no null.
    hide_values: bool,
    /// Whether they are nulls in text, too: words that somebody has named are no text.
    are_named: bool,
}

impl NullWords {
    pub(crate) fn new<'w>(words: impl IntoIterator<Item = &'w str>) -> Self {
        let words: Vec<Box<[u8]>> = words.into_iter().map(|word| word.as_bytes().into()).collect();
        let mut firsts = [false; 256];
        for first in words.iter().filter_map(|word| word.first()) {
            firsts[usize::from(*first)] = true;
        }
        let hide_values = words.iter().any(|word| value(word) != Cell::Text);
        Self { words, firsts, hide_values, are_named: false }
    }

    /// The words that options name.
    pub(crate) fn of(options: &ProfileOptions) -> Self {
        match options.null_values() {
            Some(words) => Self { are_named: true, ..Self::new(words.iter().map(String::as_str)) },
            None => Self::by_default().clone(),
        }
    }

    /// The words of the default options.
    pub(crate) fn by_default() -> &'static Self {
        static WORDS: LazyLock<NullWords> = LazyLock::new(|| NullWords::new(USUAL));
        &WORDS
    }

    /// Whether a cell that is not empty is one of the words.
    pub(crate) fn contains(&self, cell: &[u8]) -> bool {
        cell.first().is_some_and(|first| self.firsts[usize::from(*first)])
            && self.words.iter().any(|word| **word == *cell)
    }

    /// Whether a cell that is not empty is a null in text.
    #[inline]
    pub(crate) fn is_null_in_text(&self, cell: &[u8]) -> bool {
        self.are_named && self.contains(cell)
    }

    /// Whether the words are nulls in text, too.
    pub(crate) fn are_nulls_in_text(&self) -> bool {
        self.are_named
    }

    /// Whether some word would be a number, a date or a boolean if it were no null, so that no cell can be taken for one
    /// before it is compared with the words.
    pub(crate) fn hide_values(&self) -> bool {
        self.hide_values
    }
}
