//! Compares everything that a server shows with the model, and with another server.

use serde_json::{Value, json};
use stampcard::domain::Timestamp;
use stampcard::service::transfer::{export, import};
use stampcard::store::{Database, open_read_only};

use super::naive::{MAX, Member, Naive, Offer, Points, Redemption};
use super::world::{World, mode};
use crate::oracle;
use crate::step::{TIERS, WAY};
use crate::support::{PARTNER_LIVE_KEY, TestApp};

/// A window that contains every history, in months.
const MONTHS: &str = "from=2026-06-01T00:00:00Z&to=2027-06-01T00:00:00Z&interval=month";

impl World {
    /// Checks everything that the server shows.
    pub(super) fn check(&self) {
        assert_eq!(
            self.get(PARTNER_LIVE_KEY, &self.pool),
            self.shown_pool(),
            "the partner's view"
        );
        for program in 0..self.keys.len() {
            self.check_balance(program);
            self.check_members(program);
            self.check_offers(program);
            self.check_redemptions(program);
            self.check_figures(program);
        }
        self.check_events();
    }

    fn get(&self, credential: &str, path: &str) -> Value {
        let request = self.app.request("GET", path);
        request.bearer(credential).send().expect(200)
    }

    fn check_balance(&self, program: usize) {
        let pool = self.naive.pool.clone().unwrap_or_default();
        // A point is a cent in the first program, worth nothing in the second.
        let usd = |points: i64| match program {
            0 => plain(points, 100),
            _ => json!(0),
        };
        let display = match program {
            0 => plain(pool.balance, 50),
            _ => json!(0),
        };
        let expected = json!({
            "balance": pool.balance, "balanceUSD": usd(pool.balance), "balanceDisplay": display,
            "creditLimit": pool.credit_limit, "creditLimitUSD": usd(pool.credit_limit),
            "lifetimeSpent": pool.lifetime_spent, "lifetimeSpentUSD": usd(pool.lifetime_spent),
            "ratePerPoint": usd(1),
            "settlementMode": mode(pool.pays_redemptions),
        });
        assert_eq!(self.get(&self.keys[program], "/v1/balance"), expected);
    }

    /// The oldest first.
    fn list(&self, program: usize, path: &str, field: &str) -> Vec<Value> {
        let mut page = self.get(&self.keys[program], path);
        assert_eq!(page["nextCursor"], Value::Null);
        let mut rows = std::mem::take(page[field].as_array_mut().unwrap());
        rows.reverse();
        rows
    }

    fn check_members(&self, program: usize) {
        let path = "/v1/members?limit=100&includeArchived=true";
        let shown = self.list(program, path, "members");
        let members = self.naive.members_of(program);
        assert_eq!(shown.len(), members.len());
        let mut sum = 0;
        for ((place, member), shown) in members.iter().zip(&shown) {
            let counted = |status: &str| self.naive.count(|r| r.member == *place, status);
            let counts: serde_json::Map<String, Value> = WAY
                .iter()
                .map(|status| ((*status).to_owned(), json!(counted(status))))
                .collect();
            let expected = json!({
                "tier": TIERS[member.tier],
                "redemptionCounts": counts,
                "wallet": {
                    "balance": member.balance(),
                    "amountReceived": member.received,
                    "amountSpent": member.spent,
                },
            });
            oracle::assert_has(shown, &expected);
            assert_eq!(shown["archivedAt"].is_null(), !member.is_removed, "{shown}");
            let id = shown["externalUserID"].as_str().unwrap();
            assert_eq!(id.starts_with("erased_"), member.is_erased, "{shown}");
            sum += shown["wallet"]["balance"].as_i64().unwrap();
        }
        for ((_, name), place) in self.naive.known.iter().filter(|(who, _)| who.0 == program) {
            let index = members.iter().position(|(found, _)| found == place);
            assert_eq!(shown[index.unwrap()]["externalUserID"], format!("u{name}"));
        }
        let summary = self.get(&self.keys[program], "/v1/analytics/summary");
        let of = |name: &str| summary[name].as_i64().unwrap();
        let received = of("pointsMinted") + of("pointsRefunded");
        let spent = of("pointsSpent") + of("pointsForfeited") + of("pointsDebited");
        assert_eq!(received - spent, sum, "{summary}");
    }

