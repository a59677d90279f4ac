//! Numbers, whatever they are kept as: the number that the shortest decimal text tells is what counts.

use std::fmt::Display;

use runtime_testing_models::FloatTolerance;

use super::values::{add_null, tag};

/// Integers up to here are floats of 64 bits without loss.
const LARGEST_EXACT: u128 = 1 << 53;

/// Decimals of fewer digits than this, divided by a power of ten that a float holds, give the float whose text they are.
const SAFE_DECIMAL: u128 = 1_000_000_000_000_000;
const SAFE_SCALE: i8 = 22;

/// Adds a whole number.
pub(super) fn add_whole(out: &mut Vec<u8>, number: i128) {
    if number.unsigned_abs() <= LARGEST_EXACT {
        add_bits(out, number as f64);
    } else {
        add_decimal(out, number, 0, FloatTolerance::None);
    }
}

/// Adds a float. One that is no number is a null.
pub(super) fn add_float(out: &mut Vec<u8>, number: f64, tolerance: FloatTolerance) {
    if number.is_nan() {
        add_null(out);
    } else {
        add_bits(out, rounded(number, tolerance));
    }
}

/// Adds a narrower float: the number that its shortest text tells, which is how text formats write it.
pub(super) fn add_narrow_float(out: &mut Vec<u8>, number: f32, tolerance: FloatTolerance) {
    /// Whole numbers below this are written with all of their digits.
    const EXACT: f32 = 16_777_216.0;

    let is_whole = number.fract() == 0.0 && number.abs() <= EXACT;
    let wide = if is_whole || !number.is_finite() {
        f64::from(number)
    } else {
        number.to_string().parse().expect("what a float is written as is a float")
    };
    add_float(out, wide, tolerance);
}

/// Adds a decimal that is narrow enough for arithmetic.
pub(super) fn add_narrow_decimal(out: &mut Vec<u8>, unscaled: i128, scale: i8, tolerance: FloatTolerance) {
    if unscaled.unsigned_abs() < SAFE_DECIMAL && (0..=SAFE_SCALE).contains(&scale) {
        let number = unscaled as f64 / 10_f64.powi(i32::from(scale));
        add_float(out, number, tolerance);
    } else {
        add_decimal(out, unscaled, scale, tolerance);
    }
}

/// Adds a decimal: as the float whose shortest text it is, where there is one, else digit by digit.
pub(super) fn add_decimal(out: &mut Vec<u8>, unscaled: impl Display, scale: i8, tolerance: FloatTolerance) {
    let text = scientific(&unscaled.to_string(), scale);
    let nearest: f64 = text.parse().expect("digits and an exponent are a float");
    if tolerance != FloatTolerance::None {
        add_float(out, nearest, tolerance);
    } else if format!("{nearest:e}") == text {
        add_bits(out, nearest);
    } else {
        out.push(tag::DIGITS);
        out.extend((text.len() as u64).to_le_bytes());
        out.extend(text.as_bytes());
    }
}

/// The digits and the exponent as `{:e}` writes them: `-1.25e3`, without zeros at the end.
fn scientific(unscaled: &str, scale: i8) -> String {
    let (sign, digits) = match unscaled.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", unscaled),
    };
    let significant = digits.trim_end_matches('0');
    let Some((first, rest)) = significant.split_at_checked(1) else { return "0e0".to_owned() };
    let exponent = digits.len() as i64 - 1 - i64::from(scale);
    let point = if rest.is_empty() { "" } else { "." };
    format!("{sign}{first}{point}{rest}e{exponent}")
}

fn rounded(number: f64, tolerance: FloatTolerance) -> f64 {
    match tolerance {
        FloatTolerance::Digits(digits) if digits.get() < 17 && number.is_finite() => {
            let text = format!("{number:.*e}", usize::from(digits.get() - 1));
            text.parse().expect("what a float is written as is a float")
        }
        _ => number,
    }
}

