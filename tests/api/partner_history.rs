//! Random histories of several organizations, compared with a model of the credits and with plain
//! SQL.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{FileFailurePersistence, RngSeed};
use serde_json::{Value, json};

use crate::client::{call, get_as, organization, post_as, program};
use crate::support::{
    LIVE_KEY, PARTNER_LIVE_KEY, PARTNER_SANDBOX_KEY, Response, SANDBOX_KEY, TestApp,
};

const CASES: u32 = 5;
const POOL: i64 = 12;
const TOKEN_MS: i64 = 900_000;
const START: &str = "2026-06-27T20:00:00.500Z";
const ENVIRONMENTS: [(&str, &str, &str); 2] = [
    ("sandbox", SANDBOX_KEY, PARTNER_SANDBOX_KEY),
    ("live", LIVE_KEY, PARTNER_LIVE_KEY),
];

/// A step of the history; numbers are of programs (of 12), organizations (of 6) and members.
#[derive(Debug, Clone)]
enum Step {
    Exchange(usize, u8),
    Credit(usize, u8, u32),
    Redeem(usize, u8),
    Move(Index, &'static str),
    Tier(usize, u8, &'static str),
    Remove(usize, u8),
    Allocate(usize, i64),
    TurnProgram(usize),
    TurnOrganization(usize),
    Wait(u64),
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    let program = || 0..12_usize;
    let member = || 0..3_u8;
    let status = prop::sample::select(vec!["OPEN", "PURCHASED", "COMPLETED", "CANCELED"]);
    let tier = prop::sample::select(vec!["standard", "silver", "gold"]);
    prop_oneof![
        16 => (program(), member()).prop_map(|(p, m)| Step::Exchange(p, m)),
        8 => (program(), member(), 1..50_u32).prop_map(|(p, m, a)| Step::Credit(p, m, a)),
        6 => (program(), member()).prop_map(|(p, m)| Step::Redeem(p, m)),
        4 => (any::<Index>(), status).prop_map(|(r, s)| Step::Move(r, s)),
        5 => (program(), member(), tier).prop_map(|(p, m, t)| Step::Tier(p, m, t)),
        2 => (program(), member()).prop_map(|(p, m)| Step::Remove(p, m)),
        2 => (0..6_usize, 0..3_i64).prop_map(|(o, c)| Step::Allocate(o, c)),
        1 => program().prop_map(Step::TurnProgram),
        1 => (0..6_usize).prop_map(Step::TurnOrganization),
        8 => prop_oneof![3 => 0..900_001_u64, 1 => 3_600_000..60_000_000_u64].prop_map(Step::Wait),
        1 => Just(Step::Restart),
    ]
}

struct Organization {
    environment: usize,
    id: String,
    is_active: bool,
    allocation: Option<i64>,
    /// By month.
    identified: BTreeMap<String, i64>,
    credits: BTreeMap<String, i64>,
}

struct Program {
    organization: usize,
    id: String,
    key: String,
    offer: String,
    is_archived: bool,
    /// When a member's newest token expires.
    tokens: BTreeMap<u8, i64>,
    members: BTreeSet<u8>,
}

struct World {
    app: TestApp,
    organizations: Vec<Organization>,
    programs: Vec<Program>,
    /// Each with its program.
    redemptions: Vec<(usize, String)>,
}

impl World {
    fn new() -> Self {
        let app = TestApp::start_at(START, |settings| {
            settings.partner.credit_pool = POOL.unsigned_abs();
        });
        let mut world = Self {
            app,
            organizations: Vec::new(),
            programs: Vec::new(),
            redemptions: Vec::new(),
        };
        for (environment, (_, key, partner_key)) in ENVIRONMENTS.into_iter().enumerate() {
            let list = get_as(&world.app, partner_key, "/partner/organizations").expect(200);
            let first = list["organizations"][0]["id"].as_str().unwrap();
            world.add(environment, first.to_owned(), key.to_owned());
            for name in ["Second", "Third"] {
                let made = organization(&world.app, partner_key, &json!({"name": name}));
                world.add(environment, made.id, made.key);
            }
        }
        world
    }

    /// An organization with a program, to which a second one is added.
    fn add(&mut self, environment: usize, id: String, key: String) {
        let number = self.organizations.len();
        self.organizations.push(Organization {
            environment,
            id,
            is_active: true,
            allocation: None,
            identified: BTreeMap::new(),
            credits: BTreeMap::new(),
        });
        let list = get_as(&self.app, &key, "/v1/programs").expect(200);
        let first = list["data"][0]["id"].as_str().unwrap().to_owned();
        let second = program(&self.app, &key, "Another");
        for (id, key) in [(first, key), second] {
            let body = json!({"title": "An offer", "pointsPrice": 3});
            let offer = post_as(&self.app, &key, "/v1/offers", &body).expect(201);
            self.programs.push(Program {
                organization: number,
                id,
                key,
                offer: offer["id"].as_str().unwrap().to_owned(),
                is_archived: false,
                tokens: BTreeMap::new(),
                members: BTreeSet::new(),
            });
        }
    }

    fn now(&self) -> i64 {
        self.app.clock.now().as_millis()
    }

    fn month(&self) -> String {
        self.app.clock.now().to_string()[..7].to_owned()
    }

    fn is_usable(&self, program: usize) -> bool {
        let program = &self.programs[program];
        !program.is_archived && self.organizations[program.organization].is_active
    }

    /// A request with a program's key; the status must be this one, or 403 if the program may not
    /// act.
    fn ask(&self, number: usize, method: &str, path: &str, body: &Value, status: u16) -> Response {
        let answer = call(&self.app, &self.programs[number].key, method, path, body);
        let expected = if self.is_usable(number) { status } else { 403 };
        if status != 0 || expected == 403 {
            assert_eq!(answer.status, expected, "{path}: {}", answer.text());
        }
        answer
    }

    fn take(mut self, step: &Step) -> Self {
        match *step {
            Step::Exchange(program, member) => self.exchange(program, member),
            Step::Credit(program, member, amount) => {
                let is_known = self.programs[program].members.contains(&member);
                let body = json!({"externalUserID": name(member), "amount": amount});
                let status = if is_known { 200 } else { 404 };
                self.ask(program, "POST", "/v1/wallet/credit", &body, status);
            }
            Step::Redeem(program, member) => {
                let offer = &self.programs[program].offer;
                let body = json!({"externalUserID": name(member), "offer": offer});
                let answer = self.ask(program, "POST", "/v1/redemptions", &body, 0);
                if answer.status == 201 {
                    let id = answer.json()["id"].as_str().unwrap().to_owned();
                    self.redemptions.push((program, id));
                }
            }
            Step::Move(index, status) => {
                if !self.redemptions.is_empty() {
                    let (program, id) = index.get(&self.redemptions);
                    let (path, body) = (format!("/v1/redemptions/{id}"), json!({"status": status}));
                    self.ask(*program, "PATCH", &path, &body, 0);
                }
            }
            Step::Tier(program, member, tier) => {
                let path = format!("/v1/members/{}", name(member));
                self.ask(program, "PUT", &path, &json!({"tier": tier}), 200);
                if self.is_usable(program) {
                    self.programs[program].members.insert(member);
                }
            }
            Step::Remove(program, member) => self.remove(program, member),
            Step::Allocate(number, credits) => {
                self.organizations[number].allocation = Some(credits);
                self.put(number, "credits", &json!({"credits": credits}));
            }
            Step::TurnProgram(program) => self.turn_program(program),
            Step::TurnOrganization(number) => {
                let is_active = !self.organizations[number].is_active;
                self.organizations[number].is_active = is_active;
                let status = if is_active { "active" } else { "suspended" };
                self.put(number, "status", &json!({"status": status}));
            }
            Step::Wait(millis) => self.app.clock.advance(Duration::from_millis(millis)),
            Step::Restart => self.app = self.app.restart(),
        }
        self
    }

    fn put(&self, number: usize, what: &str, body: &Value) {
        let organization = &self.organizations[number];
        let (_, _, key) = ENVIRONMENTS[organization.environment];
        let path = format!("/partner/organizations/{}/{what}", organization.id);
        call(&self.app, key, "PUT", &path, body).expect(200);
    }

    fn exchange(&mut self, number: usize, member: u8) {
        let program = &self.programs[number];
        let was_removed =
            !program.members.contains(&member) && program.tokens.get(&member) == Some(&i64::MIN);
        let status = if was_removed { 404 } else { 200 };
        let body = json!({"externalUserID": name(member)});
        let answer = self.ask(number, "POST", "/v1/auth/exchange", &body, status);
        if answer.status != 200 {
            return;
        }
        let (now, month) = (self.now(), self.month());
        let program = &mut self.programs[number];
        program.members.insert(member);
        let before = program.tokens.insert(member, now + TOKEN_MS);
        if before.is_some_and(|end| end > now) {
            return;
        }
        let number = program.organization;
        let environment = self.organizations[number].environment;
        let of_month = |organization: &Organization| organization.credits.get(&month).copied();
        let pool: i64 = self
            .organizations
            .iter()
            .filter(|organization| organization.environment == environment)
            .filter_map(of_month)
            .sum();
        let own = &mut self.organizations[number];
        let taken = of_month(own).unwrap_or(0);
        *own.identified.entry(month.clone()).or_default() += 1;
        if pool < POOL && own.allocation.is_none_or(|most| taken < most) {
            *own.credits.entry(month).or_default() += 1;
        }
    }

    fn remove(&mut self, number: usize, member: u8) {
        let is_known = self.programs[number].members.contains(&member);
        let path = format!("/v1/members/{}", name(member));
        let status = if is_known { 200 } else { 404 };
        let answer = self.ask(number, "DELETE", &path, &Value::Null, status);
        if answer.status == 200 {
            self.programs[number].members.remove(&member);
            // Has no token, and gets none until the app restores the member.
            self.programs[number].tokens.insert(member, i64::MIN);
        }
    }

    /// Archives a program or restores it, with the key of the other one.
    fn turn_program(&mut self, number: usize) {
        let other = number ^ 1;
        if !self.is_usable(other) {
            return;
        }
        let is_archived = !self.programs[number].is_archived;
        self.programs[number].is_archived = is_archived;
        let status = if is_archived { "ARCHIVED" } else { "ACTIVE" };
        let path = format!("/v1/programs/{}", self.programs[number].id);
        self.ask(other, "PATCH", &path, &json!({"status": status}), 200);
    }
}

fn name(member: u8) -> String {
    format!("member{member}")
}

/// A row of numbers that a query returns.
fn numbers<const N: usize>(app: &TestApp, sql: &str) -> [i64; N] {
    let connection = app.sqlite();
    let row = connection.query_row(sql, [], |row| {
        let all: Result<Vec<i64>, _> = (0..N).map(|column| row.get(column)).collect();
        all
    });
    row.unwrap().try_into().unwrap()
}

fn text(app: &TestApp, sql: &str) -> Option<String> {
    app.sqlite().query_row(sql, [], |row| row.get(0)).unwrap()
}

const OF_PROGRAMS: &str = "FROM activity a JOIN program p ON p.id = a.program_id
    JOIN organization o ON o.id = p.organization_id";

impl World {
    fn check(&self) {
        let now = self.now();
        let day = |modifier: &str| {
            let sql = format!("SELECT date({now} / 1000, 'unixepoch'{modifier})");
            text(&self.app, &sql).unwrap()
        };
        let (today, month) = (day(""), day(", 'start of month'"));
        for environment in 0..2 {
            self.check_days(environment, "", [&day(", '-30 days'"), &month], &today);
            for back in [0, 1, 2, 5] {
                let start = day(&format!(", '-{back} days'"));
                let end = day(&format!(", '-{} days'", back / 2));
                let query = format!("?startDate={start}&endDate={end}");
                self.check_days(environment, &query, [&start, &start], &end);
            }
            self.check_month(environment, &month);
        }
        for number in 0..self.programs.len() {
            if self.is_usable(number) {
                self.check_report(number);
            }
        }
    }

    fn get(&self, environment: usize, path: &str) -> Value {
        get_as(&self.app, ENVIRONMENTS[environment].2, path).expect(200)
    }

    /// Both dated responses, compared with plain SELECTs; each may start on another day.
    fn check_days(&self, environment: usize, query: &str, starts: [&str; 2], end: &str) {
        let (name, ..) = ENVIRONMENTS[environment];
        let used = |start: &str| {
            numbers::<4>(
                &self.app,
                &format!(
                    "SELECT coalesce(sum(kind = 20 AND flag = 1), 0),
                        coalesce(sum(CASE kind WHEN 20 THEN amount END), 0),
                        coalesce(sum(kind <= 13 OR kind = 20), 0),
                        count(DISTINCT CASE WHEN kind <= 20 THEN o.id END)
                     {OF_PROGRAMS} WHERE o.environment = '{name}'
                        AND date(at / 1000, 'unixepoch') BETWEEN '{start}' AND '{end}'"
                ),
            )
        };
        let [identified, credits, _, active] = used(starts[0]);
        let analytics = self.get(environment, &format!("/partner/analytics{query}"));
        let organizations = numbers::<2>(
            &self.app,
            &format!(
                "SELECT count(*), sum(status = 'active') FROM organization
                 WHERE environment = '{name}'"
            ),
        );
        for (field, expected) in [
            ("totalIdentifications", identified),
            ("creditsUsed", credits),
            ("organizationsWithActivity", active),
            ("totalOrganizations", organizations[0]),
            ("activeOrganizations", organizations[1]),
        ] {
            assert_eq!(analytics[field], expected, "{field} {query}");
        }
        assert_eq!(analytics["startDate"], starts[0]);
        assert_eq!(analytics["endDate"], end);
        let [identified, _, events, _] = used(starts[1]);
        let usage = self.get(environment, &format!("/partner/usage{query}"));
        let expected = json!({
            "startDate": starts[1], "endDate": end,
            "totalQuantity": identified, "totalEvents": events,
        });
        assert_eq!(usage, expected, "{query}");
    }

    /// The usage of every organization this month, compared with the model and plain SELECTs.
    fn check_month(&self, environment: usize, month_start: &str) {
        let usage = self.get(environment, "/partner/billing/usage");
        let rows = usage["organizations"].as_array().unwrap();
        let own = self.organizations.iter();
        let own: Vec<_> = own.filter(|o| o.environment == environment).collect();
        assert_eq!(rows.len(), own.len());
        let mut sums = [0; 2];
        for (row, organization) in rows.iter().zip(own) {
            assert_eq!(row["organizationId"], organization.id);
            let id = organization.id.replace('-', "");
            let sql = format!(
                "SELECT coalesce(sum(kind = 20 AND flag = 1), 0),
                    coalesce(sum(CASE kind WHEN 20 THEN amount END), 0)
                 {OF_PROGRAMS} WHERE o.uuid = x'{id}'
                    AND date(at / 1000, 'unixepoch', 'start of month') = '{month_start}'"
            );
            let found = numbers::<2>(&self.app, &sql);
            let month = &month_start[..7];
            let foretold = [&organization.identified, &organization.credits]
                .map(|by_month| by_month.get(month).copied().unwrap_or(0));
            assert_eq!(found, foretold);
            assert_eq!(row["totalIdentifications"], found[0]);
            assert_eq!(row["creditsUsed"], found[1]);
            assert_eq!(row["overage"], found[0] - found[1]);
            sums = [sums[0] + found[0], sums[1] + found[1]];
        }
        assert_eq!(usage["totalIdentifications"], sums[0]);
        assert_eq!(usage["creditsUsed"], sums[1]);
        let billing = self.get(environment, "/partner/billing");
        assert_eq!(billing["creditPoolUsed"], sums[1]);
        assert_eq!(billing["creditPoolAvailable"], POOL - sums[1]);
        let analytics = self.get(environment, "/partner/analytics");
        assert_eq!(analytics["creditsRemaining"], POOL - sums[1]);
    }

    /// The report of a program's organization, without a period and with some.
    fn check_report(&self, number: usize) {
        let own = self.programs.iter().filter(|program| {
            program.organization == self.programs[number].organization && !program.is_archived
        });
        let own: Vec<_> = own.collect();
        let [first, last] = numbers::<2>(
            &self.app,
            "SELECT min(at), max(at) FROM activity WHERE kind < 50",
        );
        let middle = numbers::<1>(
            &self.app,
            "SELECT at FROM activity ORDER BY seq LIMIT 1 OFFSET (SELECT count(*) / 2 FROM activity)",
        )[0];
        for window in [
            None,
            Some((first, last)),
            Some((first, middle)),
            Some((middle, middle)),
            Some((middle + 1, last.max(middle + 1))),
        ] {
            let expected: Vec<_> = own.iter().filter_map(|p| self.row(p, window)).collect();
            let query = window.map_or(String::new(), |(from, to)| {
                let time = crate::client::time;
                format!("?from={}&to={}", time(from), time(to))
            });
            let path = format!("/v1/reports/program-activity{query}");
            let report = get_as(&self.app, &self.programs[number].key, &path).expect(200);
            assert_eq!(report["data"], json!(expected), "{query}");
        }
    }

    /// The row of a program by plain SELECTs, unless the period excludes it.
    fn row(&self, program: &Program, window: Option<(i64, i64)>) -> Option<Value> {
        let id = program.id.replace('-', "");
        let of = format!(
            "FROM activity WHERE program_id = (SELECT id FROM program WHERE uuid = x'{id}')"
        );
        let (from, to) = window.unwrap_or((i64::MIN, i64::MAX));
        let [events, issued, redeemed] = numbers::<3>(
            &self.app,
            &format!(
                "SELECT coalesce(sum(kind <= 13), 0),
                    coalesce(sum(CASE entry WHEN 1 THEN amount END), 0),
                    coalesce(sum(CASE entry WHEN 2 THEN amount END), 0)
                 {of} AND at >= {from} AND at <= {to}"
            ),
        );
        if window.is_some() && events == 0 {
            return None;
        }
        let [entries, offers, participants] = numbers::<3>(
            &self.app,
            &format!(
                "SELECT count(entry), coalesce(sum(kind = 40), 0) - coalesce(sum(kind = 42), 0),
                    count(DISTINCT CASE WHEN entry <= 2 THEN member_id END) {of}"
            ),
        );
        let tiers = format!(
            "SELECT count(DISTINCT tier) FROM member m JOIN program p ON p.id = m.program_id
             WHERE p.uuid = x'{id}' AND m.archived_at IS NULL"
        );
        let last = format!(
            "SELECT strftime('%Y-%m-%dT%H:%M:%S', max(at) / 1000, 'unixepoch')
                || CASE max(at) % 1000 WHEN 0 THEN '' ELSE printf('.%03d', max(at) % 1000) END
                || 'Z' {of} AND entry IS NOT NULL"
        );
        let called = format!("SELECT name FROM program WHERE uuid = x'{id}'");
        Some(json!({
            "asset_count": 1,
            "event_count": events,
            "journal_count": entries,
            "last_activity_at": text(&self.app, &last),
            "program_id": program.id,
            "program_name": text(&self.app, &called),
            "reward_count": offers,
            "rule_count": 0,
            "tier_count": numbers::<1>(&self.app, &tiers)[0],
            "total_issued": format!("{issued}.00"),
            "total_redeemed": format!("{redeemed}.00"),
            "unique_participants": participants,
        }))
    }
}

fn config() -> ProptestConfig {
    let defaults = ProptestConfig::default();
    let is_asked = std::env::var_os("PROPTEST_CASES").is_some();
    ProptestConfig {
        cases: if is_asked { defaults.cases } else { CASES },
        // The seeds are the same each time, unless more cases are requested.
        rng_seed: if is_asked {
            defaults.rng_seed
        } else {
            RngSeed::Fixed(1)
        },
        max_shrink_iters: 200,
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(
            "tests/api/partner_history.proptest-regressions",
        ))),
        ..defaults
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn every_history_of_several_organizations_adds_up(
        steps in prop::collection::vec(step(), 40..=120)
    ) {
        let mut world = World::new();
        for step in &steps {
            world = world.take(step);
        }
        world.check();
        world = world.take(&Step::Restart);
        world.check();
    }
}
