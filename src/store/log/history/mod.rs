//! Every member, offer, redemption, message, program, organization and webhook, according to the
//! log, compared with its row.

mod assets;
mod compare;
mod earning;
mod members;
mod redemptions;
mod rules;
mod state;
mod tenants;

use std::collections::HashMap;

use rusqlite::{Connection, Statement};

use self::assets::Assets;
use self::rules::Rules;
use crate::domain::{Cells, Column, Event, EventKind, Pool, ProgramStatus, Rating, Status};
use crate::store::Error;
use crate::store::tables::columns::column;

const MESSAGE: &str = "SELECT s.created_at, s.role, c.member_id
    FROM message s JOIN conversation c ON c.id = s.conversation_id WHERE s.uuid = ?1";

const REDEMPTION: &str = "SELECT program_id, member_id, offer_id, charged, created_at, took_stock,
        quantity FROM redemption WHERE id = ?1";

const STORED_PROGRAMS: &str = "SELECT id, updated_at, version, configuration_version FROM program";

const KEYS: &str = "SELECT c.id, c.kind = 'org' AS is_of_program, p.organization_id, c.environment
    FROM credential c LEFT JOIN program p ON p.id = c.program_id";

/// A value according to the log, if it is known: rows of version 0.1.0 do not hold everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Logged<T> {
    Known(T),
    Unknown,
}

impl<T: Copy + PartialEq> Logged<T> {
    fn of(value: Option<T>) -> Self {
        value.map_or(Self::Unknown, Self::Known)
    }

    fn contradicts(self, stored: T) -> bool {
        matches!(self, Self::Known(logged) if logged != stored)
    }
}

struct Member {
    created_at: i64,
    archived_at: Option<i64>,
    suspended_at: Option<i64>,
    epoch: i64,
    tier: usize,
    /// Whether the row may tell the end of a token, because the log of version 0.1.0 does not.
    has_given_end: bool,
    /// Whether the row may tell attributes that the log of version 0.1.0 does not.
    has_given_attributes: bool,
    /// The id that an erasure set.
    erased_id: Option<Box<str>>,
    /// The activity that last changed the settings.
    version: i64,
    /// Whether the removal retained the balance; `None` if the member is not removed.
    retained: Option<bool>,
}

struct Offer {
    program: Option<i64>,
    created_at: i64,
    uuid: [u8; 16],
    archived_at: Option<i64>,
    stock: Logged<Option<i64>>,
    version: i64,
}

/// The start and the end of a redemption.
type Dates = (Option<i64>, Option<i64>);

struct Redemption {
    status: Status,
    dates: Logged<Dates>,
    rated: Option<Rated>,
    returned: i64,
}

/// The last rating of a redemption, and when it was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Rated {
    rating: Rating,
    at: i64,
}

struct Program {
    organization: i64,
    created_at: i64,
    stored: StoredProgram,
    /// Whether there was an event at the time at which the row was updated.
    is_update_seen: bool,
    /// Whether the two settings versions of the row are activities that changed settings.
    are_versions_seen: [bool; 2],
    /// The last activity that changed settings.
    newest: i64,
    status: Logged<ProgramStatus>,
    archived_at: Logged<Option<i64>>,
    tier: Logged<usize>,
    ahead: Logged<i64>,
    /// The days of the notice; 0: none.
    notice: Logged<i64>,
}

impl Program {
    /// Takes in an event, which changed the settings if `is_change`.
    fn note_event(&mut self, seq: i64, at: i64, is_change: bool) {
        self.is_update_seen |= self.stored.updated_at == at;
        if is_change {
            self.newest = seq;
            for (seen, stored) in self.are_versions_seen.iter_mut().zip(self.stored.versions) {
                *seen |= stored == seq;
            }
        }
    }
}

/// The part of a program's row that the log only confirms.
#[derive(Debug, Clone, Copy, Default)]
struct StoredProgram {
    updated_at: i64,
    /// The versions of name and status, and of the configuration.
    versions: [i64; 2],
}

struct Organization {
    created_at: i64,
    environment: &'static str,
    status: &'static str,
    version: i64,
}

struct Webhook {
    is_disabled: bool,
    version: i64,
}

/// The part of a key's row that decides which events it can have caused.
struct Key {
    is_of_program: bool,
    organization: Option<i64>,
    environment: String,
}

/// The history up to a row of the log. Its size depends on the number of members and redemptions,
/// not on the length of the log.
pub(super) struct History<'c> {
    connection: &'c Connection,
    message_row: Statement<'c>,
    redemption_row: Statement<'c>,
    members: HashMap<i64, Member>,
    offers: HashMap<i64, Offer>,
    redemptions: HashMap<i64, Redemption>,
    programs: HashMap<i64, Program>,
    assets: Assets,
    rules: Rules,
    organizations: HashMap<i64, Organization>,
    pools: HashMap<i64, Pool>,
    webhooks: HashMap<[u8; 16], Webhook>,
    stored_programs: HashMap<i64, StoredProgram>,
    keys: HashMap<i64, Key>,
    /// The tiers, each once, and the index of each.
    tiers: Vec<String>,
    tier_indexes: HashMap<String, usize>,
    messages: i64,
    has_actors: bool,
    /// The number of rows of version 0.1.0, which do not hold everything.
    pub(super) given: u64,
    pub(super) findings: Vec<String>,
}

