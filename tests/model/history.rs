//! The model that predicts every response, and the server that runs a history.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::sample::Index;
use serde_json::{Value, json};
use stampcard::clock::Clock;

use crate::oracle;
use crate::step::{Step, TIERS, Terms, WAY};
use crate::support::{LIVE_KEY, Response, SANDBOX_KEY, TestApp};

const POINTS_MAX: i64 = 9_007_199_254_740_991;
const DAY_MS: i64 = 86_400_000;
const TOKEN_MS: i64 = 900_000;

#[derive(Debug, Clone, Default)]
struct Member {
    tier: usize,
    received: i64,
    spent: i64,
    is_archived: bool,
    /// Whether the last removal retained the balance.
    retained: bool,
    epoch: u32,
    token: Option<(String, u32, i64)>,
}

impl Member {
    fn balance(&self) -> i64 {
        self.received - self.spent
    }
}

#[derive(Debug, Clone)]
struct Offer {
    id: String,
    price: i64,
    stock: Option<i64>,
    tiers: Vec<usize>,
    expires_ms: Option<i64>,
    is_archived: bool,
}

#[derive(Debug, Clone)]
struct Redemption {
    id: String,
    /// Index into `members`.
    member: usize,
    /// Index into `offers`.
    offer: usize,
    status: usize,
    charged: i64,
    took_stock: bool,
    rating: Option<i64>,
}

/// A POST with an Idempotency-Key and its response.
#[derive(Debug, Clone)]
struct Saved {
    at_ms: i64,
    key: String,
    path: String,
    body: Value,
    answer: Response,
}

