//! Participants: the earning engine's view of members.

use super::{ExternalUserId, Member, MemberNumber, Search, Timestamp};

/// Whether a participant can earn and spend points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ParticipantStatus {
    /// A current member.
    Active,
    /// A removed member.
    Closed,
    /// A current member who can neither earn nor spend points.
    Suspended,
}

impl ParticipantStatus {
    /// All of them, in the order of their names.
    pub const ALL: [Self; 3] = [Self::Active, Self::Closed, Self::Suspended];

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Closed => "CLOSED",
            Self::Suspended => "SUSPENDED",
        }
    }

    /// Reads the name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }

    /// That of a member.
    pub fn of(member: &Member) -> Self {
        Self::new(member.archived_at.is_some(), member.suspended_at.is_some())
    }

    /// That of a member who is removed, or suspended, or neither.
    pub fn new(is_archived: bool, is_suspended: bool) -> Self {
        match (is_archived, is_suspended) {
            (true, _) => Self::Closed,
            (false, true) => Self::Suspended,
            (false, false) => Self::Active,
        }
    }
}

/// The order of a list of participants.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ParticipantSort {
    /// By creation.
    #[default]
    CreatedAt,
    /// By the operator's own id.
    ExternalId,
    /// By status, then by creation.
    Status,
}

impl ParticipantSort {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::CreatedAt, Self::ExternalId, Self::Status];

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CreatedAt => "created_at",
            Self::ExternalId => "external_id",
            Self::Status => "status",
        }
    }

    /// Reads the name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|sort| sort.as_str() == name)
    }

    /// Whether the default direction is descending.
    pub fn is_descending(self) -> bool {
        self == Self::CreatedAt
    }
}

/// The place of a participant in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParticipantPlace {
    /// The member.
    pub member: MemberNumber,
    /// The status when it was listed.
    pub status: ParticipantStatus,
}

impl ParticipantPlace {
    /// One number for the place.
    pub fn number(self) -> i64 {
        self.member.0 * 4 + self.status as i64
    }

    /// The place of a number; `None` if there is none.
    pub fn of_number(number: i64) -> Option<Self> {
        let status = usize::try_from(number.rem_euclid(4)).ok()?;
        Some(Self {
            member: MemberNumber(number.div_euclid(4)),
            status: *ParticipantStatus::ALL.get(status)?,
        })
    }
}

/// The filter and the order of a list of participants.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ParticipantFilter {
    /// Only those after this one.
    pub after: Option<ParticipantPlace>,
    /// Only the one with this id.
    pub external_id: Option<ExternalUserId>,
    /// Only those with this status.
    pub status: Option<ParticipantStatus>,
    /// Only those with these terms.
    pub search: Option<Search>,
    /// Only those created at this time or later.
    pub from: Option<Timestamp>,
    /// Only those created at this time or earlier.
    pub to: Option<Timestamp>,
    /// The field that orders them.
    pub sort: ParticipantSort,
    /// Whether the order is reversed.
    pub is_descending: bool,
}

impl ParticipantFilter {
    /// Whether a member passes, apart from the search and from the place in the list.
    pub fn passes(&self, member: &Member) -> bool {
        let is_same = self
            .status
            .is_none_or(|it| it == ParticipantStatus::of(member));
        let is_named = self.external_id.as_ref();
        is_same
            && is_named.is_none_or(|id| *id == member.external_user_id)
            && self.from.is_none_or(|from| from <= member.created_at)
            && self.to.is_none_or(|to| member.created_at <= to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_has_one_number() {
        for status in ParticipantStatus::ALL {
            for number in [0, 1, 77, (1 << 53) - 1] {
                let member = MemberNumber(number);
                let place = ParticipantPlace { member, status };
                assert_eq!(ParticipantPlace::of_number(place.number()), Some(place));
            }
        }
        assert_eq!(ParticipantPlace::of_number(3), None);
    }
}
