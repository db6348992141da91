//! The programs of an organization: list, create, read, rename, archive.

use uuid::Uuid;

use super::tenants;
use crate::domain::{
    AssetNumber, Change, Event, Invalid, InventoryMode, Precondition, Program, ProgramNumber,
    ProgramStatus, Refusal,
};
use crate::error::Surface;
use crate::service::loyalty::points::NEEDS_LOTS;
use crate::service::{Answer, IdempotencyKey, KeyPrincipal, Reply, ServiceError, Services, page};
use crate::store::credentials::KeyScope;
use crate::store::programs::ProgramFilter;
use crate::store::{self, Connection, Counted, WriteError};
use crate::wire::{
    CreateProgramRequest, CreatedProgramResponse, ListKind, PageQuery, PatchProgramRequest,
    ProgramListResponse, ProgramResponse,
};

/// The path segment that stands for the program of the key, in place of an id.
const CURRENT: &str = "current";

impl Services {
    /// A page of the programs of the key's organization.
    ///
    /// # Errors
    /// [`ServiceError`] if the database fails.
    pub async fn list_programs(
        &self,
        key: KeyPrincipal,
        mut filter: ProgramFilter,
        page: PageQuery,
    ) -> Result<ProgramListResponse, ServiceError> {
        filter.after = page.cursor.map(|cursor| ProgramNumber(cursor.0));
        self.read(key, move |connection| {
            let organization = key.organization;
            let mut rows =
                store::programs::list(connection, organization, &filter, page.limit + 1)?;
            let list = (ListKind::Programs, organization.0);
            let next_cursor = page::next_cursor(&mut rows, page, list, |last| last.number.0);
            let data = rows.iter().map(ProgramResponse::from).collect();
            Ok(ProgramListResponse {
                data,
                pagination: next_cursor.into(),
            })
        })
        .await
    }

    /// A program of the key's organization.
    ///
    /// # Errors
    /// `not_found` if it has no such program.
    pub async fn get_program(
        &self,
        key: KeyPrincipal,
        id: String,
    ) -> Result<ProgramResponse, ServiceError> {
        self.look_up(key, move |connection| {
            Ok((&find(connection, key, &id)?).into())
        })
        .await
    }

    /// Creates an empty program and a key to it.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn create_program(
        &self,
        key: KeyPrincipal,
        idempotency: Option<IdempotencyKey>,
        request: CreateProgramRequest,
    ) -> Result<Reply, WriteError> {
        let caps = self.limits.caps;
        self.write_on(Surface::Scrip, key, idempotency, move |tx, key| {
            caps.check(tx, Counted::Programs(key.organization), 1)?;
            let (now, name) = (tx.clock_now(), request.name);
            let (organization, environment) = (key.organization, key.environment);
            let program = Program {
                description: request.description,
                target: request.target,
                unknown: request.unknown,
                ..tenants::new_program(organization, environment, name, now)?
            };
            let program = tenants::create_program(tx, program)?;
            let (scope, name) = (KeyScope::Program(program.number), tenants::FIRST_KEY_NAME);
            let (_, api_key) = tenants::create_key(tx, scope, environment, name)?;
            let program = (&program).into();
            Ok(Answer::created(&CreatedProgramResponse { program, api_key }).secret())
        })
        .await
    }

    /// Renames, archives or restores a program.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn patch_program(
        &self,
        key: KeyPrincipal,
        id: String,
        precondition: Precondition,
        request: PatchProgramRequest,
    ) -> Result<Reply, WriteError> {
        // Otherwise the key of a suspended program could not make it active again.
        self.manage_on(Surface::Scrip, key, None, move |tx, key| {
            let before = find(tx, *key, &id)?;
            if key.is_suspended && before.number != key.program {
                return Err(Refusal::ProgramInactive.into());
            }
            precondition.check(Some(before.version))?;
            let needs_lots = needs_lots(&request);
            let mut program = before.clone();
            program.name = request.name.unwrap_or(program.name);
            program.status = request.status.unwrap_or(program.status);
            program.zone = request.zone.unwrap_or(program.zone);
            program.expiry = request.expiry.apply(program.expiry);
            program.expiry_notice = request.expiry_notice.apply(program.expiry_notice);
            program.description = request.description.apply(program.description);
            program.target = request.target.unwrap_or(program.target);
            program.unknown = request.unknown.unwrap_or(program.unknown);
            program.refund_grace = request.refund_grace.apply(program.refund_grace);
            if let Some(field) = needs_lots
                && tx.points_rules(program.number, None)?.mode == InventoryMode::Simple
                && (field != GRACE || !has_lots(tx, program.number)?)
            {
                return Err(Invalid::new(field, NEEDS_LOTS).into());
            }
            let is_other = program.number != key.program;
            if program.expiry_notice != before.expiry_notice
                && is_other
                && before.status == ProgramStatus::Active
            {
                // The notices of before are sent first.
                tx.check_settled(program.number)?;
            }
            if program != before {
                let now = tx.now(program.number);
                program.updated_at = now;
                program.archived_at = match program.status {
                    ProgramStatus::Active | ProgramStatus::Suspended => None,
                    ProgramStatus::Archived => program.archived_at.or(Some(now)),
                };
                let event = Event::program_changed(&program);
                program.version = tx.record(Some(program.number), now, event)?;
                store::programs::update(tx, &program)?;
            }
            Ok(Answer::ok(&ProgramResponse::from(&program)).at(program.version))
        })
        .await
    }
}

/// The setting that also concerns further assets.
const GRACE: &str = "refund_grace";

/// Whether a further asset of a program is kept in lots.
fn has_lots(connection: &Connection, program: ProgramNumber) -> Result<bool, store::Error> {
    let further = store::assets::further(connection, program, AssetNumber(0), usize::MAX)?;
    Ok(further.iter().any(|asset| asset.mode == InventoryMode::Lot))
}

/// The first field of a request that only a program with lots can have.
fn needs_lots(request: &PatchProgramRequest) -> Option<&'static str> {
    let settings = [
        ("expiry", matches!(request.expiry, Change::Set(_))),
        (
            "expiry_notice",
            matches!(request.expiry_notice, Change::Set(_)),
        ),
        (GRACE, matches!(request.refund_grace, Change::Set(_))),
    ];
    let set = settings.into_iter().find(|(_, is_set)| *is_set);
    set.map(|(name, _)| name)
}

fn find(connection: &Connection, key: KeyPrincipal, id: &str) -> Result<Program, ServiceError> {
    if id == CURRENT {
        return Ok(store::programs::get(connection, key.program)?);
    }
    let not_found = Refusal::NotFound("program");
    let Ok(uuid) = Uuid::try_parse(id) else {
        return Err(not_found.into());
    };
    store::programs::find(connection, key.organization, uuid)?
        .ok_or(ServiceError::Refused(not_found))
}
