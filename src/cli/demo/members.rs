//! The members of a program of the demo, who join, return, earn points, rise in tier and leave.

use std::time::Duration;

use anyhow::Context as _;
use fastrand::Rng;
use serde_json::json;

use super::cast::{Cast, FIRST_NAMES, LAST_NAMES, Offer, TIERS};
use super::deed::{Deed, Outcome};
use crate::domain::{ExternalUserId, Timestamp};
use crate::wire::{
    AcceptTermsRequest, CreditRequest, DebitRequest, ExchangeTokenRequest, SetMemberRequest,
};

const DAY: Duration = Duration::from_hours(24);

#[derive(Debug)]
struct Member {
    /// As of the member's last request. Some points may have matured or expired since.
    balance: i64,
    earned: i64,
    tier: usize,
    /// A bit set of the offers that the member holds and does not redeem again.
    held: u32,
    has_accepted: bool,
    is_gone: bool,
}

/// Everyone who ever joined, by number.
#[derive(Debug, Default)]
pub(super) struct Members {
    people: Vec<Member>,
    rising: Vec<usize>,
}

impl Members {
    pub(super) fn sign_up(&mut self, rng: &mut Rng) -> Result<Deed, anyhow::Error> {
        let number = self.people.len();
        let pick = |rng: &mut Rng, names: &[&'static str]| rng.choice(names).copied();
        let first = pick(rng, FIRST_NAMES).unwrap_or_default();
        let last = pick(rng, LAST_NAMES).unwrap_or_default();
        let email = format!("{first}.{last}.{number}@example.com").to_lowercase();
        let body = json!({
            "externalUserID": external_id(number),
            "displayName": format!("{first} {last}"),
            "email": email,
        });
        self.people.push(Member {
            balance: 0,
            earned: 0,
            tier: 0,
            held: 0,
            has_accepted: false,
            is_gone: false,
        });
        Ok(Deed::Exchange(ExchangeTokenRequest::parse(&body)?))
    }

    /// A member opens the app, or accepts the versions of the legal documents in it, if there are
    /// any. Every fourth one never does.
    pub(super) fn visit(
        &mut self,
        versions: &[String],
        rng: &mut Rng,
    ) -> Result<Option<Deed>, anyhow::Error> {
        let Some(number) = self.somebody(rng) else {
            return Ok(None);
        };
        let member = &mut self.people[number];
        if !versions.is_empty() && !member.has_accepted && number % 4 < 3 {
            member.has_accepted = true;
            let body = json!({"versions": versions, "externalUserID": external_id(number)});
            return Ok(Some(Deed::Accept(AcceptTermsRequest::parse(&body)?)));
        }
        let body = json!({"externalUserID": external_id(number)});
        Ok(Some(Deed::Exchange(ExchangeTokenRequest::parse(&body)?)))
    }

    /// A member earns points. In a program with lots, those of some credits become available later.
    pub(super) fn earn(
        &mut self,
        (cast, has_lots): (&Cast, bool),
        at: Timestamp,
        rng: &mut Rng,
    ) -> Result<Option<(Deed, Outcome)>, anyhow::Error> {
        let Some(number) = self.somebody(rng) else {
            return Ok(None);
        };
        let (reason, least, most) = rng
            .choice(cast.earnings)
            .copied()
            .context("there are reasons for credits")?;
        let amount = rng.u32(least..=most);
        let lots = cast.lots.as_ref().filter(|_| has_lots);
        let delayed = lots.filter(|lots| lots.delayed == reason);
        let member = &mut self.people[number];
        if delayed.is_none() {
            member.balance += i64::from(amount);
        }
        member.earned += i64::from(amount);
        let next = TIERS.get(member.tier + 1);
        if next.is_some_and(|(_, needed)| member.earned >= *needed) {
            member.tier += 1;
            self.rising.push(number);
        }
        let mut body = json!({
            "externalUserID": external_id(number), "amount": amount, "reason": reason,
        });
        if let Some(lots) = delayed {
            let later = at.saturating_add(DAY * lots.days);
            body["maturesAt"] = json!(later.to_string());
        }
        let deed = Deed::Credit(CreditRequest::parse(&body)?);
        Ok(Some((deed, Outcome::Balance(number))))
    }

    /// The members who have earned a higher tier since the last call.
    pub(super) fn take_rising(&mut self) -> Vec<usize> {
        std::mem::take(&mut self.rising)
    }

    pub(super) fn rise(&self, member: usize) -> Result<Option<Deed>, anyhow::Error> {
        if self.is_gone(member) {
            return Ok(None);
        }
        let (tier, _) = TIERS[self.people[member].tier];
        // A number that is reserved for fiction.
        let phone = format!("+44 7700 900{:03}", member % 1000);
        let body = json!({"tier": tier, "phone": phone});
        let request = SetMemberRequest::parse(&body, body.to_string().as_bytes())?;
        Ok(Some(Deed::SetMember(parsed_id(member)?, request)))
    }

    pub(super) fn correct(
        &mut self,
        rng: &mut Rng,
    ) -> Result<Option<(Deed, Outcome)>, anyhow::Error> {
        let Some(number) = self.somebody(rng) else {
            return Ok(None);
        };
        let member = &mut self.people[number];
        let amount = member.balance.min(50);
        if amount == 0 {
            return Ok(None);
        }
        member.balance -= amount;
        let body = json!({
            "externalUserID": external_id(number), "amount": amount, "reason": "counted twice",
        });
        let deed = Deed::Debit(DebitRequest::parse(&body)?);
        Ok(Some((deed, Outcome::Balance(number))))
    }

    pub(super) fn leave(&mut self, rng: &mut Rng) -> Result<Option<Deed>, anyhow::Error> {
        let Some(member) = self.somebody(rng) else {
            return Ok(None);
        };
        self.people[member].is_gone = true;
        Ok(Some(Deed::Remove(parsed_id(member)?)))
    }

    /// Picks a current member. Some are much more active than others.
    pub(super) fn somebody(&self, rng: &mut Rng) -> Option<usize> {
        let count = self.people.len();
        if count == 0 {
            return None;
        }
        (0..8).find_map(|_| {
            let mut member = rng.usize(0..count);
            if rng.bool() {
                for _ in 0..3 {
                    let other = rng.usize(0..count);
                    member = [member, other][usize::from(zeal(other) > zeal(member))];
                }
            }
            (!self.is_gone(member)).then_some(member)
        })
    }

    pub(super) fn is_gone(&self, member: usize) -> bool {
        self.people[member].is_gone
    }

    /// Whether a member may redeem an offer and can afford it.
    pub(super) fn can_have(&self, member: usize, number: usize, offer: &Offer) -> bool {
        let member = &self.people[member];
        member.held & (1 << number) == 0
            && member.balance >= i64::from(offer.price)
            && (offer.tiers.is_empty() || offer.tiers.contains(&TIERS[member.tier].0))
    }

    /// Records the balance of a member. Points may have matured or expired before it.
    pub(super) fn note_balance(&mut self, member: usize, balance: i64) {
        self.people[member].balance = balance;
    }

    /// Records that a member redeemed an offer for a price.
    pub(super) fn pay(&mut self, member: usize, offer: usize, charged: i64) {
        let member = &mut self.people[member];
        member.balance -= charged;
        member.held |= 1 << offer;
    }

    /// Records that a redemption was canceled, or completed without a charge to return: the member
    /// may redeem the offer again.
    pub(super) fn refund(&mut self, member: usize, offer: usize, charged: i64) {
        let member = &mut self.people[member];
        member.balance += charged;
        member.held &= !(1 << offer);
    }
}

/// The activity of a member: a constant pseudo-random number.
fn zeal(member: usize) -> usize {
    member.wrapping_mul(40_503) % 65_536
}

pub(super) fn external_id(member: usize) -> String {
    format!("user_{}", member + 1)
}

fn parsed_id(member: usize) -> Result<ExternalUserId, anyhow::Error> {
    Ok(ExternalUserId::parse(
        "externalUserID",
        external_id(member),
    )?)
}