impl<'c> History<'c> {
    pub(super) fn begin(connection: &'c Connection) -> Result<Self, Error> {
        Ok(Self {
            connection,
            message_row: connection.prepare(MESSAGE)?,
            redemption_row: connection.prepare(REDEMPTION)?,
            members: HashMap::new(),
            offers: HashMap::new(),
            redemptions: HashMap::new(),
            programs: HashMap::new(),
            assets: Assets::default(),
            rules: Rules::default(),
            organizations: HashMap::new(),
            pools: HashMap::new(),
            webhooks: HashMap::new(),
            stored_programs: stored_programs(connection)?,
            keys: keys(connection)?,
            tiers: Vec::new(),
            tier_indexes: HashMap::new(),
            messages: 0,
            has_actors: false,
            given: 0,
            findings: Vec::new(),
        })
    }

    /// Takes in the next row of the log, which is an event.
    pub(super) fn row(&mut self, row: &impl Cells, event: &Event) -> Result<(), Error> {
        let number = |column| row.cell(column).integer();
        let seq = number(Column::Seq).unwrap_or_default();
        let at = number(Column::At).unwrap_or_default();
        let program = number(Column::Program);
        let is_complete = number(Column::Actor).is_some();
        if self.has_actors && !is_complete {
            self.report(format!(
                "activity {seq} has no actor, but rows before it have one"
            ));
        }
        self.has_actors |= is_complete;
        let is_of_organization = matches!(
            event.kind(),
            EventKind::OrganizationCreated
                | EventKind::OrganizationChanged
                | EventKind::PoolChanged
                | EventKind::PoolFunded
        );
        if program.is_none() != is_of_organization {
            let kind = event.kind().as_str();
            let must = if is_of_organization {
                "must not"
            } else {
                "must"
            };
            self.report(format!("activity {seq}, {kind}, {must} have a program"));
        }
        self.apply(seq, at, program, is_complete, event)?;
        self.actor(row, seq, program);
        self.findings.extend(self.assets.entry(row, seq, program));
        Ok(())
    }

    /// Applies an event to the state of what it belongs to.
    fn apply(
        &mut self,
        seq: i64,
        at: i64,
        program: Option<i64>,
        is_complete: bool,
        event: &Event,
    ) -> Result<(), Error> {
        match event {
            Event::MemberCreated { .. }
            | Event::MemberTierChanged { .. }
            | Event::MemberRemoved { .. }
            | Event::MemberRestored { .. }
            | Event::MemberErased { .. }
            | Event::MemberChanged { .. }
            | Event::MemberStatusChanged { .. }
            | Event::TokenExchanged { .. } => self.member(seq, at, is_complete, event),
            Event::RedemptionCreated { .. }
            | Event::RedemptionOpen(_)
            | Event::RedemptionAwaitingVendor(_)
            | Event::RedemptionAwaitingCustomer(_)
            | Event::RedemptionPurchased(_)
            | Event::RedemptionCompleted(_)
            | Event::RedemptionCanceled(_)
            | Event::RedemptionChanged { .. }
            | Event::RedemptionRated(_)
            | Event::RedemptionReturned(_) => {
                return self.redemption(seq, at, program, is_complete, event);
            }
            Event::MessageCreated { .. } => return self.message(seq, at, event),
            Event::OfferCreated { .. }
            | Event::OfferChanged { .. }
            | Event::OfferArchived { .. } => {
                self.offer(seq, at, program, is_complete, event);
            }
            Event::ProgramCreated { .. } | Event::ProgramChanged { .. } => {
                self.program(seq, at, program, is_complete, event);
            }
            Event::AssetChanged { .. } | Event::AssetCreated { .. } => {
                self.asset(seq, at, program, event);
            }
            Event::OrganizationCreated { .. } | Event::OrganizationChanged { .. } => {
                self.organization(seq, at, event);
            }
            Event::WebhookCreated { .. } | Event::WebhookChanged { .. } => self.webhook(seq, event),
            Event::PoolFunded { .. } => {
                self.pool(seq, program, event);
                return self.find_row(seq, "pool_funding");
            }
            Event::OrgPointsLow { .. }
            | Event::OrgPointsPurchased { .. }
            | Event::PoolChanged { .. }
            | Event::PoolDrawn { .. }
            | Event::PoolReturned { .. }
            | Event::WalletCredited(_)
            | Event::WalletMoved(_) => self.pool(seq, program, event),
            Event::TermsPublished { .. } => return self.find_row(seq, "terms_version"),
            Event::TermsAccepted { .. } => return self.find_row(seq, "terms_acceptance"),
            Event::InterestCreated { .. } => return self.find_row(seq, "interest"),
            Event::InterestChanged { interest, .. } => {
                return self.find_interest(seq, interest.as_uuid().as_bytes());
            }
            Event::RuleChanged { .. } | Event::BudgetReset { .. } => {
                return self.rule(seq, at, program, event);
            }
            Event::EventStored(_) => return self.find_row(seq, "event"),
            // They are in the books alone, or compared elsewhere.
            Event::WalletDebited(_)
            | Event::StateChanged(_)
            | Event::BalanceExpired { .. }
            | Event::WalletExpiring { .. } => {}
            Event::ProgramFunded(_) | Event::ProgramBurned(_) => self.funding(seq, program, event),
        }
        Ok(())
    }

