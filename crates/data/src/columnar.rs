//! Formats that declare a schema: Parquet and Arrow IPC.

pub(crate) mod ipc;
pub(crate) mod panic;
pub(crate) mod parquet;
pub(crate) mod table;
