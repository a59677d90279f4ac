//! The public behavior of the data crate.

mod batches;
mod compressed;
mod constraints;
mod damage;
mod digest_properties;
mod digests;
mod files;
mod finding_kinds;
mod fixtures;
mod folder;
mod fuzz_seeds;
mod hostile;
mod inner_nulls;
mod partitions;
mod profiles;
#[cfg(feature = "proptest1")]
mod properties;
mod round_trip;
mod samples;
mod schemas;
mod written;
