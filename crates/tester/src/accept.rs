//! What a test observed, as contracts for the saved specs.

mod acceptance;
mod error;
mod flows;
mod observed;

pub use acceptance::{Acceptance, ContractChange, ContractPort};
pub use error::{AcceptError, LeftOut, LeftOutReason};
