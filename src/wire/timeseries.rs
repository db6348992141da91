//! Timeseries.

use std::ops::Range;

use serde::Serialize;
use utoipa::openapi::schema::{AnyOfBuilder, ArrayBuilder, ObjectBuilder, Schema};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

use super::analytics::NumberWriter;

/// The time of a bucket, in the format that `analytics.bucket_time` sets.
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
    /// The start of the bucket, inclusive.
    pub start_time: BucketTimeResponse,
    /// The end of the bucket, exclusive.
    pub end_time: BucketTimeResponse,
    /// Members who signed up; with `offer`, members who redeemed it for the first time.
    pub signups: u64,
    /// Points credited; 0 with `offer`.
    pub points_minted: u64,
    /// Points spent on redemptions.
    pub points_spent: u64,
}

/// A bucket with the measures that were asked for, and no others.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(examples(json!({
    "startTime": 1_781_481_600_000_i64,
    "endTime": 1_781_568_000_000_i64,
    "pointsExpired": 20,
    "outstanding": 1_340,
})))]
pub struct MeasuredBucketResponse {
    /// The start of the bucket, inclusive.
    pub start_time: BucketTimeResponse,
    /// The end of the bucket, exclusive.
    pub end_time: BucketTimeResponse,
    /// Members who signed up; with `offer`, members who redeemed it for the first time.
    #[schema(value_type = i64, required = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signups: Option<i64>,
    /// Points credited, those that mature later included; 0 with `offer`.
    #[schema(value_type = i64, required = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub points_minted: Option<i64>,
    /// Points spent on redemptions.
    #[schema(value_type = i64, required = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub points_spent: Option<i64>,
    /// Points of refunds and reversals.
    #[schema(value_type = i64, required = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub points_refunded: Option<i64>,
    /// Points of members who were removed, and those that were forfeited.
    #[schema(value_type = i64, required = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub points_forfeited: Option<i64>,
    /// Points of debits.
    #[schema(value_type = i64, required = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub points_debited: Option<i64>,
    /// Points that expired.
    #[schema(value_type = i64, required = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub points_expired: Option<i64>,
    /// Points that were credited as held and taken back.
    #[schema(value_type = i64, required = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub points_voided: Option<i64>,
    /// The sum of all balances at the end of the bucket, with what is held or matures later.
    /// Negative if members owe more points than others have.
    #[schema(value_type = i64, required = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outstanding: Option<i64>,
    /// Events that reports count.
    #[schema(value_type = i64, required = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub events: Option<i64>,
    /// Distinct members who did something.
    #[schema(value_type = i64, required = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active_members: Option<i64>,
    /// Distinct members with points that were credited, or became available if they were deferred.
    #[schema(value_type = i64, required = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub earning_members: Option<i64>,
    /// Distinct members who created a redemption.
    #[schema(value_type = i64, required = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redeeming_members: Option<i64>,
}

impl MeasuredBucketResponse {
    /// A bucket without any measure.
    pub fn new(start_time: BucketTimeResponse, end_time: BucketTimeResponse) -> Self {
        Self {
            start_time,
            end_time,
            signups: None,
            points_minted: None,
            points_spent: None,
            points_refunded: None,
            points_forfeited: None,
            points_debited: None,
            points_expired: None,
            points_voided: None,
            outstanding: None,
            events: None,
            active_members: None,
            earning_members: None,
            redeeming_members: None,
        }
    }
}

/// `GET /v1/analytics/timeseries`: one bucket per interval, with zeros if it is empty.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum TimeseriesResponse {
    /// Without `measures`.
    Usual {
        /// The buckets.
        buckets: Vec<BucketResponse>,
    },
    /// With `measures`.
    Measured {
        /// The buckets.
        buckets: Vec<MeasuredBucketResponse>,
    },
}

impl PartialSchema for TimeseriesResponse {
    fn schema() -> RefOr<Schema> {
        let bucket = AnyOfBuilder::new()
            .description(Some("The second kind with `measures`."))
            .item(Ref::from_schema_name(BucketResponse::name()))
            .item(Ref::from_schema_name(MeasuredBucketResponse::name()));
        let buckets = ArrayBuilder::new()
            .description(Some("One per interval, with zeros if it is empty."))
            .items(RefOr::T(Schema::AnyOf(bucket.build())));
        let object = ObjectBuilder::new()
            .property("buckets", buckets)
            .required("buckets");
        RefOr::T(Schema::Object(object.build()))
    }
}

impl ToSchema for TimeseriesResponse {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        let buckets = [
            (BucketResponse::name(), BucketResponse::schema()),
            (
                MeasuredBucketResponse::name(),
                MeasuredBucketResponse::schema(),
            ),
        ];
        schemas.extend(buckets.map(|(name, schema)| (name.into_owned(), schema)));
        BucketResponse::schemas(schemas);
    }
}

impl TimeseriesResponse {
    /// The JSON of the response.
    pub fn to_json(&self) -> Vec<u8> {
        self.written().unwrap_or_else(|| super::to_json(self))
    }

    /// Writes the JSON, or returns `None` if times are strings, which may need
    /// escaping, or if measures were asked for.
    fn written(&self) -> Option<Vec<u8>> {
        let Self::Usual { buckets } = self else {
            return None;
        };
        let mut out = NumberWriter::with_capacity(16 + BUCKET_BYTES * buckets.len());
        out.json.extend_from_slice(br#"{"buckets":["#);
        // Most buckets begin at the end of the previous one.
        let mut last: Option<(i64, Range<usize>)> = None;
        for bucket in buckets {
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

/// The approximate size of a bucket.
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
            let timeseries = TimeseriesResponse::Usual { buckets };
            let derived = serde_json::to_vec(&timeseries).unwrap();
            assert_eq!(timeseries.to_json(), derived);
        }
    }
}
