//! What the log says of programs, organizations, their webhooks and their keys.

use super::{History, Organization, Program, Told, Webhook};
use crate::domain::{Cells, Column, Event};

impl History<'_> {
    pub(super) fn program(
        &mut self,
        seq: i64,
        at: i64,
        program: Option<i64>,
        is_told: bool,
        event: &Event,
    ) {
        let number = program.unwrap_or_default();
        let stored = self.stored.get(&number).copied().unwrap_or_default();
        self.given += u64::from(!is_told);
        if let Event::ProgramCreated {
            organization,
            default_tier,
        } = event
        {
            let tier = default_tier.as_ref().map(|tier| self.tier(tier.as_str()));
            let mut created = Program {
                organization: organization.0,
                created_at: at,
                stored,
                is_update_seen: false,
                are_versions_seen: [false; 2],
                newest: seq,
                is_active: Told::Known(true),
                archived_at: Told::Known(None),
                tier: Told::of(tier),
                ahead: Told::Known(0),
            };
            created.see(seq, at, true);
            if self.programs.insert(number, created).is_some() {
                self.find(format!("activity {seq} creates program row {number} again"));
            }
            return;
        }
        let Event::ProgramChanged {
            status,
            default_tier,
            ahead,
        } = event
        else {
            return;
        };
        let tier = default_tier.as_ref().map(|tier| self.tier(tier.as_str()));
        let Some(program) = self.programs.get_mut(&number) else {
            self.find(format!(
                "activity {seq} is of program row {number}, which was not created"
            ));
            return;
        };
        // The clock is not among the settings; version 0.1.0 did not say what changed.
        program.see(seq, at, status.is_some() || !is_told);
        if !is_told {
            program.is_active = Told::Unknown;
            program.archived_at = Told::Unknown;
            program.tier = Told::Unknown;
            program.ahead = Told::Unknown;
            return;
        }
        if let Some(status) = status {
            let is_active = *status == crate::domain::ProgramStatus::Active;
            program.archived_at = match (is_active, program.is_active) {
                (true, _) => Told::Known(None),
                (false, Told::Known(true)) => Told::Known(Some(at)),
                (false, _) => program.archived_at,
            };
            program.is_active = Told::Known(is_active);
        }
        program.tier = tier.map_or(program.tier, Told::Known);
        program.ahead = ahead.map_or(program.ahead, Told::Known);
    }

    pub(super) fn organization(&mut self, seq: i64, at: i64, event: &Event) {
        match event {
            Event::OrganizationCreated {
                organization,
                status,
                environment,
            } => {
                let row = organization.0;
                let created = Organization {
                    created_at: at,
                    environment: environment.as_str(),
                    status: status.as_str(),
                    version: seq,
                };
                if self.organizations.insert(row, created).is_some() {
                    self.find(format!(
                        "activity {seq} creates organization row {row} again"
                    ));
                }
            }
            Event::OrganizationChanged {
                organization,
                from,
                to,
            } => {
                let known = self.organizations.get_mut(&organization.0);
                let before = known.map(|known| {
                    known.version = seq;
                    std::mem::replace(&mut known.status, to.as_str())
                });
                if before != Some(from.as_str()) {
                    self.find(format!(
                        "activity {seq} does not fit what happened to organization row {} before",
                        organization.0
                    ));
                }
            }
            _ => {}
        }
    }

    pub(super) fn webhook(&mut self, seq: i64, event: &Event) {
        let (id, is_disabled) = match event {
            Event::WebhookCreated { webhook } => (webhook, false),
            Event::WebhookChanged { webhook, disabled } => (webhook, *disabled),
            _ => return,
        };
        let told = Webhook {
            is_disabled,
            version: seq,
        };
        let before = self.webhooks.insert(*id.as_uuid().as_bytes(), told);
        if matches!(event, Event::WebhookCreated { .. }) && before.is_some() {
            self.find(format!("activity {seq} creates a webhook again"));
        }
    }

    /// Whether the key that caused a row can have done so.
    pub(super) fn actor(&mut self, row: &impl Cells, seq: i64, program: Option<i64>) {
        let Some(actor) = row.cell(Column::Actor).integer() else {
            return;
        };
        let number = row.cell(Column::ActorNumber).integer();
        let is_key = matches!(actor, 1 | 3);
        let organization = program
            .and_then(|program| self.programs.get(&program))
            .map(|program| program.organization)
            .or(row.cell(Column::Organization).integer());
        let fits = match number.map(|number| self.keys.get(&number)) {
            None => !is_key,
            Some(None) => false,
            Some(Some(key)) if key.is_of_program => actor == 1 && key.organization == organization,
            Some(Some(key)) => {
                let known = organization.and_then(|number| self.organizations.get(&number));
                actor == 3 && known.is_some_and(|known| known.environment == key.environment)
            }
        };
        if !fits {
            self.find(format!(
                "activity {seq}: its actor is no credential that can have caused it"
            ));
        }
    }
}
