//! The partner's organizations: list, create, read, update, allocate credits, and their keys.

use uuid::Uuid;

use super::tenants;
use crate::domain::{
    Allocation, Event, Note, Organization, OrganizationStatus, Precondition, Refusal,
};
use crate::error::Surface;
use crate::service::{Answer, IdempotencyKey, PartnerPrincipal, Reply, ServiceError, Services};
use crate::store::credentials::KeyScope;
use crate::store::organizations::OrganizationFilter;
use crate::store::{self, Connection, Counted, Transaction, WriteError};
use crate::wire::{
    AllocateCreditsRequest, AllocationResponse, ApiKeyListResponse, ApiKeyResponse,
    CreateApiKeyRequest, CreateOrganizationRequest, CreatedApiKeyResponse,
    CreatedOrganizationResponse, NumberedPageQuery, OneAllocationResponse, OneOrganizationResponse,
    OrganizationListResponse, PatchOrganizationRequest, SetStatusRequest, SetTierRequest,
};

/// A partner's change to one organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrganizationChange {
    /// A new name, external id or metadata.
    Profile(PatchOrganizationRequest),
    /// A new status.
    Status(SetStatusRequest),
    /// A new tier.
    Tier(SetTierRequest),
}

impl Services {
    /// A page of organizations, newest first.
    ///
    /// # Errors
    /// [`ServiceError`] if the database fails.
    pub async fn list_organizations(
        &self,
        partner: PartnerPrincipal,
        filter: OrganizationFilter,
        page: NumberedPageQuery,
    ) -> Result<OrganizationListResponse, ServiceError> {
        self.read(partner, move |connection| {
            let range = ((page.page - 1) * page.page_size, page.page_size);
            let environment = partner.environment;
            let (rows, total) =
                store::organizations::list(connection, environment, &filter, range)?;
            let organizations = rows.iter().map(Into::into).collect();
            let NumberedPageQuery { page, page_size } = page;
            Ok(OrganizationListResponse {
                organizations,
                total,
                page,
                page_size,
            })
        })
        .await
    }

    /// An organization.
    ///
    /// # Errors
    /// `NotFound` if there is none of this id.
    pub async fn get_organization(
        &self,
        partner: PartnerPrincipal,
        id: String,
    ) -> Result<OneOrganizationResponse, ServiceError> {
        self.look_up(partner, move |connection| {
            Ok(one(&find(connection, partner, &id)?))
        })
        .await
    }

