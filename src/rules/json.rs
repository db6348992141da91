//! The JSON of values in rules that are stored.

#![expect(
    clippy::ref_option,
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes references to fields"
)]

/// A time in milliseconds.
pub(super) mod time {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::domain::Timestamp;

    pub(in crate::rules) fn serialize<S: Serializer>(
        time: &Option<Timestamp>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        time.map(Timestamp::as_millis).serialize(serializer)
    }

    pub(in crate::rules) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Timestamp>, D::Error> {
        let millis = Option::<i64>::deserialize(deserializer)?;
        let time = |millis| {
            let time = Timestamp::from_millis(millis);
            time.ok_or_else(|| serde::de::Error::custom("not a time"))
        };
        millis.map(time).transpose()
    }
}

/// A bucket, by its name.
pub(super) mod bucket {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::domain::Bucket;

    pub(in crate::rules) fn serialize<S: Serializer>(
        bucket: &Option<Bucket>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        bucket.map(Bucket::as_str).serialize(serializer)
    }

    pub(in crate::rules) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Bucket>, D::Error> {
        let name = Option::<String>::deserialize(deserializer)?;
        let bucket = |name: String| {
            let bucket = Bucket::parse(&name);
            bucket.ok_or_else(|| serde::de::Error::custom("not a bucket"))
        };
        name.map(bucket).transpose()
    }
}

/// Data of an event, with exact numbers.
pub(super) mod data {
    use std::fmt::Write as _;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use serde_json::value::RawValue;

    use crate::rules::expression::{Data, DataMap};

    pub(in crate::rules) fn serialize<S: Serializer>(
        data: &Option<DataMap>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let raw = data.as_ref().map(|fields| {
            let mut json = String::new();
            write_map(&mut json, fields);
            RawValue::from_string(json).map_err(serde::ser::Error::custom)
        });
        raw.transpose()?.serialize(serializer)
    }

    pub(in crate::rules) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<DataMap>, D::Error> {
        let raw = Option::<Box<RawValue>>::deserialize(deserializer)?;
        let read = |raw: Box<RawValue>| Data::parse_event(raw.get());
        let data = raw.map(read).transpose();
        data.map_err(serde::de::Error::custom)
    }

    fn write_map(json: &mut String, fields: &DataMap) {
        json.push('{');
        for (place, (name, value)) in fields.iter().enumerate() {
            json.push_str(if place == 0 { "" } else { "," });
            write_text(json, name);
            json.push(':');
            write(json, value);
        }
        json.push('}');
    }

    fn write(json: &mut String, value: &Data) {
        match value {
            // A number out of range was refused when the rule was written.
            Data::Null | Data::OutOfRange => json.push_str("null"),
            Data::Bool(it) => _ = write!(json, "{it}"),
            Data::Number(number) => _ = write!(json, "{number}"),
            Data::Text(text) => write_text(json, text),
            Data::List(items) => {
                json.push('[');
                for (place, item) in items.iter().enumerate() {
                    json.push_str(if place == 0 { "" } else { "," });
                    write(json, item);
                }
                json.push(']');
            }
            Data::Map(fields) => write_map(json, fields),
        }
    }

    fn write_text(json: &mut String, text: &str) {
        let quoted = serde_json::to_string(text).expect("any text is JSON");
        json.push_str(&quoted);
    }
}
