//! Short texts: cursors, tokens, times, windows, queries, ids, idempotency keys.

use std::time::Duration;

use chrono::{DateTime, Datelike as _};
use proptest::prelude::*;
use serde_json::json;
use stampcard::analytics::{Interval, Window, WindowError};
use stampcard::domain::Zone;
use stampcard::domain::{
    ConversationId, Day, Environment, ExternalUserId, MemberNumber, OfferId, OrganizationNumber,
    ProgramNumber, RedemptionId, Timestamp, TransactionId, WebhookId,
};
use stampcard::service::{DirectoryVersion, IdempotencyKey, MemberPrincipal, Scope, TokenKey};
use stampcard::wire::{
    BOOLEAN, Cursor, Days, ListKind, MEMBER_ID, NumberedPage, Part as _, Query, TEXT, TIME, flag,
    optional, page, search,
};

use crate::cases;
use crate::damage::{apply, damaged, damages};

const TIMES: [&str; 12] = [
    "2026-06-01T00:00:00Z",
    "2026-06-01T00:00:00.123456789+05:45",
    "2024-02-29T23:59:59.999-12:00",
    "2016-12-31T23:59:60Z",
    "0000-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59.999Z",
    "1969-12-31T23:59:59.9999Z",
    "2026-06-01 00:00:00Z",
    "2026-06-01t00:00:00z",
    "2026-06-01",
    "2026-06-01T00:00:00",
    "+2026-06-01T00:00:00Z",
];

const QUERIES: [&str; 10] = [
    "limit=20&cursor=00000000000000010a0b0c0d",
    "tier=gold&search=ada%20l&includeArchived=true",
    "externalUserID=%C3%A9&retainBalance=false",
    "from=2026-06-01T00:00:00Z&to=2026-06-23T00:00:00%2B02:00&interval=day",
    "from=2026-06-01&to=2026-06-23&interval=month&tz=Europe/Berlin&offer=off_x",
    "since=2026-06-01T00:00:00Z&from=2026-01-01T00:00:00Z&to=2026-02-01T00:00:00Z",
    "startDate=2026-06-01&endDate=2026-06-30",
    "page=2&pageSize=100&status=active&externalId=a+b",
    "status=SUBMITTED&waiting=true&type=booking",
    "a=1&a=2&&=&b",
];

fn moment() -> impl Strategy<Value = Timestamp> {
    prop_oneof![
        4 => 1_500_000_000_000..1_900_000_000_000_i64,
        1 => -62_167_219_200_000..=253_402_300_799_999_i64,
        1 => Just(-62_167_219_200_000),
        1 => Just(253_402_300_799_999),
    ]
    .prop_map(|millis| Timestamp::from_millis(millis).unwrap())
}