    /// Creates an organization with one program of the same name, and a key to the program.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn create_organization(
        &self,
        partner: PartnerPrincipal,
        idempotency: Option<IdempotencyKey>,
        request: CreateOrganizationRequest,
    ) -> Result<Reply, WriteError> {
        let (pool, caps) = (self.limits.credit_pool, self.limits.caps);
        self.write_on(
            Surface::Bullseye,
            partner,
            idempotency,
            move |tx, partner| {
                let environment = partner.environment;
                caps.check(tx, Counted::Organizations(environment), 1)?;
                let mut organization = tenants::new_organization(environment, request.name, tx);
                organization.external_id = request.external_id;
                organization.metadata = request.metadata;
                organization.tier = request.tier;
                if let Some(credits) = request.initial_credits {
                    allocate(tx, &mut organization, credits, None, pool)?;
                }
                let program = tenants::create_organization(tx, &mut organization)?;
                let (scope, name) = (KeyScope::Program(program.number), tenants::FIRST_KEY_NAME);
                let (_, api_key) = tenants::create_key(tx, scope, environment, name)?;
                let organization = (&organization).into();
                Ok(Answer::created(&CreatedOrganizationResponse {
                    organization,
                    api_key,
                })
                .secret())
            },
        )
        .await
    }

    /// Updates an organization. Suspending or canceling it takes effect at the next request with
    /// its keys and tokens; its history stays in every total.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn update_organization(
        &self,
        partner: PartnerPrincipal,
        id: String,
        precondition: Precondition,
        change: OrganizationChange,
    ) -> Result<Reply, WriteError> {
        self.write_on(Surface::Bullseye, partner, None, move |tx, partner| {
            let organization = find(tx, *partner, &id)?;
            precondition.check(Some(organization.version))?;
            let changed = apply(tx, &organization, change)?;
            Ok(Answer::ok(&one(&changed)).at(changed.version))
        })
        .await
    }

    /// Cancels an organization.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn cancel_organization(
        &self,
        partner: PartnerPrincipal,
        id: String,
        precondition: Precondition,
    ) -> Result<Reply, WriteError> {
        self.write_on(Surface::Bullseye, partner, None, move |tx, partner| {
            let organization = find(tx, *partner, &id)?;
            precondition.check(Some(organization.version))?;
            let canceled = SetStatusRequest {
                status: OrganizationStatus::Canceled,
            };
            apply(tx, &organization, OrganizationChange::Status(canceled))?;
            Ok(Answer::no_content())
        })
        .await
    }

    /// Caps the credits that an organization may take in a month.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn allocate_credits(
        &self,
        partner: PartnerPrincipal,
        id: String,
        precondition: Precondition,
        request: AllocateCreditsRequest,
    ) -> Result<Reply, WriteError> {
        let (pool, partner_id) = (self.limits.credit_pool, self.partner_uuid);
        self.write_on(Surface::Bullseye, partner, None, move |tx, partner| {
            let mut organization = find(tx, *partner, &id)?;
            precondition.check(Some(organization.version))?;
            let AllocateCreditsRequest { credits, notes } = request;
            let allocation = allocate(tx, &mut organization, credits, notes, pool)?;
            let status = organization.status;
            write_change(tx, &mut organization, status)?;
            let month = tx.clock_now().month();
            let used = store::credits::organization_used(tx, organization.number, month)?;
            let allocation = AllocationResponse {
                id: allocation.uuid.to_string(),
                partner_id: partner_id.to_string(),
                organization_id: organization.uuid.to_string(),
                credits_allocated: credits,
                credits_used: used,
                credits_available: (credits - used).max(0),
                notes: allocation.notes.map(|notes| notes.as_str().to_owned()),
                allocated_at: allocation.at.to_string(),
            };
            Ok(Answer::ok(&OneAllocationResponse { allocation }).at(organization.version))
        })
        .await
    }

    /// The keys of an organization that are not revoked, newest first.
    ///
    /// # Errors
    /// `NotFound` if there is no such organization.
    pub async fn list_api_keys(
        &self,
        partner: PartnerPrincipal,
        id: String,
    ) -> Result<ApiKeyListResponse, ServiceError> {
        self.read(partner, move |connection| {
            let organization = find(connection, partner, &id)?;
            let rows = store::credentials::of_organization(connection, organization.number)?;
            let api_keys = rows
                .into_iter()
                .map(|row| ApiKeyResponse {
                    id: row.uuid.to_string(),
                    name: row.name,
                    key_prefix: row.prefix,
                    program_id: row.program.to_string(),
                    created_at: row.created_at.to_string(),
                })
                .collect();
            Ok(ApiKeyListResponse { api_keys })
        })
        .await
    }

    /// Creates a key to one of an organization's programs.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn create_api_key(
        &self,
        partner: PartnerPrincipal,
        idempotency: Option<IdempotencyKey>,
        id: String,
        request: CreateApiKeyRequest,
    ) -> Result<Reply, WriteError> {
        let caps = self.limits.caps;
        self.write_on(
            Surface::Bullseye,
            partner,
            idempotency,
            move |tx, partner| {
                let organization = find(tx, *partner, &id)?;
                let not_found = || ServiceError::Refused(Refusal::NotFound("program"));
                let program = if let Some(id) = &request.program_id {
                    let uuid = Uuid::try_parse(id).map_err(|_| not_found())?;
                    store::programs::find(tx, organization.number, uuid)?.ok_or_else(not_found)?
                } else {
                    let first = store::programs::first_of(tx, organization.number)?;
                    store::programs::get(tx, first.ok_or_else(not_found)?)?
                };
                caps.check(tx, Counted::Keys(program.number), 1)?;
                let environment = organization.environment;
                let (scope, name) = (KeyScope::Program(program.number), request.name.as_str());
                let (stored, plain_key) = tenants::create_key(tx, scope, environment, name)?;
                let api_key = ApiKeyResponse {
                    id: stored.uuid.to_string(),
                    name: name.to_owned(),
                    key_prefix: stored.prefix,
                    program_id: program.uuid.to_string(),
                    created_at: stored.created_at.to_string(),
                };
                Ok(Answer::created(&CreatedApiKeyResponse { api_key, plain_key }).secret())
            },
        )
        .await
    }

    /// Revokes a key. It takes effect at the next request with that key.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn revoke_api_key(
        &self,
        partner: PartnerPrincipal,
        id: String,
        key: String,
    ) -> Result<Reply, WriteError> {
        self.write_on(Surface::Bullseye, partner, None, move |tx, partner| {
            let organization = find(tx, *partner, &id)?;
            let now = tx.clock_now();
            let revoked = match Uuid::try_parse(&key) {
                Ok(uuid) => store::credentials::revoke(tx, organization.number, uuid, now)?,
                Err(_) => false,
            };
            if !revoked {
                return Err(Refusal::NotFound("API key").into());
            }
            Ok(Answer::no_content())
        })
        .await
    }
}

