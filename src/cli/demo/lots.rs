//! Keeps the points of a program of the demo in lots.

use std::time::Duration;

use serde_json::json;

use super::cast::Lots;
use crate::domain::Precondition;
use crate::service::{KeyPrincipal, Services};
use crate::wire::{ConvertAssetRequest, PatchProgramRequest};

/// Puts all points of a program into lots, and sets the life of these and of later ones, and when
/// its end is announced. Each step begins when the one before is done, so that the log always has
/// the same rows.
pub(super) async fn convert(
    services: &Services,
    key: KeyPrincipal,
    lots: &Lots,
) -> Result<(), anyhow::Error> {
    let expiry = json!({"after": lots.life});
    let request = ConvertAssetRequest::parse(&json!({"to": "LOT", "expiry": expiry}))?;
    let converted = services
        .convert_asset(key, None, "default".to_owned(), request)
        .await?;
    let points = || services.get_asset(key, "default".to_owned());
    while points().await?.converting {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let settings = json!({"expiry": expiry, "expiry_notice": lots.notice});
    let request = PatchProgramRequest::parse(&settings)?;
    let id = key.program_uuid.to_string();
    let set = services
        .patch_program(key, id, Precondition::NONE, request)
        .await?;
    anyhow::ensure!(
        (converted.status, set.status) == (200, 200),
        "the points of a program could not be put into lots"
    );
    Ok(())
}
