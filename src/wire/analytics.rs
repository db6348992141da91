//! Analytics.

use std::ops::Range;

use serde::Serialize;
use utoipa::ToSchema;

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
})))]
pub struct SummaryResponse {
    /// Members that ever signed up, removed ones included.
    pub member_count: u64,
    /// Points credited, ever.
    pub points_minted: u64,
    /// Points spent on redemptions, ever; a refund does not lower it.
    pub points_spent: u64,
    /// Completed redemptions / all redemptions; 0 if there are none.
    #[schema(minimum = 0, maximum = 1)]
    pub completion_rate: f64,
    /// Redemptions by where they stand.
    pub redemptions: RedemptionTotalsResponse,
    /// Additive: members that are not removed.
    pub active_members: u64,
    /// Additive: points that cancellations returned.
    pub points_refunded: u64,
    /// Additive: points that removals took.
    pub points_forfeited: u64,
    /// Additive: points that corrections took.
    pub points_debited: u64,
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
})))]
pub struct OfferAnalyticsResponse {
    /// The offer's id.
    pub offer_id: String,
    /// Distinct members who ever redeemed it.
    pub signups: u64,
    /// Redemptions of it that are completed.
    pub completions: u64,
    /// Redemptions of it that are canceled.
    pub cancellations: u64,
    /// Points spent on it, ever; a refund does not lower it.
    pub points_spent: u64,
}

/// `GET /v1/analytics/offers`.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OffersAnalyticsResponse {
    /// A row for each offer, archived ones included, in the order made.
    pub offers: Vec<OfferAnalyticsResponse>,
}

/// The time of a bucket, as `analytics.bucket_time` has it.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(untagged)]
pub enum BucketTimeResponse {
    /// Unix milliseconds.
    Millis(i64),
    /// RFC 3339 in UTC.
    #[schema(format = DateTime)]
    Text(String),
}

/// `TimeseriesBucket`.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(examples(json!({
    "startTime": 1_781_481_600_000_i64,
    "endTime": 1_781_568_000_000_i64,
    "signups": 1,
    "pointsMinted": 100,
    "pointsSpent": 40,
})))]
pub struct BucketResponse {
    /// When it begins; what happened then is inside.
    pub start_time: BucketTimeResponse,
    /// When it ends; what happened then is in the next one.
    pub end_time: BucketTimeResponse,
    /// Members who signed up; with `offer`, whose first redemption of it this was.
    pub signups: u64,
    /// Points credited; with `offer`, 0.
    pub points_minted: u64,
    /// Points spent on redemptions.
    pub points_spent: u64,
}

/// `GET /v1/analytics/timeseries`.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TimeseriesResponse {
    /// One for each interval, empty ones with zeros.
    pub buckets: Vec<BucketResponse>,
}

/// What is asked all the time, or has thousands of parts of the same form, puts its JSON together
/// itself: deriving escapes every name anew, which takes several times as long as the numbers.
struct Numbers {
    json: Vec<u8>,
    digits: itoa::Buffer,
}

impl Numbers {
    fn with_capacity(bytes: usize) -> Self {
        Self {
            json: Vec::with_capacity(bytes),
            digits: itoa::Buffer::new(),
        }
    }

    /// Adds a number after its name, and whatever stands before that; where it stands now.
    #[inline]
    fn put<const N: usize>(&mut self, name: &[u8; N], number: impl itoa::Integer) -> Range<usize> {
        self.json.extend_from_slice(name);
        let start = self.json.len();
        let digits = self.digits.format(number);
        self.json.extend_from_slice(digits.as_bytes());
        start..self.json.len()
    }

    /// The same with a number that stands somewhere already.
    #[inline]
    fn put_again<const N: usize>(&mut self, name: &[u8; N], number: Range<usize>) {
        self.json.extend_from_slice(name);
        self.json.extend_from_within(number);
    }
}

impl SummaryResponse {
    /// The JSON of it.
    pub fn to_json(&self) -> Vec<u8> {
        let mut out = Numbers::with_capacity(512);
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
        out.json.push(b'}');
        out.json
    }
}

impl TimeseriesResponse {
    /// The JSON of it.
    pub fn to_json(&self) -> Vec<u8> {
        self.written().unwrap_or_else(|| super::to_json(self))
    }

    /// `None` where times are texts, which might need escaping.
    fn written(&self) -> Option<Vec<u8>> {
        let mut out = Numbers::with_capacity(16 + BUCKET_BYTES * self.buckets.len());
        out.json.extend_from_slice(br#"{"buckets":["#);
        // Most begin where the one before ends.
        let mut last: Option<(i64, Range<usize>)> = None;
        for bucket in &self.buckets {
            let BucketTimeResponse::Millis(start) = bucket.start_time else {
                return None;
            };
            let BucketTimeResponse::Millis(end) = bucket.end_time else {
                return None;
            };
            if last.is_some() {
                out.json.push(b',');
            }
            match last {
                Some((end, digits)) if end == start => out.put_again(br#"{"startTime":"#, digits),
                _ => drop(out.put(br#"{"startTime":"#, start)),
            }
            last = Some((end, out.put(br#","endTime":"#, end)));
            out.put(br#","signups":"#, bucket.signups);
            out.put(br#","pointsMinted":"#, bucket.points_minted);
            out.put(br#","pointsSpent":"#, bucket.points_spent);
            out.json.push(b'}');
        }
        out.json.extend_from_slice(b"]}");
        Some(out.json)
    }
}

/// About what a bucket takes.
const BUCKET_BYTES: usize = 112;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeseries_is_written_as_it_would_be_derived() {
        let bucket = |start, end, amount| BucketResponse {
            start_time: start,
            end_time: end,
            signups: amount / 3,
            points_minted: amount,
            points_spent: amount / 7,
        };
        let millis = BucketTimeResponse::Millis;
        let text = |text: &str| BucketTimeResponse::Text(text.to_owned());
        for buckets in [
            vec![],
            vec![bucket(millis(-1), millis(0), 0)],
            vec![
                bucket(millis(-62_135_596_800_000), millis(i64::MAX), u64::MAX),
                bucket(
                    millis(1_781_481_600_000),
                    millis(1_781_568_000_000),
                    1 << 53,
                ),
                bucket(millis(i64::MIN), millis(7), 1_000),
            ],
            vec![bucket(text("a \"time\""), text("another"), 5)],
        ] {
            let timeseries = TimeseriesResponse { buckets };
            let derived = serde_json::to_vec(&timeseries).unwrap();
            assert_eq!(timeseries.to_json(), derived);
        }
    }

    #[test]
    fn a_summary_is_written_as_it_would_be_derived() {
        // Every number is another one, so that none can stand in another's place.
        for (first, completion_rate) in [(0, 0.0), (1_000_000, 1.0), (u64::MAX - 15, 2.0 / 3.0)] {
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
            };
            assert_eq!(summary.to_json(), serde_json::to_vec(&summary).unwrap());
        }
    }
}
