//! Rows, one after the other or all at once, as one hash.

use arrow::record_batch::RecordBatch;
use runtime_testing_models::{Digest, DigestOptions, DigestScheme, RowOrder};

use super::values::Values;

/// How many bytes of rows are handed on at once.
const CHUNK_BYTES: usize = 64 * 1024;

/// The rows of a table so far.
pub(super) struct RowHasher {
    options: DigestOptions,
    /// What the table is and, where their order counts, its rows.
    hasher: blake3::Hasher,
    /// The sum of the hashes of all rows, from the lowest digit up.
    sum: [u64; 4],
    rows: u64,
    bytes: Vec<u8>,
}

impl RowHasher {
    /// A table with these columns and no rows yet.
    pub(super) fn new<'a>(names: impl IntoIterator<Item = &'a str>, options: DigestOptions) -> Self {
        let mut names: Vec<&str> = names.into_iter().collect();
        names.sort_unstable();
        let mut hasher = blake3::Hasher::new();
        hasher.update(DigestScheme::Rows(options).to_string().as_bytes());
        hasher.update(&(names.len() as u64).to_le_bytes());
        for name in names {
            hasher.update(&(name.len() as u64).to_le_bytes());
            hasher.update(name.as_bytes());
        }
        Self { options, hasher, sum: [0; 4], rows: 0, bytes: Vec::new() }
    }

    /// Takes in rows. The columns are the table's, in any order.
    pub(super) fn add(&mut self, batch: &RecordBatch) {
        let fields = batch.schema_ref().fields().iter();
        let mut columns: Vec<_> = fields.map(|field| field.name()).zip(batch.columns()).collect();
        columns.sort_by_key(|(name, _)| *name);
        let tolerance = self.options.float_tolerance;
        let values: Vec<Values> =
            columns.into_iter().map(|(_, column)| Values::new(column, tolerance)).collect();
        for row in 0..batch.num_rows() {
            for values in &values {
                values.add(row, &mut self.bytes);
            }
            match self.options.row_order {
                RowOrder::Ordered if self.bytes.len() < CHUNK_BYTES => {}
                RowOrder::Ordered => self.hand_on(),
                RowOrder::Ignored => {
                    add_wide(&mut self.sum, blake3::hash(&self.bytes).as_bytes());
                    self.bytes.clear();
                }
            }
        }
        self.rows += batch.num_rows() as u64;
    }

    fn hand_on(&mut self) {
        self.hasher.update(&self.bytes);
        self.bytes.clear();
    }

    /// The digest of all rows.
    pub(super) fn finish(mut self) -> Digest {
        self.hand_on();
        if self.options.row_order == RowOrder::Ignored {
            for digit in self.sum {
                self.hasher.update(&digit.to_le_bytes());
            }
        }
        self.hasher.update(&self.rows.to_le_bytes());
        Digest::new(DigestScheme::Rows(self.options), *self.hasher.finalize().as_bytes())
    }
}

/// Adds a number of 256 bits. What is beyond that is lost.
fn add_wide(sum: &mut [u64; 4], hash: &[u8; 32]) {
    let mut carry = false;
    let (digits, _) = hash.as_chunks::<8>();
    for (digit, added) in sum.iter_mut().zip(digits) {
        (*digit, carry) = digit.carrying_add(u64::from_le_bytes(*added), carry);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_carry_and_wrap() {
        let mut sum = [u64::MAX, u64::MAX, 0, 0];
        let mut one = [0; 32];
        one[0] = 1;
        add_wide(&mut sum, &one);
        assert_eq!(sum, [0, 0, 1, 0]);
        sum = [u64::MAX; 4];
        add_wide(&mut sum, &one);
        assert_eq!(sum, [0; 4]);
        add_wide(&mut sum, &[0xff; 32]);
        assert_eq!(sum, [u64::MAX; 4]);
    }
}