    fn check_offers(&self, program: usize) {
        let now = self.now();
        let of_program = |offer: &Offer| offer.program == program && !offer.is_archived;
        let offers = self.naive.offers.iter().zip(&self.offers);
        let offers: Vec<_> = offers.filter(|(offer, _)| of_program(offer)).collect();
        let shown = self.list(program, "/v1/offers?limit=100", "data");
        assert_eq!(shown.len(), offers.len());
        let time = |at: Option<i64>| at.map(|at| Timestamp::from_millis(at).unwrap().to_string());
        for ((offer, id), shown) in offers.iter().zip(&shown) {
            let expected = json!({
                "id": id,
                "pointsPrice": offer.price,
                "availability": {
                    "isAvailable": offer.is_available(now),
                    "quantityRemaining": offer.stock.unwrap_or(MAX),
                    "isUnlimited": offer.stock.is_none(),
                },
                "availableFrom": time(offer.from_ms),
                "availableUntil": time(offer.until_ms),
                "paused": offer.is_paused,
                "redemptionLimit": {
                    "perMember": offer.per_member,
                    "per": if offer.only_open { "open" } else { "ever" },
                },
            });
            oracle::assert_has(shown, &expected);
        }
        for ((_, name), place) in self.naive.known.iter().filter(|(who, _)| who.0 == program) {
            let member = &self.naive.members[*place];
            if member.is_removed {
                continue;
            }
            let path = format!("/v1/offers?externalUserID=u{name}&limit=100&available=true");
            let shown = self.list(program, &path, "data");
            let shown: Vec<&str> = shown
                .iter()
                .filter_map(|offer| offer["id"].as_str())
                .collect();
            let can_see = |offer: &Offer| offer.is_seen_by(member, now) && offer.is_available(now);
            let seen = offers.iter().filter(|(offer, _)| can_see(offer));
            assert_eq!(shown, seen.map(|(_, id)| id.as_str()).collect::<Vec<_>>());
        }
    }

    fn check_redemptions(&self, program: usize) {
        let shown = self.list(program, "/v1/redemptions?limit=100", "redemptions");
        let all = self.naive.redemptions.iter().zip(&self.redemptions);
        let mine: Vec<_> = all
            .filter(|(redemption, _)| self.naive.offers[redemption.offer].program == program)
            .collect();
        assert_eq!(shown.len(), mine.len());
        for ((redemption, id), shown) in mine.iter().zip(&shown) {
            let expected = json!({
                "id": id,
                "offer": self.offers[redemption.offer],
                "status": redemption.status(),
                "pointsCharged": redemption.charged,
            });
            oracle::assert_has(shown, &expected);
            let feedback = &shown["feedback"];
            let found = feedback["rating"].as_i64().map(|rating| {
                let comment = feedback["comment"].as_str().map(str::to_owned);
                (rating, comment)
            });
            assert_eq!(found, redemption.feedback, "{shown}");
        }
    }

    fn check_figures(&self, program: usize) {
        let naive = &self.naive;
        let key = &self.keys[program];
        let of_program = |r: &Redemption| naive.offers[r.offer].program == program;
        let members = naive.members_of(program);
        let active = members.iter().filter(|(_, member)| !member.is_removed);
        let points = &naive.points[program];
        let total = naive.redemptions.iter().filter(|r| of_program(r)).count();
        let by_status = WAY.map(|status| (status, naive.count(of_program, status)));
        let mut redemptions = json!({"total": total});
        for (status, count) in by_status {
            redemptions[status.to_lowercase()] = json!(count);
        }
        #[expect(clippy::cast_precision_loss, reason = "the counts of a test are small")]
        let rate = match total {
            0 => 0.0,
            _ => naive.count(of_program, "COMPLETED") as f64 / total as f64,
        };
        let expected = json!({
            "memberCount": members.len(),
            "activeMembers": active.count(),
            "pointsMinted": points.minted,
            "pointsSpent": points.spent,
            "pointsRefunded": points.refunded,
            "pointsForfeited": points.forfeited,
            "pointsDebited": points.debited,
            "completionRate": rate,
            "redemptions": redemptions,
        });
        oracle::assert_has(&self.get(key, "/v1/analytics/summary"), &expected);
        let offers = naive.offers.iter().enumerate();
        let offers = offers.filter(|(_, offer)| offer.program == program);
        let expected: Vec<Value> = offers.map(|(place, _)| self.figures_of(place)).collect();
        let shown = self.get(key, "/v1/analytics/offers");
        oracle::assert_has(&shown["offers"], &json!(expected));
        self.check_timeseries(program, members.len(), points);
    }

    fn check_timeseries(&self, program: usize, members: usize, points: &Points) {
        let sums = |rest: &str| {
            let path = format!("/v1/analytics/timeseries?{MONTHS}{rest}");
            let shown = self.get(&self.keys[program], &path);
            let buckets = shown["buckets"].as_array().unwrap().clone();
            ["signups", "pointsMinted", "pointsSpent"].map(|name| {
                let values = buckets.iter().map(|bucket| bucket[name].as_i64().unwrap());
                values.sum::<i64>()
            })
        };
        let members = i64::try_from(members).unwrap();
        assert_eq!(sums(""), [members, points.minted, points.spent]);
        let offers = self.naive.offers.iter().enumerate();
        for (place, _) in offers.filter(|(_, offer)| offer.program == program) {
            let figures = self.figures_of(place);
            let of = |name: &str| figures[name].as_i64().unwrap();
            let rest = format!("&offer={}", self.offers[place]);
            assert_eq!(sums(&rest), [of("signups"), 0, of("pointsSpent")]);
        }
    }

