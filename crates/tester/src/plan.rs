//! What will be run, on what, and in which order: settled before anything runs.

pub(crate) mod bindings;
pub(crate) mod describe;
mod inspect;
pub(crate) mod missing_inputs;
pub(crate) mod model;
pub(crate) mod own_contracts;
mod own_inputs;
mod path_cache;
pub(crate) mod planner;
mod ports;
mod problem;
pub(crate) mod proposals;
mod runs;
mod scripts;
mod similarity;
mod validate;

pub use problem::{PlanError, PlanProblem};
pub use proposals::{BindingProposal, EdgeProposals};
