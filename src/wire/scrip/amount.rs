//! Amounts in requests of the Scrip surface. How many decimals one may have depends on the asset.

use crate::domain::Decimal;
use crate::wire::fields::FieldType;
use crate::wire::schema;

/// An amount of an asset.
pub(super) const AMOUNT: FieldType<Decimal> = FieldType {
    read: |field| {
        let amount = field.value.as_str().and_then(Decimal::parse);
        amount.ok_or_else(|| {
            field.wrong(
                "must be a string with a number, such as 100, with at most the decimals of the \
                 asset",
            )
        })
    },
    schema: || schema::decimal().into(),
};