fn add_bits(out: &mut Vec<u8>, number: f64) {
    // Zero has no sign here.
    let number = if number == 0.0 { 0.0 } else { number };
    out.push(tag::NUMBER);
    out.extend(number.to_le_bytes());
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU8;

    use arrow::datatypes::i256;
    use proptest::prelude::*;

    use super::*;

    const EXACT: FloatTolerance = FloatTolerance::None;

    fn of(add: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
        let mut out = Vec::new();
        add(&mut out);
        out
    }

    fn float(number: f64) -> Vec<u8> {
        of(|out| add_float(out, number, EXACT))
    }

    #[track_caller]
    fn check_decimal(unscaled: i128, scale: i8, expected: &[u8]) {
        assert_eq!(of(|out| add_narrow_decimal(out, unscaled, scale, EXACT)), expected);
        assert_eq!(of(|out| add_decimal(out, unscaled, scale, EXACT)), expected);
        assert_eq!(of(|out| add_decimal(out, i256::from_i128(unscaled), scale, EXACT)), expected);
    }

    #[test]
    fn numbers_are_what_they_are_kept_as_or_not() {
        assert_eq!(of(|out| add_whole(out, 1)), float(1.0));
        assert_eq!(float(-0.0), float(0.0));
        assert_eq!(of(|out| add_narrow_float(out, 0.1, EXACT)), float(0.1));
        assert_eq!(of(|out| add_narrow_float(out, f32::NEG_INFINITY, EXACT)), float(f64::NEG_INFINITY));
        for (narrow, wide) in [(16_777_216.0_f32, 16_777_216.0), (123_456_792.0, 123_456_790.0), (1e20, 1e20)]
        {
            assert_eq!(of(|out| add_narrow_float(out, narrow, EXACT)), float(wide));
            assert_eq!(of(|out| add_narrow_float(out, -narrow, EXACT)), float(-wide));
        }
        assert_eq!(of(|out| add_narrow_float(out, f32::NAN, EXACT)), float(f64::NAN));
        assert_eq!(float(f64::NAN), of(add_null));
        check_decimal(150, 2, &float(1.5));
        check_decimal(0, 2, &float(0.0));
        check_decimal(-12, -3, &float(-12_000.0));
        check_decimal(30_000_000_000_000_004, 17, &float(0.1 + 0.2));
    }

    #[test]
    fn large_numbers_are_not_mixed_up() {
        let (exact, largest) = (1_i128 << 53, LARGEST_EXACT as f64);
        assert_eq!(of(|out| add_whole(out, exact)), float(largest));
        assert_ne!(of(|out| add_whole(out, exact + 1)), float(largest));
        // Its absolute value is no `i128`, and it is a power of two.
        check_decimal(i128::MIN, 0, &of(|out| add_whole(out, i128::MIN)));
        assert_ne!(of(|out| add_whole(out, i128::MIN)), of(|out| add_whole(out, i128::MIN + 1)));
        assert_ne!(
            of(|out| add_whole(out, i128::from(u64::MAX))),
            of(|out| add_whole(out, i128::from(u64::MAX) - 1))
        );
        assert_eq!(of(|out| add_whole(out, 10_i128.pow(18))), float(1e18));
        let (one, other) = (10_i128.pow(30) + 1, 10_i128.pow(30) + 2);
        assert_ne!(of(|out| add_decimal(out, one, 5, EXACT)), of(|out| add_decimal(out, other, 5, EXACT)));
    }

    #[track_caller]
    fn check_rounded(digits: u8, number: f64, expected: f64) {
        let tolerance = FloatTolerance::Digits(NonZeroU8::new(digits).expect("not zero"));
        assert_eq!(of(|out| add_float(out, number, tolerance)), float(expected), "{number}");
    }

    #[test]
    fn floats_are_rounded_to_digits() {
        check_rounded(3, 0.1 + 0.2, 0.3);
        check_rounded(2, 0.1249, 0.12);
        check_rounded(2, 0.1251, 0.13);
        check_rounded(1, 2.5, 2.0);
        check_rounded(3, -123_456.0, -123_000.0);
        check_rounded(2, 9.99e307, 1e308);
        check_rounded(16, 0.1 + 0.2, 0.3);
        check_rounded(17, 0.1 + 0.2, 0.1 + 0.2);
        check_rounded(1, f64::INFINITY, f64::INFINITY);
        check_rounded(1, f64::NAN, f64::NAN);
        check_rounded(2, -1e-9, -1e-9);
    }

    proptest! {
        #[test]
        fn a_decimal_is_the_float_that_its_text_is_read_as(unscaled in -999_999_999_999_999_i64.., scale in 0..20_i8) {
            let unscaled = i128::from(unscaled % 1_000_000_000_000_000);
            let text = scientific(&unscaled.to_string(), scale);
            let expected = float(text.parse().unwrap());
            prop_assert_eq!(of(|out| add_decimal(out, unscaled, scale, EXACT)), &expected[..]);
            prop_assert_eq!(of(|out| add_narrow_decimal(out, unscaled, scale, EXACT)), expected);
        }

        #[test]
        fn different_integers_are_different(one in any::<i64>(), step in 1..1000_i64) {
            let other = i128::from(one) + i128::from(step);
            prop_assert_ne!(of(|out| add_whole(out, i128::from(one))), of(|out| add_whole(out, other)));
        }
    }
}
