//! Interests: a member wants an offer, and the operator arranges the rest in a conversation.

use super::{
    ContactMethod, ContactWindow, ConversationId, Day, InterestId, InterestStatus, Invalid,
    MemberNumber, Occasion, OfferId, OfferNumber, Phone, Refusal, Seq, Timestamp,
};

/// What a member says about a plan.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Intake {
    /// The number of adults.
    pub adults: Option<i64>,
    /// The number of children.
    pub children: Option<i64>,
    /// The days that suit; `None` if they were not given.
    pub preferred_dates: Option<Vec<Day>>,
    /// The days that do not suit; `None` if they were not given.
    pub blackout_dates: Option<Vec<Day>>,
    /// The occasion.
    pub occasion: Option<Occasion>,
    /// How the member wants to be contacted.
    pub contact_method: Option<ContactMethod>,
    /// When the member wants to be contacted.
    pub contact_window: Option<ContactWindow>,
    /// The phone number.
    pub phone: Option<Phone>,
}

impl Intake {
    /// The most adults, and the most children.
    pub const GUESTS_MAX: i64 = 1000;
    /// The most days in either list.
    pub const DATES_MAX: usize = 100;

    /// Reads a day, `YYYY-MM-DD`.
    ///
    /// # Errors
    /// [`Invalid`] if it is none, or a time.
    pub fn parse_date(field: &str, text: &str) -> Result<Day, Invalid> {
        let day = Day::parse(text).filter(|_| text.len() == "2026-11-06".len());
        day.ok_or_else(|| Invalid::new(field, "must be a date such as 2026-11-06"))
    }

    /// Reads the days of a row, a JSON array.
    ///
    /// # Errors
    /// [`Invalid`] if the API never accepted them.
    pub fn parse_stored_dates(field: &str, json: &str) -> Result<Vec<Day>, Invalid> {
        let texts: Option<Vec<String>> = serde_json::from_str(json).ok();
        let texts = texts.filter(|texts| texts.len() <= Self::DATES_MAX);
        let expected = || format!("must be a JSON array of at most {} dates", Self::DATES_MAX);
        let texts = texts.ok_or_else(|| Invalid::new(field, expected()))?;
        let read = |text: &String| Self::parse_date(field, text);
        texts.iter().map(read).collect()
    }
}

/// An interest of a member in an offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interest {
    /// The activity that created it.
    pub seq: Seq,
    /// The public id.
    pub id: InterestId,
    /// The member.
    pub member: MemberNumber,
    /// The offer.
    pub offer: OfferNumber,
    /// The public id of the offer.
    pub offer_id: OfferId,
    /// The status.
    pub status: InterestStatus,
    /// When it was created.
    pub created_at: Timestamp,
    /// What the member says; `None` if nothing was given, or it was erased.
    pub intake: Option<Intake>,
    /// Whether the member has verified the phone number of the intake.
    pub phone_verified: bool,
    /// When sensitive details were last forwarded.
    pub details_sent_at: Option<Timestamp>,
}

impl Interest {
    /// Its conversation, which has the same sixteen bytes. A redemption that names the interest
    /// has them too, and so takes the conversation over.
    pub fn conversation(&self) -> ConversationId {
        ConversationId::from_uuid(*self.id.as_uuid())
    }

    /// The phone number of the intake.
    pub fn phone(&self) -> Option<&Phone> {
        self.intake.as_ref()?.phone.as_ref()
    }

    /// Replaces the intake. Another phone number, or none, is not verified.
    pub fn replace_intake(&mut self, intake: Intake) {
        let before = self.phone().map(Phone::digits);
        self.intake = Some(intake);
        self.phone_verified &= self.phone().map(Phone::digits) == before;
    }

    /// Moves it from its first status to another.
    ///
    /// # Errors
    /// [`Refusal::InterestNotSubmitted`] if it has left the first status.
    pub fn leave_for(&mut self, status: InterestStatus) -> Result<(), Refusal> {
        if self.status != InterestStatus::Submitted {
            return Err(Refusal::InterestNotSubmitted(self.status));
        }
        self.status = status;
        Ok(())
    }
}

/// The purpose of a server of the operator that gets what this server does not store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Gateway {
    /// It sends codes to phones.
    Phone,
    /// It gets the sensitive details of intakes.
    Concierge,
}

impl Gateway {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Phone, Self::Concierge];

    /// The name in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Phone => "phone",
            Self::Concierge => "concierge",
        }
    }

    /// The name of what it gets, as that of an event.
    pub fn event(self) -> &'static str {
        match self {
            Self::Phone => "interest.phone_code",
            Self::Concierge => "interest.sensitive_details",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_a_day_of_the_calendar() {
        assert!(Intake::parse_date("day", "2024-02-29").is_ok());
        for bad in [
            "2023-02-29",
            "2024-02-29T00:00:00Z",
            "2024-2-29",
            "soon",
            "",
        ] {
            let refused = Intake::parse_date("day", bad).unwrap_err();
            assert_eq!(refused.field, "day", "{bad}");
        }
        assert_eq!(
            Intake::parse_stored_dates("days", r#"["2024-02-29"]"#).map(|days| days.len()),
            Ok(1)
        );
        assert!(Intake::parse_stored_dates("days", r#"{"a": 1}"#).is_err());
    }
}
