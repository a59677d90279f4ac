//! JSON Schemas of the serialized forms, for editors and for those who read them in other languages.

use std::fmt;

use schemars::generate::SchemaSettings;
use serde_json::Value;

use crate::{EventLine, PipelineTestPlan, PipelineTestReport};

/// A serialized form that has a JSON Schema.
///
/// Those of the report, the plan and events come from the types. Those of specs and pipeline files, which people write, are written
/// by hand as their readers are: what a reader refuses in one value is refused by the schema too. What takes more than one
/// value to see, such as a cycle, only the reader finds.
///
/// ```
/// use runtime_testing_models::SchemaName;
///
/// let schema: serde_json::Value = serde_json::from_str(&SchemaName::Spec.json_schema())?;
/// assert_eq!(schema["properties"]["isolation"]["enum"][0], "fresh");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SchemaName {
    /// A report: [`PipelineTestReport`].
    Report,
    /// A plan: [`PipelineTestPlan`].
    Plan,
    /// A line of a stream of events: [`EventLine`].
    Events,
    /// A spec file: [`ScriptExecutionSpec`](crate::ScriptExecutionSpec).
    Spec,
    /// A pipeline file, in any of its shapes.
    Pipeline,
}

impl SchemaName {
    /// Every form that has one.
    pub const ALL: [Self; 5] = [Self::Report, Self::Plan, Self::Events, Self::Spec, Self::Pipeline];

    /// The word for it on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Report => "report",
            Self::Plan => "plan",
            Self::Events => "events",
            Self::Spec => "spec",
            Self::Pipeline => "pipeline",
        }
    }

    /// The schema (draft 2020-12) as indented JSON, with a newline at the end.
    pub fn json_schema(self) -> String {
        let written = || SchemaSettings::draft2020_12().for_serialize().into_generator();
        let schema = match self {
            Self::Report => written().into_root_schema_for::<PipelineTestReport>().into(),
            Self::Plan => written().into_root_schema_for::<PipelineTestPlan>().into(),
            Self::Events => written().into_root_schema_for::<EventLine>().into(),
            Self::Spec => parsed(SPEC),
            Self::Pipeline => pipeline(),
        };
        serde_json::to_string_pretty(&schema).expect("a schema is made of plain values") + "\n"
    }
}

impl fmt::Display for SchemaName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

const SPEC: &str = include_str!("schema/spec.json");
const PIPELINE: &str = include_str!("schema/pipeline.json");

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).expect("the schemas of this crate are JSON")
}

/// The schema of pipeline files, with that of specs among its definitions.
fn pipeline() -> Value {
    let mut pipeline = parsed(PIPELINE);
    let mut spec = parsed(SPEC);
    let members = spec.as_object_mut().expect("a schema is an object");
    members.remove("$schema");
    let definitions = members.remove("$defs").expect("the schema of specs has definitions");
    for (name, definition) in definitions.as_object().expect("definitions are an object") {
        pipeline["$defs"][name] = definition.clone();
    }
    pipeline["$defs"]["spec"] = spec;
    pipeline
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::TypeWord;
    use crate::spec_reader::KEYS;

    #[test]
    fn the_schema_of_specs_has_the_keys_and_words_of_the_reader() {
        let spec = parsed(SPEC);
        let keys = spec["properties"].as_object().unwrap().keys().map(String::as_str);
        assert_eq!(keys.collect::<BTreeSet<_>>(), KEYS.into());
        let words = spec["$defs"]["type"]["anyOf"][0]["enum"]
            .as_array()
            .unwrap()
            .iter()
            .map(|word| word.as_str().unwrap());
        assert_eq!(words.collect::<BTreeSet<_>>(), TypeWord::ALL.map(TypeWord::as_str).into());
    }
}