    fn message(&mut self, seq: i64, at: i64, event: &Event) -> Result<(), Error> {
        let Event::MessageCreated {
            member,
            message,
            role,
        } = event
        else {
            return Ok(());
        };
        let (member, uuid) = (member.0, message.as_uuid().as_bytes());
        let role = role.map(crate::domain::Role::as_str);
        self.messages += 1;
        self.given += u64::from(role.is_none());
        let mut rows = self.message_row.query([uuid])?;
        let Some(row) = rows.next()? else {
            drop(rows);
            self.report(format!(
                "the message of activity {seq} is not in the table message"
            ));
            return Ok(());
        };
        let created_at: i64 = row.get(column!(MESSAGE, "created_at"))?;
        let found_role: String = row.get(column!(MESSAGE, "role"))?;
        let found_member: i64 = row.get(column!(MESSAGE, "member_id"))?;
        drop(rows);
        let is_same_role = role.is_none_or(|role| role == found_role);
        if (created_at, found_member) != (at, member) || !is_same_role {
            self.report(format!(
                "the message of activity {seq} has another time, role or member in the table \
                 message"
            ));
        }
        Ok(())
    }

    fn offer(&mut self, seq: i64, at: i64, program: Option<i64>, is_complete: bool, event: &Event) {
        let logged = |stock: Option<i64>| Logged::of(is_complete.then_some(stock));
        match event {
            Event::OfferCreated { offer, id, stock } => {
                self.given += u64::from(!is_complete);
                let created = Offer {
                    program,
                    created_at: at,
                    uuid: *id.as_uuid().as_bytes(),
                    archived_at: None,
                    stock: logged(*stock),
                    version: seq,
                };
                if self.offers.insert(offer.0, created).is_some() {
                    self.report(format!(
                        "activity {seq} creates offer row {} again",
                        offer.0
                    ));
                }
            }
            Event::OfferChanged { offer, stock } => {
                self.given += u64::from(!is_complete);
                if let Some(offer) = self.offers.get_mut(&offer.0) {
                    offer.stock = logged(*stock);
                    offer.version = seq;
                } else {
                    self.report(format!(
                        "activity {seq} belongs to offer row {}, which was not created before",
                        offer.0
                    ));
                }
            }
            Event::OfferArchived { offer } => {
                let known = self.offers.get_mut(&offer.0);
                let fits = known.is_some_and(|known| {
                    known.version = seq;
                    known.archived_at.replace(at).is_none()
                });
                if !fits {
                    self.report(format!(
                        "activity {seq} does not fit the earlier events of offer row {}",
                        offer.0
                    ));
                }
            }
            _ => {}
        }
    }

    /// The index of a tier.
    fn tier(&mut self, name: &str) -> usize {
        if let Some(place) = self.tier_indexes.get(name) {
            return *place;
        }
        self.tiers.push(name.to_owned());
        let place = self.tiers.len() - 1;
        self.tier_indexes.insert(name.to_owned(), place);
        place
    }

    fn report(&mut self, finding: String) {
        self.findings.push(finding);
    }
}

/// The stored part of every program.
fn stored_programs(connection: &Connection) -> Result<HashMap<i64, StoredProgram>, Error> {
    let mut statement = connection.prepare(STORED_PROGRAMS)?;
    let rows = statement.query_map([], |row| {
        let stored = StoredProgram {
            updated_at: row.get(column!(STORED_PROGRAMS, "updated_at"))?,
            versions: [
                row.get(column!(STORED_PROGRAMS, "version"))?,
                row.get(column!(STORED_PROGRAMS, "configuration_version"))?,
            ],
        };
        Ok((row.get(0)?, stored))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The keys that can have caused events.
fn keys(connection: &Connection) -> Result<HashMap<i64, Key>, Error> {
    let mut statement = connection.prepare(KEYS)?;
    let rows = statement.query_map([], |row| {
        let key = Key {
            is_of_program: row.get(column!(KEYS, "is_of_program"))?,
            organization: row.get(column!(KEYS, "organization_id"))?,
            environment: row.get(column!(KEYS, "environment"))?,
        };
        Ok((row.get(0)?, key))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
