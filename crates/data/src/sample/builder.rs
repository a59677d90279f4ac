use std::num::NonZeroU64;
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Schema, SchemaRef};
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use runtime_testing_models::{Constraints, TableContract};

use super::from_contract::{allowed_values, schema_of_contract};
use super::values::values;
use super::{MOST_ROWS, ROWS, SampleData};

/// Makes sample data for a schema or a contract: the same data each time, with the same values whatever format it is
/// written in.
///
/// ```
/// use runtime_testing_data::arrow::datatypes::{DataType, Field, Schema};
/// use runtime_testing_data::{SampleData, digest_path};
/// use runtime_testing_models::DigestOptions;
///
/// let tags = DataType::new_list(DataType::Utf8, true);
/// let schema = Schema::new(vec![Field::new("id", DataType::UInt16, false), Field::new("tags", tags, true)]);
/// let sample = SampleData::builder(&schema).rows(100).null_every(10.try_into()?).build()?;
/// assert_eq!(sample.batch().num_rows(), 100);
/// assert_eq!(sample.batch().column(1).null_count(), 10);
///
/// let folder = tempfile::tempdir()?;
/// let folder = camino::Utf8PathBuf::try_from(folder.path().to_owned())?;
/// let digest = |name| digest_path(&sample.write(&folder.join(name)).unwrap(), &DigestOptions::default());
/// assert_eq!(digest("a.arrow")?, digest("a.ndjson")?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct SampleDataBuilder {
    shape: Shape,
    rows: Option<u64>,
    null_every: Option<NonZeroU64>,
    leaves_out_optional: bool,
}

#[derive(Debug, Clone, PartialEq)]
enum Shape {
    Schema(SchemaRef),
    Contract(TableContract),
}

/// Why there is no sample data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildSampleError {
    /// The contract asks for more rows. One that says nothing asks for one.
    #[error("the contract asks for {min_rows} rows and not {rows}; ask for as many or leave the number out")]
    TooFewRows {
        /// How many it asks for.
        min_rows: u64,
        /// How many were wanted.
        rows: u64,
    },
    /// So many rows are no sample.
    #[error("{rows} rows are no sample; ask for {most} at most")]
    TooManyRows {
        /// How many were wanted.
        rows: u64,
        /// How many there can be.
        most: u64,
    },
    /// There are no values of a column's type.
    #[error("column `{column}` is {data_type}, of which there is no sample")]
    NoValues {
        /// The column.
        column: String,
        /// Its type.
        data_type: DataType,
    },
}

impl From<&Schema> for SampleDataBuilder {
    fn from(schema: &Schema) -> Self {
        Self::new(Shape::Schema(Arc::new(schema.clone())))
    }
}

impl From<&TableContract> for SampleDataBuilder {
    fn from(contract: &TableContract) -> Self {
        Self::new(Shape::Contract(contract.clone()))
    }
}

impl SampleDataBuilder {
    fn new(shape: Shape) -> Self {
        Self { shape, rows: None, null_every: None, leaves_out_optional: false }
    }

    /// How many rows there are: five by default, or as many as the contract asks for up to a million.
    #[must_use]
    pub fn rows(mut self, rows: u64) -> Self {
        self.rows = Some(rows);
        self
    }

    /// Makes one row of so many a null, in each column that may hold nulls. None is, by default.
    #[must_use]
    pub fn null_every(mut self, rows: NonZeroU64) -> Self {
        self.null_every = Some(rows);
        self
    }

    /// Leaves out the columns that the contract says are optional. They are there, by default.
    #[must_use]
    pub fn without_optional_columns(mut self) -> Self {
        self.leaves_out_optional = true;
        self
    }

