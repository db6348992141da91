//! Analytics.

use std::ops::Range;

use serde::Serialize;
use serde_json::Number;
use utoipa::ToSchema;

use crate::domain::{Status, StatusCounts};

/// `RedemptionStatusCounts`: the seven statuses in lower case, and their total.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[expect(missing_docs, reason = "the names are the API's")]
pub struct RedemptionTotalsResponse {
    pub submitted: u64,
    pub open: u64,
    pub awaiting_vendor: u64,
    pub awaiting_customer: u64,
    pub purchased: u64,
    pub completed: u64,
    pub canceled: u64,
    pub total: u64,
}

impl From<&StatusCounts> for RedemptionTotalsResponse {
    fn from(counts: &StatusCounts) -> Self {
        Self {
            submitted: counts.get(Status::Submitted),
            open: counts.get(Status::Open),
            awaiting_vendor: counts.get(Status::AwaitingVendor),
            awaiting_customer: counts.get(Status::AwaitingCustomer),
            purchased: counts.get(Status::Purchased),
            completed: counts.get(Status::Completed),
            canceled: counts.get(Status::Canceled),
            total: counts.total(),
        }
    }
}

/// `GET /v1/analytics/summary`.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(examples(json!({
    "memberCount": 1,
    "pointsMinted": 100,
    "pointsSpent": 40,
    "completionRate": 0.0,
    "redemptions": {
        "submitted": 1, "open": 0, "awaiting_vendor": 0, "awaiting_customer": 0,
        "purchased": 0, "completed": 0, "canceled": 0, "total": 1,
    },
    "activeMembers": 1,
    "pointsRefunded": 0,
    "pointsForfeited": 0,
    "pointsDebited": 0,
    "pointsExpired": 0,
    "pointsVoided": 0,
    "pointsPending": 0,
    "pointsHeld": 0,
})))]
pub struct SummaryResponse {
    /// Members who ever signed up, including removed ones.
    pub member_count: u64,
    /// Points credited, ever.
    pub points_minted: u64,
    /// Points spent on redemptions, ever. A refund does not lower it.
    pub points_spent: u64,
    /// Completed redemptions divided by all redemptions; 0 without redemptions.
    #[schema(minimum = 0, maximum = 1)]
    pub completion_rate: f64,
    /// Redemptions by status.
    pub redemptions: RedemptionTotalsResponse,
    /// Members who are not removed.
    pub active_members: u64,
    /// Points refunded by cancellations.
    pub points_refunded: u64,
    /// Points forfeited by removals.
    pub points_forfeited: u64,
    /// Points debited by corrections.
    pub points_debited: u64,
    /// Points that expired, ever.
    pub points_expired: u64,
    /// Points that were credited as reserved and taken back, ever.
    pub points_voided: u64,
    /// Points that become available later. They are part of `pointsMinted`.
    pub points_pending: u64,
    /// Points that are reserved.
    pub points_held: u64,
}

/// `OfferAnalytics`.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(examples(json!({
    "offerId": "off_01a1fda8-194e-75c2-b11a-dd34b93c1d23",
    "signups": 1,
    "completions": 0,
    "cancellations": 0,
    "pointsSpent": 40,
    "averageRating": null,
    "ratingCount": 0,
})))]
pub struct OfferAnalyticsResponse {
    /// The offer's id.
    pub offer_id: String,
    /// Distinct members who ever redeemed it.
    pub signups: u64,
    /// Its completed redemptions.
    pub completions: u64,
    /// Its canceled redemptions.
    pub cancellations: u64,
    /// Points spent on it, ever. A refund does not lower it.
    pub points_spent: u64,
    /// The average of its ratings, rounded half up to hundredths; null without ratings.
    #[schema(value_type = Option<f64>, minimum = 0, maximum = 10)]
    pub average_rating: Option<Number>,
    /// Its redemptions with a rating.
    pub rating_count: u64,
}

/// A number of hundredths, without a fraction if it is whole.
pub fn hundredths(number: u64) -> Option<Number> {
    if number.is_multiple_of(100) {
        return Some(Number::from(number / 100));
    }
    #[expect(
        clippy::cast_precision_loss,
        reason = "a double is precise enough for an average"
    )]
    Number::from_f64(number as f64 / 100.0)
}

