//! What the log says of each member, offer, redemption, message, program and organization, held
//! against its row.

mod compare;
mod members;
mod redemptions;
mod tenants;

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension as _, Statement};

use self::redemptions::Redemption;
use crate::domain::{Cells, Column, Event, EventKind, OfferContent};
use crate::store::Error;

/// What is known of a value: rows of version 0.1.0 do not tell everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told<T> {
    Known(T),
    Unknown,
}

impl<T: Copy + PartialEq> Told<T> {
    fn of(told: Option<T>) -> Self {
        told.map_or(Self::Unknown, Self::Known)
    }

    fn contradicts(self, stored: T) -> bool {
        matches!(self, Self::Known(told) if told != stored)
    }
}

struct Member {
    created_at: i64,
    archived_at: Option<i64>,
    epoch: i64,
    tier: usize,
    /// When the last token ends, at least; `is_token_known`: exactly.
    token_end: Option<i64>,
    is_token_known: bool,
    /// The id that an erasure gave.
    erased_id: Option<Box<str>>,
    /// The activity that last changed the settings.
    version: i64,
    /// Whether the removal retained the balance; none of a member who is not removed.
    retained: Option<bool>,
}

struct Offer {
    program: Option<i64>,
    created_at: i64,
    uuid: [u8; 16],
    archived_at: Option<i64>,
    stock: Told<Option<i64>>,
    version: i64,
}

struct Program {
    organization: i64,
    created_at: i64,
    stored: StoredProgram,
    /// Whether something happened when the row says that it was updated.
    is_update_seen: bool,
    /// Whether the two settings versions of the row are activities that changed settings.
    are_versions_seen: [bool; 2],
    /// The last such activity.
    newest: i64,
    is_active: Told<bool>,
    archived_at: Told<Option<i64>>,
    tier: Told<usize>,
    ahead: Told<i64>,
}

impl Program {
    /// Takes in that the settings changed, perhaps.
    fn see(&mut self, seq: i64, at: i64, is_change: bool) {
        self.is_update_seen |= self.stored.updated_at == at;
        if is_change {
            self.newest = seq;
            for (seen, stored) in self.are_versions_seen.iter_mut().zip(self.stored.versions) {
                *seen |= stored == seq;
            }
        }
    }
}

/// What a program's row says, of which the log tells only that it can be.
#[derive(Debug, Clone, Copy, Default)]
struct StoredProgram {
    updated_at: i64,
    /// Of name and status, and of the configuration.
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

/// A key, as far as it tells what it can have caused.
struct Key {
    is_of_program: bool,
    organization: Option<i64>,
    environment: String,
}

/// The history so far. It grows with members and redemptions, not with the log.
pub(super) struct History<'c> {
    connection: &'c Connection,
    message: Statement<'c>,
    redemption: Statement<'c>,
    members: HashMap<i64, Member>,
    offers: HashMap<i64, Offer>,
    redemptions: HashMap<i64, Redemption>,
    programs: HashMap<i64, Program>,
    organizations: HashMap<i64, Organization>,
    webhooks: HashMap<[u8; 16], Webhook>,
    stored: HashMap<i64, StoredProgram>,
    keys: HashMap<i64, Key>,
    /// Tiers, each once, and the place of each.
    tiers: Vec<String>,
    places: HashMap<String, usize>,
    messages: i64,
    has_actors: bool,
    /// Rows that do not tell all that later ones do.
    pub(super) given: u64,
    pub(super) findings: Vec<String>,
}

