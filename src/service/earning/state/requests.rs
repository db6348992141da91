//! Requests for the tags, counters and attributes of a participant.

use std::collections::BTreeMap;
use std::time::Duration;

use super::reading::{now, value_at};
use super::{changes, tag, untag};
use crate::domain::{
    Attributes, Change, CounterKey, Invalid, Member, MemberNumber, Refusal, Tag, Timestamp,
};
use crate::error::Surface;
use crate::rules::parse_duration;
use crate::service::earning::subject;
use crate::service::loyalty::members;
use crate::service::{Answer, KeyPrincipal, Reply, ServiceError, Services};
use crate::store::state::CounterRow;
use crate::store::{self, Connection, Transaction, WriteError};
use crate::wire::{
    AttributeListResponse, AttributeResponse, AttributesResponse, CounterListResponse,
    CounterResponse, PatchAttributesRequest, ReplaceTagsRequest, SetAttributeRequest,
    SetCounterRequest, TagListResponse, TagResponse, TagsResponse, check_attribute_name,
};

/// What a text that is no length of time should have been.
const DURATION: &str =
    "must be hours, minutes and seconds such as 720h or 1h30m, from one second to a century";

impl Services {
    /// The tags of a participant.
    ///
    /// # Errors
    /// `not_found` if the key's program has no such participant.
    pub async fn list_tags(
        &self,
        key: KeyPrincipal,
        id: String,
    ) -> Result<TagListResponse, ServiceError> {
        let member = self.participant(key, &id)?.number;
        self.look_up(key, move |connection| {
            Ok(TagListResponse {
                data: tags(connection, member)?
                    .into_iter()
                    .map(|tag| TagResponse { tag })
                    .collect(),
                pagination: None.into(),
            })
        })
        .await
    }

    /// Gives a participant other tags.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn replace_tags(
        &self,
        key: KeyPrincipal,
        id: String,
        request: ReplaceTagsRequest,
    ) -> Result<Reply, WriteError> {
        self.change_state(key, id, move |tx, at, member| {
            changes::replace_tags(tx, at, member, &request.tags)?;
            Ok(Answer::ok(&TagsResponse {
                tags: tags(tx, member)?,
            }))
        })
        .await
    }

    /// Adds a tag.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn add_tag(
        &self,
        key: KeyPrincipal,
        id: String,
        name: String,
    ) -> Result<Reply, WriteError> {
        self.change_state(key, id, move |tx, at, member| {
            let is_new = tag(tx, at, member, &name, None)?;
            let tag = TagResponse {
                tag: Tag::lower("tag", &name)?.as_str().to_owned(),
            };
            Ok(if is_new {
                Answer::created(&tag)
            } else {
                Answer::ok(&tag)
            })
        })
        .await
    }

    /// Removes a tag.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn remove_tag(
        &self,
        key: KeyPrincipal,
        id: String,
        name: String,
    ) -> Result<Reply, WriteError> {
        self.change_state(key, id, move |tx, at, member| {
            if !untag(tx, at, member, &name, None)? {
                return Err(Refusal::NotFound("tag").into());
            }
            Ok(Answer::no_content())
        })
        .await
    }

    /// The counters of a participant, with their values now.
    ///
    /// # Errors
    /// `not_found` if the key's program has no such participant.
    pub async fn list_counters(
        &self,
        key: KeyPrincipal,
        id: String,
    ) -> Result<CounterListResponse, ServiceError> {
        let member = self.participant(key, &id)?.number;
        let clock = self.clock.clone();
        self.look_up(key, move |connection| {
            let at = now(connection, clock.now(), key.program)?;
            let counters = store::state::counters(connection, member)?;
            Ok(CounterListResponse {
                data: counters.iter().map(|row| counter(row, at)).collect(),
                pagination: None.into(),
            })
        })
        .await
    }

    /// A counter of a participant, with its value now.
    ///
    /// # Errors
    /// `not_found` if there is no such participant or counter.
    pub async fn get_counter(
        &self,
        key: KeyPrincipal,
        id: String,
        name: String,
    ) -> Result<CounterResponse, ServiceError> {
        let member = self.participant(key, &id)?.number;
        let name = CounterKey::parse("key", name)?;
        let clock = self.clock.clone();
        self.look_up(key, move |connection| {
            let at = now(connection, clock.now(), key.program)?;
            let found = store::state::find_counter(connection, member, &name)?;
            let found = found.ok_or(Refusal::NotFound("counter"))?;
            Ok(counter(&found, at))
        })
        .await
    }

    /// Sets a counter.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn set_counter(
        &self,
        key: KeyPrincipal,
        (id, name): (String, String),
        request: SetCounterRequest,
    ) -> Result<Reply, WriteError> {
        self.change_state(key, id, move |tx, at, member| {
            let name = CounterKey::parse("key", name)?;
            let reset_after = duration(request.reset_after)?;
            let apply = |before| reset_after.apply(before);
            let row = changes::set_counter(tx, at, (member, name), request.value, apply)?;
            Ok(Answer::ok(&counter(&row, at)))
        })
        .await
    }

    /// The attributes of a participant.
    ///
    /// # Errors
    /// `not_found` if the key's program has no such participant.
    pub async fn list_attributes(
        &self,
        key: KeyPrincipal,
        id: String,
    ) -> Result<AttributeListResponse, ServiceError> {
        let member = self.participant(key, &id)?.number;
        self.look_up(key, move |connection| {
            let texts = texts_of(&changes::profile(connection, key.program, member)?).into_iter();
            Ok(AttributeListResponse {
                data: texts
                    .map(|(key, value)| AttributeResponse { key, value })
                    .collect(),
                pagination: None.into(),
            })
        })
        .await
    }

    /// Gives some attributes other texts.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn patch_attributes(
        &self,
        key: KeyPrincipal,
        id: String,
        request: PatchAttributesRequest,
    ) -> Result<Reply, WriteError> {
        self.change_state(key, id, move |tx, at, member| {
            let attributes = texts_of(&merge(tx, at, member, &request.attributes)?);
            Ok(Answer::ok(&AttributesResponse { attributes }))
        })
        .await
    }

    /// Gives an attribute a text.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn set_attribute(
        &self,
        key: KeyPrincipal,
        (id, name): (String, String),
        request: SetAttributeRequest,
    ) -> Result<Reply, WriteError> {
        self.change_state(key, id, move |tx, at, member| {
            check_attribute_name("key", &name)?;
            let texts = BTreeMap::from([(name.clone(), request.value.clone())]);
            merge(tx, at, member, &texts)?;
            Ok(Answer::ok(&AttributeResponse {
                key: name,
                value: request.value,
            }))
        })
        .await
    }

    /// Deletes an attribute.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn delete_attribute(
        &self,
        key: KeyPrincipal,
        id: String,
        name: String,
    ) -> Result<Reply, WriteError> {
        self.change_state(key, id, move |tx, at, member| {
            let before = changes::find(tx, member)?;
            let attributes = before.attributes.as_ref();
            let Some(attributes) = attributes.filter(|all| all.texts().contains_key(&name)) else {
                return Err(Refusal::NotFound("attribute").into());
            };
            let mut after = before.clone();
            after.attributes = attributes.without(&name);
            members::save(tx, at, before, after, None)?;
            Ok(Answer::no_content())
        })
        .await
    }

    /// Carries out a change of the state of a participant, whatever its status.
    async fn change_state<F>(
        &self,
        key: KeyPrincipal,
        id: String,
        change: F,
    ) -> Result<Reply, WriteError>
    where
        F: FnOnce(&mut Transaction<'_>, Timestamp, MemberNumber) -> Result<Answer, ServiceError>
            + Send
            + 'static,
    {
        self.write_on(Surface::Scrip, key, None, move |tx, key| {
            let member = subject::account(tx, key, &id)?.number;
            let at = tx.now(key.program);
            Ok(change(tx, at, member)?.with_words_of(member))
        })
        .await
    }
}

