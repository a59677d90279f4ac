use std::fmt;

use runtime_testing_dag::StepName;
use serde::{Deserialize, Serialize};

use crate::list::list;
use crate::{ScriptFailure, UntestedStep};

/// What makes an edge the cause of its consumer's failure. Where several edges lead to a consumer that fails on their data
/// and passes on its own, it is run again for each of them: with the data of that edge alone, all else its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum EdgeBlame {
    /// No other edge feeds the run with anything else than the consumer's own inputs hold, byte for byte.
    OnlyEdge,
    /// The failure names what breaks an edge before this one. The consumer was not run on its own inputs.
    Upstream,
    /// The consumer fails with the data of this edge alone.
    Alone,
    /// The consumer passes with the data of each edge alone. Only together they make it fail.
    Together {
        /// The other upstream steps whose data is not, byte for byte, what the consumer's own inputs hold.
        with: Vec<StepName>,
    },
    /// It is not known whether the consumer fails with the data of this edge alone.
    Unclear {
        /// Why not.
        reason: NotSingledOut,
        /// The other upstream steps of which it is not known either.
        or: Vec<StepName>,
    },
}

/// Why it is not known whether a consumer works with the data of one edge alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum NotSingledOut {
    /// The run ended in a way that says nothing of the data.
    Ended {
        /// How it ended.
        failure: Box<ScriptFailure>,
    },
    /// The run was not made.
    NotMade {
        /// Why not.
        reason: UntestedStep,
    },
}

impl fmt::Display for NotSingledOut {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ended { failure } => write!(formatter, "the run with it ended otherwise: {failure}"),
            Self::NotMade { reason } => write!(formatter, "the run with it was not made: {reason}"),
        }
    }
}

impl EdgeBlame {
    /// A sentence on a consumer that fails.
    pub(crate) fn sentence(&self, failure: &ScriptFailure) -> String {
        const PASSES: &str = "the consumer passes on its own inputs";
        match self {
            Self::OnlyEdge => format!("{PASSES} and fails on this data: {failure}"),
            Self::Upstream => format!("the consumer fails on what breaks there: {failure}"),
            Self::Alone => {
                format!("{PASSES} and fails with this data alone in place of its own input: {failure}")
            }
            Self::Together { with } => format!(
                "{PASSES} and with the data of each edge alone, and fails on this data together with that of {}: {failure}",
                list(with)
            ),
            Self::Unclear { reason, or } => {
                let or = if or.is_empty() {
                    String::new()
                } else {
                    format!("; the edge from {} can be the cause as well", list(or))
                };
                format!(
                    "{PASSES} and fails on this data: {failure} (whether it fails with this data alone is not known: \
                     {reason}{or})"
                )
            }
        }
    }
}
