//! What the runs say of every step and every edge.

mod byte_equal;
mod compare;
mod evidence;
mod isolate_cause;
mod missing_below;
mod notes;
mod observed;
mod similar_names;
mod status;
mod verdict;

pub(crate) use compare::{OwnProfiles, own_profiles};
pub(crate) use evidence::Evidence;
pub(crate) use status::judge_steps;
pub(crate) use verdict::{JudgedEdges, be_strict_on_edges, judge_edges};
