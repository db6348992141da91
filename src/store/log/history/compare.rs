//! The end of a history: every row of the tables is compared with the log.

use rusqlite::Row;

use super::{Dates, History, Logged};
use crate::domain::ProgramStatus;
use crate::store::Error;
use crate::store::tables::columns::column;

const MEMBERS: &str = "SELECT id, tier, token_epoch, token_expires_at, created_at, archived_at,
        suspended_at, external_user_id, version, retained, erased_key IS NOT NULL AS is_erased
    FROM member LEFT JOIN removal ON member_id = id ORDER BY id";

const OFFERS: &str =
    "SELECT id, program_id, uuid, created_at, archived_at, quantity_remaining, version
    FROM offer ORDER BY id";

const REDEMPTIONS: &str =
    "SELECT id, start_at, end_at, rating, rated_at, returned FROM redemption ORDER BY id";

const PROGRAMS: &str = "SELECT id, organization_id, created_at, status,
        archived_at, default_tier, clock_offset, coalesce(expiry_notice, 0) AS expiry_notice
    FROM program ORDER BY id";

const ASSETS: &str = "SELECT id, program_id, symbol, scale, created_at, archived_at,
        inventory_mode, issuance_policy, burn_order, max_amount, opening_expires_at, updated_at,
        version
    FROM asset ORDER BY id";

pub(super) const RULES: &str = "SELECT id, program_id, name, status, position, newest,
        created_at, updated_at, archived_at
    FROM rule ORDER BY id";

pub(super) const BUDGETS: &str = "SELECT b.id, b.rule_id, b.asset_id, p.uuid
    FROM rule_budget b JOIN rule r ON r.id = b.rule_id JOIN program p ON p.id = r.program_id
    ORDER BY b.id";

const ORGANIZATIONS: &str = "SELECT id, environment, status, created_at, version
    FROM organization ORDER BY id";

const POOLS: &str = "SELECT organization_id, balance, lifetime_spent, credit_limit,
        settlement_mode, low_threshold
    FROM organization_pool ORDER BY organization_id";

const WEBHOOKS: &str = "SELECT id, uuid, disabled_at IS NOT NULL AS is_disabled, version
    FROM webhook_endpoint ORDER BY id";

