//! Tables for steps that are Rust functions: inputs and outputs as Arrow record batches.

use camino::Utf8PathBuf;
use indexmap::IndexMap;
use runtime_testing_data::arrow::array::RecordBatch;
use runtime_testing_data::arrow::datatypes::SchemaRef;
use runtime_testing_data::arrow::error::ArrowError;
use runtime_testing_data::{Batches, ReadTableError, WriteTableError, read_batches, write_batches};
use runtime_testing_models::LogicalName;
use runtime_testing_models::dag::nearest;

use crate::runners::function::FunctionParams;

/// Why a function's input cannot be read as a table, or its output not be written as one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FunctionTableError {
    /// The step has no input of this name.
    #[error("there is no input `{name}`{}", others(.nearest.as_ref(), "inputs", .names))]
    UnknownInput {
        /// The name.
        name: String,
        /// The name that may be meant.
        nearest: Option<LogicalName>,
        /// The names of the step's inputs.
        names: Vec<LogicalName>,
    },
    /// The step has no output of this name.
    #[error("there is no output `{name}`{}", others(.nearest.as_ref(), "outputs", .names))]
    UnknownOutput {
        /// The name.
        name: String,
        /// The name that may be meant.
        nearest: Option<LogicalName>,
        /// The names of the step's outputs.
        names: Vec<LogicalName>,
    },
    /// The output's path has no extension, so that it is a folder.
    #[error(
        "output `{name}` is a folder; give its path an extension such as .csv or .ndjson, \
         or write a file in the folder with `write_batches`"
    )]
    OutputIsAFolder {
        /// The output.
        name: LogicalName,
        /// Its path.
        path: Utf8PathBuf,
    },
    /// An input cannot be read.
    #[error("cannot read input `{name}`")]
    Read {
        /// The input.
        name: LogicalName,
        /// Why not.
        source: ReadTableError,
    },
    /// An output cannot be written.
    #[error("cannot write output `{name}`")]
    Write {
        /// The output.
        name: LogicalName,
        /// Why not.
        source: WriteTableError,
    },
}

/// What there is instead of a name that is not known.
fn others(nearest: Option<&LogicalName>, kind: &str, names: &[LogicalName]) -> String {
    if names.is_empty() {
        return format!("; the step has no {kind}");
    }
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    let hint = nearest.map_or_else(String::new, |nearest| format!("; did you mean `{nearest}`?"));
    format!("; the {kind} are {}{hint}", names.join(", "))
}

/// Tables as Arrow record batches, with the feature `arrow`.
impl FunctionParams {
    /// Opens an input as a table, in whatever format it is: a file, or a folder of files that are parts of one table.
    /// [`read_batches`] says which types the columns have and how the files of a folder go together.
    ///
    /// # Errors
    ///
    /// [`FunctionTableError`] where there is no such input, or where it cannot be read as a table. What goes wrong later
    /// is an error among the batches.
    pub fn read_input(&self, name: &str) -> Result<Batches, FunctionTableError> {
        let Some((name, path)) = self.input_paths.get_key_value(name) else {
            let (nearest, names) = known(name, &self.input_paths);
            return Err(FunctionTableError::UnknownInput { name: name.to_owned(), nearest, names });
        };
        read_batches(path).map_err(|source| FunctionTableError::Read { name: name.clone(), source })
    }

    /// Writes an output in the format that its path's extension names, batch by batch. [`write_batches`] says what the
    /// formats make of the types.
    ///
    /// ```
    /// use std::error::Error;
    ///
    /// use runtime_testing_data::arrow::array::{AsArray, BooleanArray};
    /// use runtime_testing_data::arrow::compute::filter_record_batch;
    /// use runtime_testing_data::arrow::datatypes::Int64Type;
    /// use runtime_testing_models::{
    ///     PipelineDag, PipelineTestingSpec, RuntimeTestingConfiguration, ScriptExecutionSpec, ScriptName, StepName,
    /// };
    /// use runtime_testing_tester::{FunctionParams, RuntimeTester, TesterSettings};
    ///
    /// /// Keeps the orders of more than one piece.
    /// fn clean(params: &FunctionParams) -> Result<(), Box<dyn Error + Send + Sync>> {
    ///     let orders = params.read_input("raw")?;
    ///     let schema = orders.schema();
    ///     let quantity = schema.index_of("quantity")?;
    ///     let large = orders.map(|batch| {
    ///         let batch = batch?;
    ///         let values = batch.column(quantity).as_primitive::<Int64Type>();
    ///         let is_large: BooleanArray = values.iter().map(|value| Some(value? > 1)).collect();
    ///         filter_record_batch(&batch, &is_large)
    ///     });
    ///     params.write_output("orders", &schema, large)?;
    ///     Ok(())
    /// }
    ///
    /// let folder = tempfile::tempdir()?;
    /// let root = camino::Utf8PathBuf::try_from(folder.path().to_owned())?;
    /// std::fs::write(root.join("raw.csv"), "id,quantity\n1,1\n2,NA\n3,5\n")?;
    ///
    /// let step: StepName = "clean".parse()?;
    /// let mut spec = ScriptExecutionSpec::new(ScriptName::new("clean")?, step.clone());
    /// spec.input_paths = [("raw".parse()?, "raw.csv".into())].into();
    /// spec.output_paths = [("orders".parse()?, "out/orders.ndjson".into())].into();
    /// let mut pipeline = PipelineTestingSpec::new(PipelineDag::build([step.clone()], [])?);
    /// pipeline.script_specs.insert(step, spec);
    /// let report = RuntimeTester::new(pipeline)
    ///     .with_settings(TesterSettings { base_folder: Some(root.clone()), ..TesterSettings::default() })
    ///     .with_function("clean".parse()?, clean)
    ///     .test_pipeline()?;
    ///
    /// assert!(report.pipeline_success(), "{:?}", report.errors());
    /// assert_eq!(std::fs::read_to_string(root.join("out/orders.ndjson"))?, "{\"id\":3,\"quantity\":5}\n");
    /// # Ok::<(), Box<dyn Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`FunctionTableError`] where there is no such output, where its path names no file of a known format, or where it
    /// cannot be written.
    pub fn write_output(
        &self,
        name: &str,
        schema: &SchemaRef,
        batches: impl IntoIterator<Item = Result<RecordBatch, ArrowError>>,
    ) -> Result<(), FunctionTableError> {
        let Some((name, path)) = self.output_paths.get_key_value(name) else {
            let (nearest, names) = known(name, &self.output_paths);
            return Err(FunctionTableError::UnknownOutput { name: name.to_owned(), nearest, names });
        };
        if path.extension().is_none() {
            return Err(FunctionTableError::OutputIsAFolder { name: name.clone(), path: path.clone() });
        }
        write_batches(path, schema, batches)
            .map_err(|source| FunctionTableError::Write { name: name.clone(), source })
    }
}

/// The name that may be meant, and all there are.
fn known(name: &str, paths: &IndexMap<LogicalName, Utf8PathBuf>) -> (Option<LogicalName>, Vec<LogicalName>) {
    let near = nearest(name, paths.keys().map(LogicalName::as_str));
    let near = near.and_then(|near| paths.get_key_value(near)).map(|(name, _)| name.clone());
    (near, paths.keys().cloned().collect())
}
