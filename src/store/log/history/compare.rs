//! The end of a history: every row against what the log said of it.

use super::{History, Told};
use crate::store::Error;

impl History<'_> {
    /// Compares every row of the tables with what the log said of it; at most `limit` findings.
    pub(in crate::store::log) fn end(&mut self, limit: usize) -> Result<(), Error> {
        self.compare_members(limit)?;
        self.compare_offers()?;
        self.compare_redemptions()?;
        self.compare_programs()?;
        self.compare_organizations()?;
        self.compare_webhooks()?;
        for (table, in_log) in [
            ("member", self.members.len()),
            ("offer", self.offers.len()),
            ("redemption", self.redemptions.len()),
            (
                "message",
                usize::try_from(self.messages).unwrap_or_default(),
            ),
            ("program", self.programs.len()),
            ("organization", self.organizations.len()),
        ] {
            let sql = format!("SELECT count(*) FROM {table}");
            let rows: i64 = self.connection.query_row(&sql, [], |row| row.get(0))?;
            if usize::try_from(rows) != Ok(in_log) {
                self.find(format!(
                    "{table} has {rows} rows; the log tells of {in_log}"
                ));
            }
        }
        Ok(())
    }

    fn compare_members(&mut self, limit: usize) -> Result<(), Error> {
        let sql = "SELECT id, tier, token_epoch, token_expires_at, created_at, archived_at,
                       external_user_id, version, retained, erased_key IS NOT NULL
                   FROM member LEFT JOIN removal ON member_id = id ORDER BY id";
        let mut statement = self.connection.prepare(sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let id: i64 = row.get(0)?;
            let Some(told) = self.members.get(&id) else {
                self.findings
                    .push(format!("member row {id}: the log does not tell of it"));
                continue;
            };
            let token_end: Option<i64> = row.get(3)?;
            let is_token_wrong = if told.is_token_known {
                token_end != told.token_end
            } else {
                token_end < told.token_end
            };
            let external: String = row.get(6)?;
            let erased = told.erased_id.as_deref();
            for (column, is_wrong) in [
                (
                    "tier",
                    row.get_ref(1)?.as_str().ok() != Some(&self.tiers[told.tier]),
                ),
                ("token_epoch", row.get::<_, i64>(2)? != told.epoch),
                ("token_expires_at", is_token_wrong),
                ("created_at", row.get::<_, i64>(4)? != told.created_at),
                (
                    "archived_at",
                    row.get::<_, Option<i64>>(5)? != told.archived_at,
                ),
                (
                    "external_user_id",
                    erased.is_some_and(|erased| erased != external),
                ),
                ("version", row.get::<_, i64>(7)? != told.version),
                ("removal", row.get::<_, Option<bool>>(8)? != told.retained),
                ("erasure", erased.is_none() && row.get(9)?),
            ] {
                if is_wrong {
                    let finding = format!("member row {id}: its {column} is not what the log says");
                    self.findings.push(finding);
                }
            }
            if self.findings.len() >= limit {
                break;
            }
        }
        Ok(())
    }

    fn compare_offers(&mut self) -> Result<(), Error> {
        let sql = "SELECT id, program_id, uuid, created_at, archived_at, quantity_remaining,
                       version
                   FROM offer ORDER BY id";
        let mut statement = self.connection.prepare(sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let id: i64 = row.get(0)?;
            let Some(told) = self.offers.get(&id) else {
                self.findings
                    .push(format!("offer row {id}: the log does not tell of it"));
                continue;
            };
            let stock: Option<i64> = row.get(5)?;
            for (column, is_wrong) in [
                ("program_id", Some(row.get::<_, i64>(1)?) != told.program),
                ("uuid", row.get::<_, Vec<u8>>(2)? != told.uuid),
                ("created_at", row.get::<_, i64>(3)? != told.created_at),
                (
                    "archived_at",
                    row.get::<_, Option<i64>>(4)? != told.archived_at,
                ),
                ("quantity_remaining", told.stock.contradicts(stock)),
                ("version", row.get::<_, i64>(6)? != told.version),
            ] {
                if is_wrong {
                    let finding = format!("offer row {id}: its {column} is not what the log says");
                    self.findings.push(finding);
                }
            }
        }
        Ok(())
    }

    fn compare_programs(&mut self) -> Result<(), Error> {
        let sql = "SELECT id, organization_id, created_at, status = 'ACTIVE', archived_at,
                       default_tier, clock_offset
                   FROM program ORDER BY id";
        let mut statement = self.connection.prepare(sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let id: i64 = row.get(0)?;
            let Some(told) = self.programs.get(&id) else {
                self.findings
                    .push(format!("program row {id}: the log does not tell of it"));
                continue;
            };
            let is_active: bool = row.get(3)?;
            let archived_at: Option<i64> = row.get(4)?;
            let tier: String = row.get(5)?;
            let is_other_tier =
                matches!(told.tier, Told::Known(number) if self.tiers[number] != tier);
            for (column, is_wrong) in [
                (
                    "organization_id",
                    row.get::<_, i64>(1)? != told.organization,
                ),
                ("created_at", row.get::<_, i64>(2)? != told.created_at),
                ("updated_at", !told.is_update_seen),
                ("status", told.is_active.contradicts(is_active)),
                (
                    "archived_at",
                    told.archived_at.contradicts(archived_at) || is_active == archived_at.is_some(),
                ),
                ("default_tier", is_other_tier),
                ("clock_offset", told.ahead.contradicts(row.get(6)?)),
                ("version", !told.are_versions_seen[0]),
                ("configuration_version", !told.are_versions_seen[1]),
                (
                    "version or configuration_version",
                    told.stored.versions.into_iter().max() != Some(told.newest),
                ),
            ] {
                if is_wrong {
                    let finding =
                        format!("program row {id}: its {column} is not what the log says");
                    self.findings.push(finding);
                }
            }
        }
        Ok(())
    }

    fn compare_organizations(&mut self) -> Result<(), Error> {
        let sql =
            "SELECT id, environment, status, created_at, version FROM organization ORDER BY id";
        let mut statement = self.connection.prepare(sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let id: i64 = row.get(0)?;
            let Some(told) = self.organizations.get(&id) else {
                self.findings.push(format!(
                    "organization row {id}: the log does not tell of it"
                ));
                continue;
            };
            for (column, is_wrong) in [
                ("environment", row.get::<_, String>(1)? != told.environment),
                ("status", row.get::<_, String>(2)? != told.status),
                ("created_at", row.get::<_, i64>(3)? != told.created_at),
                ("version", row.get::<_, i64>(4)? != told.version),
            ] {
                if is_wrong {
                    let finding =
                        format!("organization row {id}: its {column} is not what the log says");
                    self.findings.push(finding);
                }
            }
        }
        Ok(())
    }

    /// Of webhooks that did not change since version 0.1.0 the log does not tell.
    fn compare_webhooks(&mut self) -> Result<(), Error> {
        let sql = "SELECT id, uuid, disabled_at IS NOT NULL, version
                   FROM webhook_endpoint ORDER BY id";
        let mut statement = self.connection.prepare(sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (id, uuid, is_disabled, version): (i64, [u8; 16], bool, i64) = row.try_into()?;
            let told = self.webhooks.remove(&uuid);
            let told = told.map(|told| (told.is_disabled, told.version));
            let (is_disabled_told, version_told) = told.unwrap_or((is_disabled, 0));
            for (column, is_wrong) in [
                ("disabled_at", is_disabled != is_disabled_told),
                ("version", version != version_told),
            ] {
                if is_wrong {
                    self.findings.push(format!(
                        "webhook_endpoint row {id}: its {column} is not what the log says"
                    ));
                }
            }
        }
        for told in self.webhooks.values() {
            let version = told.version;
            self.findings.push(format!(
                "activity {version} is of a webhook that is not in the table webhook_endpoint"
            ));
        }
        Ok(())
    }
}