fn one(organization: &Organization) -> OneOrganizationResponse {
    OneOrganizationResponse {
        organization: organization.into(),
    }
}

pub(super) fn find(
    connection: &Connection,
    partner: PartnerPrincipal,
    id: &str,
) -> Result<Organization, ServiceError> {
    let not_found = Refusal::NotFound("organization");
    let Ok(uuid) = Uuid::try_parse(id) else {
        return Err(not_found.into());
    };
    store::organizations::find(connection, partner.environment, uuid)?
        .ok_or(ServiceError::Refused(not_found))
}

fn apply(
    tx: &mut Transaction<'_>,
    before: &Organization,
    change: OrganizationChange,
) -> Result<Organization, ServiceError> {
    let mut organization = before.clone();
    match change {
        OrganizationChange::Profile(patch) => {
            organization.name = patch.name.unwrap_or(organization.name);
            organization.external_id = patch.external_id.apply(organization.external_id);
            organization.metadata = patch.metadata.apply(organization.metadata);
        }
        OrganizationChange::Status(SetStatusRequest { status }) => organization.status = status,
        OrganizationChange::Tier(SetTierRequest { tier }) => {
            organization.tier = tier;
            // The allocation must fit the new tier.
            if let Some(allocation) = &organization.allocation {
                organization.check_allocation(allocation.credits, 0, i64::MAX)?;
            }
        }
    }
    if organization == *before {
        return Ok(organization);
    }
    write_change(tx, &mut organization, before.status)?;
    Ok(organization)
}

/// Stores an organization whose status was `from`, and records the change.
fn write_change(
    tx: &mut Transaction<'_>,
    organization: &mut Organization,
    from: OrganizationStatus,
) -> Result<(), store::Error> {
    let event = Event::OrganizationChanged {
        organization: organization.number,
        from,
        to: organization.status,
    };
    let now = tx.clock_now();
    organization.version = tx.record(None, now, event)?;
    store::organizations::update(tx, organization)
}

/// Allocates monthly credits to an organization, if the pool and its tier have room for them.
fn allocate(
    tx: &Transaction<'_>,
    organization: &mut Organization,
    credits: i64,
    notes: Option<Note>,
    pool: i64,
) -> Result<Allocation, ServiceError> {
    let (environment, number) = (organization.environment, organization.number);
    let others = store::organizations::allocated_to_others(tx, environment, number)?;
    organization.check_allocation(credits, others, pool)?;
    let allocation = Allocation {
        uuid: Uuid::new_v4(),
        credits,
        notes,
        at: tx.clock_now(),
    };
    organization.allocation = Some(allocation.clone());
    Ok(allocation)
}
