//! Reading numbers as decimals.

pub use rust_decimal::Decimal as Number;

/// Reads a number as JSON and CEL write it; `None` if it is none, or if no decimal of 28 digits is
/// near enough. Decimals beyond the 28th digit are rounded.
pub(super) fn parse_number(text: &str) -> Option<Number> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_known = |byte: u8| byte.is_ascii_digit() || b".eE+-".contains(&byte);
    if !digits.bytes().all(is_known)
        || !digits.starts_with(|c: char| c.is_ascii_digit() || c == '.')
    {
        return None;
    }
    let number = if text.contains(['e', 'E']) {
        Number::from_scientific_lossy(text).ok()?
    } else {
        text.parse().ok()?
    };
    Some(number)
}
