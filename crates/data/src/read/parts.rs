//! The files of one table, and the schema that they have in common.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, Schema};
use camino::Utf8Path;
use runtime_testing_models::FileFormat;

use crate::error::{DataError, ReadTableError};
use crate::files::data_files;
use crate::numbered::{Numbered, lacking, lines_among_lines};
use crate::options::ProfileOptions;
use crate::read::table_file::TableFile;
use crate::types::join::{Typing, joined_arrow};
use crate::types::logical::TypeWords;

/// The files of a table, in the order in which they are read, and the schema of all.
pub(super) fn look_at(path: &Utf8Path) -> Result<(Vec<TableFile>, Schema), ReadTableError> {
    let options = ProfileOptions::default();
    let metadata = std::fs::metadata(path).map_err(|source| DataError::new(path, source))?;
    if !metadata.is_dir() {
        let file = TableFile::look_at(path, &options)?;
        let schema = file.schema.clone();
        return Ok((vec![file], schema));
    }
    let below = data_files(path)?;
    let files = below.into_iter().map(|below| TableFile::look_at(&path.join(below), &options));
    let mut files = files.collect::<Result<Vec<_>, _>>()?;
    read_lines_among_lines(&mut files);
    complete(&mut files);
    let (first, rest) =
        files.split_first().ok_or_else(|| ReadTableError::NoFiles { path: path.to_owned() })?;
    let mut common = Table::of(first);
    for (place, file) in rest.iter().enumerate() {
        let join = common.join(&Table::of(file));
        common = join.map_err(|difference| differ(&files[..=place], file, difference))?;
    }
    Ok((files, common.schema))
}

/// Takes a single object for one line where it is on one, and a numbered part of files of several: a part with one row.
pub(crate) fn read_lines_among_lines(files: &mut [TableFile]) {
    let values = files.iter().map(|file| (file.path.as_path(), file.kind, file.is_one_line));
    for place in lines_among_lines(values) {
        files[place].kind.format = FileFormat::Ndjson;
    }
}

/// Gives each numbered part of a table in JSON the columns of all of them. What no row of its own has is null.
pub(crate) fn complete(files: &mut [TableFile]) {
    let tables: Vec<Numbered<'_>> = files.iter().map(numbered).collect();
    let added: Vec<Vec<FieldRef>> = files
        .iter()
        .zip(lacking(&tables))
        .map(|(file, names)| {
            let nulls = |name| Arc::new(Field::new(name, DataType::Null, file.rows > 0));
            names.into_iter().map(nulls).collect()
        })
        .collect();
    for (file, added) in files.iter_mut().zip(added).filter(|(_, added)| !added.is_empty()) {
        let mut fields: Vec<FieldRef> = file.schema.fields().iter().cloned().chain(added).collect();
        fields.sort_by(|one, other| one.name().cmp(other.name()));
        file.schema = Schema::new(fields);
    }
}

fn numbered(file: &TableFile) -> Numbered<'_> {
    let columns = file.schema.fields().iter().map(|field| field.name().as_str()).collect();
    Numbered { path: &file.path, kind: file.kind, columns }
}

/// The schema that files have in common, if they are parts of one table.
pub(crate) fn joined_schema(files: &[TableFile]) -> Option<Schema> {
    let (first, rest) = files.split_first()?;
    let join = |table: Table, file: &TableFile| table.join(&Table::of(file)).ok();
    rest.iter().try_fold(Table::of(first), join).map(|table| table.schema)
}

/// The error for a file that does not go with those before it, naming the first that it does not go with.
fn differ(earlier: &[TableFile], file: &TableFile, difference: String) -> ReadTableError {
    let part = Table::of(file);
    let mut pairs = earlier.iter();
    let found = pairs.find_map(|other| Some((other, Table::of(other).join(&part).err()?)));
    let (other, difference) = found.unwrap_or((&earlier[0], difference));
    ReadTableError::FilesDiffer { other: other.path.clone(), path: file.path.clone(), difference }
}

/// The schema of one or more files.
#[derive(Debug)]
struct Table {
    schema: Schema,
    /// How its types are known.
    typing: Typing,
    is_object: bool,
}

impl Table {
    fn of(file: &TableFile) -> Self {
        let typing = Typing::of(file.kind.format);
        Self { schema: file.schema.clone(), typing, is_object: file.is_object() }
    }

    /// The schema of what is in the one or the other, or what keeps them from having one.
    fn join(self, other: &Self) -> Result<Self, String> {
        if self.is_object != other.is_object {
            let (one, two) = if other.is_object { ("a", "no") } else { ("no", "a") };
            return Err(format!("it is {one} single JSON object, and that is {two}"));
        }
        let typing = self.typing.min(other.typing);
        let (ours, theirs) = (self.schema.fields(), other.schema.fields());
        let mut fields = Vec::with_capacity(ours.len());
        for (place, (our, their)) in ours.iter().zip(theirs).enumerate() {
            let name = our.name();
            if name != their.name() {
                return Err(format!("column {} is `{}` and not `{name}`", place + 1, their.name()));
            }
            let data_type = joined_arrow(our.data_type(), their.data_type(), typing).ok_or_else(|| {
                let words = |field: &Field| TypeWords::of_arrow(field.data_type()).to_string();
                match (words(our), words(their)) {
                    (one, two) if one == two => {
                        format!("column `{name}` is {} and not {}", their.data_type(), our.data_type())
                    }
                    (one, two) => format!("column `{name}` is {two} and not {one}"),
                }
            })?;
            let nullable = our.is_nullable() || their.is_nullable();
            fields.push(our.as_ref().clone().with_data_type(data_type).with_nullable(nullable));
        }
        if ours.len() != theirs.len() {
            return Err(format!("it has {} columns and not {}", theirs.len(), ours.len()));
        }
        let is_alike = self.schema.metadata() == other.schema.metadata();
        let metadata = if is_alike { self.schema.metadata } else { Default::default() };
        Ok(Self { schema: Schema::new_with_metadata(fields, metadata), typing, is_object: self.is_object })
    }
}
