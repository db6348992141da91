//! The values that actions have for an event.

use std::collections::BTreeMap;
use std::sync::Arc;

use rust_decimal::prelude::ToPrimitive;
use uuid::Uuid;

use crate::domain::{Points, ReferenceId, Timestamp};

use super::action::{Deed, Target, VALUE_MAX, Written};
use super::draft::AssetTerms;
use super::effect::{Effect, ParticipantKey, Recipient};
use super::expression::{DataMap, Expression, Meter, Scope, Traits};
use super::state::State;

/// The most events that cause each other.
pub const DEPTH_MAX: u8 = 8;

/// An event, when it is processed.
#[derive(Debug, Clone)]
pub struct Event<'a> {
    /// Its data.
    pub data: &'a DataMap,
    /// When it happened: `now` in expressions.
    pub now: Timestamp,
    /// When it is processed.
    pub at: Timestamp,
    /// Whom actions without a target are for, if not its participant.
    pub recipient: Option<ParticipantKey>,
    /// How many events caused each other until it: 0 for one that came from outside.
    pub depth: u8,
}

/// What actions take their values from.
#[derive(Clone, Copy)]
pub(super) struct Values<'a> {
    pub(super) event: &'a Event<'a>,
    pub(super) state: &'a State,
}

/// A participant without anything.
static NOBODY: Traits = Traits {
    tags: Vec::new(),
    counters: BTreeMap::new(),
    attributes: BTreeMap::new(),
};

