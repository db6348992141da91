//! The operations that see every program of an organization.

use super::operation::{Operation, like, tagged};
use crate::domain::{ProgramSort, ProgramStatus, Search};
use crate::error::Code;
use crate::http::reports::PAGE_LIMITS;
use crate::wire::schema;
use crate::wire::{
    CreateProgramRequest, CreatedProgramResponse, PatchProgramRequest, ProgramActivityListResponse,
    ProgramListResponse, ProgramResponse,
};

pub(super) fn operations() -> impl Iterator<Item = Operation> {
    programs().chain(reports())
}

fn programs() -> impl Iterator<Item = Operation> {
    let list = Operation::new("list_programs", "A page of the organization's programs")
        .page(PAGE_LIMITS)
        .query(
            "status",
            schema::one_of(ProgramStatus::ALL.map(ProgramStatus::as_str)),
            "Only those of this status.",
        )
        .query(
            "search",
            schema::text(Search::RULE),
            "Only those with these words, or beginnings of words, in their name; case and accents \
             do not count.",
        )
        .query(
            "include_archived",
            schema::boolean(),
            "Whether archived ones are shown; `false` unless given.",
        )
        .query(
            "sort_by",
            schema::one_of(ProgramSort::ALL.map(ProgramSort::as_str)),
            "What they are ordered by; `created_at` unless given.",
        )
        .query(
            "sort_dir",
            schema::one_of(["asc", "desc"]),
            "Upwards or downwards; unless given `desc` by `created_at`, `asc` by `name`.",
        )
        .answers::<ProgramListResponse>(200, "A page, newest first unless asked otherwise.");
    let create = Operation::new("create_program", "Make a program and its first key")
        .body::<CreateProgramRequest>()
        .answers::<CreatedProgramResponse>(201, "The program with its key, shown only now.")
        .fails(&[Code::LimitReached]);
    let get = Operation::new("get_program", "A program")
        .about("`current` in the place of the id is the program that the key opens.")
        .answers::<ProgramResponse>(200, "The program.")
        .versioned()
        .fails(&[Code::NotFound]);
    let patch = Operation::new("patch_program", "Rename, archive or restore a program")
        .about(
            "Keys and tokens of an archived program get 403 from the next request on. `current` in \
             the place of the id is the program that the key opens.",
        )
        .body::<PatchProgramRequest>()
        .answers::<ProgramResponse>(200, "The program after it.")
        .versioned()
        .if_unchanged()
        .fails(&[Code::NotFound]);
    tagged("Programs", [list, create, get, patch])
}

fn reports() -> impl Iterator<Item = Operation> {
    let time = || like(schema::time(), "2026-06-01T00:00:00Z");
    let report = Operation::new(
        "get_program_activity",
        "Figures of every program of the organization",
    )
    .about(
        "Programs that are not archived, the oldest first. With `from` and `to`, those in which \
         nothing of the catalogue happened in the period are left out.",
    )
    .query(
        "from",
        time(),
        "Where the period begins; given together with `to`.",
    )
    .query("to", time(), "Where it ends; what happened then is inside.")
    .query(
        "since",
        time(),
        "Only programs with a later `last_activity_at`; it changes no figure.",
    )
    .page(PAGE_LIMITS)
    .answers::<ProgramActivityListResponse>(200, "A page, all of one moment.");
    tagged("Reports", [report])
}
