use std::fmt;
use std::num::NonZeroUsize;
use std::sync::{Arc, OnceLock};

use runtime_testing_models::DataContract;

/// How files are profiled. The default uses all processors, takes for nulls what pandas does, and cannot be canceled.
///
/// ```
/// use std::num::NonZeroUsize;
///
/// use runtime_testing_data::{ProfileOptions, profile_file_with};
///
/// let folder = tempfile::tempdir()?;
/// let path = camino::Utf8PathBuf::try_from(folder.path().join("orders.csv"))?;
/// std::fs::write(&path, "id,quantity\n1,2\n2,-\n")?;
///
/// let options = ProfileOptions::default()
///     .with_jobs(NonZeroUsize::MIN)
///     .with_null_values(["-"]);
/// let schema = profile_file_with(&path, &options)?.schema.expect("a CSV file is a table");
/// assert_eq!((&*schema.columns[1].data_type.to_string(), schema.columns[1].nulls), ("int64", Some(1)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default)]
pub struct ProfileOptions {
    jobs: Option<NonZeroUsize>,
    null_values: Option<Arc<[String]>>,
    cancel: Option<Arc<dyn Fn() -> bool + Send + Sync>>,
}

impl fmt::Debug for ProfileOptions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ProfileOptions")
            .field("jobs", &self.jobs)
            .field("null_values", &self.null_values)
            .field("cancel", &self.cancel.as_ref().map(|_| ".."))
            .finish()
    }
}

impl ProfileOptions {
    /// How many threads share the work on one file. By default as many as the process may use processors. A profile is
    /// the same with any number.
    #[must_use]
    pub fn with_jobs(mut self, jobs: NonZeroUsize) -> Self {
        self.jobs = Some(jobs);
        self
    }

    /// The words that stand for a null in a column of CSV or TSV that is otherwise not text, in place of the usual ones. A word is
    /// compared with the whole cell, case included, quoted or not. The empty cell is always a null, also in text, where words are
    /// text.
    ///
    /// The usual ones are those of pandas, `none`, and `\\N`, which databases write: `#N/A`, `#N/A N/A`, `#NA`, `-1.#IND`,
    /// `-1.#QNAN`, `-NaN`, `-nan`, `1.#IND`, `1.#QNAN`, `<NA>`, `N/A`, `NA`, `NULL`, `NaN`, `None`, `\\N`, `n/a`, `nan`, `none`,
    /// `null`.
    #[must_use]
    pub fn with_null_values(mut self, words: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.null_values = Some(words.into_iter().map(Into::into).collect());
        self
    }

    /// The options with the words for nulls that a contract names, if it names any.
    #[must_use]
    pub fn for_contract(self, contract: &DataContract) -> Self {
        match contract.null_values() {
            Some(words) => self.with_null_values(words),
            None => self,
        }
    }

    /// Asks whether to give up: between files, and every few hundred kilobytes of a text. It is asked on whichever thread
    /// reads. Once it says so, profiling ends with [`DataError::Canceled`](crate::DataError::Canceled).
    ///
    /// ```
    /// use std::sync::Arc;
    /// use std::sync::atomic::{AtomicBool, Ordering};
    ///
    /// use runtime_testing_data::{DataError, ProfileOptions, profile_path_with};
    ///
    /// let stop = Arc::new(AtomicBool::new(false));
    /// let asked = Arc::clone(&stop);
    /// let options = ProfileOptions::default().with_cancel(move || asked.load(Ordering::Relaxed));
    ///
    /// let folder = tempfile::tempdir()?;
    /// let folder = camino::Utf8Path::from_path(folder.path()).expect("a temporary folder is UTF-8");
    /// std::fs::write(folder.join("orders.csv"), "id\n1\n")?;
    /// assert!(profile_path_with(folder, &options).is_ok());
    /// stop.store(true, Ordering::Relaxed);
    /// assert!(matches!(profile_path_with(folder, &options), Err(DataError::Canceled { .. })));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn with_cancel(mut self, is_canceled: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        self.cancel = Some(Arc::new(is_canceled));
        self
    }

    /// How many threads share the work on one file.
    pub fn jobs(&self) -> NonZeroUsize {
        self.jobs.unwrap_or_else(processors)
    }

    /// The words that stand for nulls, where they are not the usual ones.
    pub(crate) fn null_values(&self) -> Option<&[String]> {
        self.null_values.as_deref()
    }

    /// Whether to give up.
    pub fn is_canceled(&self) -> bool {
        self.cancel.as_ref().is_some_and(|is_canceled| is_canceled())
    }
}

/// How many processors there are to use. To ask costs the reading of several files, so it is asked once.
fn processors() -> NonZeroUsize {
    static PROCESSORS: OnceLock<NonZeroUsize> = OnceLock::new();
    *PROCESSORS.get_or_init(|| std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN))
}
