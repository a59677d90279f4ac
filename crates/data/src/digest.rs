//! What data holds, in one hash. docs/digest.md says what is equal.

mod number;
mod rows;
mod time;
mod values;

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema};
use camino::Utf8Path;
use runtime_testing_models::{Digest, DigestOptions, DigestScheme};

use self::rows::RowHasher;
use crate::error::{DataError, ReadTableError};
use crate::files::data_files;
use crate::options::ProfileOptions;
use crate::read::table_file::TableFile;
use crate::read::{Batches, add_partition_columns, joined_schema, read_lines_among_lines, table_places};
use crate::text::reader::CancelableReader;

/// How many rows are hashed between two looks at whether it is canceled.
const BATCH_ROWS: usize = 8192;

/// A hash of what a file or folder holds: the same for the same rows, whatever the format, the compression, the order of
/// columns, the size of batches and row groups, and however many files of a folder they lie in.
///
/// - A table gives the digest of its rows (`rows1:…`). docs/digest.md says which values are equal in which formats: `1.50`
///   in CSV, a decimal 1.50 and a float 1.5 are.
/// - A file that is no table, and JSON whose columns hold values of several kinds, gives the digest of its bytes
///   (`bytes1:…`).
/// - The files of a folder that have the same columns are parts of one table, read in the order of their paths. So are
///   numbered parts in JSON (`part-0.json`, `part-1.json`), of which some may leave out columns of nulls. A folder of
///   one table gives the digest of its rows; any other one gives that of all its tables and of the paths and bytes of its
///   other files (`files1:…`). Single JSON objects beside tables are other files, of which the rows count and not the bytes.
///
/// Memory does not grow with the number of rows, but batches of Arrow IPC are held as they lie in the file. It protects from accidents, not from people who look for two tables with
/// one digest: where the order of rows is ignored, hashes of rows are added up.
///
/// ```
/// use runtime_testing_data::digest_path;
/// use runtime_testing_models::DigestOptions;
///
/// let folder = tempfile::tempdir()?;
/// let folder = camino::Utf8PathBuf::try_from(folder.path().to_owned())?;
/// std::fs::write(folder.join("a.csv"), "id,amount\n1,1.50\n2,\n")?;
/// std::fs::write(folder.join("b.ndjson"), "{\"amount\": 1.5, \"id\": 1.0}\n{\"id\": 2}\n")?;
///
/// let options = DigestOptions::default();
/// let digest = digest_path(&folder.join("a.csv"), &options)?;
/// assert_eq!(digest, digest_path(&folder.join("b.ndjson"), &options)?);
/// assert!(digest.to_string().starts_with("rows1:"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// [`ReadTableError`] where a file cannot be read, or should be a table and is a damaged one, and where a folder has no files.
pub fn digest_path(path: &Utf8Path, options: &DigestOptions) -> Result<Digest, ReadTableError> {
    digest_path_with(path, options, &ProfileOptions::default())
}

/// The digest of [`digest_path`], with other words for nulls in CSV and TSV, or a way to give up while files are read.
///
/// # Errors
///
/// As [`digest_path`]; [`DataError::Canceled`] where it was given up.
pub fn digest_path_with(
    path: &Utf8Path,
    options: &DigestOptions,
    reading: &ProfileOptions,
) -> Result<Digest, ReadTableError> {
    let metadata = std::fs::metadata(path).map_err(|source| DataError::new(path, source))?;
    if metadata.is_dir() {
        return digest_folder(path, *options, reading);
    }
    match look_at(path, reading)? {
        Some(table) => digest_rows(vec![table], *options, reading),
        None => digest_bytes(path, reading),
    }
}

