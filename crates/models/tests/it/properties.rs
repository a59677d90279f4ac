//! What holds for every spec.

use proptest::prelude::*;
use runtime_testing_models::proptest1::{dags, job_values, specs};
use runtime_testing_models::{JobValue, PipelineDag, ScriptExecutionSpec};

proptest! {
    #[test]
    fn a_spec_is_read_as_it_was_written(spec in specs()) {
        let text = spec.to_json();
        let read = ScriptExecutionSpec::parse(&text).map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))?;
        prop_assert_eq!(&read, &spec);
        prop_assert_eq!(read.to_json(), text);
    }

    #[test]
    fn a_value_is_read_as_it_was_written(value in job_values()) {
        let text = serde_json::to_string(&value).unwrap();
        prop_assert_eq!(serde_json::from_str::<JobValue>(&text).unwrap(), value);
    }

    #[test]
    fn a_pipeline_is_read_as_it_was_written(dag in dags(0..12)) {
        let text = serde_json::to_string(&dag).unwrap();
        prop_assert_eq!(serde_json::from_str::<PipelineDag>(&text).unwrap(), dag);
    }
}
