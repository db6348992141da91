//! Generates the history day by day through the service layer, on a clock that steps from one
//! request to the next and ends now.

use std::time::Duration;

use anyhow::Context as _;
use fastrand::Rng;
use futures_util::StreamExt as _;
use futures_util::stream;
use indicatif::{ProgressBar, ProgressStyle};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

use super::agenda::Occasion;
use super::calendar::Calendar;
use super::cast::{self, Cast};
use super::program::Program;
use crate::clock::Clock;
use crate::config::Settings;
use crate::domain::{Environment, ExternalUserId, Precondition, Timestamp};
use crate::http::Progress;
use crate::service::bootstrap::FirstKeys;
use crate::service::{Caller, KeyPrincipal, OrganizationChange, PartnerPrincipal, Services};
use crate::store::members::MemberFilter;
use crate::store::organizations::OrganizationFilter;
use crate::wire::{
    ConfigurationRequest, CreateInterestRequest, CreateOrganizationRequest, FundPoolRequest,
    NumberedPageQuery, PageQuery, PatchOrganizationRequest, PatchProgramRequest,
    PublishTermsRequest, SetPoolRequest,
};

/// The random seed.
const SEED: u64 = 20_261_121;
/// Requests in flight.
const AT_ONCE: usize = 1_500;

/// A generated history.
#[derive(Debug)]
pub(super) struct History {
    /// The programs in their current state, the main one first.
    pub(super) programs: Vec<Program>,
    pub(super) calendar: Calendar,
    /// The occasions of the rest of today.
    pub(super) rest: Vec<Planned>,
    /// The names and keys of the organizations that were added.
    pub(super) other_keys: Vec<(&'static str, SecretString)>,
}

/// A planned occasion in one of the programs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Planned {
    pub(super) at: Timestamp,
    /// The index of the program.
    pub(super) program: usize,
    pub(super) occasion: Occasion,
}

impl History {
    /// Plans a day in all programs, in order of time.
    pub(super) fn plan(&mut self, day: u32) -> Vec<Planned> {
        let midnight = self.calendar.start_of(day);
        let mut plan = Vec::new();
        for (program, its) in self.programs.iter_mut().enumerate() {
            plan.extend(its.plan(day).into_iter().map(|(after, occasion)| Planned {
                at: midnight.saturating_add(Duration::from_millis(after)),
                program,
                occasion,
            }));
        }
        plan.sort_by_key(|planned| (planned.at, planned.program));
        plan
    }
}

/// Generates a history in a new database. Returns `None` for an existing one, without changing it.
pub(super) async fn make(
    services: &Services,
    first_keys: Option<FirstKeys>,
    clock: &Clock,
    calendar: Calendar,
    scale: f64,
    progress: &Progress,
) -> Result<Option<History>, anyhow::Error> {
    let Some(first_keys) = first_keys else {
        return Ok(None);
    };
    let mut story = Story::begin(services, &first_keys, calendar, scale).await?;
    // Hidden if standard error is not a terminal.
    let bar = ProgressBar::new(100).with_style(ProgressStyle::with_template(
        "{bar:30} {percent:>3}% {msg}",
    )?);
    let (spread, mut share) = (calendar.activity(cast::MAIN.starts), 0.0);
    for day in 0..Calendar::days() {
        bar.set_message(
            calendar
                .start_of(day)
                .to_string()
                .get(..10)
                .unwrap_or_default()
                .to_owned(),
        );
        story.welcome(day).await?;
        for program in &mut story.history.programs {
            program.begin_lots(&at_once(services), day).await?;
        }
        story.live_through(day, clock).await?;
        // By requests and not by days: the last days take much longer than the first.
        share += spread.share(day);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "percent of a whole"
        )]
        let percent = (100.0 * share) as u8;
        progress.percent.set(percent);
        bar.set_position(u64::from(percent));
    }
    if let Some(program) = story.history.programs.first() {
        wish(services, program.key).await?;
    }
    bar.finish_and_clear();
    Ok(Some(story.history))
}

/// The settings for generating a history: the queue must hold the requests in flight.
pub(super) fn settings(settings: &Settings) -> Settings {
    let mut settings = settings.clone();
    settings.database.queue_max = settings.database.queue_max.max(2 * AT_ONCE);
    settings
}

