//! The partner's figures: all organizations of an environment together, from memory.

use super::turns::compute;
use crate::analytics::{Figures, Measure};
use crate::domain::{Day, OrganizationStatus, ProgramNumber};
use crate::service::{PartnerPrincipal, ServiceError, Services};
use crate::store::organizations::OrganizationAccessRow;
use crate::store::{self, Counted};
use crate::wire::{
    BillingResponse, BillingUsageResponse, DaysQuery, OnePartnerResponse,
    OrganizationUsageResponse, PartnerAnalyticsResponse, PartnerResponse, PartnerUsageResponse,
};

/// The usage of some programs over some days.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Usage {
    events: u64,
    exchanges: u64,
    identifications: u64,
    credits: u64,
}

impl Usage {
    fn of(figures: &Figures, programs: &[ProgramNumber], (first, last): (Day, Day)) -> Self {
        let (from, to) = (first.start().as_millis(), last.end().as_millis());
        let mut usage = Self::default();
        for counters in programs
            .iter()
            .filter_map(|number| figures.program(*number))
        {
            let count = |measure| counters.timeline(measure).between(from, to).count;
            usage.events += count(Measure::Events);
            usage.exchanges += count(Measure::Exchanges);
            usage.identifications += count(Measure::Identifications);
            usage.credits += count(Measure::Credits);
        }
        usage
    }

    fn add(&mut self, other: Self) {
        self.events += other.events;
        self.exchanges += other.exchanges;
        self.identifications += other.identifications;
        self.credits += other.credits;
    }
}

/// Organizations, each with its usage.
type Tenants = Vec<(OrganizationAccessRow, Usage)>;

impl Services {
    /// `GET /partner/me`.
    ///
    /// # Errors
    /// [`ServiceError`] if the database fails or too many reads wait.
    pub async fn get_partner(
        &self,
        partner: PartnerPrincipal,
    ) -> Result<OnePartnerResponse, ServiceError> {
        let billing = self.get_partner_billing(partner).await?;
        let created_at = self
            .read(partner, |connection| {
                let first = store::organizations::first_created_at(connection)?;
                Ok(first.ok_or(store::Error::Impossible("partner without an organization"))?)
            })
            .await?;
        let environment = partner.environment;
        let most = self.limits.caps.most(Counted::Organizations(environment));
        Ok(OnePartnerResponse {
            partner: PartnerResponse::new(environment, billing, most, created_at),
        })
    }

    /// `GET /partner/analytics`.
    ///
    /// # Errors
    /// [`ServiceError`] naming a date that cannot be used, or if there are many programs and too
    /// many reads wait.
    pub async fn get_partner_analytics(
        &self,
        partner: PartnerPrincipal,
        days: DaysQuery,
    ) -> Result<PartnerAnalyticsResponse, ServiceError> {
        let today = self.today();
        let days = days.or((today.minus(30).unwrap_or(today), today))?;
        let periods = [days, (today.month_start(), today)];
        let (tenants, [total, this_month]) = self.usage(partner, periods).await?;
        let is_active = |o: &OrganizationAccessRow| o.status == OrganizationStatus::Active;
        let count = |count: usize| count as u64;
        Ok(PartnerAnalyticsResponse {
            partner_id: self.partner_uuid.to_string(),
            start_date: days.0.to_string(),
            end_date: days.1.to_string(),
            total_organizations: count(tenants.len()),
            active_organizations: count(tenants.iter().filter(|(o, _)| is_active(o)).count()),
            organizations_with_activity: count(
                tenants
                    .iter()
                    .filter(|(_, usage)| usage.events + usage.exchanges > 0)
                    .count(),
            ),
            total_identifications: total.identifications,
            credits_remaining: self.pool().saturating_sub(this_month.credits),
            credits_used: total.credits,
        })
    }

    /// `GET /partner/usage`.
    ///
    /// # Errors
    /// [`ServiceError`] naming a date that cannot be used, or if there are many programs and too
    /// many reads wait.
    pub async fn get_partner_usage(
        &self,
        partner: PartnerPrincipal,
        days: DaysQuery,
    ) -> Result<PartnerUsageResponse, ServiceError> {
        let today = self.today();
        let days = days.or((today.month_start(), today))?;
        let (_, [total]) = self.usage(partner, [days]).await?;
        Ok(PartnerUsageResponse {
            start_date: days.0.to_string(),
            end_date: days.1.to_string(),
            total_quantity: total.identifications,
            total_events: total.exchanges + total.events,
        })
    }

    /// `GET /partner/billing`.
    ///
    /// # Errors
    /// [`ServiceError`] if there are many programs and too many reads wait.
    pub async fn get_partner_billing(
        &self,
        partner: PartnerPrincipal,
    ) -> Result<BillingResponse, ServiceError> {
        let today = self.today();
        let month = [(today.month_start(), today)];
        let (_, [total]) = self.usage(partner, month).await?;
        let month = (
            today.month_start().start(),
            today.next_month_start().start(),
        );
        Ok(BillingResponse::new(
            self.partner_uuid.to_string(),
            month,
            self.pool(),
            total.credits,
        ))
    }

    /// `GET /partner/billing/usage`: the current month.
    ///
    /// # Errors
    /// [`ServiceError`] if there are many programs and too many reads wait.
    pub async fn get_partner_billing_usage(
        &self,
        partner: PartnerPrincipal,
    ) -> Result<BillingUsageResponse, ServiceError> {
        let today = self.today();
        let month = [(today.month_start(), today)];
        let (tenants, [total]) = self.usage(partner, month).await?;
        let organizations = tenants
            .into_iter()
            .map(|(organization, usage)| OrganizationUsageResponse {
                organization_id: organization.uuid.to_string(),
                total_identifications: usage.identifications,
                credits_used: usage.credits,
                overage: usage.identifications - usage.credits,
            })
            .collect();
        Ok(BillingUsageResponse {
            period_start: today.month_start().start().to_string(),
            period_end: today.next_month_start().start().to_string(),
            total_identifications: total.identifications,
            credits_used: total.credits,
            overage: total.identifications - total.credits,
            organizations,
        })
    }

    /// The usage of every organization of an environment in the first of some periods, and the
    /// total of all of them in each period, all as of one moment.
    async fn usage<const N: usize>(
        &self,
        partner: PartnerPrincipal,
        periods: [(Day, Day); N],
    ) -> Result<(Tenants, [Usage; N]), ServiceError> {
        let sum = move |services: &Self| services.usage_now(partner, periods);
        let tenant = (partner, self.directory.count());
        compute(self, &self.readers.turns(), tenant, sum).await
    }

    fn usage_now<const N: usize>(
        &self,
        partner: PartnerPrincipal,
        periods: [(Day, Day); N],
    ) -> (Tenants, [Usage; N]) {
        let tenants = self.directory.tenants(partner.environment);
        let mut totals = [Usage::default(); N];
        let tenants = self.engine.read(|figures| {
            let used = tenants.into_iter().map(|(organization, programs)| {
                let used = periods.map(|period| Usage::of(figures, &programs, period));
                for (total, usage) in totals.iter_mut().zip(used) {
                    total.add(usage);
                }
                (organization, used.first().copied().unwrap_or_default())
            });
            used.collect()
        });
        (tenants, totals)
    }

    fn pool(&self) -> u64 {
        self.limits.credit_pool.unsigned_abs()
    }

    /// The current day.
    ///
    /// # Panics
    /// If the clock shows a year outside 1 to 9998.
    fn today(&self) -> Day {
        Day::of(self.clock.now()).expect("the clock shows a year from 1 to 9998")
    }
}