proptest! {
    #![proptest_config(cases(1000))]

    #[test]
    fn a_cursor_is_what_was_given_out_or_refused(
        place in any::<i64>(),
        owner in any::<i64>(),
        damages in damages(),
    ) {
        let good = Cursor(place).encode(ListKind::Members, owner);
        prop_assert_eq!(Cursor::decode(&good, ListKind::Members, owner), Ok(Cursor(place)));
        let bad = apply(good.as_bytes(), &damages);
        let bad = String::from_utf8_lossy(&bad);
        let read = Cursor::decode(&bad, ListKind::Members, owner);
        prop_assert_eq!(read.is_ok(), bad == good, "{}", bad);
        if let Err(invalid) = read {
            prop_assert_eq!(invalid.field, "cursor");
        }
    }

    #[test]
    fn a_member_token_is_what_was_minted_or_refused(
        program in any::<i64>(),
        member in any::<i64>(),
        damages in damages(),
    ) {
        let now = Timestamp::parse("2026-06-15T12:00:00Z").unwrap();
        let principal = MemberPrincipal {
            program: ProgramNumber(program),
            member: MemberNumber(member),
            epoch: 3,
            environment: Environment::Sandbox,
            expires_at: now.saturating_add(Duration::from_mins(15)),
            organization: OrganizationNumber(0),
            is_suspended: false,
            version: DirectoryVersion::default(),
        };
        let key = TokenKey::new(&[7; 32]);
        let good = key.mint(principal);
        prop_assert_eq!(key.open(&good, now), Some(principal));
        let bad = apply(good.as_bytes(), &damages);
        let bad = String::from_utf8_lossy(&bad);
        if bad != good {
            prop_assert_eq!(key.open(&bad, now), None, "{}", bad);
        }
    }

    #[test]
    fn a_time_is_read_as_another_calendar_reads_it(text in damaged(&TIMES)) {
        if let Some(at) = Timestamp::parse(&text) {
            let theirs = DateTime::parse_from_rfc3339(&text).expect("they read it too");
            prop_assert_eq!(theirs.timestamp_millis(), at.as_millis());
            prop_assert_eq!(Timestamp::parse(&at.to_string()), Some(at));
            prop_assert_eq!(Timestamp::parse(&at.to_short()), Some(at));
        }
        if let Some(day) = Day::parse(&text) {
            prop_assert_eq!(Day::parse(&day.to_string()), Some(day));
        }
    }

    #[test]
    fn a_time_with_any_offset_is_read(at in moment(), minutes in -1439..=1439_i32) {
        let utc = DateTime::from_timestamp_millis(at.as_millis()).unwrap();
        let offset = chrono::FixedOffset::east_opt(minutes * 60).unwrap();
        let local = utc.with_timezone(&offset);
        if !(0..=9999).contains(&local.year()) {
            return Ok(());
        }
        let text = local.format("%Y-%m-%dT%H:%M:%S%.3f%:z").to_string();
        prop_assert_eq!(Timestamp::parse(&text), Some(at), "{}", text);
    }

    #[test]
    fn a_window_is_divided_without_a_gap(
        from in moment(),
        to in moment(),
        interval in prop::sample::select(Interval::ALL.to_vec()),
        zone in damaged(&["UTC", "Europe/Berlin", "Pacific/Apia", "Asia/Kathmandu", "../etc"]),
        date in damaged(&["2026-06-01", "2011-12-30", "9999-12-31", "0000-01-01", "-009999-01-01"]),
    ) {
        let zone = Zone::parse(&zone).unwrap_or(Zone::UTC);
        if let Some(midnight) = zone.midnight(&date) {
            prop_assert!(Timestamp::from_millis(midnight.as_millis()).is_some());
        }
        match Window::divide(from, to, interval, &zone) {
            Ok(window) => {
                let bounds = window.bounds();
                prop_assert_eq!((bounds[0], *bounds.last().unwrap()), (from, to));
                prop_assert!(bounds.is_sorted_by(|a, b| a < b));
                prop_assert!(bounds.len() - 1 <= Window::BUCKETS_MAX);
            }
            Err(WindowError::Empty) => prop_assert!(from >= to),
            Err(WindowError::TooManyBuckets) => {
                // The shortest step is an hour.
                let hours = (to.as_millis() - from.as_millis()) / 3_600_000;
                prop_assert!(hours >= 10_000);
            }
        }
    }

    #[test]
    fn a_query_is_read_or_names_what_is_wrong(text in damaged(&QUERIES)) {
        let query = match Query::parse(&text) {
            Ok(query) => query,
            Err(invalid) => {
                // A name that cannot be decoded cannot be reported.
                prop_assert!(invalid.expected.contains("UTF-8"));
                return Ok(());
            }
        };
        let (june, july) = (Day::parse("2026-06-01").unwrap(), Day::parse("2026-07-01").unwrap());
        let days = Days { start: "in June", end: "in July" };
        let refused = [
            page(ListKind::Members).read(&query, ProgramNumber(1)).err(),
            flag("includeArchived").read(&query, ()).err(),
            optional("waiting", BOOLEAN).read(&query, ()).err(),
            search().read(&query, ()).err(),
            optional("externalUserID", MEMBER_ID).read(&query, ()).err(),
            optional("from", TIME).read(&query, ()).err(),
            optional("interval", TEXT).required().read(&query, ()).err(),
            NumberedPage.read(&query, ()).err(),
            days.read(&query, ()).and_then(|days| days.or((june, july))).err(),
        ];
        for invalid in refused.into_iter().flatten() {
            prop_assert!(!invalid.field.is_empty() && !invalid.expected.is_empty());
        }
    }

    #[test]
    fn an_id_is_read_only_as_it_is_written(
        text in damaged(&[
            "off_01890a5d-ac96-774b-bcce-b302099a8057",
            "rdm_01890a5d-ac96-774b-bcce-b302099a8057",
            "txn_01890a5d-ac96-774b-bcce-b302099a8057",
            "wh_01890a5d-ac96-774b-bcce-b302099a8057",
            "cnv_01890a5d-ac96-774b-bcce-b302099a8057",
        ]),
    ) {
        let written = [
            OfferId::parse(&text).map(|id| id.to_string()),
            RedemptionId::parse(&text).map(|id| id.to_string()),
            TransactionId::parse(&text).map(|id| id.to_string()),
            WebhookId::parse(&text).map(|id| id.to_string()),
            ConversationId::parse(&text).map(|id| id.to_string()),
        ];
        for written in written.into_iter().flatten() {
            prop_assert_eq!(&written, &text);
        }
        if let Ok(id) = ExternalUserId::parse("externalUserID", text.clone()) {
            prop_assert_eq!(id.as_str(), text.as_str());
        }
    }

    #[test]
    fn an_idempotency_key_has_1_to_255_characters(text in "\\PC{0,300}") {
        let key = IdempotencyKey::new(
            &text,
            Scope::Program(ProgramNumber(1)),
            "POST",
            "/v1/wallet/credit",
            &json!({}),
        );
        prop_assert_eq!(key.is_ok(), (1..=255).contains(&text.chars().count()));
    }
}
