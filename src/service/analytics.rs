//! Analytics: from memory, and from nothing else.

use super::{KeyPrincipal, Services};
use crate::analytics::{OfferFigures, Totals};
use crate::domain::Status;
use crate::wire::{
    OfferAnalyticsResponse, OffersAnalyticsResponse, RedemptionTotalsResponse, SummaryResponse,
};

impl Services {
    /// The program-wide figures.
    pub fn analytics_summary(&self, key: KeyPrincipal) -> SummaryResponse {
        summary(&self.engine.summary(key.program))
    }

    /// One row for every offer.
    pub fn analytics_offers(&self, key: KeyPrincipal) -> OffersAnalyticsResponse {
        let offers = self.engine.offers(key.program);
        OffersAnalyticsResponse {
            offers: offers.iter().map(offer).collect(),
        }
    }
}

fn summary(totals: &Totals) -> SummaryResponse {
    let counts = &totals.redemptions;
    SummaryResponse {
        member_count: totals.members,
        points_minted: totals.minted,
        points_spent: totals.spent,
        completion_rate: totals.completion_rate(),
        redemptions: RedemptionTotalsResponse {
            submitted: counts.get(Status::Submitted),
            open: counts.get(Status::Open),
            awaiting_vendor: counts.get(Status::AwaitingVendor),
            awaiting_customer: counts.get(Status::AwaitingCustomer),
            purchased: counts.get(Status::Purchased),
            completed: counts.get(Status::Completed),
            canceled: counts.get(Status::Canceled),
            total: counts.total(),
        },
        active_members: totals.active_members,
        points_refunded: totals.refunded,
        points_forfeited: totals.forfeited,
        points_debited: totals.debited,
    }
}

fn offer(figures: &OfferFigures) -> OfferAnalyticsResponse {
    OfferAnalyticsResponse {
        offer_id: figures.id.to_string(),
        signups: figures.signups,
        completions: figures.completions,
        cancellations: figures.cancellations,
        points_spent: figures.spent,
    }
}
