//! The files of one table, and the schema that they have in common.

use std::collections::HashMap;

use arrow::datatypes::{Field, Schema};
use camino::{Utf8Path, Utf8PathBuf};
use runtime_testing_models::FileFormat;

use crate::error::{DataError, ReadTableError};
use crate::files::data_files;
use crate::files::partitions::Partitions;
use crate::options::ProfileOptions;
use crate::read::table_file::TableFile;
use crate::tables::{Part, group, lines_among_lines};
use crate::types::arrow_type::of_arrow;
use crate::types::join::{Typing, joined_arrow};

/// The files of a table, in the order in which they are read, and the schema of all.
pub(super) fn look_at(
    path: &Utf8Path,
    options: &ProfileOptions,
) -> Result<(Vec<TableFile>, Schema), ReadTableError> {
    let metadata = std::fs::metadata(path).map_err(|source| DataError::new(path, source))?;
    if !metadata.is_dir() {
        let file = TableFile::look_at(path, options)?;
        let schema = file.schema.clone();
        return Ok((vec![file], schema));
    }
    let below = data_files(path)?;
    let files = below.into_iter().map(|below| TableFile::look_at(&path.join(below), options));
    let mut files = files.collect::<Result<Vec<_>, _>>()?;
    read_lines_among_lines(&mut files);
    add_partition_columns(&mut files, path);
    let tables = table_places(&files);
    let Some(first) = tables.first() else {
        return Err(ReadTableError::NoFiles { path: path.to_owned() });
    };
    if let Some(second) = tables.get(1) {
        return Err(differ(&files[first[0]], &files[second[0]]));
    }
    let schema = joined_schema(&files)?;
    Ok((files, schema))
}

/// Takes a single object for one line where it is on one, and a numbered part of files of several: a part with one row.
pub(crate) fn read_lines_among_lines(files: &mut [TableFile]) {
    let values = files.iter().map(|file| (file.path.as_path(), file.kind, file.is_one_line));
    for place in lines_among_lines(values) {
        files[place].kind.format = FileFormat::Ndjson;
    }
}

/// Adds the columns that the paths of files below a folder say.
pub(crate) fn add_partition_columns(files: &mut [TableFile], folder: &Utf8Path) {
    let below = |file: &TableFile| file.path.strip_prefix(folder).unwrap_or(&file.path).to_owned();
    let paths: Vec<Utf8PathBuf> = files.iter().filter(|file| !file.is_object()).map(below).collect();
    let partitions = Partitions::of(paths.iter().map(Utf8PathBuf::as_path));
    for file in files.iter_mut().filter(|file| !file.is_object()) {
        let constants = partitions.constants(&below(file)).into_iter();
        file.constants = constants
            .filter(|constant| file.schema.field_with_name(constant.field.name()).is_err())
            .collect();
    }
}

/// The places of the files of each table.
pub(crate) fn table_places(files: &[TableFile]) -> Vec<Vec<usize>> {
    let parts = files.iter().map(|file| Part {
        path: &file.path,
        format: file.kind.format,
        columns: file.fields().map(|field| field.name().as_str()).collect(),
    });
    group(&parts.collect::<Vec<_>>())
}

/// The schema of a table with the columns of all its files: those of the first, then what others have besides. JSON has no order, so
/// there they come in the order of their names.
///
/// # Errors
///
/// [`ReadTableError::FilesDiffer`] where files declare types that no type joins.
pub(crate) fn joined_schema(files: &[TableFile]) -> Result<Schema, ReadTableError> {
    let typing = files.iter().map(|file| Typing::of(file.kind.format)).min().unwrap_or(Typing::Declared);
    let mut fields: Vec<(Field, u64, &TableFile)> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for file in files {
        for field in file.fields() {
            let Some(place) = places.get(field.name().as_str()).copied() else {
                places.insert(field.name(), fields.len());
                fields.push((field.as_ref().clone(), file.rows, file));
                continue;
            };
            let (known, rows, first) = &mut fields[place];
            let data_type = joined_arrow(known.data_type(), field.data_type(), typing);
            let data_type = data_type.ok_or_else(|| types_differ(known, first, field, file))?;
            let nullable = known.is_nullable() || field.is_nullable();
            *known = known.clone().with_data_type(data_type).with_nullable(nullable);
            *rows = rows.saturating_add(file.rows);
        }
    }
    let all_rows = files.iter().fold(0_u64, |rows, file| rows.saturating_add(file.rows));
    let mut fields: Vec<Field> = fields
        .into_iter()
        .map(|(field, rows, _)| {
            let nullable = field.is_nullable() || rows < all_rows;
            field.with_nullable(nullable)
        })
        .collect();
    if typing == Typing::Values {
        fields.sort_by(|one, other| one.name().cmp(other.name()));
    }
    let metadata = files[0].schema.metadata();
    let is_alike = files.iter().all(|file| file.schema.metadata() == metadata);
    let metadata = if is_alike { metadata.clone() } else { Default::default() };
    Ok(Schema::new_with_metadata(fields, metadata))
}

/// The error for files that are no parts of one table.
fn differ(one: &TableFile, other: &TableFile) -> ReadTableError {
    let lacks = |file: &TableFile, other: &TableFile| {
        let mut names = other.schema.fields().iter().map(|field| field.name());
        names.find(|name| file.schema.index_of(name).is_err()).cloned()
    };
    let difference = match (one.is_object(), other.is_object()) {
        (false, true) => "it is a single JSON object, and that is none".to_owned(),
        (true, false) => "it is no single JSON object, and that is one".to_owned(),
        _ if one.kind.format != other.kind.format => {
            format!("it is {}, and that is {}", other.kind.format, one.kind.format)
        }
        _ => match (lacks(other, one), lacks(one, other)) {
            (Some(lacking), Some(extra)) => {
                format!("it has `{extra}` and lacks `{lacking}`, with little in common")
            }
            _ => "it has no columns".to_owned(),
        },
    };
    ReadTableError::FilesDiffer { other: one.path.clone(), path: other.path.clone(), difference }
}

/// The error for files that declare a column with types that no type joins.
fn types_differ(known: &Field, first: &TableFile, field: &Field, file: &TableFile) -> ReadTableError {
    let words = |field: &Field| of_arrow(field.data_type()).to_string();
    let (one, other) = match (words(known), words(field)) {
        (one, other) if one == other => (known.data_type().to_string(), field.data_type().to_string()),
        different => different,
    };
    let difference = format!("column `{}` is {other} and not {one}", field.name());
    ReadTableError::FilesDiffer { other: first.path.clone(), path: file.path.clone(), difference }
}
