//! Responses compared regardless of fields that were added.

use serde_json::Value;

/// Whether two bodies are the same JSON once the fields are removed from the second.
pub(crate) fn is_same_without(fields: &[&str], before: &str, now: &str) -> bool {
    if fields.is_empty() {
        return false;
    }
    let parsed = |text| serde_json::from_str::<Value>(text).ok();
    let (Some(before), Some(mut now)) = (parsed(before), parsed(now)) else {
        return false;
    };
    remove_fields(fields, &mut now);
    before == now
}

/// Whether two errors are the same JSON except for their messages, which may be reworded, and added
/// fields of the second.
pub(crate) fn is_same_error(fields: &[&str], before: &str, now: &str) -> bool {
    let parsed = |text, fields: &[&str]| {
        let mut error: Value = serde_json::from_str(text).ok()?;
        remove_fields(fields, &mut error);
        let envelope = match error.get_mut("error") {
            Some(inner @ Value::Object(_)) => inner,
            _ => &mut error,
        };
        let has_message = envelope.get("message")?.is_string();
        remove_fields(&["message"], envelope);
        has_message.then_some(error)
    };
    parsed(before, &[]).is_some_and(|before| parsed(now, fields) == Some(before))
}

/// Whether two pages have the same rows without added fields, and both or neither have a next page.
pub(crate) fn is_same_but_for_cursor(fields: &[&str], before: &str, now: &str) -> bool {
    let parsed = |text, fields| {
        let mut page: Value = serde_json::from_str(text).ok()?;
        remove_fields(fields, &mut page);
        let cursor = page.get_mut("nextCursor")?;
        *cursor = Value::from(cursor.is_string());
        Some(page)
    };
    parsed(before, &[]).is_some_and(|before| parsed(now, fields) == Some(before))
}

fn remove_fields(fields: &[&str], value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|name, _| !fields.contains(&name.as_str()));
            map.values_mut()
                .for_each(|inner| remove_fields(fields, inner));
        }
        Value::Array(items) => items
            .iter_mut()
            .for_each(|inner| remove_fields(fields, inner)),
        _ => {}
    }
}

/// The records of a CSV table without some columns at the end.
pub(crate) fn records(table: &str, without: usize) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(table.as_bytes());
    let fields = |record: csv::StringRecord| {
        let count = record.len() - without;
        record.iter().take(count).map(str::to_owned).collect()
    };
    reader
        .records()
        .map(|record| fields(record.unwrap()))
        .collect()
}

/// Lists of deliveries: an export has none.
pub(crate) fn is_delivery(path: &str) -> bool {
    path.starts_with("/v1/webhooks/") && path.contains("/deliveries")
}

/// Reads that show whether a repeated write took effect.
pub(crate) fn is_sum(path: &str) -> bool {
    ["/v1/analytics/summary", "/v1/wallet?", "/partner/"]
        .iter()
        .any(|start| path.starts_with(start))
}
