//! Text: how it is read, whatever it is compressed with, and what a piece of it can be read as.

pub(crate) mod cell;
pub(crate) mod clock;
pub(crate) mod compression;
pub(crate) mod nulls;
pub(crate) mod reader;
mod shown;

pub(crate) use shown::shown;
