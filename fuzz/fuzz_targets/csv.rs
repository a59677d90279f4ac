#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| runtime_testing_fuzz::csv(bytes));
