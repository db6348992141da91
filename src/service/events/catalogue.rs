//! The events of the catalogue: what is stored of them for webhooks, and how they are shown.

use std::collections::HashSet;

use serde_json::value::RawValue;

use crate::domain::{
    Activity, Environment, Event, EventId, EventKind, EventName, Funding, LedgerEntry, Member,
    MemberNumber, MessageId, Position, ProgramNumber, RedemptionNumber, Scale, Seq, Shown, Status,
    Tier, Timestamp, TransactionId,
};
use crate::service::tenancy::credentials::Links;
use crate::service::{ServiceError, Services};
use crate::store::members::Selector;
use crate::store::{self, Connection, Tenant, Transaction};
use crate::wire::{
    self, AssetResponse, EventBody, ExpiredEventData, FundingEventData, MemberProfileResponse,
    MessageEventData, PointsLowEventData, PointsPurchasedEventData, RedemptionResponse,
    TransactionEventData, TransactionResponse,
};

/// Rows of the log that one read covers.
const PAGE: i64 = 5_000;
/// Events, and bytes of their objects, after which a read ends, because the stream that requested
/// them may be slow to send them.
const EVENTS: usize = 256;
const PIECE: usize = 64 << 10;

/// An event as streams and webhooks show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownEvent {
    /// Its number.
    pub seq: Seq,
    /// Its name.
    pub name: EventName,
    /// When it happened.
    pub at: Timestamp,
    /// The object of the event as JSON.
    pub data: Box<str>,
}