/// The table that a file is, and none where its bytes are all there is to tell.
fn look_at(path: &Utf8Path, reading: &ProfileOptions) -> Result<Option<TableFile>, ReadTableError> {
    match TableFile::look_at(path, reading) {
        Ok(table) => Ok(Some(table)),
        Err(ReadTableError::NotATable { .. } | ReadTableError::NoArrowType { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

fn digest_folder(
    folder: &Utf8Path,
    options: DigestOptions,
    reading: &ProfileOptions,
) -> Result<Digest, ReadTableError> {
    let mut files = Vec::new();
    let mut others = Vec::new();
    for below in data_files(folder)? {
        let path = folder.join(&below);
        match look_at(&path, reading)? {
            Some(file) => files.push(file),
            None => others.push((below, digest_bytes(&path, reading)?)),
        }
    }
    read_lines_among_lines(&mut files);
    add_partition_columns(&mut files, folder);
    let places = table_places(&files);
    let mut files: Vec<Option<TableFile>> = files.into_iter().map(Some).collect();
    let mut take = |place: usize| files[place].take().expect("a file is in one table");
    let mut tables: Vec<Vec<TableFile>> =
        places.into_iter().map(|places| places.into_iter().map(&mut take).collect()).collect();
    if tables.iter().any(|files| !files[0].is_object()) {
        // Beside tables, an object tells something of them.
        for object in tables.extract_if(.., |files| files[0].is_object()).flatten() {
            let below = object.path.strip_prefix(folder).expect("the files lie in the folder").to_owned();
            others.push((below, digest_rows(vec![object], options, reading)?));
        }
        others.sort_by(|(one, _), (other, _)| one.as_str().cmp(other.as_str()));
    }
    // What has neither columns nor rows, such as an empty JSON array, can be a part of any table.
    if tables.len() > 1 {
        tables.retain(|files| files.iter().any(|file| file.rows > 0 || !file.schema.fields().is_empty()));
    }
    if tables.is_empty() && others.is_empty() {
        return Err(ReadTableError::NoFiles { path: folder.to_owned() });
    }
    let digests = tables.into_iter().map(|files| digest_rows(files, options, reading));
    let mut digests = digests.collect::<Result<Vec<Digest>, _>>()?;
    if let ([digest], true) = (&digests[..], others.is_empty()) {
        return Ok(*digest);
    }
    let scheme = DigestScheme::Files(options);
    let mut hasher = blake3::Hasher::new();
    hasher.update(scheme.to_string().as_bytes());
    hasher.update(&(digests.len() as u64).to_le_bytes());
    digests.sort_unstable_by_key(|digest| *digest.hash());
    for digest in digests {
        hasher.update(digest.hash());
    }
    for (below, digest) in others {
        hasher.update(&(below.as_str().len() as u64).to_le_bytes());
        hasher.update(below.as_str().as_bytes());
        hasher.update(digest.hash());
    }
    Ok(Digest::new(scheme, *hasher.finalize().as_bytes()))
}

/// The rows of all files, which are parts of one table.
fn digest_rows(
    files: Vec<TableFile>,
    options: DigestOptions,
    reading: &ProfileOptions,
) -> Result<Digest, ReadTableError> {
    let first = files[0].path.clone();
    // Which words of a text are nulls is settled over all of its parts. Declared types need not go together.
    let parts = match joined_schema(&files) {
        Ok(schema) => vec![Batches::of(files, schema, reading)],
        Err(_) => {
            let mut all = BTreeSet::new();
            all.extend(files.iter().flat_map(TableFile::fields).map(|field| field.name().clone()));
            let schema = |file: &TableFile| {
                let null = |name: &String| Arc::new(Field::new(name, DataType::Null, true));
                let field = |name: &String| file.fields().find(|field| field.name() == name).map(Arc::clone);
                Schema::new(
                    all.iter().map(|name| field(name).unwrap_or_else(|| null(name))).collect::<Vec<_>>(),
                )
            };
            files
                .into_iter()
                .map(|file| {
                    let schema = schema(&file);
                    Batches::of(vec![file], schema, reading)
                })
                .collect()
        }
    };
    let schema = parts[0].schema();
    let mut hasher = RowHasher::new(schema.fields().iter().map(|field| field.name().as_str()), options);
    for batches in parts {
        batches.for_each(reading.jobs(), |batch| {
            // Those of Arrow IPC are as large as they lie in the file.
            for start in (0..batch.num_rows()).step_by(BATCH_ROWS) {
                hasher.add(&batch.slice(start, BATCH_ROWS.min(batch.num_rows() - start)));
                if reading.is_canceled() {
                    return Err(ReadTableError::from(DataError::Canceled { path: first.clone() }));
                }
            }
            Ok(())
        })?;
    }
    Ok(hasher.finish())
}

fn digest_bytes(path: &Utf8Path, reading: &ProfileOptions) -> Result<Digest, ReadTableError> {
    let hash = File::open(path)
        .and_then(|file| hash_bytes(CancelableReader::new(file, reading)))
        .map_err(|source| DataError::new(path, source))?;
    Ok(Digest::new(DigestScheme::Bytes, hash))
}

fn hash_bytes(mut file: impl io::Read) -> io::Result<[u8; 32]> {
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(*hasher.finalize().as_bytes()),
            Ok(count) => hasher.update(&buffer[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
    }
}