/// A status, and the code of an error.
type Predicted = (u16, &'static str);
const OK: Predicted = (200, "");
const CREATED: Predicted = (201, "");
const NOT_FOUND: Predicted = (404, "NOT_FOUND");
const UNAUTHORIZED: Predicted = (401, "UNAUTHORIZED");
const TOO_FEW: Predicted = (422, "INSUFFICIENT_POINTS");
const TOO_LATE: Predicted = (409, "REDEMPTION_TRANSITION_INVALID");

/// The server and the model of its state.
struct World {
    app: TestApp,
    members: Vec<Member>,
    /// The index in `members` of each external id; an erased member has no known one.
    known: BTreeMap<u8, usize>,
    /// The erased members, when they were erased, and whether the balance was retained.
    erased: Vec<(u8, i64, bool)>,
    offers: Vec<Offer>,
    redemptions: Vec<Redemption>,
    kept: Vec<Saved>,
    default_tier: usize,
    keys: usize,
    /// The program's time does not go back behind this.
    floor_ms: i64,
    /// The latest time of the clock: a key that was a day old at some time is forgotten.
    latest_ms: i64,
}

/// Runs a history from the first start on, and checks everything that can be checked.
pub(crate) fn live(steps: &[Step]) {
    let mut world = World {
        app: TestApp::start(),
        members: Vec::new(),
        known: BTreeMap::new(),
        erased: Vec::new(),
        offers: Vec::new(),
        redemptions: Vec::new(),
        kept: Vec::new(),
        default_tier: 0,
        keys: 0,
        floor_ms: 0,
        latest_ms: 0,
    };
    for step in steps {
        world = world.take(step);
    }
    world.check();
    world = world.restart();
    world.check();
}

impl World {
    fn take(mut self, step: &Step) -> Self {
        match step {
            Step::SetMember(member, tier) => self.set_member(*member, *tier),
            Step::Exchange(member) => self.exchange(*member),
            Step::Credit(member, amount) => self.credit(*member, *amount),
            Step::CreditTooMuch(member) => self.credit(*member, POINTS_MAX),
            Step::Debit(member, amount) => self.debit(*member, *amount),
            Step::CreateOffer(terms) => self.create_offer(terms),
            Step::PatchOffer(index, terms) => self.patch_offer(*index, terms),
            Step::ArchiveOffer(index) => self.archive_offer(*index),
            Step::Redeem(member, index) => self.redeem(*member, *index),
            Step::RedeemAsMember(member, index) => self.redeem_as_member(*member, *index),
            Step::Move(index, status) => self.advance(*index, *status),
            Step::Cancel(index) => self.cancel(*index),
            Step::CancelAsMember(index) => self.cancel_as_member(*index),
            Step::Rate(index, rating) => self.rate(*index, *rating),
            Step::Remove {
                member,
                retain,
                erase,
            } => self.remove(*member, *retain, *erase),
            Step::Configure(tier) => self.configure(*tier),
            Step::Wait(seconds) => self
                .app
                .clock
                .advance(Duration::from_secs(u64::from(*seconds))),
            Step::Replay(index) => self.replay(*index),
            Step::ReuseKey(index) => self.reuse_key(*index),
            Step::Restart => return self.restart(),
            Step::RestartEarlier(seconds) => return self.restart_earlier(*seconds),
        }
        self
    }

    fn now_ms(&self) -> i64 {
        self.app.clock.now().as_millis()
    }

    /// A POST with the Org-API-Key; every other one has an Idempotency-Key.
    fn post(&mut self, path: &str, body: Value, foretold: Predicted) -> Value {
        self.keys += 1;
        if self.keys.is_multiple_of(2) {
            return checked(&self.app.post(path, &body), foretold);
        }
        let key = format!("key-{}", self.keys);
        let answer = send(&self.app, path, &body, &key);
        let value = checked(&answer, foretold);
        assert_eq!(answer.header("idempotency-replayed"), None);
        let (at_ms, path) = (self.now_ms(), path.to_owned());
        self.kept.push(Saved {
            at_ms,
            key,
            path,
            body,
            answer,
        });
        value
    }

    fn set_member(&mut self, name: u8, tier: Option<usize>) {
        let body = tier.map_or(json!({}), |tier| json!({"tier": TIERS[tier]}));
        checked(&self.app.put(&format!("/v1/members/u{name}"), &body), OK);
        let place = self.signed_up(name, tier);
        let member = &mut self.members[place];
        member.is_archived = false;
        member.tier = tier.unwrap_or(member.tier);
    }

    /// The index of a member, who signs up if necessary.
    fn signed_up(&mut self, name: u8, tier: Option<usize>) -> usize {
        *self.known.entry(name).or_insert_with(|| {
            self.members.push(Member {
                tier: tier.unwrap_or(self.default_tier),
                ..Member::default()
            });
            self.members.len() - 1
        })
    }

    fn exchange(&mut self, name: u8) {
        let is_archived = self
            .known
            .get(&name)
            .is_some_and(|place| self.members[*place].is_archived);
        let body = json!({"externalUserID": format!("u{name}")});
        let foretold = if is_archived { NOT_FOUND } else { OK };
        let answer = self.post("/v1/auth/exchange", body, foretold);
        if !is_archived {
            let place = self.signed_up(name, None);
            let token = answer["accessToken"].as_str().unwrap().to_owned();
            let ends = self.now_ms() + TOKEN_MS;
            let member = &mut self.members[place];
            member.token = Some((token, member.epoch, ends));
        }
    }

    /// The index of a member that is not removed.
    fn current(&self, name: u8) -> Option<usize> {
        let place = *self.known.get(&name)?;
        (!self.members[place].is_archived).then_some(place)
    }

    fn credit(&mut self, name: u8, amount: i64) {
        let place = self.current(name);
        let received: i64 = self.members.iter().map(|member| member.received).sum();
        if amount == POINTS_MAX && received == 0 {
            // It would succeed and all later credits would be refused: a useless history.
            return;
        }
        let foretold = match place {
            None => NOT_FOUND,
            Some(_) if received > POINTS_MAX - amount => (422, "VALIDATION"),
            Some(_) => OK,
        };
        let body = json!({"externalUserID": format!("u{name}"), "amount": amount, "reason": "r"});
        let answer = self.post("/v1/wallet/credit", body, foretold);
        if let Some(place) = place.filter(|_| foretold == OK) {
            self.members[place].received += amount;
            assert_eq!(answer["balance"], self.members[place].balance());
        }
    }

    fn debit(&mut self, name: u8, amount: i64) {
        let place = self.current(name);
        let foretold = match place {
            None => NOT_FOUND,
            Some(place) if self.members[place].balance() < amount => TOO_FEW,
            Some(_) => OK,
        };
        let body = json!({"externalUserID": format!("u{name}"), "amount": amount});
        let answer = self.post("/v1/wallet/debit", body, foretold);
        if let Some(place) = place.filter(|_| foretold == OK) {
            self.members[place].spent += amount;
            assert_eq!(answer["balance"], self.members[place].balance());
        }
    }

    fn offer_of(&self, terms: &Terms) -> (Value, Offer) {
        let now = self.app.clock.now();
        let expires = terms
            .expires
            .map(|seconds| now.saturating_add(Duration::from_secs(u64::from(seconds))));
        let tiers: Vec<&str> = terms.tiers.iter().map(|tier| TIERS[*tier]).collect();
        let body = json!({
            "title": "An offer",
            "pointsPrice": terms.price,
            "availability": {"quantityRemaining": terms.stock},
            "tiers": tiers,
            "expiresAt": expires.map(|at| at.to_string()),
        });
        let offer = Offer {
            id: String::new(),
            price: terms.price.unwrap_or(0),
            stock: terms.stock,
            tiers: terms.tiers.clone(),
            expires_ms: expires.map(stampcard::domain::Timestamp::as_millis),
            is_archived: false,
        };
        (body, offer)
    }

    fn create_offer(&mut self, terms: &Terms) {
        let (body, mut offer) = self.offer_of(terms);
        let answer = self.post("/v1/offers", body, CREATED);
        answer["id"].as_str().unwrap().clone_into(&mut offer.id);
        self.offers.push(offer);
    }

    fn patch_offer(&mut self, index: Index, terms: &Terms) {
        if self.offers.is_empty() {
            return;
        }
        let place = index.index(self.offers.len());
        let (body, offer) = self.offer_of(terms);
        let before = self.offers[place].clone();
        let path = format!("/v1/offers/{}", before.id);
        let foretold = if before.is_archived { NOT_FOUND } else { OK };
        checked(&self.app.patch(&path, &body), foretold);
        if !before.is_archived {
            let id = before.id;
            self.offers[place] = Offer { id, ..offer };
        }
    }

    fn archive_offer(&mut self, index: Index) {
        if self.offers.is_empty() {
            return;
        }
        let place = index.index(self.offers.len());
        let offer = &mut self.offers[place];
        let foretold = if offer.is_archived { NOT_FOUND } else { OK };
        offer.is_archived = true;
        checked(
            &self.app.delete(&format!("/v1/offers/{}", offer.id)),
            foretold,
        );
    }

    /// The expected result when a current member redeems an offer.
    fn predict_redeem(&self, member: usize, offer: usize) -> Predicted {
        let now = self.now_ms().max(self.floor_ms);
        let (who, what) = (&self.members[member], &self.offers[offer]);
        let is_open = what.tiers.is_empty() || what.tiers.contains(&who.tier);
        let is_held = |held: &Redemption| {
            held.member == member && held.offer == offer && WAY[held.status] != "CANCELED"
        };
        if what.is_archived {
            NOT_FOUND
        } else if what.expires_ms.is_some_and(|at| at <= now) || what.stock == Some(0) || !is_open {
            (422, "OFFER_UNAVAILABLE")
        } else if self.redemptions.iter().any(is_held) {
            (409, "REDEMPTION_ALREADY_EXISTS")
        } else if who.balance() < what.price {
            TOO_FEW
        } else {
            CREATED
        }
    }

    fn redeem(&mut self, name: u8, index: Index) {
        if self.offers.is_empty() {
            return;
        }
        let offer = index.index(self.offers.len());
        let member = self.current(name);
        let foretold = member.map_or(NOT_FOUND, |member| self.predict_redeem(member, offer));
        let id = &self.offers[offer].id;
        let body = json!({"externalUserID": format!("u{name}"), "offer": id});
        let answer = self.post("/v1/redemptions", body, foretold);
        if let Some(member) = member.filter(|_| foretold == CREATED) {
            self.redeemed(member, offer, &answer);
        }
    }

    fn redeem_as_member(&mut self, name: u8, index: Index) {
        let Some(member) = self.known.get(&name).copied() else {
            return;
        };
        let Some((token, is_good)) = self.token(member) else {
            return;
        };
        if self.offers.is_empty() {
            return;
        }
        let offer = index.index(self.offers.len());
        let foretold = if is_good {
            self.predict_redeem(member, offer)
        } else {
            UNAUTHORIZED
        };
        let body = json!({"offer": self.offers[offer].id});
        let request = self.app.request("POST", "/v1/redemptions");
        let answer = checked(&request.bearer(&token).json(&body).send(), foretold);
        if foretold == CREATED {
            self.redeemed(member, offer, &answer);
        }
    }

    /// A member's last token, and whether it is still valid.
    fn token(&self, member: usize) -> Option<(String, bool)> {
        let member = &self.members[member];
        let (token, epoch, ends) = member.token.clone()?;
        let is_good = !member.is_archived && epoch == member.epoch && self.now_ms() < ends;
        Some((token, is_good))
    }

    fn redeemed(&mut self, member: usize, offer: usize, answer: &Value) {
        let what = &mut self.offers[offer];
        what.stock = what.stock.map(|pieces| pieces - 1);
        self.members[member].spent += what.price;
        assert_eq!(answer["pointsCharged"], what.price);
        assert_eq!(answer["status"], "SUBMITTED");
        self.redemptions.push(Redemption {
            id: answer["id"].as_str().unwrap().to_owned(),
            member,
            offer,
            status: 0,
            charged: what.price,
            took_stock: what.stock.is_some(),
            rating: None,
        });
    }

    fn advance(&mut self, index: Index, next: usize) {
        if self.redemptions.is_empty() {
            return;
        }
        let place = index.index(self.redemptions.len());
        let redemption = self.redemptions[place].clone();
        let (from, to) = (WAY[redemption.status], WAY[next]);
        let is_over = matches!(from, "COMPLETED" | "CANCELED");
        let goes_back = (from, to) == ("AWAITING_CUSTOMER", "AWAITING_VENDOR");
        let is_legal = from == to || !is_over && (next > redemption.status || goes_back);
        let path = format!("/v1/redemptions/{}", redemption.id);
        let answer = self.app.patch(&path, &json!({"status": to}));
        let answer = checked(&answer, if is_legal { OK } else { TOO_LATE });
        if is_legal {
            assert_eq!(answer["status"], to);
            self.moved(place, next);
        }
    }

    fn moved(&mut self, place: usize, next: usize) {
        let redemption = &mut self.redemptions[place];
        if WAY[next] == "CANCELED" && WAY[redemption.status] != "CANCELED" {
            self.members[redemption.member].received += redemption.charged;
            let offer = &mut self.offers[redemption.offer];
            if redemption.took_stock {
                offer.stock = offer.stock.map(|pieces| pieces + 1);
            }
        }
        redemption.status = next;
    }

    fn cancel(&mut self, index: Index) {
        if self.redemptions.is_empty() {
            return;
        }
        let place = index.index(self.redemptions.len());
        let is_legal = WAY[self.redemptions[place].status] != "COMPLETED";
        let path = format!("/v1/redemptions/{}/cancel", self.redemptions[place].id);
        self.post(&path, json!({}), if is_legal { OK } else { TOO_LATE });
        if is_legal {
            self.moved(place, WAY.len() - 1);
        }
    }

    fn cancel_as_member(&mut self, index: Index) {
        if self.redemptions.is_empty() {
            return;
        }
        let place = index.index(self.redemptions.len());
        let redemption = self.redemptions[place].clone();
        let Some((token, is_good)) = self.token(redemption.member) else {
            return;
        };
        let is_legal = matches!(WAY[redemption.status], "SUBMITTED" | "OPEN" | "CANCELED");
        let foretold = match (is_good, is_legal) {
            (false, _) => UNAUTHORIZED,
            (true, false) => TOO_LATE,
            (true, true) => OK,
        };
        let path = format!("/v1/redemptions/{}/cancel", redemption.id);
        checked(
            &self.app.request("POST", &path).bearer(&token).send(),
            foretold,
        );
        if foretold == OK {
            self.moved(place, WAY.len() - 1);
        }
    }

    fn rate(&mut self, index: Index, rating: i64) {
        if self.redemptions.is_empty() {
            return;
        }
        let place = index.index(self.redemptions.len());
        let redemption = self.redemptions[place].clone();
        let Some((token, is_good)) = self.token(redemption.member) else {
            return;
        };
        let foretold = match (is_good, WAY[redemption.status]) {
            (false, _) => UNAUTHORIZED,
            (true, "COMPLETED") => OK,
            (true, _) => (422, "REDEMPTION_NOT_COMPLETED"),
        };
        let path = format!("/v1/redemptions/{}/feedback", redemption.id);
        let body = json!({"rating": rating, "comment": format!("comment {rating}")});
        let request = self.app.request("PUT", &path).bearer(&token);
        checked(&request.json(&body).send(), foretold);
        if foretold == OK {
            self.redemptions[place].rating = Some(rating);
        }
    }

    fn remove(&mut self, name: u8, retain: bool, erase: bool) {
        let path = format!("/v1/members/u{name}?retainBalance={retain}&erase={erase}");
        let Some(place) = self.known.get(&name).copied() else {
            return self.remove_unknown(name, &path);
        };
        let now = self.now_ms();
        let member = &mut self.members[place];
        if !member.is_archived {
            member.is_archived = true;
            member.epoch += 1;
            member.retained = retain;
            if !retain {
                member.spent = member.received;
            }
        }
        let retained = member.retained;
        if erase {
            self.known.remove(&name);
            self.erased.push((name, now, retained));
        }
        let answer = checked(&self.app.delete(&path), OK);
        assert_eq!(answer["balanceRetained"], retained, "{path}");
    }

    /// Removes an unknown or erased member.
    fn remove_unknown(&mut self, name: u8, path: &str) {
        let now = self.now_ms();
        let mut erased = self.erased.iter().rev();
        let erased = erased.find(|(of, at, _)| *of == name && *at > now - DAY_MS);
        match erased {
            // The clock went back: the record of the erasure may or may not have been deleted.
            Some((_, at, _)) if *at <= self.latest_ms - DAY_MS => {}
            Some((_, _, retained)) => {
                let answer = checked(&self.app.delete(path), OK);
                assert_eq!(answer["balanceRetained"], *retained, "{path}");
            }
            None => drop(checked(&self.app.delete(path), NOT_FOUND)),
        }
    }

    fn configure(&mut self, tier: usize) {
        let body = json!({"defaultTier": TIERS[tier], "currencyName": format!("Coins {tier}")});
        checked(&self.app.put("/v1/configuration", &body), OK);
        self.default_tier = tier;
    }

    /// A request with a saved response that is recent enough to be repeated.
    fn saved(&self, index: Index) -> Option<Saved> {
        let oldest = self.now_ms().max(self.latest_ms) - DAY_MS;
        let fresh: Vec<&Saved> = self.kept.iter().filter(|k| k.at_ms > oldest).collect();
        // Decisions by a rule are saved; refusals of invalid input are not.
        let fresh = fresh
            .into_iter()
            .filter(|kept| !kept.answer.text().contains("VALIDATION"));
        let fresh: Vec<&Saved> = fresh.collect();
        (!fresh.is_empty()).then(|| fresh[index.index(fresh.len())].clone())
    }

    fn replay(&self, index: Index) {
        let Some(kept) = self.saved(index) else {
            return;
        };
        let again = send(&self.app, &kept.path, &kept.body, &kept.key);
        assert_eq!(
            (again.status, again.text()),
            (kept.answer.status, kept.answer.text())
        );
        assert_eq!(again.header("idempotency-replayed"), Some("true"));
    }

    fn reuse_key(&self, index: Index) {
        let Some(mut kept) = self.saved(index) else {
            return;
        };
        kept.body["other"] = json!(true);
        let refused = send(&self.app, &kept.path, &kept.body, &kept.key);
        checked(&refused, (409, "IDEMPOTENCY_KEY_REUSED"));
    }

    /// Stops the server and starts another; it must return the same responses, byte for byte.
    fn restart(mut self) -> Self {
        let before = self.answers();
        self.app = self.app.restart();
        assert_eq!(self.answers(), before);
        self
    }

    /// Restarts with a clock that is behind: the program's time stands still until it catches up.
    fn restart_earlier(mut self, seconds: u16) -> Self {
        let sql = "SELECT max(at) FROM activity WHERE program_id = 1";
        let last = self.app.sqlite().query_row(sql, [], |row| row.get(0));
        self.floor_ms = last.unwrap();
        let before = (
            self.app.summary(),
            self.app.get("/v1/analytics/offers").text(),
        );
        let now = self.app.clock.now();
        self.latest_ms = self.latest_ms.max(now.as_millis());
        let earlier = now.saturating_sub(Duration::from_secs(u64::from(seconds)));
        self.app.clock = Clock::fixed(earlier);
        self.app = self.app.restart();
        let after = (
            self.app.summary(),
            self.app.get("/v1/analytics/offers").text(),
        );
        assert_eq!(after, before);
        self
    }

    fn answers(&self) -> Vec<String> {
        let mut answers = Vec::new();
        for key in [SANDBOX_KEY, LIVE_KEY] {
            for path in [
                "/v1/analytics/summary",
                "/v1/analytics/offers",
                "/v1/offers?limit=100",
                "/v1/redemptions?limit=100",
                "/v1/members?limit=100&includeArchived=true",
                "/v1/configuration",
            ] {
                let answer = self.app.request("GET", path).bearer(key).send();
                assert_eq!(answer.status, 200, "{}", answer.text());
                answers.push(answer.text());
            }
        }
        answers
    }

    /// Compares everything: the server's responses with SQL, SQL with the model.
    fn check(&self) {
        oracle::check(&self.app.database());
        let connection = stampcard::store::open_read_only(&self.app.database()).unwrap();
        for (key, environment) in [(SANDBOX_KEY, "sandbox"), (LIVE_KEY, "live")] {
            let get = |path: &str| self.app.request("GET", path).bearer(key).send().expect(200);
            let summary = oracle::summary(&connection, environment);
            oracle::assert_has(&get("/v1/analytics/summary"), &summary);
            let offers = oracle::offers(&connection, environment);
            oracle::assert_has(&get("/v1/analytics/offers"), &offers);
        }
        self.check_model();
    }

    fn check_model(&self) {
        let summary = self.app.summary();
        let balances: i64 = self.members.iter().map(Member::balance).sum();
        let of = |name: &str| summary[name].as_i64().unwrap();
        assert_eq!(
            of("pointsMinted") + of("pointsRefunded")
                - of("pointsSpent")
                - of("pointsForfeited")
                - of("pointsDebited"),
            balances
        );
        let current = self.members.iter().filter(|member| !member.is_archived);
        assert_eq!(summary["activeMembers"], current.count());
        assert_eq!(summary["memberCount"], self.members.len());
        assert_eq!(summary["redemptions"]["total"], self.redemptions.len());
        for (name, place) in &self.known {
            let path = format!("/v1/members/u{name}?includeArchived=true");
            let member = self.app.get(&path).expect(200);
            let expected = &self.members[*place];
            assert_eq!(member["wallet"]["balance"], expected.balance(), "{member}");
            assert_eq!(member["tier"], TIERS[expected.tier]);
        }
        for offer in self.offers.iter().filter(|offer| !offer.is_archived) {
            let found = self
                .app
                .get(&format!("/v1/offers/{}", offer.id))
                .expect(200);
            let remaining = &found["availability"]["quantityRemaining"];
            assert_eq!(*remaining, offer.stock.unwrap_or(2_147_483_647), "{found}");
        }
        for redemption in &self.redemptions {
            let path = format!("/v1/redemptions/{}", redemption.id);
            let found = self.app.get(&path).expect(200);
            assert_eq!(found["status"], WAY[redemption.status]);
            assert_eq!(found["feedback"]["rating"].as_i64(), redemption.rating);
        }
    }
}

fn send(app: &TestApp, path: &str, body: &Value, key: &str) -> Response {
    let request = app.request("POST", path).bearer(SANDBOX_KEY);
    request.idempotency_key(key).json(body).send()
}

/// The body of a response, after a check that it is the predicted one.
#[track_caller]
pub(crate) fn checked(answer: &Response, foretold: Predicted) -> Value {
    let body = answer.json();
    // An error of the partner's routes has no envelope. A redemption has a code, too.
    let flat = body["code"].as_str().filter(|_| answer.status >= 400);
    let code = body["error"]["code"].as_str().or(flat);
    assert_eq!(
        (answer.status, code.unwrap_or_default()),
        foretold,
        "{body}"
    );
    body
}