impl<'c> History<'c> {
    pub(super) fn begin(connection: &'c Connection) -> Result<Self, Error> {
        let message = "SELECT s.created_at, s.role, c.member_id
            FROM message s JOIN conversation c ON c.id = s.conversation_id WHERE s.uuid = ?1";
        let redemption = "SELECT program_id, member_id, offer_id, charged, created_at, took_stock
            FROM redemption WHERE id = ?1";
        Ok(Self {
            connection,
            message: connection.prepare(message)?,
            redemption: connection.prepare(redemption)?,
            members: HashMap::new(),
            offers: HashMap::new(),
            redemptions: HashMap::new(),
            programs: HashMap::new(),
            organizations: HashMap::new(),
            webhooks: HashMap::new(),
            stored: stored(connection)?,
            keys: keys(connection)?,
            tiers: Vec::new(),
            places: HashMap::new(),
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
        let is_told = number(Column::Actor).is_some();
        if self.has_actors && !is_told {
            self.find(format!(
                "activity {seq} has no actor, but rows before it have one"
            ));
        }
        self.has_actors |= is_told;
        let is_of_organization = matches!(
            event.kind(),
            EventKind::OrganizationCreated | EventKind::OrganizationChanged
        );
        if program.is_none() != is_of_organization {
            let kind = event.kind().as_str();
            self.find(format!(
                "activity {seq}, {kind}, belongs to the wrong kind of tenant"
            ));
        }
        self.state(seq, at, program, is_told, event)?;
        self.actor(row, seq, program);
        Ok(())
    }

    fn state(
        &mut self,
        seq: i64,
        at: i64,
        program: Option<i64>,
        is_told: bool,
        event: &Event,
    ) -> Result<(), Error> {
        match event {
            Event::MemberCreated { .. }
            | Event::MemberTierChanged { .. }
            | Event::MemberRemoved { .. }
            | Event::MemberRestored { .. }
            | Event::MemberErased { .. }
            | Event::MemberChanged { .. }
            | Event::TokenExchanged { .. } => self.member(seq, at, event),
            Event::RedemptionCreated { .. }
            | Event::RedemptionOpen(_)
            | Event::RedemptionAwaitingVendor(_)
            | Event::RedemptionAwaitingCustomer(_)
            | Event::RedemptionPurchased(_)
            | Event::RedemptionCompleted(_)
            | Event::RedemptionCanceled(_)
            | Event::RedemptionChanged { .. } => {
                return self.redemption(seq, at, program, is_told, event);
            }
            Event::MessageCreated {
                member,
                message,
                role,
            } => {
                let role = role.map(crate::domain::Role::as_str);
                let uuid = message.as_uuid().as_bytes();
                return self.said(seq, at, member.0, uuid, role);
            }
            Event::OfferCreated { .. }
            | Event::OfferChanged { .. }
            | Event::OfferArchived { .. } => {
                self.offer(seq, at, program, is_told, event);
            }
            Event::ProgramCreated { .. } | Event::ProgramChanged { .. } => {
                self.program(seq, at, program, is_told, event);
            }
            Event::OrganizationCreated { .. } | Event::OrganizationChanged { .. } => {
                self.organization(seq, at, event);
            }
            Event::WebhookCreated { .. } | Event::WebhookChanged { .. } => {
                self.webhook(seq, event);
            }
            // Of ledger entries, and of whatever tells no column that is compared.
            _ => {}
        }
        Ok(())
    }

    fn move_stock(&mut self, offer: i64, pieces: i64) {
        if let Some(Offer {
            stock: Told::Known(Some(stock)),
            ..
        }) = self.offers.get_mut(&offer)
        {
            *stock = (*stock + pieces).min(OfferContent::UNLIMITED - 1);
        }
    }

    fn said(
        &mut self,
        seq: i64,
        at: i64,
        member: i64,
        uuid: &[u8; 16],
        role: Option<&str>,
    ) -> Result<(), Error> {
        self.messages += 1;
        self.given += u64::from(role.is_none());
        let found = self
            .message
            .query_row([uuid], |row| row.try_into())
            .optional()?;
        let Some((created_at, found_role, of_member)) = found else {
            self.find(format!(
                "the message of activity {seq} is not in the table message"
            ));
            return Ok(());
        };
        let (created_at, found_role, of_member): (i64, String, i64) =
            (created_at, found_role, of_member);
        let is_same_role = role.is_none_or(|role| role == found_role);
        if (created_at, of_member) != (at, member) || !is_same_role {
            self.find(format!(
                "the message of activity {seq} has another time, role or member in the table \
                 message"
            ));
        }
        Ok(())
    }

    fn offer(&mut self, seq: i64, at: i64, program: Option<i64>, is_told: bool, event: &Event) {
        let told = |stock: Option<i64>| Told::of(is_told.then_some(stock));
        match event {
            Event::OfferCreated { offer, id, stock } => {
                self.given += u64::from(!is_told);
                let created = Offer {
                    program,
                    created_at: at,
                    uuid: *id.as_uuid().as_bytes(),
                    archived_at: None,
                    stock: told(*stock),
                    version: seq,
                };
                if self.offers.insert(offer.0, created).is_some() {
                    self.find(format!(
                        "activity {seq} creates offer row {} again",
                        offer.0
                    ));
                }
            }
            Event::OfferChanged { offer, stock } => {
                self.given += u64::from(!is_told);
                if let Some(offer) = self.offers.get_mut(&offer.0) {
                    offer.stock = told(*stock);
                    offer.version = seq;
                } else {
                    self.find(format!(
                        "activity {seq} is of offer row {}, which was not created",
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
                    self.find(format!(
                        "activity {seq} does not fit what happened to offer row {} before",
                        offer.0
                    ));
                }
            }
            _ => {}
        }
    }

    /// The number of a tier.
    fn tier(&mut self, name: &str) -> usize {
        if let Some(place) = self.places.get(name) {
            return *place;
        }
        self.tiers.push(name.to_owned());
        let place = self.tiers.len() - 1;
        self.places.insert(name.to_owned(), place);
        place
    }

    fn find(&mut self, finding: String) {
        self.findings.push(finding);
    }
}

/// When each program was last updated, and its settings versions, as its row says.
fn stored(connection: &Connection) -> Result<HashMap<i64, StoredProgram>, Error> {
    let sql = "SELECT id, updated_at, version, configuration_version FROM program";
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([], |row| {
        let stored = StoredProgram {
            updated_at: row.get(1)?,
            versions: [row.get(2)?, row.get(3)?],
        };
        Ok((row.get(0)?, stored))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn keys(connection: &Connection) -> Result<HashMap<i64, Key>, Error> {
    let sql = "SELECT c.id, c.kind = 'org', p.organization_id, c.environment
               FROM credential c LEFT JOIN program p ON p.id = c.program_id";
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([], |row| {
        let key = Key {
            is_of_program: row.get(1)?,
            organization: row.get(2)?,
            environment: row.get(3)?,
        };
        Ok((row.get(0)?, key))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