    /// The expected row of an offer.
    fn figures_of(&self, offer: usize) -> Value {
        let of_offer = |redemption: &Redemption| redemption.offer == offer;
        let all = || self.naive.redemptions.iter().filter(|r| of_offer(r));
        let mut people: Vec<usize> = all().map(|redemption| redemption.member).collect();
        people.sort_unstable();
        people.dedup();
        let ratings: Vec<i64> = all()
            .filter_map(|redemption| Some(redemption.feedback.as_ref()?.0))
            .collect();
        let count = i64::try_from(ratings.len()).unwrap();
        let average = (count > 0).then(|| {
            let sum: i64 = ratings.iter().sum();
            plain((sum * 200 + count) / (2 * count), 100)
        });
        json!({
            "offerId": self.offers[offer],
            "signups": people.len(),
            "completions": self.naive.count(of_offer, "COMPLETED"),
            "cancellations": self.naive.count(of_offer, "CANCELED"),
            "pointsSpent": all().map(|redemption| redemption.charged).sum::<i64>(),
            "ratingCount": count,
            "averageRating": average,
        })
    }

    /// The events of the pool in both programs.
    fn check_events(&self) {
        let connection = self.app.sqlite();
        for (kind, expected) in [(14, &self.naive.lows), (15, &self.naive.fundings)] {
            let sql = "SELECT available FROM activity WHERE kind = ?1 ORDER BY seq";
            let mut statement = connection.prepare(sql).unwrap();
            let rows = statement.query_map([kind], |row| row.get(0)).unwrap();
            let found: Vec<i64> = rows.map(Result::unwrap).collect();
            let twice = expected.iter().flat_map(|balance| [*balance, *balance]);
            assert_eq!(found, twice.collect::<Vec<_>>(), "events of kind {kind}");
        }
    }

    /// Everything that a server returns, byte for byte.
    fn answers(&self, app: &TestApp) -> Vec<String> {
        let get = |credential: &str, path: &str| {
            let answer = app.request("GET", path).bearer(credential).send();
            assert_eq!(answer.status, 200, "{path} {}", answer.text());
            answer.text()
        };
        let mut answers = vec![get(PARTNER_LIVE_KEY, &self.pool)];
        let names = self.naive.known.keys();
        for (program, key) in self.keys.iter().enumerate() {
            for path in [
                "/v1/balance",
                "/v1/analytics/summary",
                "/v1/analytics/offers",
                "/v1/offers?limit=100",
                "/v1/redemptions?limit=100",
                "/v1/members?limit=100&includeArchived=true",
                "/v1/configuration",
                "/v1/reports/program-activity",
            ] {
                answers.push(get(key, path));
            }
            answers.push(get(key, &format!("/v1/analytics/timeseries?{MONTHS}")));
            for (_, name) in names.clone().filter(|who| who.0 == program) {
                let path = "/v1/wallet/transactions?limit=100&includeArchived=true";
                answers.push(get(key, &format!("{path}&externalUserID=u{name}")));
            }
        }
        answers
    }

    /// Stops the server and starts another, which returns the same.
    pub(super) fn restart(mut self) -> Self {
        let before = self.answers(&self.app);
        self.app = self.app.restart();
        assert_eq!(self.answers(&self.app), before);
        self
    }

    /// Starts a server on a copy of the database with its last snapshot and newer rows, as after a
    /// crash; on the database itself; and on an import of its export. All return the same.
    pub(super) fn check_everywhere(mut self) {
        let folder = tempfile::tempdir().unwrap();
        let before = self.answers(&self.app);
        let crashed = folder.path().join("crashed.db");
        let sql = "VACUUM INTO ?1";
        let values = [crashed.to_str().unwrap()];
        self.app.sqlite().execute(sql, values).unwrap();
        assert_eq!(self.answers(&self.server_on(&crashed)), before);
        self.app.stop();
        oracle::check(&self.app.database());
        let mut lines = Vec::new();
        let stopped = open_read_only(&self.app.database()).unwrap();
        export(&stopped, true, &mut lines, |_, _| ()).unwrap();
        let imported = folder.path().join("imported.db");
        let mut database = Database::open_for_import(&imported).unwrap();
        import(
            &mut database,
            lines.as_slice(),
            self.app.clock.now(),
            |_| (),
        )
        .unwrap();
        drop(database);
        assert_eq!(self.answers(&self.server_on(&imported)), before);
    }

    fn server_on(&self, database: &std::path::Path) -> TestApp {
        let now = self.app.clock.now().to_string();
        TestApp::start_at(&now, |settings| {
            settings.rate_limit.per_minute = 0;
            database.clone_into(&mut settings.database.path);
        })
    }
}

impl Naive {
    /// The members of a program with their indexes.
    fn members_of(&self, program: usize) -> Vec<(usize, &Member)> {
        let members = self.members.iter().enumerate();
        members
            .filter(|(_, member)| member.program == program)
            .collect()
    }

    fn count(&self, is: impl Fn(&Redemption) -> bool, status: &str) -> usize {
        let of_status = |r: &&Redemption| r.status() == status && is(r);
        self.redemptions.iter().filter(of_status).count()
    }
}

/// A quotient without a needless fraction.
fn plain(number: i64, by: i64) -> Value {
    if number % by == 0 {
        return json!(number / by);
    }
    #[expect(
        clippy::cast_precision_loss,
        reason = "the numbers of a test are small"
    )]
    let quotient = number as f64 / by as f64;
    json!(quotient)
}
