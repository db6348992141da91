//! The program and the asset that a request names: by id, or those of the API key.

use uuid::Uuid;

use crate::domain::Invalid;
use crate::wire::fields::FieldType;
use crate::wire::{Kind, schema};

/// An object that a request names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named {
    /// The one of the API key.
    Own,
    /// The one with an id.
    Id(Uuid),
}

impl Named {
    /// The id, if that of the API key's own is known.
    pub fn or(self, own: Uuid) -> Uuid {
        match self {
            Self::Own => own,
            Self::Id(id) => id,
        }
    }

    /// A program: `current`, or an id.
    pub fn program(text: &str) -> Option<Self> {
        Self::of(text, PROGRAM)
    }

    /// An asset: `default`, or an id.
    pub fn asset(text: &str) -> Option<Self> {
        Self::of(text, ASSET)
    }

    /// An id, or the word for the API key's own.
    fn of(text: &str, own: &str) -> Option<Self> {
        if text == own {
            return Some(Self::Own);
        }
        Uuid::try_parse(text).ok().map(Self::Id)
    }

    fn read(name: &str, text: &str, own: &str) -> Result<Self, Invalid> {
        let named = Self::of(text, own);
        named.ok_or_else(|| Invalid::new(name, format!("must be a UUID, or {own}")))
    }
}

const PROGRAM: &str = "current";
const ASSET: &str = "default";

/// A program in a query: `current`, or an id.
pub const PROGRAM_ID: Kind<Named> = Kind {
    read: |name, text| Named::read(name, text, PROGRAM),
    schema: schema::string,
};

/// An asset in a query: `default`, or an id.
pub const ASSET_ID: Kind<Named> = Kind {
    read: |name, text| Named::read(name, text, ASSET),
    schema: schema::string,
};

/// A program in a body.
pub(super) const PROGRAM_FIELD: FieldType<Named> = FieldType {
    read: |field| field.text(|name, text| Named::read(name, &text, PROGRAM)),
    schema: || schema::string().into(),
};

/// An asset in a body.
pub(super) const ASSET_FIELD: FieldType<Named> = FieldType {
    read: |field| field.text(|name, text| Named::read(name, &text, ASSET)),
    schema: || schema::string().into(),
};
