//! The state on which depends what earning rules make of an event, as it was at any row of the log:
//! a fold of the log.

mod members;
mod programs;

use std::collections::BTreeMap;

use uuid::Uuid;

use self::members::Member;
use self::programs::Program;
use crate::domain::{Activity, ByNumber, Event, MemberNumber, ProgramNumber, Timestamp};
use crate::rules::{
    self, DataMap, Listed, Outcome, Participant, ParticipantKey, Recipient, State, Traits, step,
};
use crate::service::earning::subject;
use crate::store::{self, Connection};

/// What was used of budgets, by the number of the rule and the asset.
pub(in crate::service) use self::programs::Budgets;

/// The past up to a row of the log. Its memory is bounded by the members who have tags, counters,
/// attributes or events, or who are not active.
pub(in crate::service) struct Past<'a> {
    connection: &'a Connection,
    programs: ByNumber<ProgramNumber, Program>,
    members: ByNumber<MemberNumber, Member>,
}

/// An event that is processed.
pub(in crate::service) struct Occurred<'a> {
    pub(in crate::service) program: ProgramNumber,
    pub(in crate::service) at: Timestamp,
    pub(in crate::service) own: Option<MemberNumber>,
    pub(in crate::service) recipient: Option<MemberNumber>,
    pub(in crate::service) happened_at: Timestamp,
    pub(in crate::service) depth: u8,
    pub(in crate::service) data: &'a DataMap,
}

impl<'a> Past<'a> {
    /// The past before the first row.
    pub(in crate::service) fn new(connection: &'a Connection) -> Self {
        Self {
            connection,
            programs: ByNumber::default(),
            members: ByNumber::default(),
        }
    }

    /// Applies the next row of those of [`store::log::past::read`]. What events use of budgets is
    /// apart: [`Past::draw`].
    pub(in crate::service) fn apply(&mut self, activity: &Activity) -> Result<(), store::Error> {
        let Some(program) = activity.program else {
            return Ok(());
        };
        let at = activity.at;
        match &activity.event {
            Event::MemberRemoved { member, .. } => {
                self.members.entry(*member).or_default().is_archived = true;
            }
            Event::MemberRestored { member, .. } => {
                self.members.entry(*member).or_default().is_archived = false;
            }
            Event::MemberStatusChanged { member, suspended } => {
                self.members.entry(*member).or_default().is_suspended = *suspended;
            }
            Event::StateChanged(change) => {
                let traits = self.traits_mut(program, change.member)?;
                members::apply(traits, at, change)?;
            }
            Event::RuleChanged { version, .. } => {
                let found = store::rules::version_document(self.connection, *version)?;
                if let Some((rule, document)) = found {
                    let version = store::rules::version_of(rule, *version);
                    self.program(program)?.changed(version, document, at)?;
                }
            }
            Event::BudgetReset { version, asset } => {
                self.program(program)?.reset(*version, *asset, at)?;
            }
            _ => {}
        }
        Ok(())
    }

    /// A program, with its rules.
    pub(in crate::service) fn program(
        &mut self,
        number: ProgramNumber,
    ) -> Result<&mut Program, store::Error> {
        use std::collections::hash_map::Entry;
        Ok(match self.programs.entry(number) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => entry.insert(Program::of(self.connection, number)?),
        })
    }

    /// All programs that have rules or events.
    pub(in crate::service) fn programs(&self) -> impl Iterator<Item = &Program> {
        self.programs.values()
    }

    /// The tags, counters and attributes of a member.
    pub(in crate::service) fn traits(
        &mut self,
        program: ProgramNumber,
        member: MemberNumber,
    ) -> Result<&Traits, store::Error> {
        Ok(self.traits_mut(program, member)?)
    }

    fn traits_mut(
        &mut self,
        program: ProgramNumber,
        number: MemberNumber,
    ) -> Result<&mut Traits, store::Error> {
        let member = self.members.entry(number).or_default();
        let traits = match member.traits.take() {
            Some(traits) => traits,
            None => members::first_traits(self.connection, program, number)?,
        };
        Ok(member.traits.insert(traits))
    }

    /// What the rules in force make of an event.
    pub(in crate::service) fn step(
        &mut self,
        event: &Occurred<'_>,
    ) -> Result<Outcome, store::Error> {
        let own = event.own.map(|own| self.participant(event.program, own));
        let participant = own.transpose()?;
        let program = self.program(event.program)?;
        let id = |member| ParticipantKey::Id(subject::id(program.uuid, member));
        let processed = rules::Event {
            data: event.data,
            now: event.happened_at,
            at: event.at,
            recipient: event.recipient.map(id),
            depth: event.depth,
        };
        let state = State {
            participant,
            budgets: program.budgets.clone(),
            // The entries were checked when they were posted.
            amount_limits: BTreeMap::new(),
        };
        Ok(step(program.rules()?, &processed, &state, Listed::Stored))
    }

    fn participant(
        &mut self,
        program: ProgramNumber,
        number: MemberNumber,
    ) -> Result<Participant, store::Error> {
        let uuid = self.program(program)?.uuid;
        let external_id = store::members::external_id(self.connection, number)?;
        let traits = self.traits_mut(program, number)?.clone();
        let member = self.members.get(&number);
        Ok(Participant {
            id: subject::id(uuid, number),
            external_id: external_id.unwrap_or_default().into(),
            is_active: member.is_none_or(|it| !it.is_archived && !it.is_suspended),
            traits,
        })
    }

    /// Takes in what an event used of budgets.
    pub(in crate::service) fn draw(
        &mut self,
        program: ProgramNumber,
        budgets: &Budgets,
    ) -> Result<(), store::Error> {
        let program = self.program(program)?;
        program.budgets.extend(budgets);
        Ok(())
    }

    /// The member whom an effect of an event is for. `None` if that is not known: the operator's id
    /// may have been given to another participant since, unless it is that of the event's own.
    pub(in crate::service) fn member_of(
        &mut self,
        program: ProgramNumber,
        own: Option<MemberNumber>,
        recipient: &Recipient,
    ) -> Result<Option<MemberNumber>, store::Error> {
        let Recipient::Participant(key) = recipient else {
            return Ok(None);
        };
        let id: Uuid = match key {
            ParticipantKey::Id(id) => *id,
            ParticipantKey::ExternalId(id) => {
                let Some(own) = own else { return Ok(None) };
                let present = store::members::external_id(self.connection, own)?;
                return Ok(present.filter(|it| **it == **id).map(|_| own));
            }
        };
        let numbers = subject::ids(self.program(program)?.uuid).numbers(id);
        Ok(numbers.map(|(number, _)| MemberNumber(number)))
    }
}
