use std::collections::BTreeSet;
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::{Arc, OnceLock};

/// How files are profiled. The default uses all processors, takes for nulls what pandas does, and cannot be canceled.
///
/// ```
/// use std::num::NonZeroUsize;
///
/// use runtime_testing_data::{NullTokens, ProfileOptions, profile_file_with};
///
/// let folder = tempfile::tempdir()?;
/// let path = camino::Utf8PathBuf::try_from(folder.path().join("orders.csv"))?;
/// std::fs::write(&path, "id,quantity\n1,2\n2,-\n")?;
///
/// let options = ProfileOptions::default()
///     .with_jobs(NonZeroUsize::MIN)
///     .with_null_tokens(NullTokens::default().with_token("-"));
/// let schema = profile_file_with(&path, &options)?.schema.expect("a CSV file is a table");
/// assert_eq!((schema.columns[1].data_type.as_str(), schema.columns[1].nulls), ("int64", Some(1)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default)]
pub struct ProfileOptions {
    jobs: Option<NonZeroUsize>,
    null_tokens: NullTokens,
    cancel: Option<Arc<dyn Fn() -> bool + Send + Sync>>,
}

impl fmt::Debug for ProfileOptions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ProfileOptions")
            .field("jobs", &self.jobs)
            .field("null_tokens", &self.null_tokens)
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

    /// The words that stand for nulls in CSV and TSV.
    #[must_use]
    pub fn with_null_tokens(mut self, tokens: NullTokens) -> Self {
        self.null_tokens = tokens;
        self
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

    /// The words that stand for nulls.
    pub fn null_tokens(&self) -> &NullTokens {
        &self.null_tokens
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

/// The words that pandas takes for a null, `none`, and `\N`, which databases write.
const DEFAULT_TOKENS: [&str; 20] = [
    "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A",
    "NA", "NULL", "NaN", "None", "\\N", "n/a", "nan", "none", "null",
];

/// The words that stand for a null in a column of CSV or TSV that is otherwise not text. The empty cell always does, also
/// in text. In a column of text a word is text.
///
/// The default are those of pandas, and `none`: `#N/A`, `#N/A N/A`, `#NA`, `-1.#IND`, `-1.#QNAN`, `-NaN`, `-nan`,
/// `1.#IND`, `1.#QNAN`, `<NA>`, `N/A`, `NA`, `NULL`, `NaN`, `None`, `n/a`, `nan`, `none`, `null`. A word is compared with
/// the whole cell, case included, quoted or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NullTokens {
    tokens: BTreeSet<String>,
}

impl Default for NullTokens {
    fn default() -> Self {
        Self { tokens: DEFAULT_TOKENS.into_iter().map(str::to_owned).collect() }
    }
}

impl NullTokens {
    /// No word at all: only the empty cell is a null.
    pub fn empty_cell_only() -> Self {
        Self { tokens: BTreeSet::new() }
    }

    /// One more word.
    #[must_use]
    pub fn with_token(mut self, token: impl Into<String>) -> Self {
        self.tokens.insert(token.into());
        self
    }

    /// The words, sorted.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.tokens.iter().map(String::as_str)
    }
}
