//! docs/LIMITS.md: every limit with its setting, its default, the response beyond it, and its test.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use stampcard::config::DEFAULTS;

use super::{hold, read, root};

/// The source of a limit's value.
enum Value {
    /// A setting.
    Setting(&'static str),
    /// A constant of a source file.
    Constant(&'static str, &'static str),
}
use Value::{Constant, Setting};

/// A row: what is limited, the source of the limit, what exceeds it gets, and a test that shows it.
type Limit = (&'static str, Value, &'static str, &'static str);

const CLOSED: &str = "the connection is closed";
const REACHED: &str = "422 `LIMIT_REACHED`";
const LIMITS: &[Limit] = &[
    (
        "open connections",
        Setting("server.connections_max"),
        "waits until another closes",
        "connections_have_a_bound_and_the_next_one_waits",
    ),
    (
        "seconds to receive the head of a request",
        Setting("server.request_timeout"),
        "408, and the connection is closed",
        "every_head_of_a_connection_has_its_time",
    ),
    (
        "seconds to receive its body",
        Setting("server.request_timeout"),
        "400, and the connection is closed",
        "a_body_that_does_not_end_is_given_up",
    ),
    (
        "seconds between a response and the next request",
        Setting("server.keep_alive"),
        CLOSED,
        "every_head_of_a_connection_has_its_time",
    ),
    (
        "seconds in which a client reads nothing of its response",
        Setting("server.write_timeout"),
        CLOSED,
        "answers_that_nobody_reads_cost_little_memory_and_end",
    ),
    (
        "bytes of unread responses and incomplete requests of one credential, or of one address \
         without a credential",
        Setting("server.buffered_bytes_each_max"),
        "the connection is closed; a request gets 503",
        "answers_that_one_credential_does_not_read_have_a_bound",
    ),
    (
        "the same, for all clients together",
        Setting("server.buffered_bytes_max"),
        "the connection is closed; a request gets 503",
        "each_owner_and_all_together_have_a_bound",
    ),
    (
        "bytes of a request body",
        Setting("server.body_bytes_max"),
        "413 `PAYLOAD_TOO_LARGE`",
        "bodies_that_are_too_large_cost_no_memory",
    ),
    (
        "bytes of the body that publishes a legal document, if that is more",
        Constant("src/http/loyalty/terms.rs", "BODY_BYTES_MAX"),
        "413 `PAYLOAD_TOO_LARGE`",
        "a_document_has_so_many_bytes_however_they_are_written",
    ),
    (
        "bytes of a legal document in UTF-8",
        Constant("src/domain/terms.rs", "BYTES_MAX"),
        "422 `VALIDATION`",
        "a_document_has_so_many_bytes_however_they_are_written",
    ),
    (
        "nesting depth of a JSON body",
        Constant("src/http/extract.rs", "DEPTH_MAX"),
        "400 `BAD_REQUEST`",
        "a_body_that_is_not_json_is_400_on_every_route",
    ),
    (
        "open streams",
        Setting("server.streams_max"),
        "503 `OVERLOADED`",
        "so_many_streams_can_be_open_at_a_time",
    ),
    (
        "open streams of one credential; a member's tokens count together",
        Setting("server.streams_each_max"),
        "429 `RATE_LIMITED`",
        "a_credential_has_so_many_streams_and_another_has_its_own",
    ),
    (
        "events queued for one stream",
        Constant("src/realtime.rs", "QUEUE_MAX"),
        "the stream sends `gap` and ends",
        "a_client_that_does_not_read_is_told_of_the_gap_and_can_resume_without_one",
    ),
    (
        "bytes queued for one stream",
        Constant("src/realtime.rs", "QUEUE_BYTES_MAX"),
        "the stream sends `gap` and ends",
        "a_client_that_does_not_read_is_told_of_the_gap_and_can_resume_without_one",
    ),
    (
        "waiting writes",
        Setting("database.queue_max"),
        "503 `OVERLOADED`",
        "a_full_queue_refuses_at_once_and_recovers_by_itself",
    ),
    (
        "writes of a program that wait while more is due there than fits into a slice",
        Constant("src/store/writer/sweeps.rs", "WAITING_MAX"),
        "503 `OVERLOADED`",
        "a_program_that_sweeps_keeps_its_writes_in_order_refuses_the_257th_and_stops_no_other",
    ),
    (
        "due things of a program that are applied in one turn, for 5 ms at most, or 1 ms while a write waits",
        Constant("src/store/writer/slice.rs", "SLICE_DUE"),
        "waits for the next turn",
        "a_program_that_sweeps_keeps_its_writes_in_order_refuses_the_257th_and_stops_no_other",
    ),
    (
        "percent of the waiting writes, and of the waiting reads, of one organization",
        Setting("database.share_max"),
        "503 `OVERLOADED` for that organization",
        "a_queue_that_the_sandbox_fills_has_room_for_a_live_organization_and_serves_it_soon",
    ),
    (
        "reads waiting for a connection, each for 5 s at most",
        Setting("database.read_queue_max"),
        "503 `OVERLOADED`",
        "a_limited_number_may_wait_and_half_of_it_for_one_organization",
    ),
    (
        "read-only connections; one organization, or the sandbox, uses at most all but one, and no more \
         than there are processors",
        Setting("database.readers"),
        "waits",
        "neither_an_organization_nor_the_sandbox_has_every_connection",
    ),
    (
        "buckets, offers or programs in a response that is computed without queueing; larger ones \
         queue with the reads",
        Constant("src/service/figures/turns.rs", "INLINE_PARTS_MAX"),
        "waits; 503 `OVERLOADED` as for reads",
        "beside_many_long_series_another_organization_is_served_soon",
    ),
    (
        "programs that a live organization creates per minute",
        Setting("rate_limit.programs_per_minute"),
        "429 `RATE_LIMITED`",
        "a_live_organization_makes_sixty_programs_a_minute",
    ),
    (
        "words in a search",
        Constant("src/domain/search.rs", "TERMS_MAX"),
        "422 `VALIDATION`",
        "a_search_has_a_longest_form_and_says_so",
    ),
    (
        "requests per minute, live",
        Setting("rate_limit.per_minute"),
        "429 `RATE_LIMITED`",
        "retry_after_is_how_long_it_takes",
    ),
    (
        "requests per minute, sandbox; 0 means no limit",
        Setting("rate_limit.sandbox_per_minute"),
        "429 `RATE_LIMITED`",
        "the_sandbox_can_be_given_a_rate_of_its_own",
    ),
    (
        "organizations per environment, canceled ones included; 0 means no limit",
        Setting("limits.organizations_max"),
        REACHED,
        "an_environment_has_so_many_organizations_canceled_ones_included",
    ),
    (
        "programs per organization, archived and reset ones included; 0 means no limit",
        Setting("limits.programs_each_max"),
        REACHED,
        "an_organization_has_so_many_programs_archived_and_reset_ones_included",
    ),
    (
        "keys per program, revoked ones excluded; 0 means no limit",
        Setting("limits.keys_each_max"),
        REACHED,
        "a_program_has_so_many_keys_until_one_is_revoked",
    ),
    (
        "offers per program, archived ones included; 0 means no limit",
        Setting("limits.offers_each_max"),
        REACHED,
        "a_program_has_so_many_offers_archived_ones_included",
    ),
    (
        "members per sandbox program, removed ones included; 0 means no limit",
        Setting("limits.sandbox_members_max"),
        REACHED,
        "a_sandbox_program_has_so_many_members_wherever_they_come_from",
    ),
    (
        "bytes of messages that a member sends per day (UTC, by the program's clock); 0 means no \
         limit",
        Setting("limits.message_bytes_max"),
        REACHED,
        "a_member_sends_so_many_bytes_a_day_in_all_conversations_together",
    ),
    (
        "bytes of files that a program sends per day (UTC, by the program's clock); 0 means no limit",
        Setting("limits.attachment_bytes_max"),
        REACHED,
        "a_program_sends_so_many_bytes_of_files_a_day",
    ),
    (
        "bytes of files of all programs together, archived and reset ones included; 0 means no \
         limit",
        Setting("limits.attachment_bytes_total_max"),
        REACHED,
        "all_programs_together_store_so_many_bytes_of_files",
    ),
    (
        "bytes of a file",
        Constant("src/domain/attachment.rs", "BYTES_MAX"),
        "413 `PAYLOAD_TOO_LARGE`",
        "what_is_not_a_file_of_its_type_is_refused_by_name",
    ),
    (
        "holds of a participant at a time, points that were credited as held included",
        Constant("src/service/earning/holds.rs", "HOLDS_MAX"),
        "422 `limit_reached`",
        "a_participant_has_so_many_holds_at_a_time",
    ),
    (
        "tags of a participant",
        Constant("src/service/earning/state/mod.rs", "TAGS_MAX"),
        "422 `limit_reached`, 400 `bad_request` in a list",
        "a_participant_has_at_most_a_hundred_tags_and_counters",
    ),
    (
        "counters of a participant",
        Constant("src/service/earning/state/mod.rs", "COUNTERS_MAX"),
        "422 `limit_reached`",
        "a_participant_has_at_most_a_hundred_tags_and_counters",
    ),
    (
        "further assets of a program, archived ones included",
        Constant("src/service/loyalty/assets/further.rs", "ASSETS_MAX"),
        "422 `limit_reached`",
        "a_program_has_so_many_further_assets",
    ),
    (
        "rules of a program, archived ones excluded",
        Constant("src/rules/set.rs", "RULES_MAX"),
        "422 `limit_reached`",
        "a_program_has_at_most_200_rules_that_are_not_archived",
    ),
    (
        "effects of an event, those of all rules together",
        Constant("src/rules/step.rs", "EFFECTS_MAX"),
        "the event is `FAILED`",
        "an_event_has_at_most_256_effects",
    ),
    (
        "active webhooks per program",
        Constant("src/domain/limits.rs", "ENDPOINTS_MAX"),
        "422 `WEBHOOK_LIMIT_REACHED`",
        "a_program_has_ten_webhooks_at_a_time",
    ),
    (
        "concurrent DNS lookups for webhooks",
        Constant("src/service/events/lookups.rs", "THREADS"),
        "waits",
        "a_program_whose_names_are_never_answered_delays_no_other",
    ),
    (
        "concurrent DNS lookups of one program",
        Constant("src/service/events/lookups.rs", "THREADS_EACH"),
        "waits",
        "a_program_whose_names_are_never_answered_delays_no_other",
    ),
    (
        "waiting DNS lookups of one program",
        Constant("src/service/events/lookups.rs", "WAITING_EACH"),
        "no lookup: a new webhook is accepted and checked at its first delivery; a delivery is \
         retried",
        "look_ups_past_the_limit_are_refused_immediately_and_all_others_answered",
    ),
];

#[test]
fn the_table_of_limits_is_that_of_the_code() {
    let defaults = defaults();
    let sources = sources();
    let mut table = "| limit | setting or constant | default | beyond it | test |\n\
                     | --- | --- | --- | --- | --- |\n"
        .to_owned();
    for (what, value, past, test) in LIMITS {
        let (name, default) = match value {
            Setting(key) => {
                let default = defaults.get(*key);
                let default = default.unwrap_or_else(|| panic!("config.toml has no {key}"));
                (format!("`{key}`"), default.clone())
            }
            Constant(path, name) => (format!("`{name}` in {path}"), constant(path, name)),
        };
        let declared = format!("fn {test}(");
        assert!(
            sources.iter().any(|source| source.contains(&declared)),
            "no test is called {test}"
        );
        writeln!(table, "| {what} | {name} | {default} | {past} | `{test}` |").unwrap();
    }
    hold("docs/LIMITS.md", "limits", &table);
}

/// The settings with their defaults.
fn defaults() -> BTreeMap<String, String> {
    let mut section = "";
    let mut settings = BTreeMap::new();
    for line in DEFAULTS.lines() {
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']');
        } else if let Some((key, rest)) = line.split_once(" = ")
            && !line.starts_with('#')
        {
            let value = rest.split('#').next().unwrap_or_default().trim();
            settings.insert(format!("{section}.{}", key.trim()), value.to_owned());
        }
    }
    settings
}

/// The value of a constant in its source file.
fn constant(path: &str, name: &str) -> String {
    let source = read(path);
    let declared = format!("const {name}: ");
    let (_, rest) = source
        .split_once(&declared)
        .unwrap_or_else(|| panic!("{path} declares no {name}"));
    let (_, value) = rest.split_once(" = ").unwrap();
    let value = value.split(';').next().unwrap();
    // A number in decimal notation.
    match value.split_once(" << ") {
        Some((one, shift)) => {
            let one: u64 = one.parse().unwrap();
            (one << shift.parse::<u32>().unwrap()).to_string()
        }
        None => value.replace('_', ""),
    }
}

/// The text of every source file that may contain a test.
fn sources() -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![root().join("src"), root().join("tests")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") && !is_this(&path)
            {
                found.push(std::fs::read_to_string(path).unwrap());
            }
        }
    }
    found
}

fn is_this(path: &Path) -> bool {
    path.ends_with("tests/documents/limits.rs")
}
