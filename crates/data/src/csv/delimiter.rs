use super::records::{RecordSink, Splitter};

/// How much of a text is looked at to find its delimiter.
pub(super) const HEAD_BYTES: usize = 64 * 1024;

/// How many records behind the header have to agree with it.
const RECORDS: usize = 32;

/// How much is looked at before it is asked whether there are enough records.
const PIECE_BYTES: usize = 4096;

const CANDIDATES: [u8; 4] = [b',', b';', b'|', b'\t'];

/// What stands between the cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Delimiter {
    /// The one of `,`, `;`, `|` and tab that stands in the header and cuts the first records into as many cells. Where none
    /// does, or several do, the most frequent in the header.
    Detected,
    Tab,
}

impl Delimiter {
    /// The delimiter of the text that begins with these bytes, of which no more than [`HEAD_BYTES`] are looked at.
    pub(super) fn byte(self, text: &[u8]) -> u8 {
        match self {
            Self::Detected => detect(text),
            Self::Tab => b'\t',
        }
    }

    /// A delimiter that was found, as a reader has to be told it: one that the format is named for need not be.
    pub(super) fn unusual(self, found: u8) -> Option<char> {
        let usual = match self {
            Self::Detected => b',',
            Self::Tab => b'\t',
        };
        (found != usual).then_some(char::from(found))
    }
}

fn detect(text: &[u8]) -> u8 {
    let head = &text[..text.len().min(HEAD_BYTES)];
    let is_whole = head.len() < HEAD_BYTES;
    let mut candidates = CANDIDATES.map(|delimiter| (delimiter, Widths::of(head, delimiter, is_whole)));
    // The order of candidates settles a tie: the sort is stable.
    candidates.sort_by_key(|(_, widths)| std::cmp::Reverse(widths.header()));
    let confirmed = candidates.iter().find(|(_, widths)| widths.header() > 1 && widths.all_agree());
    confirmed.unwrap_or(&candidates[0]).0
}

/// The numbers of cells of a header and the first records.
#[derive(Debug, Default)]
struct Widths {
    found: Vec<usize>,
    open: usize,
}

impl Widths {
    fn of(head: &[u8], delimiter: u8, is_whole: bool) -> Self {
        let mut widths = Self::default();
        let mut splitter = Splitter::new(delimiter);
        for part in head.chunks(PIECE_BYTES) {
            splitter.feed(part, &mut widths);
            if widths.found.len() > RECORDS {
                return widths;
            }
        }
        // A record that is cut off says nothing, but for a header.
        if is_whole {
            splitter.finish(&mut widths);
        }
        if widths.found.is_empty() {
            widths.found.push(widths.open + 1);
        }
        widths
    }

    fn header(&self) -> usize {
        self.found.first().copied().unwrap_or_default()
    }

    fn all_agree(&self) -> bool {
        self.found.iter().take(RECORDS + 1).all(|cells| *cells == self.header())
    }
}

impl RecordSink for Widths {
    fn cell(&mut self, _: &[u8]) {
        self.open += 1;
    }

    fn end_record(&mut self, _: impl FnOnce() -> u64) {
        self.found.push(std::mem::take(&mut self.open));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: char) {
        assert_eq!(char::from(detect(text.as_bytes())), expected, "{:?}", &text[..text.len().min(40)]);
    }

    #[test]
    fn the_delimiter_of_the_header() {
        check("a;b;c\n1;2,5;3\n", ';');
        check("a|b\n1|2\n", '|');
        check("a\tb\n1\t2\n", '\t');
        check("\n\na;b\n1;2\n", ';');
        check("a", ',');
        check("", ',');
        check("a\n1;2\n", ',');
        check("a;b", ';');
    }

    #[test]
    fn quoted_delimiters_do_not_count() {
        check("\"a;b;c\",d\n1,2\n", ',');
        check("\"a;b;c\",d", ',');
        check("5\" pipe;a \"b, c\";d\nx;y;1\n", ';');
        check("\"a\"\"b;c\";d,e,\"f\n\",g\n1,2,3,4\n", ',');
    }

    #[test]
    fn the_records_confirm_it() {
        check("name, first;name, last;age\nAda;Lovelace;36\n", ';');
        check("name, first;born\nAda;1815\nGrace;1906\n", ';');
        check("a;b,c\n1;2,3\n", ',');
        check("a;b,c\n1;2\n", ';');
        // Where no candidate fits, the header decides.
        check("a,b;c,d\n1,2\n1;2;3\n", ',');
        let late = format!("a;b,c\n{}1;2,3,4\n", "1;2,3\n".repeat(RECORDS));
        check(&late, ',');
        let just_in_time = format!("a;b,c\n{}1;2,3,4\n", "1;2,3\n".repeat(RECORDS - 1));
        check(&just_in_time, ';');
    }

    #[test]
    fn what_lies_behind_the_head_does_not_count() {
        let wide = format!("{};b\n", "a,".repeat(HEAD_BYTES));
        check(&wide, ',');
        let quoted = format!("a;b,c\n\"{}\"", "x\n".repeat(HEAD_BYTES));
        check(&quoted, ',');
    }
}