/// The columns of a row that may differ from the log; `None` if the log does not contain the row.
pub(super) type Compared<const N: usize> = Result<Option<[(&'static str, bool); N]>, Error>;

impl History<'_> {
    /// Compares every row of the tables with the log; stops with the members once there are `limit`
    /// findings.
    pub(in crate::store::log) fn end(&mut self, limit: usize) -> Result<(), Error> {
        self.compare("member", MEMBERS, limit, Self::compare_member)?;
        self.compare("offer", OFFERS, usize::MAX, Self::compare_offer)?;
        self.compare(
            "redemption",
            REDEMPTIONS,
            usize::MAX,
            Self::compare_redemption,
        )?;
        self.compare("program", PROGRAMS, usize::MAX, Self::compare_program)?;
        self.compare("asset", ASSETS, usize::MAX, Self::compare_asset)?;
        for (program, asset) in self.assets.left() {
            self.findings.push(match asset {
                None => format!(
                    "program row {program} has settings of its points in the log, but not in the \
                     table asset"
                ),
                Some(asset) => format!(
                    "program row {program} has asset row {asset} in the log, but not in the table \
                     asset"
                ),
            });
        }
        self.compare("rule", RULES, usize::MAX, Self::compare_rule)?;
        self.compare("rule_budget", BUDGETS, usize::MAX, Self::compare_budget)?;
        self.compare(
            "organization",
            ORGANIZATIONS,
            usize::MAX,
            Self::compare_organization,
        )?;
        self.compare("organization_pool", POOLS, usize::MAX, Self::compare_pool)?;
        for organization in self.pools.keys() {
            self.findings.push(format!(
                "organization row {organization} has a pool in the log, but not in the table \
                 organization_pool"
            ));
        }
        self.compare(
            "webhook_endpoint",
            WEBHOOKS,
            usize::MAX,
            Self::compare_webhook,
        )?;
        for webhook in self.webhooks.values() {
            let version = webhook.version;
            self.findings.push(format!(
                "activity {version} belongs to a webhook that is not in the table webhook_endpoint"
            ));
        }
        self.compare_state(limit)?;
        self.compare_counts()
    }

    /// Compares the rows of a table, whose first column is the number of the row, until there are
    /// `limit` findings.
    fn compare<const N: usize>(
        &mut self,
        table: &str,
        sql: &str,
        limit: usize,
        compare_row: impl Fn(&mut Self, i64, &Row<'_>) -> Compared<N>,
    ) -> Result<(), Error> {
        let mut statement = self.connection.prepare(sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let id: i64 = row.get(0)?;
            let Some(columns) = compare_row(self, id, row)? else {
                self.report(format!("{table} row {id}: the log does not contain it"));
                continue;
            };
            for (column, _) in columns.into_iter().filter(|(_, differs)| *differs) {
                self.report(format!(
                    "{table} row {id}: its {column} does not match the log"
                ));
            }
            if self.findings.len() >= limit {
                break;
            }
        }
        Ok(())
    }

    fn compare_counts(&mut self) -> Result<(), Error> {
        let rules = self.rules.counts();
        let counts = [
            ("member", self.members.len()),
            ("offer", self.offers.len()),
            ("redemption", self.redemptions.len()),
            (
                "message",
                usize::try_from(self.messages).unwrap_or_default(),
            ),
            ("program", self.programs.len()),
            ("organization", self.organizations.len()),
        ];
        for (table, logged) in counts.into_iter().chain(rules) {
            let sql = format!("SELECT count(*) FROM {table}");
            let rows: i64 = self.connection.query_row(&sql, [], |row| row.get(0))?;
            if usize::try_from(rows) != Ok(logged) {
                self.report(format!(
                    "table {table} has {rows} rows, but the log contains {logged}"
                ));
            }
        }
        Ok(())
    }

    fn compare_member(&mut self, id: i64, row: &Row<'_>) -> Compared<10> {
        let Some(logged) = self.members.get(&id) else {
            return Ok(None);
        };
        let token_end: Option<i64> = row.get(column!(MEMBERS, "token_expires_at"))?;
        let tier = row.get_ref(column!(MEMBERS, "tier"))?.as_str().ok();
        let external: String = row.get(column!(MEMBERS, "external_user_id"))?;
        let erased = logged.erased_id.as_deref();
        let retained: Option<bool> = row.get(column!(MEMBERS, "retained"))?;
        Ok(Some([
            ("tier", tier != Some(&self.tiers[logged.tier])),
            (
                "token_epoch",
                row.get::<_, i64>(column!(MEMBERS, "token_epoch"))? != logged.epoch,
            ),
            (
                "token_expires_at",
                token_end.is_some() && !logged.has_given_end,
            ),
            (
                "created_at",
                row.get::<_, i64>(column!(MEMBERS, "created_at"))? != logged.created_at,
            ),
            (
                "archived_at",
                row.get::<_, Option<i64>>(column!(MEMBERS, "archived_at"))? != logged.archived_at,
            ),
            (
                "suspended_at",
                row.get::<_, Option<i64>>(column!(MEMBERS, "suspended_at"))? != logged.suspended_at,
            ),
            (
                "external_user_id",
                erased.is_some_and(|erased| erased != external),
            ),
            (
                "version",
                row.get::<_, i64>(column!(MEMBERS, "version"))? != logged.version,
            ),
            ("removal", retained != logged.retained),
            (
                "erasure",
                erased.is_none() && row.get(column!(MEMBERS, "is_erased"))?,
            ),
        ]))
    }

    fn compare_offer(&mut self, id: i64, row: &Row<'_>) -> Compared<6> {
        let Some(logged) = self.offers.get(&id) else {
            return Ok(None);
        };
        let program: i64 = row.get(column!(OFFERS, "program_id"))?;
        let uuid: Vec<u8> = row.get(column!(OFFERS, "uuid"))?;
        let created_at: i64 = row.get(column!(OFFERS, "created_at"))?;
        let archived_at: Option<i64> = row.get(column!(OFFERS, "archived_at"))?;
        let stock: Option<i64> = row.get(column!(OFFERS, "quantity_remaining"))?;
        let version: i64 = row.get(column!(OFFERS, "version"))?;
        Ok(Some([
            ("program_id", Some(program) != logged.program),
            ("uuid", uuid != logged.uuid),
            ("created_at", created_at != logged.created_at),
            ("archived_at", archived_at != logged.archived_at),
            ("quantity_remaining", logged.stock.contradicts(stock)),
            ("version", version != logged.version),
        ]))
    }

    /// The dates are not compared if version 0.1.0 changed them last, which did not log them. A row
    /// that the log does not contain is found by the count of rows.
    fn compare_redemption(&mut self, id: i64, row: &Row<'_>) -> Compared<4> {
        let dates: Dates = (
            row.get(column!(REDEMPTIONS, "start_at"))?,
            row.get(column!(REDEMPTIONS, "end_at"))?,
        );
        let logged = self.redemptions.get(&id);
        let differs = logged.is_some_and(|logged| logged.dates.contradicts(dates));
        let rated = logged.and_then(|logged| logged.rated);
        let rating: Option<i64> = row.get(column!(REDEMPTIONS, "rating"))?;
        let rated_at: Option<i64> = row.get(column!(REDEMPTIONS, "rated_at"))?;
        let returned: i64 = row.get(column!(REDEMPTIONS, "returned"))?;
        Ok(Some([
            ("start_at or end_at", differs),
            (
                "rating",
                rating != rated.map(|rated| rated.rating.get().into()),
            ),
            ("rated_at", rated_at != rated.map(|rated| rated.at)),
            (
                "returned",
                logged.is_some_and(|logged| logged.returned != returned),
            ),
        ]))
    }

    fn compare_program(&mut self, id: i64, row: &Row<'_>) -> Compared<11> {
        let Some(logged) = self.programs.get(&id) else {
            return Ok(None);
        };
        let organization: i64 = row.get(column!(PROGRAMS, "organization_id"))?;
        let created_at: i64 = row.get(column!(PROGRAMS, "created_at"))?;
        let status: String = row.get(column!(PROGRAMS, "status"))?;
        let archived_at: Option<i64> = row.get(column!(PROGRAMS, "archived_at"))?;
        let tier: String = row.get(column!(PROGRAMS, "default_tier"))?;
        let ahead: i64 = row.get(column!(PROGRAMS, "clock_offset"))?;
        let notice: i64 = row.get(column!(PROGRAMS, "expiry_notice"))?;
        let is_other_tier =
            matches!(logged.tier, Logged::Known(number) if self.tiers[number] != tier);
        let is_other_status =
            matches!(logged.status, Logged::Known(logged) if logged.as_str() != status);
        let newest = logged.stored.versions.into_iter().max();
        Ok(Some([
            ("organization_id", organization != logged.organization),
            ("created_at", created_at != logged.created_at),
            ("updated_at", !logged.is_update_seen),
            ("status", is_other_status),
            (
                "archived_at",
                logged.archived_at.contradicts(archived_at)
                    || (status == ProgramStatus::Archived.as_str()) != archived_at.is_some(),
            ),
            ("default_tier", is_other_tier),
            ("clock_offset", logged.ahead.contradicts(ahead)),
            ("expiry_notice", logged.notice.contradicts(notice)),
            ("version", !logged.are_versions_seen[0]),
            ("configuration_version", !logged.are_versions_seen[1]),
            (
                "version or configuration_version",
                newest != Some(logged.newest),
            ),
        ]))
    }

    fn compare_asset(&mut self, id: i64, row: &Row<'_>) -> Compared<11> {
        let program: i64 = row.get(column!(ASSETS, "program_id"))?;
        let symbol: Option<String> = row.get(column!(ASSETS, "symbol"))?;
        let key = (program, symbol.is_some().then_some(id));
        let Some(logged) = self.assets.remove(key) else {
            return Ok(None);
        };
        let number = |column: usize| row.get::<_, Option<i64>>(column);
        let further = logged.further.as_ref();
        let mode: String = row.get(column!(ASSETS, "inventory_mode"))?;
        let policy: String = row.get(column!(ASSETS, "issuance_policy"))?;
        let burn_order: String = row.get(column!(ASSETS, "burn_order"))?;
        let is_same_mode = mode == logged.mode.as_str();
        Ok(Some([
            (
                "symbol",
                symbol.as_deref() != further.map(|further| &*further.symbol),
            ),
            (
                "scale",
                number(column!(ASSETS, "scale"))? != Some(further.map_or(0, |it| it.scale)),
            ),
            (
                "created_at",
                number(column!(ASSETS, "created_at"))? != further.map(|it| it.created_at),
            ),
            (
                "archived_at",
                number(column!(ASSETS, "archived_at"))? != further.and_then(|it| it.archived_at),
            ),
            ("inventory_mode", !is_same_mode),
            ("issuance_policy", policy != logged.policy.as_str()),
            ("burn_order", burn_order != logged.burn_order),
            (
                "max_amount",
                number(column!(ASSETS, "max_amount"))? != logged.max_amount,
            ),
            // A row with the other mode cannot have the date.
            (
                "opening_expires_at",
                is_same_mode && number(column!(ASSETS, "opening_expires_at"))? != logged.expires_at,
            ),
            (
                "updated_at",
                number(column!(ASSETS, "updated_at"))? != Some(logged.updated_at),
            ),
            (
                "version",
                number(column!(ASSETS, "version"))? != Some(logged.version),
            ),
        ]))
    }

    fn compare_organization(&mut self, id: i64, row: &Row<'_>) -> Compared<4> {
        let Some(logged) = self.organizations.get(&id) else {
            return Ok(None);
        };
        let environment: String = row.get(column!(ORGANIZATIONS, "environment"))?;
        let status: String = row.get(column!(ORGANIZATIONS, "status"))?;
        let created_at: i64 = row.get(column!(ORGANIZATIONS, "created_at"))?;
        let version: i64 = row.get(column!(ORGANIZATIONS, "version"))?;
        Ok(Some([
            ("environment", environment != logged.environment),
            ("status", status != logged.status),
            ("created_at", created_at != logged.created_at),
            ("version", version != logged.version),
        ]))
    }

    fn compare_pool(&mut self, organization: i64, row: &Row<'_>) -> Compared<5> {
        let Some(logged) = self.pools.remove(&organization) else {
            return Ok(None);
        };
        let differs = |column: usize, logged: i64| -> Result<bool, Error> {
            Ok(row.get::<_, i64>(column)? != logged)
        };
        let mode: String = row.get(column!(POOLS, "settlement_mode"))?;
        Ok(Some([
            (
                "balance",
                differs(column!(POOLS, "balance"), logged.balance)?,
            ),
            (
                "lifetime_spent",
                differs(column!(POOLS, "lifetime_spent"), logged.lifetime_spent)?,
            ),
            (
                "credit_limit",
                differs(column!(POOLS, "credit_limit"), logged.credit_limit)?,
            ),
            ("settlement_mode", mode != logged.mode.as_str()),
            (
                "low_threshold",
                differs(column!(POOLS, "low_threshold"), logged.low_threshold)?,
            ),
        ]))
    }

    /// The log does not contain webhooks that did not change since version 0.1.0.
    fn compare_webhook(&mut self, _: i64, row: &Row<'_>) -> Compared<2> {
        let uuid: [u8; 16] = row.get(column!(WEBHOOKS, "uuid"))?;
        let is_disabled: bool = row.get(column!(WEBHOOKS, "is_disabled"))?;
        let version: i64 = row.get(column!(WEBHOOKS, "version"))?;
        let logged = self.webhooks.remove(&uuid);
        let logged = logged.map(|logged| (logged.is_disabled, logged.version));
        let (logged_disabled, logged_version) = logged.unwrap_or((is_disabled, 0));
        Ok(Some([
            ("disabled_at", is_disabled != logged_disabled),
            ("version", version != logged_version),
        ]))
    }

    /// Finds the row that an activity made, which has its number.
    pub(super) fn find_row(&mut self, seq: i64, table: &str) -> Result<(), Error> {
        let sql = format!("SELECT EXISTS (SELECT 1 FROM {table} WHERE seq = ?1)");
        let mut statement = self.connection.prepare_cached(&sql)?;
        if !statement.query_row([seq], |row| row.get::<_, bool>(0))? {
            self.report(format!("activity {seq} has no row in the table {table}"));
        }
        Ok(())
    }

    /// Finds the row that an activity changed, which has its number or that of a later one.
    pub(super) fn find_interest(&mut self, seq: i64, uuid: &[u8; 16]) -> Result<(), Error> {
        let sql = "SELECT EXISTS (SELECT 1 FROM interest WHERE uuid = ?1 AND changed_seq >= ?2)";
        let mut statement = self.connection.prepare_cached(sql)?;
        if !statement.query_row((uuid, seq), |row| row.get::<_, bool>(0))? {
            self.report(format!(
                "activity {seq} changed an interest, but its row is older"
            ));
        }
        Ok(())
    }
}