impl<'a> Values<'a> {
    pub(super) fn scope(self) -> Scope<'a> {
        let participant = self.state.participant.as_ref();
        Scope {
            event: self.event.data,
            participant: participant.map_or(&NOBODY, |participant| &participant.traits),
            now: self.event.now,
            at: self.event.at,
        }
    }

    pub(super) fn recipient(
        self,
        target: &Target,
        deed: &Deed,
        meter: &mut Meter,
    ) -> Result<Recipient, String> {
        let key = match target {
            Target::Program => return Ok(Recipient::Program),
            Target::Id(id) => ParticipantKey::Id(*id),
            Target::IdOf(expression) => {
                let id = Uuid::try_parse(&self.text_of(expression, meter, "the target")?);
                let message = |_| "the target is no id of a participant".to_owned();
                ParticipantKey::Id(id.map_err(message)?)
            }
            Target::ExternalId(id) => {
                let id = self.text(id, meter, "the target")?;
                if id.is_empty() {
                    return Err("the target is empty".to_owned());
                }
                ParticipantKey::ExternalId(id)
            }
            Target::OfEvent => match (&self.event.recipient, &self.state.participant) {
                // What happens to all is for nobody.
                _ if matches!(deed, Deed::Broadcast { .. }) => return Ok(Recipient::Program),
                (Some(recipient), _) => recipient.clone(),
                (None, Some(own)) => ParticipantKey::ExternalId(own.external_id.clone()),
                (None, None) if matches!(deed, Deed::Schedule { .. }) => {
                    return Ok(Recipient::Program);
                }
                (None, None) => {
                    return Err("the event has no participant, and the action no target".to_owned());
                }
            },
        };
        Ok(Recipient::Participant(key))
    }

    fn text(self, written: &Written, meter: &mut Meter, what: &str) -> Result<Box<str>, String> {
        match written {
            Written::Literal(text) => Ok(text.clone()),
            Written::Expression(expression) => self.text_of(expression, meter, what),
        }
    }

    fn text_of(
        self,
        expression: &Expression,
        meter: &mut Meter,
        what: &str,
    ) -> Result<Box<str>, String> {
        let text = expression.text(self.scope(), meter);
        text.map_err(|no_value| format!("{what} has no value: {no_value}"))
    }

    fn reference(
        self,
        written: Option<&Written>,
        meter: &mut Meter,
    ) -> Result<Option<ReferenceId>, String> {
        let Some(written) = written else {
            return Ok(None);
        };
        let text = self.text(written, meter, "the reference")?;
        let reference = ReferenceId::parse("the reference", &*text);
        reference.map(Some).map_err(|error| error.to_string())
    }

    /// The units of an amount, cut to the decimals of the asset; `None` if that is zero.
    fn amount(
        self,
        amount: &Expression,
        asset: AssetTerms,
        meter: &mut Meter,
    ) -> Result<Option<Points>, String> {
        let number = amount.number(self.scope(), meter);
        let number = number.map_err(|no_value| format!("the amount has no value: {no_value}"))?;
        if number.is_sign_negative() && !number.is_zero() {
            return Err(format!("the amount {} is negative", number.normalize()));
        }
        let decimals = u32::from(asset.scale.decimals());
        let cut = number.trunc_with_scale(decimals);
        let units = cut.checked_mul(10_i64.pow(decimals).into());
        let points = units.and_then(|units| Points::new(units.to_i64()?));
        let Some(points) = points else {
            let (number, most) = (number.normalize(), asset.scale.show_points(Points::MAX));
            return Err(format!("the amount {number} is above {most}"));
        };
        Ok((!points.is_zero()).then_some(points))
    }

    /// The units of a credit or a debit, which the asset may limit.
    fn moved(
        self,
        amount: &Expression,
        asset: AssetTerms,
        meter: &mut Meter,
    ) -> Result<Option<Points>, String> {
        let points = self.amount(amount, asset, meter)?;
        match (points, self.state.amount_limits.get(&asset.asset)) {
            (Some(points), Some(most)) if points > *most => {
                let show = |points| asset.scale.show_points(points);
                let (points, most) = (show(points), show(*most));
                Err(format!(
                    "the amount {points} is above the asset's limit of {most}"
                ))
            }
            _ => Ok(points),
        }
    }

    /// The effect of an action; `None` if it has none.
    pub(super) fn effect(self, deed: &Deed, meter: &mut Meter) -> Result<Option<Effect>, String> {
        let at = self.event.at;
        Ok(Some(match deed {
            Deed::Credit { .. } => return self.credit(deed, meter),
            Deed::Debit {
                asset,
                amount,
                allow_negative,
                description,
            } => {
                let Some(amount) = self.moved(amount, *asset, meter)? else {
                    return Ok(None);
                };
                Effect::Debit {
                    asset: asset.asset,
                    amount,
                    allow_negative: *allow_negative,
                    description: description.clone(),
                }
            }
            Deed::Operation { .. } => return self.operation(deed, meter),
            Deed::Tag(tag) => Effect::Tag(tag.clone()),
            Deed::Untag(tag) => Effect::Untag(tag.clone()),
            Deed::Count {
                key,
                increment,
                reset_after,
            } => {
                let increment = increment.number(self.scope(), meter);
                let message = |no_value| format!("the increment has no value: {no_value}");
                let (key, increment) = (key.clone(), increment.map_err(message)?);
                Effect::Count {
                    key,
                    increment,
                    reset_after: *reset_after,
                }
            }
            Deed::SetAttribute { key, value } => Effect::SetAttribute {
                key: key.clone(),
                value: self.attribute(value, meter)?,
            },
            Deed::Schedule { delay, data } => Effect::Schedule {
                due: at.saturating_add(*delay),
                data: Arc::clone(data),
                depth: self.deeper()?,
            },
            Deed::Broadcast { data } => Effect::Broadcast {
                data: Arc::clone(data),
                depth: self.deeper()?,
            },
        }))
    }

    fn attribute(self, value: &Written, meter: &mut Meter) -> Result<Box<str>, String> {
        let value = self.text(value, meter, "the value")?;
        if value.is_empty() || value.chars().take(VALUE_MAX + 1).count() > VALUE_MAX {
            return Err(format!(
                "the value must be 1 to {VALUE_MAX} characters long"
            ));
        }
        Ok(value)
    }

    fn deeper(self) -> Result<u8, String> {
        let deeper = self.event.depth.saturating_add(1);
        let message = || format!("more than {DEPTH_MAX} events cause each other");
        Some(deeper)
            .filter(|depth| *depth <= DEPTH_MAX)
            .ok_or_else(message)
    }

    fn credit(self, deed: &Deed, meter: &mut Meter) -> Result<Option<Effect>, String> {
        let Deed::Credit {
            asset,
            amount,
            bucket,
            description,
            reference,
            expires,
            matures,
        } = deed
        else {
            return Ok(None);
        };
        let at = self.event.at;
        let Some(amount) = self.moved(amount, *asset, meter)? else {
            return Ok(None);
        };
        let expires_at = expires.map(|when| when.from(at));
        let matures_at = matures.map(|when| when.from(at));
        if let (Some(matures), Some(expires)) = (matures_at, expires_at)
            && matures >= expires
        {
            return Err("the points would expire before they become available".to_owned());
        }
        Ok(Some(Effect::Credit {
            asset: asset.asset,
            amount,
            bucket: *bucket,
            description: description.clone(),
            reference: self.reference(reference.as_ref(), meter)?,
            expires_at,
            matures_at,
        }))
    }

    fn operation(self, deed: &Deed, meter: &mut Meter) -> Result<Option<Effect>, String> {
        let Deed::Operation {
            operation,
            asset,
            amount,
            bucket,
            reference,
            description,
        } = deed
        else {
            return Ok(None);
        };
        let points = amount.as_ref();
        let points = points.map(|amount| self.amount(amount, *asset, meter));
        let points = points.transpose()?;
        if points == Some(None) {
            return Ok(None);
        }
        Ok(Some(Effect::Operation {
            operation: *operation,
            asset: asset.asset,
            amount: points.flatten(),
            bucket: *bucket,
            reference: self.reference(reference.as_ref(), meter)?,
            description: description.clone(),
        }))
    }
}