/// `GET /v1/analytics/offers`.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OffersAnalyticsResponse {
    /// One row per offer, including archived ones, in the order of creation.
    pub offers: Vec<OfferAnalyticsResponse>,
}

/// Writes JSON that is mostly numbers. Responses that are requested often or have thousands of
/// equal parts use it: derived serialization escapes every name again, which takes several times as
/// long as the numbers.
pub(super) struct NumberWriter {
    pub(super) json: Vec<u8>,
    digits: itoa::Buffer,
}

impl NumberWriter {
    pub(super) fn with_capacity(bytes: usize) -> Self {
        Self {
            json: Vec::with_capacity(bytes),
            digits: itoa::Buffer::new(),
        }
    }

    /// Appends a prefix with the name, and a number. Returns the position of its digits.
    #[inline]
    pub(super) fn put<const N: usize>(
        &mut self,
        name: &[u8; N],
        number: impl itoa::Integer,
    ) -> Range<usize> {
        self.json.extend_from_slice(name);
        let start = self.json.len();
        let digits = self.digits.format(number);
        self.json.extend_from_slice(digits.as_bytes());
        start..self.json.len()
    }

    /// Appends a prefix and the digits of an earlier number.
    #[inline]
    pub(super) fn put_again<const N: usize>(&mut self, name: &[u8; N], number: Range<usize>) {
        self.json.extend_from_slice(name);
        self.json.extend_from_within(number);
    }
}

impl SummaryResponse {
    /// The JSON of the response.
    pub fn to_json(&self) -> Vec<u8> {
        let mut out = NumberWriter::with_capacity(512);
        out.put(br#"{"memberCount":"#, self.member_count);
        out.put(br#","pointsMinted":"#, self.points_minted);
        out.put(br#","pointsSpent":"#, self.points_spent);
        out.json.extend_from_slice(br#","completionRate":"#);
        super::append_json(&mut out.json, &self.completion_rate);
        let redemptions = &self.redemptions;
        out.put(br#","redemptions":{"submitted":"#, redemptions.submitted);
        out.put(br#","open":"#, redemptions.open);
        out.put(br#","awaiting_vendor":"#, redemptions.awaiting_vendor);
        out.put(br#","awaiting_customer":"#, redemptions.awaiting_customer);
        out.put(br#","purchased":"#, redemptions.purchased);
        out.put(br#","completed":"#, redemptions.completed);
        out.put(br#","canceled":"#, redemptions.canceled);
        out.put(br#","total":"#, redemptions.total);
        out.put(br#"},"activeMembers":"#, self.active_members);
        out.put(br#","pointsRefunded":"#, self.points_refunded);
        out.put(br#","pointsForfeited":"#, self.points_forfeited);
        out.put(br#","pointsDebited":"#, self.points_debited);
        out.put(br#","pointsExpired":"#, self.points_expired);
        out.put(br#","pointsVoided":"#, self.points_voided);
        out.put(br#","pointsPending":"#, self.points_pending);
        out.put(br#","pointsHeld":"#, self.points_held);
        out.json.push(b'}');
        out.json
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hundredths_have_no_needless_fraction() {
        for (number, text) in [
            (0, "0"),
            (1000, "10"),
            (750, "7.5"),
            (833, "8.33"),
            (5, "0.05"),
        ] {
            assert_eq!(hundredths(number).unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_summary_is_written_as_it_would_be_derived() {
        // All numbers are different, so that exchanged ones are found.
        for (first, completion_rate) in [(0, 0.0), (1_000_000, 1.0), (u64::MAX - 18, 2.0 / 3.0)] {
            let summary = SummaryResponse {
                member_count: first,
                points_minted: first + 1,
                points_spent: first + 2,
                completion_rate,
                redemptions: RedemptionTotalsResponse {
                    submitted: first + 3,
                    open: first + 4,
                    awaiting_vendor: first + 5,
                    awaiting_customer: first + 6,
                    purchased: first + 7,
                    completed: first + 8,
                    canceled: first + 9,
                    total: first + 10,
                },
                active_members: first + 11,
                points_refunded: first + 12,
                points_forfeited: first + 13,
                points_debited: first + 14,
                points_expired: first + 15,
                points_voided: first + 16,
                points_pending: first + 17,
                points_held: first + 18,
            };
            assert_eq!(summary.to_json(), serde_json::to_vec(&summary).unwrap());
        }
    }
}
