//! Events that are stored and processed by earning rules.

use uuid::Uuid;

use super::row::{Cells, Field as _, Fields, Row};
use super::words::words;
use super::{Column, MemberNumber, RuleVersionNumber, Seq, Timestamp};

/// The public id of a stored event: a UUID without a prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct StoredEventId(Uuid);

impl StoredEventId {
    /// The id of these sixteen bytes.
    pub fn from_uuid(uuid: Uuid) -> Self {
        Self(uuid)
    }

    /// The sixteen bytes.
    pub fn as_uuid(&self) -> &Uuid {
        &self.0
    }

    /// That of the event with a key in a program: the UUID of version 5 in the namespace of the
    /// program's id.
    pub fn of_key(program: Uuid, key: &str) -> Self {
        Self(Uuid::new_v5(&program, key.as_bytes()))
    }
}

/// An event that was stored and processed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEvent {
    /// The participant, if it has one.
    pub member: Option<MemberNumber>,
    /// Its id.
    pub id: StoredEventId,
    /// Whether it was completed. Otherwise an action of a rule failed, and nothing else happened.
    pub completed: bool,
    /// When it happened, as its sender says.
    pub happened_at: Timestamp,
    /// Its key. It is free text, which the row does not hold.
    pub key: Option<Box<str>>,
    /// Its data, a JSON object. It is free text, which the row does not hold.
    pub data: Option<Box<str>>,
}

impl Fields for StoredEvent {
    const COLUMNS: &'static [Column] = &[
        Column::Member,
        Column::Flag,
        Column::Object,
        Column::MaturesAt,
    ];

    fn write<'a>(&'a self, row: &mut Row<'a>) {
        row.set(Column::Member, self.member.cell());
        row.set(Column::Flag, self.completed.cell());
        row.set(Column::Object, self.id.cell());
        row.set(Column::MaturesAt, self.happened_at.cell());
    }

    fn read(cells: &impl Cells) -> Option<Self> {
        Some(Self {
            member: Option::of(cells.cell(Column::Member))?,
            completed: bool::of(cells.cell(Column::Flag))?,
            id: StoredEventId::of(cells.cell(Column::Object))?,
            happened_at: Timestamp::of(cells.cell(Column::MaturesAt))?,
            key: None,
            data: None,
        })
    }
}

/// The cause of a row of the log: a rule that an event met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cause {
    /// The number in the log of the event.
    pub event: Seq,
    /// The version of the rule.
    pub version: RuleVersionNumber,
}

impl Cause {
    /// Writes the columns of a cause.
    pub(super) fn write(cause: Option<Self>, row: &mut Row<'_>) {
        if let Some(Self { event, version }) = cause {
            row.set_number(Column::Cause, Some(event.0));
            row.set_number(Column::RuleVersion, Some(version.0));
        }
    }

    /// Reads the columns of a cause: both are set, or none.
    #[expect(
        clippy::option_option,
        reason = "the cells may be wrong, and a row may have no cause"
    )]
    pub(super) fn read(cells: &impl Cells) -> Option<Option<Self>> {
        let version = Option::of(cells.cell(Column::RuleVersion))?;
        let event = Option::of(cells.cell(Column::Cause))?;
        match (event, version) {
            (None, None) => Some(None),
            (Some(event), Some(version)) => Some(Some(Self { event, version })),
            _ => None,
        }
    }
}

words! {
    /// Where an event comes from.
    #[derive(Default)]
    EventSource {
        /// From outside.
        #[default]
        External "EXTERNAL",
        /// A rule caused it.
        System "SYSTEM",
    }
}

words! {
    /// The status of an event. It is processed when it is stored, so that none has one of the first
    /// three.
    #[derive(Default)]
    EventStatus {
        /// It has arrived.
        #[default]
        Received "RECEIVED",
        /// It waits.
        Pending "PENDING",
        /// It is being processed.
        Processing "PROCESSING",
        /// Everything that its rules bring about happened.
        Completed "COMPLETED",
        /// An action of a rule failed, so that nothing happened.
        Failed "FAILED",
    }
}

words! {
    /// What an event of an unknown participant does.
    #[derive(Default)]
    UnknownParticipants {
        /// It creates the participant.
        #[default]
        Create "CREATE",
        /// It is refused.
        Reject "REJECT",
    }
}

words! {
    /// The field by which events are ordered.
    #[derive(Default)]
    EventSort {
        /// When it was stored.
        #[default]
        CreatedAt "created_at",
        /// When it happened, as its sender says.
        HappenedAt "event_timestamp",
        /// The status.
        Status "status",
    }
}
