//! The interpreter with the packages that CI installs.

/// The interpreter that `RUNTIME_TESTING_PANDAS_PYTHON` names, or the reason why there is none.
///
/// # Panics
///
/// If none is named where `RUNTIME_TESTING_REQUIRE_PANDAS` is set, as it is in CI.
pub(crate) fn python_with(packages: &str) -> Result<String, String> {
    std::env::var("RUNTIME_TESTING_PANDAS_PYTHON").map_err(|_| {
        assert!(
            std::env::var_os("RUNTIME_TESTING_REQUIRE_PANDAS").is_none(),
            "no interpreter with {packages} was named"
        );
        format!("it needs {packages}, and `RUNTIME_TESTING_PANDAS_PYTHON` names no interpreter")
    })
}