    /// Makes the data.
    ///
    /// # Errors
    ///
    /// [`BuildSampleError`] where there are too few or too many rows, or no values of a type: a union of nothing, or a
    /// dictionary of nested values.
    pub fn build(&self) -> Result<SampleData, BuildSampleError> {
        let rows = self.row_count()?;
        let schema = match &self.shape {
            Shape::Schema(schema) => Arc::clone(schema),
            Shape::Contract(contract) if contract.columns.is_empty() => {
                return Ok(SampleData::features(rows, |column| self.nulls(column, rows)));
            }
            Shape::Contract(contract) => Arc::new(schema_of_contract(contract, self.leaves_out_optional)),
        };
        let numbers: Vec<i64> = (1..=i64::try_from(rows).expect("the number of rows is limited")).collect();
        let columns = schema.fields().iter().enumerate().map(|(place, field)| {
            let nulls = if field.is_nullable() { self.nulls(place, rows) } else { None };
            let made = match self.constraints(field.name()) {
                Some(asked) => allowed_values(asked, field.data_type(), &numbers, nulls.as_ref()),
                None => None,
            };
            let made = made.or_else(|| values(field.data_type(), &numbers, nulls.as_ref()));
            made.ok_or_else(|| BuildSampleError::NoValues {
                column: field.name().clone(),
                data_type: field.data_type().clone(),
            })
        });
        let columns = columns.collect::<Result<Vec<ArrayRef>, _>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(numbers.len()));
        let batch = RecordBatch::try_new_with_options(schema, columns, &options);
        Ok(SampleData { batch: batch.expect("the columns are made for the schema") })
    }

    /// What a contract asks of the values of a column.
    fn constraints(&self, column: &str) -> Option<&Constraints> {
        match &self.shape {
            Shape::Schema(_) => None,
            Shape::Contract(contract) => contract.columns.get(column).map(|column| &column.constraints),
        }
    }

    fn row_count(&self) -> Result<u64, BuildSampleError> {
        let min_rows = match &self.shape {
            Shape::Schema(_) => 0,
            Shape::Contract(contract) => contract.min_rows.unwrap_or(1),
        };
        let max_rows = match &self.shape {
            Shape::Schema(_) => MOST_ROWS,
            Shape::Contract(contract) => contract.max_rows.unwrap_or(MOST_ROWS),
        };
        match self.rows {
            None => Ok(min_rows.clamp(ROWS, MOST_ROWS).min(max_rows)),
            Some(rows) if rows > MOST_ROWS => Err(BuildSampleError::TooManyRows { rows, most: MOST_ROWS }),
            Some(rows) if rows < min_rows => Err(BuildSampleError::TooFewRows { min_rows, rows }),
            Some(rows) => Ok(rows),
        }
    }

    /// Which rows of a column are there. Columns have their nulls in different rows, so that rows are not empty.
    fn nulls(&self, place: usize, rows: u64) -> Option<NullBuffer> {
        let every = self.null_every?.get();
        let offset = place as u64 % every;
        Some((0..rows).map(|row| (row + offset) % every != every - 1).collect())
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::Array as _;
    use arrow::datatypes::Field;
    use runtime_testing_models::{ColumnContract, TypeWord};

    use super::*;

    fn contract() -> TableContract {
        let mut contract = TableContract::default().with_column("id", TypeWord::Integer);
        contract.min_rows = Some(3);
        let optional = ColumnContract { optional: true, ..ColumnContract::new(TypeWord::Text) };
        contract.columns.insert("note".to_owned(), optional);
        contract.columns["id"].nullable = false;
        contract
    }

    #[track_caller]
    fn check_refused(builder: &SampleDataBuilder, expected: &str) {
        assert_eq!(builder.build().expect_err("no sample").to_string(), expected);
    }

    #[test]
    fn what_is_no_sample() {
        let builder = SampleData::builder(&contract());
        check_refused(
            &builder.clone().rows(2),
            "the contract asks for 3 rows and not 2; ask for as many or leave the number out",
        );
        check_refused(&builder.rows(1_000_001), "1000001 rows are no sample; ask for 1000000 at most");
        check_refused(
            &SampleData::builder(&TableContract::default()).rows(0),
            "the contract asks for 1 rows and not 0; ask for as many or leave the number out",
        );
        let nested = DataType::Dictionary(
            Box::new(DataType::Int8),
            Box::new(DataType::new_list(DataType::Int8, true)),
        );
        let schema = Schema::new(vec![Field::new("a", nested, true)]);
        let error = SampleData::builder(&schema).build().expect_err("no sample");
        assert!(matches!(error, BuildSampleError::NoValues { ref column, .. } if column == "a"), "{error}");
    }

    #[test]
    fn contracts_are_kept() {
        let builder = SampleData::builder(&contract());
        let sample = builder.clone().rows(4).null_every(2.try_into().unwrap()).build().unwrap();
        assert_eq!(sample.batch().num_rows(), 4);
        let nulls: Vec<usize> = sample.batch().columns().iter().map(|column| column.null_count()).collect();
        assert_eq!(nulls, [0, 2]);
        assert!(!sample.batch().schema().field(0).is_nullable());
        let sample = builder.without_optional_columns().build().unwrap();
        assert_eq!((sample.batch().num_columns(), sample.batch().num_rows()), (1, 5));
        let features =
            SampleData::builder(&TableContract::default()).null_every(5.try_into().unwrap()).build();
        let nulls: Vec<usize> =
            features.unwrap().batch().columns().iter().map(|column| column.null_count()).collect();
        assert_eq!(nulls, [1, 1, 1]);
    }

    #[test]
    fn a_schema_may_have_neither_columns_nor_rows() {
        let empty = SampleData::builder(&Schema::empty()).rows(0).build().unwrap();
        assert_eq!((empty.batch().num_columns(), empty.batch().num_rows()), (0, 0));
        assert_eq!(SampleData::builder(&Schema::empty()).build().unwrap().batch().num_rows(), 5);
    }
}
