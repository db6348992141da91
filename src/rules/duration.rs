//! Lengths of time as rules write them.

use std::time::Duration;

/// The longest: a century.
const SECONDS_MAX: u64 = 36_525 * 24 * 3_600;

/// Reads hours, minutes and seconds, such as `720h` or `1h30m`: each once at most, the larger
/// first, at least one second and at most a century.
///
/// ```
/// use std::time::Duration;
/// use stampcard::rules::parse_duration;
/// assert_eq!(parse_duration("1h30m"), Some(Duration::from_secs(5_400)));
/// for text in ["", "0h", "1d", "h", "30m1h", "-1h", "1.5h", "1h ", "900000h"] {
///     assert_eq!(parse_duration(text), None, "{text}");
/// }
/// ```
pub fn parse_duration(text: &str) -> Option<Duration> {
    let (mut rest, mut seconds) = (text, 0_u64);
    for (unit, each) in [('h', 3_600), ('m', 60), ('s', 1)] {
        let Some((number, after)) = rest.split_once(unit) else {
            continue;
        };
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        let number: u64 = number.parse().ok().filter(|_| is_number)?;
        seconds = seconds.checked_add(number.checked_mul(each)?)?;
        rest = after;
    }
    let fits = rest.is_empty() && (1..=SECONDS_MAX).contains(&seconds);
    fits.then(|| Duration::from_secs(seconds))
}
