use std::fmt;
use std::num::NonZeroU8;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// What data holds, in one short text: equal for equal data, whatever files it lies in. docs/digest.md says what counts.
///
/// ```
/// use runtime_testing_models::{Digest, DigestOptions, DigestScheme, RowOrder};
///
/// let options = DigestOptions { row_order: RowOrder::Ignored, ..DigestOptions::default() };
/// let digest = Digest::new(DigestScheme::Rows(options), [0xab; 32]);
/// assert!(digest.to_string().starts_with("rows1-unordered:abab"));
/// assert_eq!(digest.to_string().parse(), Ok(digest));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest {
    scheme: DigestScheme,
    hash: [u8; 32],
}

/// What a digest was made of, and how. Digests of different schemes cannot be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DigestScheme {
    /// The rows of one table, `rows1`.
    Rows(DigestOptions),
    /// The files of a folder that are not all parts of one table, `files1`.
    Files(DigestOptions),
    /// The bytes of a file that is no table, `bytes1`.
    Bytes,
}

/// What counts in a digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct DigestOptions {
    /// Whether the order of rows counts. It does, by default.
    pub row_order: RowOrder,
    /// How far floats may be apart and still be equal. Not at all, by default.
    pub float_tolerance: FloatTolerance,
}

/// Whether the order of rows counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum RowOrder {
    /// It does.
    #[default]
    Ordered,
    /// It does not; how often a row is there does.
    Ignored,
}

/// How far floats may be apart and still be equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum FloatTolerance {
    /// Not at all.
    #[default]
    None,
    /// Floats and decimals are rounded to so many significant decimal digits, halves to even. Columns of integers are
    /// not. With 17 or more no float changes.
    ///
    /// Two floats that are nearly equal are still different where a border of rounding lies between them: with two
    /// digits, 0.1249 and 0.1251 are 0.12 and 0.13.
    Digits(NonZeroU8),
}

/// A text is no digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no digest: {reason}")]
pub struct ParseDigestError {
    /// The text.
    pub text: String,
    /// What is wrong with it, as a fragment.
    pub reason: &'static str,
}

impl Digest {
    /// A digest with this hash.
    pub fn new(scheme: DigestScheme, hash: [u8; 32]) -> Self {
        Self { scheme, hash }
    }

    /// What it was made of, and how.
    pub fn scheme(&self) -> DigestScheme {
        self.scheme
    }

    /// The hash.
    pub fn hash(&self) -> &[u8; 32] {
        &self.hash
    }
}

impl fmt::Display for DigestScheme {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (word, options) = match self {
            Self::Rows(options) => ("rows1", options),
            Self::Files(options) => ("files1", options),
            Self::Bytes => return formatter.write_str("bytes1"),
        };
        formatter.write_str(word)?;
        if options.row_order == RowOrder::Ignored {
            formatter.write_str("-unordered")?;
        }
        match options.float_tolerance {
            FloatTolerance::None => Ok(()),
            FloatTolerance::Digits(digits) => write!(formatter, "-{digits}digits"),
        }
    }
}

/// The scheme, a colon, and the hash in 64 hexadecimal digits.
impl fmt::Display for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:", self.scheme)?;
        self.hash.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl FromStr for Digest {
    type Err = ParseDigestError;

    fn from_str(text: &str) -> Result<Self, ParseDigestError> {
        let fail = |reason| ParseDigestError { text: text.to_owned(), reason };
        let (scheme, hash) = text.split_once(':').ok_or_else(|| fail("there is no `:` in it"))?;
        let scheme = parse_scheme(scheme).ok_or_else(|| fail("what stands before the `:` is no scheme"))?;
        let hash =
            parse_hash(hash).ok_or_else(|| fail("64 digits from 0 to f are to stand behind the `:`"))?;
        Ok(Self { scheme, hash })
    }
}

fn parse_scheme(text: &str) -> Option<DigestScheme> {
    let mut parts = text.split('-');
    let word = parts.next()?;
    let mut options = DigestOptions::default();
    for part in parts {
        match part.strip_suffix("digits") {
            None if part == "unordered" => options.row_order = RowOrder::Ignored,
            None => return None,
            Some(digits) => options.float_tolerance = FloatTolerance::Digits(digits.parse().ok()?),
        }
    }
    let scheme = match word {
        "rows1" => DigestScheme::Rows(options),
        "files1" => DigestScheme::Files(options),
        "bytes1" => DigestScheme::Bytes,
        _ => return None,
    };
    // One scheme has one text.
    (scheme.to_string() == text).then_some(scheme)
}

fn parse_hash(text: &str) -> Option<[u8; 32]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if pairs.len() != 32 || !rest.is_empty() {
        return None;
    }
    let mut hash = [0; 32];
    for (byte, [high, low]) in hash.iter_mut().zip(pairs) {
        *byte = digit(*high)? * 16 + digit(*low)?;
    }
    Some(hash)
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digits(digits: u8) -> FloatTolerance {
        FloatTolerance::Digits(NonZeroU8::new(digits).expect("not zero"))
    }

    #[track_caller]
    fn check(scheme: DigestScheme, prefix: &str) {
        let digest = Digest::new(scheme, std::array::from_fn(|place| place as u8 * 8));
        let text = digest.to_string();
        assert_eq!(
            text,
            format!("{prefix}:{}", "0008101820283038404850586068707880889098a0a8b0b8c0c8d0d8e0e8f0f8")
        );
        assert_eq!(text.parse(), Ok(digest));
        let json = serde_json::to_string(&digest).unwrap();
        assert_eq!(serde_json::from_str::<Digest>(&json).unwrap(), digest);
    }

    #[test]
    fn digests_are_written_and_read() {
        let options = |row_order, float_tolerance| DigestOptions { row_order, float_tolerance };
        check(DigestScheme::Rows(DigestOptions::default()), "rows1");
        check(DigestScheme::Rows(options(RowOrder::Ignored, FloatTolerance::None)), "rows1-unordered");
        check(DigestScheme::Rows(options(RowOrder::Ordered, digits(6))), "rows1-6digits");
        check(DigestScheme::Files(options(RowOrder::Ignored, digits(12))), "files1-unordered-12digits");
        check(DigestScheme::Bytes, "bytes1");
    }

    #[track_caller]
    fn check_refused(text: &str, reason: &str) {
        let error = text.parse::<Digest>().expect_err("no digest");
        assert_eq!(error.to_string(), format!("`{text}` is no digest: {reason}"));
    }

    #[test]
    fn what_is_no_digest() {
        let hash = "ab".repeat(32);
        check_refused("", "there is no `:` in it");
        for scheme in [
            "",
            "rows",
            "rows2",
            "Rows1",
            "rows1-",
            "rows1-0digits",
            "rows1-digits",
            "rows1-06digits",
            "rows1-6digits-unordered",
            "rows1-unordered-unordered",
            "bytes1-unordered",
            "rows1-256digits",
        ] {
            check_refused(&format!("{scheme}:{hash}"), "what stands before the `:` is no scheme");
        }
        for hash in [
            "",
            "ab",
            &hash.to_uppercase(),
            &format!("{hash}a"),
            &hash[1..],
            &format!("{}\u{e9}", &hash[2..]),
        ] {
            check_refused(&format!("rows1:{hash}"), "64 digits from 0 to f are to stand behind the `:`");
        }
    }
}