struct Story<'a> {
    services: &'a Services,
    partner: PartnerPrincipal,
    rng: Rng,
    scale: f64,
    history: History,
}

impl<'a> Story<'a> {
    /// The first organizations exist already; only names and the currency are set.
    async fn begin(
        services: &'a Services,
        first_keys: &FirstKeys,
        calendar: Calendar,
        scale: f64,
    ) -> Result<Self, anyhow::Error> {
        let mut rng = Rng::with_seed(SEED);
        let mut programs = Vec::new();
        let mut partner = None;
        for (environment, org_key, partner_key) in &first_keys.keys {
            let directory = services.directory();
            let key = directory.authenticate_key(org_key.expose_secret())?;
            let its_partner = directory.authenticate_partner(partner_key.expose_secret())?;
            let cast = match environment {
                Environment::Sandbox => &cast::MAIN,
                Environment::Live => &cast::LIVE,
            };
            let organization = rename(services, its_partner, key, cast.name).await?;
            if *environment == Environment::Live {
                fund(services, its_partner, organization, scale * cast.credits).await?;
            }
            configure(services, key, cast).await?;
            let opened = (key, publish(services, key, cast).await?);
            programs.push(Program::new(cast, opened, calendar, scale, rng.fork()));
            partner = partner.or(Some(its_partner));
        }
        Ok(Self {
            services,
            partner: partner.context("a new database has a partner key")?,
            rng,
            scale,
            history: History {
                programs,
                calendar,
                rest: Vec::new(),
                other_keys: Vec::new(),
            },
        })
    }

    /// The partner adds the organizations that start on this day.
    async fn welcome(&mut self, day: u32) -> Result<(), anyhow::Error> {
        for cast in &cast::OTHERS {
            if Calendar::day_at(cast.starts, 0.0) != day {
                continue;
            }
            let services = &at_once(self.services);
            let body = json!({"name": cast.name, "tier": "paid", "initialCredits": 1_500});
            let request = CreateOrganizationRequest::parse(&body, body.to_string().as_bytes())?;
            let reply = services.create_organization(self.partner, None, request);
            let made: Value = serde_json::from_slice(&reply.await?.body)?;
            let secret = made["apiKey"]
                .as_str()
                .context("an organization comes with a key")?;
            let key = services.directory().authenticate_key(secret)?;
            configure(services, key, cast).await?;
            let (calendar, rng) = (self.history.calendar, self.rng.fork());
            let opened = (key, publish(services, key, cast).await?);
            let program = Program::new(cast, opened, calendar, self.scale, rng);
            self.history.programs.push(program);
            self.history
                .other_keys
                .push((cast.name, SecretString::from(secret)));
        }
        Ok(())
    }

    /// Runs everything of a day, in all programs, in order of time.
    async fn live_through(&mut self, day: u32, clock: &Clock) -> Result<(), anyhow::Error> {
        let calendar = self.history.calendar;
        let mut plan = self.history.plan(day);
        // The rest of today happens while the demo runs.
        let is_over = |planned: &Planned| planned.at < calendar.now();
        self.history.rest = plan.split_off(plan.partition_point(is_over));

        let programs = &mut self.history.programs;
        let mut last = clock.now();
        let mut deeds = Vec::new();
        for next in plan {
            let (index, program) = (next.program, &mut programs[next.program]);
            if let Some((deed, outcome)) = program.act(next.occasion, calendar, next.at)? {
                deeds.push((elapsed(last, next.at), index, program.key, deed, outcome));
                last = next.at;
            }
        }
        let services = self.services;
        let mut done = stream::iter(deeds)
            .map(|(step, index, key, deed, outcome)| async move {
                let reply = deed.carry_out(&services.after(step), key).await;
                reply.map(|reply| (index, outcome, reply))
            })
            .buffered(AT_ONCE);
        while let Some(done) = done.next().await {
            let (index, outcome, reply) = done?;
            programs[index].note(outcome, &reply, day)?;
        }
        let evening = calendar.start_of(day + 1).min(calendar.now());
        clock.advance(elapsed(clock.now(), evening));
        Ok(())
    }
}

/// Services whose writes happen now. What is due in any program by now is applied before them, so
/// that the rows of a history do not depend on when the writer looks.
fn at_once(services: &Services) -> Services {
    services.after(Duration::ZERO)
}

