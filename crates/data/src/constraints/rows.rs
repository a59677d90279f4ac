//! The rows of some columns of a table.

use arrow::datatypes::{FieldRef, Schema};
use arrow::record_batch::RecordBatch;
use camino::Utf8Path;
use runtime_testing_models::Difference;

use super::with_source;
use crate::compare::FileDifference;
use crate::error::{DataError, ReadTableError};
use crate::files::partitions::{Constant, Partitions};
use crate::findings::unreadable;
use crate::options::ProfileOptions;
use crate::read::Batches;
use crate::read::table_file::TableFile;
use crate::tables::Table;
use crate::types::arrow_type::to_arrow;
use crate::types::join::Typing;

/// Reads some columns of a table, file by file.
pub(super) struct RowReader<'a> {
    pub(super) root: &'a Utf8Path,
    pub(super) table: &'a Table<'a>,
    pub(super) options: &'a ProfileOptions,
    /// The files whose rows could not be read.
    pub(super) broken: Vec<FileDifference>,
}

impl RowReader<'_> {
    /// Hands on batches: the place of their file, the number of their first row in it, and their rows.
    pub(super) fn read(
        &mut self,
        wanted: &[String],
        mut rows: impl FnMut(usize, u64, &RecordBatch),
    ) -> Result<(), DataError> {
        for (place, (file, _)) in self.table.files.iter().enumerate() {
            let result = self.read_file(place, wanted, &mut rows);
            let finding = match result {
                Ok(()) => continue,
                Err(ReadTableError::Data(error)) => return Err(error),
                Err(error) => unreadable(with_source(&error)),
            };
            let difference = Difference::Unreadable { finding };
            let told = FileDifference { file: file.path.clone(), difference };
            if !self.broken.contains(&told) {
                self.broken.push(told);
            }
        }
        Ok(())
    }

    pub(super) fn read_file(
        &self,
        place: usize,
        wanted: &[String],
        rows: &mut impl FnMut(usize, u64, &RecordBatch),
    ) -> Result<(), ReadTableError> {
        let (file, schema) = self.table.files[place];
        let path = self.root.join(&file.path);
        let typing = Typing::of(file.format);
        let mut table_file = match typing {
            Typing::Declared => TableFile::look_at(&path, self.options)?,
            // Its types are those that all files show together.
            Typing::Values | Typing::Cells => TableFile::of_profile(&path, file, schema),
        };
        if typing == Typing::Declared || !file.partition_columns.is_empty() {
            let partitions = self.table.files.iter().map(|(file, _)| file.path.as_path());
            let constants = Partitions::of(partitions).constants(&file.path);
            let is_meant = |constant: &Constant| file.partition_columns.contains(constant.field.name());
            table_file.constants = constants.into_iter().filter(is_meant).collect();
        }
        let is_wanted = |name: &str| wanted.iter().any(|wanted| wanted == name);
        let fields: Vec<_> = table_file.fields().filter(|field| is_wanted(field.name())).cloned().collect();
        let fields: Vec<_> = match typing {
            Typing::Declared => fields,
            Typing::Values | Typing::Cells => fields
                .into_iter()
                .filter_map(|field| {
                    let whole = self.table.column(field.name())?.whole.as_ref()?;
                    Some(std::sync::Arc::new(field.as_ref().clone().with_data_type(to_arrow(whole)?)))
                })
                .collect(),
        };
        if fields.is_empty() {
            return Ok(());
        }
        if typing == Typing::Values {
            // Of JSON, only what is asked for is looked at.
            let is_own = |field: &&FieldRef| table_file.schema.field_with_name(field.name()).is_ok();
            table_file.schema = Schema::new(fields.iter().filter(is_own).cloned().collect::<Vec<_>>());
        }
        let batches = Batches::of(vec![table_file], Schema::new(fields), self.options);
        let mut first_row = 1;
        batches.for_each(self.options.jobs(), |batch| {
            if self.options.is_canceled() {
                return Err(ReadTableError::from(DataError::Canceled { path: path.clone() }));
            }
            rows(place, first_row, &batch);
            first_row += batch.num_rows() as u64;
            Ok(())
        })?;
        Ok(())
    }
}