fn tags(connection: &Connection, member: MemberNumber) -> Result<Vec<String>, store::Error> {
    let tags = store::state::tags(connection, member)?;
    Ok(tags.iter().map(|tag| tag.as_str().to_owned()).collect())
}

/// A counter as it is at a time.
fn counter(row: &CounterRow, at: Timestamp) -> CounterResponse {
    let last_reset_at = row.reset_after.map(|_| row.last_reset_at.to_short());
    CounterResponse {
        key: row.key.as_str().to_owned(),
        value: value_at(row, at),
        reset_after: row.reset_after.map(show_duration),
        last_reset_at,
    }
}

/// A length of time as requests have it.
fn show_duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let parts = [
        (seconds / 3_600, "h"),
        (seconds / 60 % 60, "m"),
        (seconds % 60, "s"),
    ];
    parts
        .iter()
        .fold(String::new(), |text, (number, unit)| match number {
            0 => text,
            _ => text + &number.to_string() + unit,
        })
}

/// The length of time of a request; an empty text clears it.
fn duration(given: Change<String>) -> Result<Change<Duration>, Invalid> {
    match given {
        Change::Keep => Ok(Change::Keep),
        Change::Clear => Ok(Change::Clear),
        Change::Set(text) if text.is_empty() => Ok(Change::Clear),
        Change::Set(text) => {
            let invalid = || Invalid::new("reset_after", DURATION).received(&text);
            Ok(Change::Set(parse_duration(&text).ok_or_else(invalid)?))
        }
    }
}

fn merge(
    tx: &mut Transaction<'_>,
    at: Timestamp,
    member: MemberNumber,
    texts: &BTreeMap<String, String>,
) -> Result<Member, ServiceError> {
    let before = changes::find(tx, member)?;
    let mut after = before.clone();
    after.attributes = Attributes::merged(before.attributes.as_ref(), texts)?;
    members::save(tx, at, before, after, None)
}

fn texts_of(member: &Member) -> BTreeMap<String, String> {
    let attributes = member.attributes.as_ref();
    attributes.map(Attributes::texts).unwrap_or_default()
}
