//! The comparison of saved books with those of the log, record by record.

use std::collections::{BTreeSet, HashMap};

use crate::books::{Books, ProgramRecord, Record};
use crate::domain::{AccountKey, AssetNumber, Points, ProgramNumber, Seq, Status, Timestamp};
use crate::store::{self, Connection};

/// The most findings.
const FINDINGS_MAX: usize = 100;

/// The bytes that the comparison of the books takes for each member: a record of those that are
/// folded, and one of those that were saved.
const MEMBER_BYTES: u64 = 250;

/// The name of the step that folds the log, with the memory that it takes.
pub(super) fn folding(connection: &Connection) -> Result<String, store::Error> {
    let members = store::books::member_count(connection)?;
    let megabytes = (members * MEMBER_BYTES).div_ceil(1_000_000);
    Ok(format!(
        "the log, folded again ({members} members take up to {megabytes} MB of memory)"
    ))
}

/// The differences between the books that were saved, with the newer rows of the log, and those of
/// the whole log: a sentence for each field of a record.
pub(super) fn differences(saved: &Books, folded: &Books) -> Vec<String> {
    let programs = of_programs(saved, folded);
    programs
        .chain(of_members(saved, folded))
        .chain(of_further(saved, folded))
        .chain(of_assets(saved, folded))
        .take(FINDINGS_MAX)
        .collect()
}

/// Programs whose newest ledger entry has another hash than when the books were saved. `heads` are
/// the newest entries of the log. All earlier entries are covered by a hash that a later one
/// stores.
pub(super) fn wrong_heads(saved: &Books, heads: &HashMap<i64, (Seq, [u8; 32])>) -> Vec<String> {
    let mut findings = Vec::new();
    for (program, record) in saved.programs() {
        let (Some(last), Some(head)) = (record.last_entry, record.head) else {
            continue;
        };
        let logged = heads.get(&program.0);
        // If there are newer entries, the next one stores the hash of this one.
        let is_lost = logged.is_none_or(|(newest, _)| *newest < last);
        if is_lost || logged.is_some_and(|(newest, hash)| *newest == last && *hash != head) {
            findings.push(format!(
                "program row {}: its newest ledger entry was changed or removed since the books \
                 were saved",
                program.0
            ));
        }
    }
    findings
}

fn of_members<'a>(saved: &'a Books, folded: &'a Books) -> impl Iterator<Item = String> + 'a {
    let known = folded.records().map(|record| record.number);
    let only_saved = saved.records().map(|record| record.number);
    let only_saved = only_saved.filter(|number| folded.record(*number).is_none());
    let mut tiers = HashMap::new();
    known.chain(only_saved).flat_map(move |number| {
        let [saved_record, log_record] = [saved, folded].map(|books| books.record(number));
        if let (Some(saved_record), Some(log_record)) = (&saved_record, &log_record) {
            // The same tier may have another number.
            let pair = (saved_record.tier, log_record.tier);
            let is_same_tier = *tiers
                .entry(pair)
                .or_insert_with(|| saved.tier(pair.0) == folded.tier(pair.1));
            let renumbered = Record {
                tier: log_record.tier,
                ..saved_record.clone()
            };
            if is_same_tier && renumbered == *log_record {
                return Vec::new();
            }
        }
        let subject = format!("member row {}", number.0);
        let saved_fields = saved_record.map(|record| member_fields(saved, &record));
        let log_fields = log_record.map(|record| member_fields(folded, &record));
        compared(&subject, saved_fields, log_fields)
    })
}

fn of_further<'a>(saved: &'a Books, folded: &'a Books) -> impl Iterator<Item = String> + 'a {
    let accounts = saved.further_records().chain(folded.further_records());
    let accounts: BTreeSet<AccountKey> = accounts.map(|record| record.key()).collect();
    accounts.into_iter().filter_map(move |key| {
        let asset = key.asset?;
        let [saved, folded] = [saved, folded].map(|books| {
            let account = books.account(key)?;
            Some((account.wallet, account.account, account.lots))
        });
        (saved != folded).then(|| {
            format!(
                "member row {}: the account in asset row {} is {saved:?} in the saved books, but \
                 {folded:?} by the log",
                key.member.0, asset.0
            )
        })
    })
}

fn of_programs<'a>(saved: &'a Books, folded: &'a Books) -> impl Iterator<Item = String> + 'a {
    let programs = saved.programs().chain(folded.programs());
    let numbers: BTreeSet<i64> = programs.map(|(number, _)| number.0).collect();
    numbers.into_iter().flat_map(move |number| {
        let fields = |books: &Books| Some(program_fields(books.program(ProgramNumber(number))));
        compared(
            &format!("program row {number}"),
            fields(saved),
            fields(folded),
        )
    })
}

