//! What the fuzzer checks, on the seeds in `fixtures/fuzz` and on variations of them.

use camino::{Utf8Path, Utf8PathBuf};

#[path = "../../../../fuzz/src/lib.rs"]
#[allow(unreachable_pub, reason = "there it is a library")]
mod targets;

/// How many variations are made of a seed.
const VARIATIONS: u64 = 25;

/// Numbers that look random and are the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % bound.max(1) as u64) as usize
    }
}

/// Changes a few bytes, cuts, repeats, or puts pieces of another seed in between.
fn varied(seed: &[u8], other: &[u8], numbers: &mut Numbers) -> Vec<u8> {
    const TELLING: &[u8] = b"\"\\,;:{}[]\n\r\t -.0e1\xFF\xC3\x1F\x28";
    let mut bytes = seed.to_vec();
    for _ in 0..=numbers.below(4) {
        let place = numbers.below(bytes.len() + 1);
        match numbers.below(5) {
            0 if place < bytes.len() => bytes[place] = TELLING[numbers.below(TELLING.len())],
            1 if place < bytes.len() => bytes[place] ^= 1 << numbers.below(8),
            2 => bytes.truncate(place),
            3 => bytes.extend_from_within(place..),
            _ => {
                let begin = numbers.below(other.len());
                let piece = &other[begin..(begin + numbers.below(20)).min(other.len())];
                bytes.splice(place..place, piece.iter().copied());
            }
        }
        bytes.truncate(20_000);
    }
    bytes
}

#[test]
fn what_is_checked_holds_of_the_seeds_and_of_variations() {
    let fixtures = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/fuzz");
    for (name, target) in targets::TARGETS {
        let mut files: Vec<Utf8PathBuf> = fixtures
            .join(name)
            .read_dir_utf8()
            .expect("the seeds lie in the repository")
            .map(|entry| entry.expect("a file").into_path())
            .collect();
        files.sort();
        assert!(!files.is_empty(), "{name} has seeds");
        let seeds: Vec<Vec<u8>> = files.iter().map(|file| std::fs::read(file).expect("a seed")).collect();
        let mut numbers = Numbers(1);
        for (file, seed) in files.iter().zip(&seeds) {
            target(seed);
            for variation in 0..VARIATIONS {
                let other = &seeds[numbers.below(seeds.len())];
                let bytes = varied(seed, other, &mut numbers);
                let checked = std::panic::catch_unwind(|| target(&bytes));
                assert!(checked.is_ok(), "variation {variation} of {file}: {}", bytes.escape_ascii());
            }
        }
    }
}