/// The newest member of a program shows interest in an offer.
async fn wish(services: &Services, key: KeyPrincipal) -> Result<(), anyhow::Error> {
    let page = PageQuery {
        limit: 1,
        cursor: None,
    };
    let filter = MemberFilter::default();
    let members = services.list_members(key, filter, page).await?.members;
    let Some(member) = members.first() else {
        return Ok(());
    };
    let id = ExternalUserId::parse("externalUserID", &*member.profile.member.external_user_id)?;
    let offers = services.list_offers(Caller::Key(key), Some(id), None, None, page);
    let Some(offer) = offers.await?.data.pop() else {
        return Ok(());
    };
    let body = json!({
        "offer": offer.id,
        "externalUserID": member.profile.member.external_user_id,
        "adults": 2,
        "children": 1,
        "preferredDates": ["2027-05-14", "2027-05-15"],
        "occasion": "BIRTHDAY",
        "contactMethod": "PHONE",
        "contactWindow": "AFTERNOON",
        "phone": "+30 694 555 0142",
    });
    let request = CreateInterestRequest::parse(&body)?;
    services
        .create_interest(Caller::Key(key), None, request)
        .await?;
    Ok(())
}

/// The time from one moment to a later one.
pub(super) fn elapsed(from: Timestamp, to: Timestamp) -> Duration {
    let millis = u64::try_from(to.as_millis() - from.as_millis()).unwrap_or(0);
    Duration::from_millis(millis)
}

/// Names the first organization of the partner and its program, and returns its id.
async fn rename(
    services: &Services,
    partner: PartnerPrincipal,
    key: KeyPrincipal,
    name: &str,
) -> Result<String, anyhow::Error> {
    let page = NumberedPageQuery {
        page: 1,
        page_size: 1,
    };
    let filter = OrganizationFilter::default();
    let mut list = services.list_organizations(partner, filter, page).await?;
    let first = list
        .organizations
        .pop()
        .context("a new database has an organization")?;
    let body = json!({"name": name});
    let request = PatchOrganizationRequest::parse(&body, body.to_string().as_bytes())?;
    let change = OrganizationChange::Profile(request);
    services
        .update_organization(partner, first.id.clone(), Precondition::NONE, change)
        .await?;
    let request = PatchProgramRequest::parse(&body)?;
    let id = key.program_uuid.to_string();
    services
        .patch_program(key, id, Precondition::NONE, request)
        .await?;
    Ok(first.id)
}

async fn configure(
    services: &Services,
    key: KeyPrincipal,
    cast: &Cast,
) -> Result<(), anyhow::Error> {
    let (name, symbol) = cast.currency;
    let rate = cast.rate_per_point;
    let body = json!({"currencyName": name, "currencySymbol": symbol, "ratePerPoint": rate});
    let request = ConfigurationRequest::parse(&body)?;
    services
        .update_configuration(key, Precondition::NONE, request)
        .await?;
    Ok(())
}

/// Fills the pool of an organization with more points than its credits of the history take.
async fn fund(
    services: &Services,
    partner: PartnerPrincipal,
    organization: String,
    credits: f64,
) -> Result<(), anyhow::Error> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "at most 100 times the credits of the history"
    )]
    let amount = (1_000.0 * credits) as i64;
    let limits = SetPoolRequest::parse(&json!({"lowThreshold": amount / 10}))?;
    services
        .set_pool(partner, organization.clone(), limits)
        .await?;
    let bought = FundPoolRequest::parse(&json!({"amount": amount, "note": "pilot"}))?;
    services
        .fund_pool(partner, None, organization, bought)
        .await?;
    Ok(())
}

/// Publishes the legal documents and returns the ids of their versions.
async fn publish(
    services: &Services,
    key: KeyPrincipal,
    cast: &Cast,
) -> Result<Vec<String>, anyhow::Error> {
    let mut versions = Vec::new();
    for (document, html) in cast.terms {
        let request = PublishTermsRequest::parse(&json!({"contentHTML": html}))?;
        let reply = services
            .publish_terms(key, (*document).to_owned(), request)
            .await?;
        let published: Value = serde_json::from_slice(&reply.body)?;
        let version = published["version"]
            .as_str()
            .context("a published document has a version")?;
        versions.push(version.to_owned());
    }
    Ok(versions)
}
