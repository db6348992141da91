//! Effects: what rules bring about happens.

use uuid::Uuid;

use crate::books::Record;
use crate::domain::{
    AccountKey, Actor, BalanceOperation, Bucket, Cause, Change, ExternalUserId, Invalid,
    InventoryMode, Points, Reason, Refusal, Seq, Timestamp,
};
use crate::rules::{Caused, Effect, ParticipantKey, Recipient};
use crate::service::earning::moves::{
    By, Choice, CreditTerms, DebitTerms, OperationTerms, Posting, credit, debit, operate,
};
use crate::service::earning::{state, subject};
use crate::service::loyalty::points::{GivenDates, NEEDS_LOTS};
use crate::service::{KeyPrincipal, ServiceError};
use crate::store::rules::CompiledRules;
use crate::store::{self, Transaction};

/// For whom and when effects happen.
pub(super) struct Acting<'a> {
    pub(super) key: &'a KeyPrincipal,
    /// The id of the program.
    pub(super) program: Uuid,
    pub(super) at: Timestamp,
    /// The number of the event in the log.
    pub(super) event: Seq,
    pub(super) rules: &'a CompiledRules,
}

/// Makes an effect happen.
pub(super) fn apply(
    tx: &mut Transaction<'_>,
    acting: &Acting<'_>,
    caused: &Caused,
) -> Result<(), ServiceError> {
    let (_, version) = acting.rules.numbers(caused.rule)?;
    let cause = Cause {
        event: acting.event,
        version,
    };
    let record = recipient(tx, acting, &caused.recipient)?;
    if let Effect::Credit { .. } | Effect::Debit { .. } | Effect::Operation { .. } = caused.effect {
        return move_points(tx, acting, (caused, cause), &record);
    }
    let caller = tx.act_as(Actor::Rule);
    change_state(tx, (acting.at, cause), &record, &caused.effect)?;
    tx.act_as(caller);
    Ok(())
}

/// Changes a tag, a counter or an attribute.
fn change_state(
    tx: &mut Transaction<'_>,
    (at, cause): (Timestamp, Cause),
    record: &Record,
    effect: &Effect,
) -> Result<(), ServiceError> {
    let member = record.number;
    match effect {
        Effect::Tag(tag) => state::tag(tx, at, member, tag, Some(cause)).map(drop),
        Effect::Untag(tag) => state::untag(tx, at, member, tag, Some(cause)).map(drop),
        Effect::Count {
            key,
            increment,
            reset_after,
        } => {
            subject::check_active(record)?;
            state::count(tx, at, member, key, *increment, *reset_after, Some(cause))
        }
        Effect::SetAttribute { key, value } => {
            state::set_attribute(tx, at, member, key, value, Some(cause))
        }
        // Points are moved elsewhere, and rules with other actions are refused.
        _ => Err(store::Error::Impossible("action of a rule").into()),
    }
}

/// The participant whom an effect is for.
fn recipient(
    tx: &Transaction<'_>,
    acting: &Acting<'_>,
    recipient: &Recipient,
) -> Result<Record, ServiceError> {
    let not_found = Refusal::NotFound("participant with the id of the action's target");
    match recipient {
        Recipient::Participant(ParticipantKey::Id(id)) => {
            let record = subject::account(tx, acting.key, &id.to_string());
            record.map_err(|error| match error {
                ServiceError::Refused(_) => not_found.into(),
                error @ ServiceError::Storage(_) => error,
            })
        }
        Recipient::Participant(ParticipantKey::ExternalId(id)) => {
            let id = ExternalUserId::stored(id.to_string());
            let record = tx.account_of(acting.key.program, &id);
            Ok(record.ok_or(not_found)?)
        }
        // Rules with such targets are refused.
        Recipient::Program => Err(store::Error::Impossible("target of an action").into()),
    }
}

/// Moves points in an account, as a request to do so would.
fn move_points(
    tx: &mut Transaction<'_>,
    acting: &Acting<'_>,
    (caused, cause): (&Caused, Cause),
    record: &Record,
) -> Result<(), ServiceError> {
    subject::check_active(record)?;
    let (asset, description) = match &caused.effect {
        Effect::Credit {
            asset, description, ..
        }
        | Effect::Debit {
            asset, description, ..
        }
        | Effect::Operation {
            asset, description, ..
        } => (*asset, description.clone()),
        _ => return Err(store::Error::Impossible("movement of points").into()),
    };
    let description = match description {
        Some(description) => description,
        None => name_of(acting, caused)?,
    };
    let member = record.number;
    let account = tx.account_in(AccountKey { asset, member });
    let account = account.ok_or(store::Error::Impossible("account that is gone"))?;
    let mut posting = Posting::begin(tx, account, &description, By::Rule(cause))?;
    act(&mut posting, acting.key, &caused.effect)?;
    posting.end(acting.program)?;
    Ok(())
}

fn act(
    posting: &mut Posting<'_, '_>,
    key: &KeyPrincipal,
    effect: &Effect,
) -> Result<(), ServiceError> {
    let (max, scale) = (posting.rules.max_amount, posting.rules.scale);
    let is_too_much = |amount: Points| match max {
        Some(max) if amount > max => Err(Refusal::AmountTooLarge(scale.show_points(max))),
        _ => Ok(()),
    };
    match effect {
        Effect::Credit {
            amount,
            bucket,
            reference,
            expires_at,
            matures_at,
            ..
        } => {
            is_too_much(*amount)?;
            let dates = GivenDates {
                expires_at: expires_at.map_or(Change::Keep, Change::Set),
                matures_at: *matures_at,
            };
            let terms = CreditTerms {
                bucket: *bucket,
                reference: reference.clone(),
                dates,
            };
            credit(posting, key, *amount, &terms)?;
        }
        Effect::Debit {
            amount,
            allow_negative,
            ..
        } => {
            is_too_much(*amount)?;
            let terms = DebitTerms {
                bucket: Bucket::Available,
                allow_negative: *allow_negative,
                reference: None,
            };
            debit(posting, *amount, &terms)?;
        }
        Effect::Operation {
            operation,
            amount,
            bucket,
            reference,
            ..
        } => {
            let needs_lots = reference.is_some() || *operation == BalanceOperation::VoidHold;
            if needs_lots && posting.rules.mode == InventoryMode::Simple {
                return Err(Invalid::new("reference_id", NEEDS_LOTS).into());
            }
            // A hold notes its reference; the others choose by it.
            let chosen = reference.as_ref();
            let chosen = chosen.filter(|_| *operation != BalanceOperation::Hold);
            let choice = Choice::belonging(posting, *amount, chosen)?;
            let terms = OperationTerms {
                bucket: *bucket,
                reference: reference.clone(),
                until: None,
            };
            operate(posting, *operation, &choice, &terms)?;
        }
        _ => {}
    }
    Ok(())
}

/// The name of a rule, as the reason of its entries.
fn name_of(acting: &Acting<'_>, caused: &Caused) -> Result<Reason, ServiceError> {
    let rule = acting.rules.rule(caused.rule);
    let rule = rule.ok_or(store::Error::Impossible("version of a rule"))?;
    Ok(Reason::stored(rule.name.as_str().to_owned()))
}
