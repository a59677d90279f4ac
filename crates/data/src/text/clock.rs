//! Dates and timestamps in cells that were found to be some.

/// The days from the first of January of the year 1 to that of 1970.
const DAYS_TO_1970: i32 = 719_162;

const SECOND: i64 = 1_000_000;

/// The number that digits make up.
fn digits(digits: &[u8]) -> i32 {
    digits.iter().fold(0, |number, digit| number * 10 + i32::from(*digit - b'0'))
}

/// The days since 1970 of a cell that begins with a date.
pub(crate) fn days(cell: &[u8]) -> i32 {
    const BEFORE_MONTH: [i32; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    let (year, month, day) = (digits(&cell[..4]), digits(&cell[5..7]), digits(&cell[8..10]));
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let past = year - 1;
    let before_year = 365 * past + past / 4 - past / 100 + past / 400;
    let before_month = BEFORE_MONTH[month as usize - 1] + i32::from(is_leap && month > 2);
    before_year + before_month + day - 1 - DAYS_TO_1970
}

/// The microseconds since 1970, in UTC, of a cell that is a date or timestamp. What is finer than that is cut off.
pub(crate) fn microseconds(cell: &[u8]) -> i64 {
    let day = i64::from(days(cell)) * 86_400 * SECOND;
    let Some(clock) = cell.get(11..) else { return day };
    let minutes = 60 * digits(&clock[..2]) + digits(&clock[3..5]);
    let mut rest = &clock[5..];
    let (mut seconds, mut fraction) = (0, 0);
    if let [b':', tens, ones, after @ ..] = rest {
        seconds = digits(&[*tens, *ones]);
        rest = after;
    }
    if let [b'.', after @ ..] = rest {
        let count = after.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(after.len());
        let mut six = [b'0'; 6];
        let kept = count.min(six.len());
        six[..kept].copy_from_slice(&after[..kept]);
        fraction = digits(&six);
        rest = &after[count..];
    }
    let offset = match rest {
        [sign, h1, h2, zone @ ..] => {
            let zone = zone.strip_prefix(b":").unwrap_or(zone);
            let minutes = 60 * digits(&[*h1, *h2]) + digits(zone);
            if *sign == b'-' { -minutes } else { minutes }
        }
        _ => 0,
    };
    day + i64::from((minutes - offset) * 60 + seconds) * SECOND + i64::from(fraction)
}