type Fields = Vec<(String, String)>;

/// A sentence for each field that differs, or for a record that one side lacks.
fn compared(subject: &str, saved: Option<Fields>, log: Option<Fields>) -> Vec<String> {
    match (saved, log) {
        (Some(saved), Some(log)) => saved
            .into_iter()
            .zip(log)
            .filter(|(saved, log)| saved != log)
            .map(|((field, saved), (_, log))| {
                format!("{subject}, {field}: the saved books say {saved}, the log says {log}")
            })
            .collect(),
        (None, Some(_)) => vec![format!("{subject}: the saved books lack it")],
        (Some(_), None) => vec![format!(
            "{subject}: the saved books have it, the log does not"
        )],
        (None, None) => Vec::new(),
    }
}

fn member_fields(books: &Books, record: &Record) -> Fields {
    let tier = books.tier(record.tier);
    let token_end = record.token_expires_at.map(Timestamp::as_millis);
    let mut fields = vec![
        ("program", record.program.0.to_string()),
        ("newest activity", record.applied.0.to_string()),
        (
            "tier",
            tier.map_or_else(none, |tier| tier.as_str().to_owned()),
        ),
        ("archived", record.is_archived.to_string()),
        ("suspended", record.is_suspended.to_string()),
        ("participated", record.has_participated.to_string()),
        ("points received", record.wallet.received.get().to_string()),
        ("points spent", record.wallet.spent.get().to_string()),
        ("points held", record.wallet.held.get().to_string()),
        ("points pending", record.wallet.pending.get().to_string()),
        ("newest ledger entry", seq(record.account.last)),
        ("entry that it jumps to", seq(record.account.jump)),
        ("entry after the jump", seq(record.account.far)),
        ("ledger entries", record.account.entries.to_string()),
        ("settings version", record.version.0.to_string()),
        ("removals", record.token_epoch.to_string()),
        (
            "end of the last token",
            token_end.map_or_else(none, |end| end.to_string()),
        ),
    ]
    .into_iter()
    .map(|(field, value)| (field.to_owned(), value))
    .collect::<Fields>();
    fields.extend(record.lots.iter().flat_map(|lots| {
        let made = ("lots made".to_owned(), lots.made.to_string());
        let until = lots
            .noticed_until
            .map_or_else(none, |until| until.as_millis().to_string());
        let until = ("last expiry that was announced".to_owned(), until);
        let live = lots.live.iter();
        let live = live.map(|lot| (format!("lot {}", lot.number), format!("{lot:?}")));
        [made, until].into_iter().chain(live)
    }));
    fields.extend(Status::ALL.into_iter().map(|status| {
        let field = format!("redemptions {}", status.as_str());
        (field, record.redemptions.get(status).to_string())
    }));
    fields
}

fn program_fields(record: ProgramRecord) -> Fields {
    [
        ("points received", record.wallets.received.get().to_string()),
        ("points spent", record.wallets.spent.get().to_string()),
        ("points held", record.wallets.held.get().to_string()),
        ("points pending", record.wallets.pending.get().to_string()),
        ("newest entry with a stored hash", seq(record.chain_start)),
        ("newest ledger entry", seq(record.last_entry)),
        (
            "notice of expiry",
            record
                .notice
                .map_or_else(none, |notice| notice.days().to_string()),
        ),
        ("points in its wallet", funds(record.funds)),
    ]
    .map(|(field, value)| (field.to_owned(), value))
    .into()
}

/// What the wallets of programs have of further assets.
fn of_assets<'a>(saved: &'a Books, folded: &'a Books) -> impl Iterator<Item = String> + 'a {
    let assets = saved.assets().chain(folded.assets());
    let numbers: BTreeSet<AssetNumber> = assets.map(|(number, _)| number).collect();
    numbers.into_iter().filter_map(move |number| {
        let [saved, folded] = [saved, folded].map(|books| funds(books.asset(number).funds));
        (saved != folded).then(|| {
            format!(
                "asset row {}: the wallet of the program has {saved} in the saved books, but \
                 {folded} by the log",
                number.0
            )
        })
    })
}

fn funds(funds: Option<Points>) -> String {
    funds.map_or_else(none, |funds| funds.get().to_string())
}

fn seq(seq: Option<Seq>) -> String {
    seq.map_or_else(none, |seq| seq.0.to_string())
}

fn none() -> String {
    "none".to_owned()
}
