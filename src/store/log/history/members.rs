//! Members, according to the log.

use std::collections::hash_map::Entry as Place;

use super::{History, Member};
use crate::domain::Event;

impl History<'_> {
    fn new_member(&mut self, (seq, at): (i64, i64), is_complete: bool, row: i64, tier: &str) {
        let tier = self.tier(tier);
        let Place::Vacant(place) = self.members.entry(row) else {
            self.report(format!("activity {seq} creates member row {row} again"));
            return;
        };
        place.insert(Member {
            created_at: at,
            archived_at: None,
            suspended_at: None,
            epoch: 0,
            tier,
            has_given_end: false,
            has_given_attributes: !is_complete,
            erased_id: None,
            version: seq,
            retained: None,
        });
    }

    pub(super) fn member(&mut self, seq: i64, at: i64, is_complete: bool, event: &Event) {
        let (row, from, to) = match event {
            Event::MemberCreated { member, tier, .. } => {
                return self.new_member((seq, at), is_complete, member.0, tier.as_str());
            }
            Event::MemberTierChanged { member, from, to } => (member, Some(from), Some(to)),
            Event::MemberRemoved { member, tier, .. } => (member, Some(tier), None),
            Event::MemberRestored { member, tier } => (member, None, Some(tier)),
            Event::MemberErased { member, .. }
            | Event::MemberChanged { member }
            | Event::MemberStatusChanged { member, .. }
            | Event::TokenExchanged { member, .. } => (member, None, None),
            _ => return,
        };
        let from = from.map(|tier| self.tier(tier.as_str()));
        let to = to.map(|tier| self.tier(tier.as_str()));
        let Some(member) = self.members.get_mut(&row.0) else {
            let row = row.0;
            self.report(format!(
                "activity {seq} belongs to member row {row}, which was not created before"
            ));
            return;
        };
        let mut fits = from.is_none_or(|from| from == member.tier);
        member.tier = to.unwrap_or(member.tier);
        if !matches!(event, Event::TokenExchanged { .. }) {
            member.version = seq;
        }
        match event {
            Event::MemberRemoved { retained, .. } => {
                fits &= member.archived_at.is_none();
                member.archived_at = Some(at);
                member.suspended_at = None;
                member.retained = Some(*retained);
                member.epoch += 1;
                member.has_given_end &= is_complete;
            }
            Event::MemberRestored { .. } => {
                fits &= member.archived_at.take().is_some();
                member.retained = None;
            }
            Event::MemberStatusChanged { suspended, .. } => {
                fits &= member.archived_at.is_none() && member.suspended_at.is_some() != *suspended;
                member.suspended_at = suspended.then_some(at);
            }
            Event::MemberErased { id, .. } => member.erased_id = Some(id.as_str().into()),
            Event::TokenExchanged {
                expires_at: None, ..
            } => {
                member.has_given_end = true;
                self.given += 1;
            }
            _ => {}
        }
        if !fits {
            let row = row.0;
            self.report(format!(
                "activity {seq} does not fit the earlier events of member row {row}"
            ));
        }
    }
}
