//! The renderers of the response to a credit or debit.
//!
//! Its idempotency record has the number of its renderer in place of the body. A retry after an
//! upgrade must get the same bytes, so a renderer never changes. To change the response, add one
//! with the next number and use it for new responses; the present one stays for one release, with
//! the type that it renders, and older ones are deleted.

use super::{BalanceResponse, CurrencyResponse, to_json};
use crate::domain::Currency;

/// Renders the body.
pub type BalanceRenderer = fn(i64, &Currency) -> Vec<u8>;

/// The number of the renderer of new responses.
pub const BALANCE_RENDERER: u8 = 1;

/// Renders the body of a new response.
pub fn render_balance(balance: i64, currency: &Currency) -> Vec<u8> {
    balance_1(balance, currency)
}

/// The renderer of a number; `None` if this version does not have it.
pub fn balance_renderer(number: u8) -> Option<BalanceRenderer> {
    match number {
        1 => Some(balance_1),
        _ => None,
    }
}

/// The balance and the currency.
fn balance_1(balance: i64, currency: &Currency) -> Vec<u8> {
    to_json(&BalanceResponse {
        balance,
        currency: CurrencyResponse::from(currency),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{CurrencyName, CurrencySymbol, Points, Rate};

    fn stars() -> Currency {
        Currency {
            name: CurrencyName::parse("currencyName", "Étoiles \"✨\"").unwrap(),
            symbol: CurrencySymbol::parse("currencySymbol", "★").unwrap(),
            rate_per_point: Rate::from_millionths(10_000),
            units_per_usd: Rate::from_millionths(2_500_000),
        }
    }

    /// If this fails, the change needs a renderer with another number: retries of requests to the
    /// version before expect these bytes.
    #[test]
    fn a_renderer_never_changes() {
        let expected: [(u8, &str); 1] = [(
            1,
            "{\"balance\":9007199254740991,\"currency\":\
             {\"name\":\"Étoiles \\\"✨\\\"\",\"symbol\":\"★\",\"unitsPerUSD\":2.5}}",
        )];
        for (number, body) in expected {
            let render = balance_renderer(number).unwrap();
            assert_eq!(
                render(Points::MAX.get(), &stars()),
                body.as_bytes(),
                "{number}"
            );
        }
        let is_known = |number: &u8| balance_renderer(*number).is_some();
        assert_eq!((0..=u8::MAX).filter(is_known).count(), expected.len());
    }

    #[test]
    fn new_responses_have_the_renderer_of_their_number() {
        let render = balance_renderer(BALANCE_RENDERER).unwrap();
        let new = render_balance(Points::MAX.get(), &stars());
        assert_eq!(render(Points::MAX.get(), &stars()), new);
    }
}