impl ShownEvent {
    /// Passes the body to `show`: the one that webhooks and the activity stream send.
    pub fn with_body<T>(
        &self,
        environment: Environment,
        show: impl FnOnce(&EventBody<'_>) -> T,
    ) -> T {
        let raw: &RawValue = serde_json::from_str(&self.data).unwrap_or(RawValue::NULL);
        let id = EventId::of_activity(self.seq, self.at);
        show(&EventBody::new(
            id,
            self.name.as_str(),
            self.at,
            environment,
            raw,
        ))
    }
}

/// Appends an event to the log. If a webhook listens to it, its object is stored as it is now,
/// unless the log always has it. The rows must have been changed before.
pub(in crate::service) fn record(
    tx: &mut Transaction<'_>,
    program: ProgramNumber,
    at: Timestamp,
    event: Event,
) -> Result<Seq, store::Error> {
    let has_listener = announce(tx, program, event.kind())?;
    // An object that the log contains need not be stored.
    if !has_listener || is_in_the_log(event.kind()) {
        return tx.record(Some(program), at, event);
    }
    let activity = Activity {
        seq: tx.next_seq(),
        at,
        program: Some(program),
        event: event.clone(),
    };
    let seq = tx.record(Some(program), at, event)?;
    tx.store_payload(program, seq, &object(tx, program, &activity)?)?;
    Ok(seq)
}

/// Appends a ledger entry to the log.
pub(in crate::service) fn record_entry(
    tx: &mut Transaction<'_>,
    program: ProgramNumber,
    at: Timestamp,
    entry: LedgerEntry,
    position: Position,
) -> Result<Seq, store::Error> {
    announce(tx, program, EventKind::of_entry(&entry))?;
    tx.record_entry(program, at, entry, position)
}

/// Notifies the webhooks of an event after the commit, if any listens to it. Returns whether one
/// does.
fn announce(
    tx: &mut Transaction<'_>,
    program: ProgramNumber,
    kind: EventKind,
) -> Result<bool, store::Error> {
    let Some(name) = EventName::of(kind) else {
        return Ok(false);
    };
    let has_listener = tx.has_listener(program, name)?;
    if has_listener {
        tx.announce(program);
    }
    Ok(has_listener)
}

/// Whether the object of an event never changes: the log contains all of a ledger entry, and a
/// message is never edited. Most events are of this kind; webhooks that listen to them add no cost
/// to a write.
fn is_in_the_log(kind: EventKind) -> bool {
    match kind.shown() {
        Shown::Transaction
        | Shown::Message
        | Shown::PointsLow
        | Shown::PointsPurchased
        | Shown::Expired
        | Shown::Funding => true,
        Shown::Member | Shown::Redemption | Shown::Nothing => false,
    }
}

/// Returns an event with its object: the stored one, otherwise one made from the log and the
/// current rows. The log has the tier, the status, and all of a ledger entry; a message never
/// changes, except for the address of its file.
pub(in crate::service) fn show(
    connection: &Connection,
    program: ProgramNumber,
    activity: &Activity,
    links: &Links,
) -> Result<Option<ShownEvent>, store::Error> {
    let Some(name) = activity.event.name() else {
        return Ok(None);
    };
    let data = match store::webhooks::payload(connection, program, activity.seq)? {
        Some(stored) => stored,
        None => match &activity.event {
            Event::MessageCreated {
                member, message, ..
            } => message_object(connection, program, (*member, *message), links)?,
            _ => object(connection, program, activity)?,
        },
    };
    Ok(Some(ShownEvent {
        seq: activity.seq,
        name,
        at: activity.at,
        data: data.into_boxed_str(),
    }))
}

/// The object of an event as JSON.
fn object(
    connection: &Connection,
    program: ProgramNumber,
    activity: &Activity,
) -> Result<String, store::Error> {
    let find = |number| member(connection, program, number);
    let json = match &activity.event {
        Event::MemberCreated { member, tier, .. } | Event::MemberRemoved { member, tier, .. } => {
            member_object(find(*member)?, tier)
        }
        Event::MemberTierChanged { member, to, .. } => member_object(find(*member)?, to),
        Event::WalletCredited(entry) | Event::WalletDebited(entry) => {
            entry_object(connection, activity, entry, &find(entry.member)?)?
        }
        Event::RedemptionCreated { redemption, .. } => {
            redemption_object(connection, program, *redemption, Status::Submitted)?
        }
        Event::RedemptionOpen(moved)
        | Event::RedemptionAwaitingVendor(moved)
        | Event::RedemptionAwaitingCustomer(moved)
        | Event::RedemptionPurchased(moved)
        | Event::RedemptionCompleted(moved)
        | Event::RedemptionCanceled(moved) => {
            redemption_object(connection, program, moved.redemption, moved.to)?
        }
        Event::OrgPointsLow { .. } | Event::OrgPointsPurchased { .. } => {
            pool_object(connection, &activity.event)?
        }
        Event::BalanceExpired { member, .. } | Event::WalletExpiring { member, .. } => {
            expiry_object(&find(*member)?, &activity.event)?
        }
        Event::ProgramFunded(funding) | Event::ProgramBurned(funding) => {
            funding_object(connection, program, funding)?
        }
        // Its object is made when it is shown.
        Event::MessageCreated { .. }
        | Event::TokenExchanged { .. }
        | Event::WalletMoved(_)
        | Event::MemberRestored { .. }
        | Event::MemberErased { .. }
        | Event::MemberChanged { .. }
        | Event::MemberStatusChanged { .. }
        | Event::RedemptionChanged { .. }
        | Event::RedemptionRated(_)
        | Event::RedemptionReturned(_)
        | Event::OfferCreated { .. }
        | Event::OfferChanged { .. }
        | Event::OfferArchived { .. }
        | Event::ProgramCreated { .. }
        | Event::ProgramChanged { .. }
        | Event::AssetChanged { .. }
        | Event::AssetCreated { .. }
        | Event::OrganizationCreated { .. }
        | Event::OrganizationChanged { .. }
        | Event::WebhookCreated { .. }
        | Event::WebhookChanged { .. }
        | Event::TermsPublished { .. }
        | Event::PoolChanged { .. }
        | Event::PoolFunded { .. }
        | Event::PoolDrawn { .. }
        | Event::PoolReturned { .. }
        | Event::EventStored(_)
        | Event::StateChanged(_)
        | Event::RuleChanged { .. }
        | Event::BudgetReset { .. }
        | Event::TermsAccepted { .. }
        | Event::InterestCreated { .. }
        | Event::InterestChanged { .. } => {
            return Err(store::Error::Impossible("event without a stored object"));
        }
    };
    text(json)
}

fn text(json: Vec<u8>) -> Result<String, store::Error> {
    String::from_utf8(json).map_err(|_| store::Error::Impossible("text"))
}

/// The object of the event of a message. It is never stored, because the address of a file expires.
fn message_object(
    connection: &Connection,
    program: ProgramNumber,
    (author, message): (MemberNumber, MessageId),
    links: &Links,
) -> Result<String, store::Error> {
    let (message, conversation) = store::conversations::find_message(connection, message)?
        .ok_or(store::Error::Impossible("event without its message"))?;
    let external = member(connection, program, author)?.external_user_id;
    text(wire::to_json(&MessageEventData::new(
        &message,
        conversation,
        external.as_str(),
        links.of(program, &message),
    )))
}

/// The object of the event of a ledger entry.
fn entry_object(
    connection: &Connection,
    activity: &Activity,
    entry: &LedgerEntry,
    member: &Member,
) -> Result<Vec<u8>, store::Error> {
    let redemption = entry
        .redemption
        .map(|number| store::redemptions::public_id(connection, number))
        .transpose()?;
    Ok(wire::to_json(&TransactionEventData {
        transaction: TransactionResponse::new(
            TransactionId::of_entry(activity.seq, activity.at),
            entry.entry,
            entry.amount,
            entry.reason.clone(),
            redemption,
            activity.at,
        ),
        external_user_id: member.external_user_id.as_str().to_owned(),
    }))
}

/// The object of an event of a pool.
fn pool_object(connection: &Connection, event: &Event) -> Result<Vec<u8>, store::Error> {
    let id = |organization| store::organizations::public_id(connection, organization);
    match event {
        Event::OrgPointsLow {
            organization,
            balance,
            threshold,
        } => Ok(wire::to_json(&PointsLowEventData {
            organization_id: id(*organization)?,
            balance: *balance,
            low_threshold: *threshold,
        })),
        Event::OrgPointsPurchased {
            organization,
            balance,
            amount,
        } => Ok(wire::to_json(&PointsPurchasedEventData {
            organization_id: id(*organization)?,
            balance: *balance,
            amount: *amount,
        })),
        _ => Err(store::Error::Impossible("event without a pool")),
    }
}

fn member(
    connection: &Connection,
    program: ProgramNumber,
    number: MemberNumber,
) -> Result<Member, store::Error> {
    store::members::find(connection, program, &Selector::Number(number))?
        .ok_or(store::Error::Impossible("event without its member"))
}

/// The object of an event that says that points of a member expired, or will: how many, when, and
/// the balance.
fn expiry_object(member: &Member, event: &Event) -> Result<Vec<u8>, store::Error> {
    let (Event::BalanceExpired {
        amount,
        at,
        balance,
        ..
    }
    | Event::WalletExpiring {
        amount,
        at,
        balance,
        ..
    }) = event
    else {
        return Err(store::Error::Impossible("event without points"));
    };
    Ok(wire::to_json(&ExpiredEventData {
        external_user_id: member.external_user_id.as_str().to_owned(),
        amount: amount.get(),
        at: at.to_string(),
        balance: *balance,
    }))
}

/// The object of a change of a program's wallet.
fn funding_object(
    connection: &Connection,
    program: ProgramNumber,
    funding: &Funding,
) -> Result<Vec<u8>, store::Error> {
    let uuid = store::programs::get(connection, program)?.uuid;
    let scale = match funding.asset {
        None => Scale::WHOLE,
        Some(number) => store::assets::find_further(connection, program, number)?
            .ok_or(store::Error::Impossible("event without its asset"))?
            .scale(),
    };
    let description = funding.description.as_ref();
    Ok(wire::to_json(&FundingEventData {
        asset_id: AssetResponse::id_of(uuid, funding.asset).to_string(),
        amount: scale.show_points(funding.amount),
        balance: scale.show_points(funding.balance),
        description: description.map(|it| it.as_str().to_owned()),
    }))
}

fn member_object(mut member: Member, tier: &Tier) -> Vec<u8> {
    member.tier = tier.clone();
    wire::to_json(&MemberProfileResponse::from(&member))
}

fn redemption_object(
    connection: &Connection,
    program: ProgramNumber,
    number: RedemptionNumber,
    status: Status,
) -> Result<Vec<u8>, store::Error> {
    let mut redemption = store::redemptions::get(connection, program, number)?
        .ok_or(store::Error::Impossible("event without its redemption"))?;
    redemption.status = status;
    // All events that are shown come before the feedback.
    redemption.feedback = None;
    Ok(wire::to_json(&RedemptionResponse::from(&redemption)))
}

impl Services {
    /// The events of some programs that were committed after `after`, up to `up_to` or an earlier
    /// number, which is returned with them.
    ///
    /// # Errors
    /// [`ServiceError`] if the database fails.
    pub async fn events_after(
        &self,
        programs: HashSet<ProgramNumber>,
        after: Seq,
        up_to: Seq,
    ) -> Result<(Vec<(ProgramNumber, ShownEvent)>, Seq), ServiceError> {
        let end = Seq(up_to.0.min(after.0.saturating_add(PAGE)));
        // The read counts for the program if it is for one only.
        let only = programs.iter().next().filter(|_| programs.len() == 1);
        let tenant = only.map_or(Tenant::Upkeep, |only| self.directory.tenant_of(*only));
        let links = self.links();
        self.read(tenant, move |connection| {
            let (mut shown, mut bytes) = (Vec::new(), 0);
            let only = programs.iter().next().filter(|_| programs.len() == 1);
            let rows = store::log::events(connection, only.copied(), after, end, EVENTS)?;
            let last = rows.last().filter(|_| rows.len() == EVENTS);
            let end = last.map_or(end, |last| last.seq);
            for activity in rows {
                let Some(program) = activity.program.filter(|p| programs.contains(p)) else {
                    continue;
                };
                if let Some(event) = show(connection, program, &activity, &links)? {
                    bytes += event.data.len();
                    shown.push((program, event));
                }
                if bytes >= PIECE {
                    return Ok((shown, activity.seq));
                }
            }
            Ok((shown, end))
        })
        .await
    }
}
