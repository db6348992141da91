//! Programs, organizations, webhooks and the causes of events, according to the log.

use super::{History, Logged, Organization, Program, Webhook};
use crate::domain::{Cells, Column, Entry, Event, Pool, ProgramStatus};

impl History<'_> {
    pub(super) fn program(
        &mut self,
        seq: i64,
        at: i64,
        program: Option<i64>,
        is_complete: bool,
        event: &Event,
    ) {
        let number = program.unwrap_or_default();
        self.given += u64::from(!is_complete);
        if let Event::ProgramCreated {
            organization,
            default_tier,
        } = event
        {
            let tier = default_tier.as_ref().map(|tier| self.tier(tier.as_str()));
            return self.program_created(seq, at, number, organization.0, tier);
        }
        let Event::ProgramChanged {
            status,
            default_tier,
            ahead,
            expiry_notice,
        } = event
        else {
            return;
        };
        let tier = default_tier.as_ref().map(|tier| self.tier(tier.as_str()));
        let Some(program) = self.programs.get_mut(&number) else {
            self.report(format!(
                "activity {seq} belongs to program row {number}, which was not created before"
            ));
            return;
        };
        // The clock is not a setting. Version 0.1.0 did not log which settings changed.
        program.note_event(seq, at, status.is_some() || !is_complete);
        if !is_complete {
            program.status = Logged::Unknown;
            program.archived_at = Logged::Unknown;
            program.tier = Logged::Unknown;
            program.ahead = Logged::Unknown;
            return;
        }
        if let Some(status) = status {
            program.archived_at = match (status, program.status) {
                (ProgramStatus::Active | ProgramStatus::Suspended, _) => Logged::Known(None),
                (_, Logged::Unknown | Logged::Known(ProgramStatus::Archived)) => {
                    program.archived_at
                }
                (_, Logged::Known(_)) => Logged::Known(Some(at)),
            };
            program.status = Logged::Known(*status);
        }
        program.tier = tier.map_or(program.tier, Logged::Known);
        program.ahead = ahead.map_or(program.ahead, Logged::Known);
        program.notice = expiry_notice.map_or(program.notice, Logged::Known);
    }

    pub(super) fn asset(&mut self, seq: i64, at: i64, program: Option<i64>, event: &Event) {
        let program = program.unwrap_or_default();
        let finding = self.assets.apply(seq, at, program, event);
        self.findings.extend(finding);
    }

    pub(super) fn funding(&mut self, seq: i64, program: Option<i64>, event: &Event) {
        let program = program.unwrap_or_default();
        self.findings
            .extend(self.assets.funding(seq, program, event));
    }

    fn program_created(
        &mut self,
        seq: i64,
        at: i64,
        number: i64,
        organization: i64,
        tier: Option<usize>,
    ) {
        let stored = self.stored_programs.get(&number);
        let mut created = Program {
            organization,
            created_at: at,
            stored: stored.copied().unwrap_or_default(),
            is_update_seen: false,
            are_versions_seen: [false; 2],
            newest: seq,
            status: Logged::Known(ProgramStatus::Active),
            archived_at: Logged::Known(None),
            tier: Logged::of(tier),
            ahead: Logged::Known(0),
            notice: Logged::Known(0),
        };
        created.note_event(seq, at, true);
        if self.programs.insert(number, created).is_some() {
            self.report(format!("activity {seq} creates program row {number} again"));
        }
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
                    self.report(format!(
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
                    self.report(format!(
                        "activity {seq} does not fit the earlier events of organization row {}",
                        organization.0
                    ));
                }
            }
            _ => {}
        }
    }

    /// Applies an event to the pool of its organization, if that has one.
    pub(super) fn pool(&mut self, seq: i64, program: Option<i64>, event: &Event) {
        let fits = match event {
            Event::PoolChanged {
                organization,
                credit_limit,
                mode,
                low_threshold,
            } => {
                let pool = self.pools.entry(organization.0).or_default();
                pool.credit_limit = *credit_limit;
                pool.mode = *mode;
                pool.low_threshold = *low_threshold;
                true
            }
            Event::PoolFunded {
                organization,
                amount,
            } => {
                self.pools.entry(organization.0).or_default().add(*amount);
                true
            }
            Event::WalletCredited(entry) | Event::WalletMoved(entry)
                if entry.entry == Entry::Mint && entry.asset.is_none() =>
            {
                let pool = self.live_pool(program);
                pool.is_none_or(|pool| pool.draw(entry.amount.get()).is_ok())
            }
            Event::PoolDrawn { amount, .. } => {
                let pool = self.live_pool(program);
                pool.is_some_and(|pool| pool.draw(amount.get()).is_ok())
            }
            Event::PoolReturned { amount, .. } => {
                let pool = self.live_pool(program);
                pool.map(|pool| pool.add(amount.get())).is_some()
            }
            Event::OrgPointsLow {
                organization,
                balance,
                threshold,
            } => self
                .pools
                .get(&organization.0)
                .is_some_and(|pool| (pool.balance, pool.low_threshold) == (*balance, *threshold)),
            Event::OrgPointsPurchased {
                organization,
                balance,
                ..
            } => {
                let pool = self.pools.get(&organization.0);
                pool.is_some_and(|pool| pool.balance == *balance)
            }
            _ => true,
        };
        if !fits {
            self.report(format!(
                "activity {seq} does not fit the pool of its organization, according to the log"
            ));
        }
    }

    /// The pool that a program draws from.
    fn live_pool(&mut self, program: Option<i64>) -> Option<&mut Pool> {
        if self.pools.is_empty() {
            return None;
        }
        let organization = self.programs.get(&program?)?.organization;
        let is_live = self.organizations.get(&organization)?.environment == "live";
        self.pools.get_mut(&organization).filter(|_| is_live)
    }

    pub(super) fn webhook(&mut self, seq: i64, event: &Event) {
        let (id, is_disabled) = match event {
            Event::WebhookCreated { webhook } => (webhook, false),
            Event::WebhookChanged { webhook, disabled } => (webhook, *disabled),
            _ => return,
        };
        let logged = Webhook {
            is_disabled,
            version: seq,
        };
        let before = self.webhooks.insert(*id.as_uuid().as_bytes(), logged);
        if matches!(event, Event::WebhookCreated { .. }) && before.is_some() {
            self.report(format!("activity {seq} creates a webhook again"));
        }
    }

    /// Checks that the key that caused an event can have done so.
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
            self.report(format!(
                "activity {seq}: its actor is not a credential that can have caused it"
            ));
        }
    }
}
