//! The rules that columns have in common.

use crate::domain::{
    Allocation, Attributes, Cell, Cents, CounterValue, Entry, Environment, EventKind, Expiry,
    ExpiryNotice, Inclusion, Intake, Invalid, LotMoves, MessageId, OfferContent, OfferId, Rate,
    Reason, RedemptionCode, RedemptionLimit, Seq, Subscription, Tag, Timestamp, WebhookUrl, Zone,
};
use crate::rules::{EVALUATOR_VERSION, RuleDocument};

/// A check of the values of a column that are not null.
#[derive(Debug, Clone, Copy)]
pub(in crate::store) struct Rule(pub(super) fn(Cell<'_>) -> Result<(), String>);

impl Rule {
    /// Checks a value.
    ///
    /// # Errors
    /// A description of what is expected.
    pub(in crate::store) fn check(self, cell: Cell<'_>) -> Result<(), String> {
        match cell {
            Cell::Null => Ok(()),
            cell => (self.0)(cell),
        }
    }
}

/// A text that a type of the domain accepts.
macro_rules! text {
    ($type:ident) => {
        Rule(|cell| {
            let text = cell.text().ok_or("must be text")?;
            $type::parse_stored("", text).map(drop).map_err(expected)
        })
    };
}
pub(super) use text;

/// Checks a whole number against a range.
fn in_range(cell: Cell<'_>, least: i64, most: i64) -> Result<(), String> {
    match cell.integer() {
        Some(number) if (least..=most).contains(&number) => Ok(()),
        _ => Err(format!("must be a whole number from {least} to {most}")),
    }
}

/// A text of the log: a reason, a comment, or a key or value of a participant's state, of which the
/// JSON of an attribute is the longest.
pub(super) const LOG_TEXT: Rule = Rule(|cell| {
    let most = Attributes::BYTES_MAX;
    let text = cell.text().ok_or("must be text")?;
    let fits = text.len() <= most;
    fits.then_some(())
        .ok_or_else(|| format!("must be at most {most} bytes long"))
});
/// A tag, in lower case.
pub(super) const TAG: Rule = Rule(|cell| {
    let text = cell.text().ok_or("must be text")?;
    let tag = Tag::parse_stored("", text).map_err(expected)?;
    let is_lower = tag.as_str().to_lowercase() == text;
    is_lower
        .then_some(())
        .ok_or_else(|| "must be in lower case".to_owned())
});
pub(super) const COUNTER_VALUE: Rule = Rule(|cell| {
    let text = cell.text().ok_or("must be text")?;
    let value = CounterValue::parse_stored("", text);
    value.map(drop).map_err(expected)
});
pub(super) const ANY: Rule = Rule(|_| Ok(()));
/// The number of a row.
pub(super) const ROW: Rule = Rule(|cell| in_range(cell, 1, Seq::MAX));
pub(super) const COUNT: Rule = Rule(|cell| in_range(cell, 0, Seq::MAX));
/// A time stamped by a server's clock.
pub(super) const STAMP: Rule = Rule(|cell| {
    let time = cell.integer().and_then(Timestamp::parse_stored);
    time.map(drop)
        .ok_or_else(|| "must be Unix milliseconds in the years 1970 to 9999".to_owned())
});
/// A time given by a caller.
pub(super) const TIME: Rule = Rule(|cell| {
    let time = cell.integer().and_then(Timestamp::from_millis);
    time.map(drop)
        .ok_or_else(|| "must be Unix milliseconds in the years 0000 to 9999".to_owned())
});
pub(super) const MONTH: Rule = Rule(|cell| {
    // December of the year 9999.
    let most = (9999 - 1970) * 12 + 11;
    in_range(cell, 0, most).map_err(|_| format!("must be months since 1970, 0 to {most}"))
});
pub(super) const DAY: Rule = Rule(|cell| {
    // The last day of the year 9999.
    let most = 2_932_896;
    in_range(cell, 0, most).map_err(|_| format!("must be days since 1970, 0 to {most}"))
});
pub(super) const ALLOCATION: Rule = Rule(|cell| in_range(cell, 0, Allocation::CREDITS_MAX));
pub(super) const RATE_PER_POINT: Rule = Rule(|cell| {
    let most = Rate::PER_POINT_MAX.millionths();
    in_range(cell, Rate::ZERO.millionths(), most)
});
pub(super) const DISPLAY_PRICE: Rule = Rule(|cell| {
    let most = Rate::PRICE_MAX.millionths();
    in_range(cell, Rate::ZERO.millionths(), most)
});
pub(super) const UNITS_PER_USD: Rule = Rule(|cell| {
    let most = Rate::PER_USD_MAX.millionths();
    in_range(cell, Rate::LEAST.millionths(), most)
});
/// The life of points, as it is stored.
pub(super) const EXPIRY: Rule = Rule(|cell| {
    let text = cell.text().unwrap_or_default();
    let expiry = Expiry::parse_stored(text).filter(|expiry| expiry.to_string() == text);
    expiry
        .map(drop)
        .ok_or_else(|| "must be a period such as P12M, or year_end".to_owned())
});
/// Days before points expire.
pub(super) const NOTICE: Rule = Rule(|cell| in_range(cell, 1, ExpiryNotice::DAYS_MAX));
pub(super) const ZONE: Rule = Rule(|cell| {
    let zone = Zone::parse(cell.text().unwrap_or_default());
    zone.map(drop)
        .ok_or_else(|| "must be the name of a time zone".to_owned())
});
pub(super) const PIECES: Rule = Rule(|cell| {
    let pieces = cell.integer().unwrap_or(-1);
    OfferContent::check_stored_pieces("", pieces).map_err(expected)
});
pub(super) const CENTS: Rule = Rule(|cell| in_range(cell, 0, Cents::MAX.get()));
pub(super) const GUESTS: Rule = Rule(|cell| in_range(cell, 0, OfferContent::GUESTS_MAX));
pub(super) const PER_MEMBER: Rule = Rule(|cell| in_range(cell, 1, RedemptionLimit::PER_MEMBER_MAX));
pub(super) const INCLUSIONS: Rule = Rule(|cell| {
    let json = cell.text().unwrap_or_default();
    Inclusion::parse_stored_list("", json)
        .map(drop)
        .map_err(expected)
});
pub(super) const IMAGES: Rule = Rule(|cell| {
    let json = cell.text().unwrap_or_default();
    OfferContent::parse_stored_images("", json)
        .map(drop)
        .map_err(expected)
});
pub(super) const TIERS: Rule = Rule(|cell| {
    let json = cell.text().unwrap_or_default();
    OfferContent::parse_stored_tiers("", json)
        .map(drop)
        .map_err(expected)
});
pub(super) const DATES: Rule = Rule(|cell| {
    let json = cell.text().unwrap_or_default();
    Intake::parse_stored_dates("", json)
        .map(drop)
        .map_err(expected)
});
pub(super) const PERSONS: Rule = Rule(|cell| in_range(cell, 0, Intake::GUESTS_MAX));
/// The code of a redemption, in upper case.
pub(super) const CODE: Rule = Rule(|cell| {
    let text = cell.text().unwrap_or_default();
    let code = RedemptionCode::parse(text).filter(|code| code.as_str() == text);
    code.map(drop)
        .ok_or_else(|| format!("{}, in upper case", RedemptionCode::EXPECTED))
});
pub(super) const EVENTS: Rule = Rule(|cell| {
    let json = cell.text().unwrap_or_default();
    Subscription::parse_stored("", json)
        .map(drop)
        .map_err(expected)
});
pub(super) const WEBHOOK_URL: Rule = Rule(|cell| {
    let url = cell.text().unwrap_or_default();
    // The environment is in other rows. The sandbox allows more.
    let read = WebhookUrl::parse_stored(url, Environment::Sandbox);
    read.map(drop).map_err(|refusal| refusal.to_string())
});
pub(super) const SECRET: Rule = Rule(|cell| {
    let is_visible = |rest: &str| {
        (1..=255).contains(&rest.len()) && rest.bytes().all(|byte| byte.is_ascii_graphic())
    };
    let rest = cell.text().and_then(|secret| secret.strip_prefix("whsec_"));
    rest.filter(|rest| is_visible(rest))
        .map(drop)
        .ok_or_else(|| "must be whsec_ and 1 to 255 visible ASCII characters".to_owned())
});
pub(super) const PREFIX: Rule =
    Rule(|cell| {
        let is_key = |prefix: &str| {
            let known = [
                "expys_sandbox_",
                "expys_live_",
                "partner_sandbox_",
                "partner_live_",
            ];
            prefix.len() <= 255
                && prefix.bytes().all(|byte| byte.is_ascii_graphic())
                && known.iter().any(|known| prefix.starts_with(known))
        };
        cell.text().filter(|prefix| is_key(prefix)).map(drop).ok_or_else(|| {
        "must begin with expys_ or partner_ and the environment, in visible ASCII characters"
            .to_owned()
    })
    });
pub(super) const KIND: Rule = Rule(|cell| {
    let kind = cell.integer().and_then(EventKind::of_number);
    kind.map(drop)
        .ok_or_else(|| "must be the number of an event".to_owned())
});
pub(super) const ENTRY: Rule = Rule(|cell| {
    let entry = cell.integer().and_then(Entry::of_number);
    let most = Entry::ALL.len();
    entry
        .map(drop)
        .ok_or_else(|| format!("must be a whole number from 1 to {most}"))
});
/// The change of a number of points, or of a pool.
pub(super) const CHANGE: Rule = Rule(|cell| in_range(cell, -Seq::MAX, Seq::MAX));
pub(super) const LOTS: Rule = Rule(|cell| {
    let moves = cell.blob().and_then(LotMoves::parse);
    moves
        .map(drop)
        .ok_or_else(|| "must be what a ledger entry does to lots".to_owned())
});
pub(super) const ACTOR: Rule = Rule(|cell| in_range(cell, 1, 6));
/// The version of an evaluator of this server or an earlier one.
pub(super) const EVALUATOR: Rule = Rule(|cell| in_range(cell, 1, EVALUATOR_VERSION.into()));
/// A whole earning rule.
pub(super) const RULE: Rule = Rule(|cell| {
    let document = RuleDocument::parse(cell.text().unwrap_or_default());
    document
        .map(drop)
        .ok_or_else(|| "must be an earning rule in JSON".to_owned())
});
/// A note of version 1: a reason, a public id or an environment.
pub(super) const NOTE: Rule = Rule(|cell| {
    let text = cell.text().unwrap_or_default();
    if MessageId::parse(text).is_some() || OfferId::parse(text).is_some() {
        return Ok(());
    }
    Reason::parse_stored("", text).map(drop).map_err(expected)
});

pub(super) fn expected(invalid: Invalid) -> String {
    invalid.expected
}
