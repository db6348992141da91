//! The server that runs a history, beside the model.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::sample::Index;
use serde_json::{Value, json};
use stampcard::domain::Timestamp;

use super::Tally;
use super::again::Saved;
use super::naive::{CREATED, MAX, Member, NOT_FOUND, Naive, OK, Outcome, Redemption, UNAUTHORIZED};
use super::step::{Beginning, Goal, OfferChange, PoolChange, Step, Who, an_offer};
use crate::history::checked;
use crate::step::{TIERS, WAY};
use crate::support::{LIVE_KEY, PARTNER_LIVE_KEY, Response, TestApp};

const TOKEN_MS: i64 = 900_000;

/// A member's last token, and until when and which removal it is valid.
#[derive(Debug, Clone)]
struct Token {
    text: String,
    removals: u32,
    ends: i64,
}

pub(super) struct World {
    pub(super) app: TestApp,
    pub(super) naive: Naive,
    /// The keys of the organization's two programs.
    pub(super) keys: [String; 2],
    /// The partner's path of the pool.
    pub(super) pool: String,
    /// The ids of the model's offers and redemptions.
    pub(super) offers: Vec<String>,
    pub(super) redemptions: Vec<String>,
    tokens: BTreeMap<usize, Token>,
    pub(super) saved: Vec<Saved>,
    pub(super) posts: usize,
    pub(super) tally: Tally,
}

impl World {
    pub(super) fn begin(beginning: &Beginning) -> Self {
        let app = TestApp::start_with(|settings| settings.rate_limit.per_minute = 0);
        let as_live = |method: &str, path: &str, body: &Value| {
            let request = app.request(method, path).bearer(LIVE_KEY);
            request.json(body).send()
        };
        let second = as_live("POST", "/v1/programs", &json!({"name": "Second"})).expect(201);
        let rate = json!({"ratePerPoint": 0.01, "currencyUnitsPerUSD": 2});
        as_live("PUT", "/v1/configuration", &rate).expect(200);
        let list = app.request("GET", "/partner/organizations");
        let list = list.bearer(PARTNER_LIVE_KEY).send().expect(200);
        let id = list["organizations"][0]["id"].as_str().unwrap();
        let pool = format!("/partner/organizations/{id}/pool");
        let key = second["apiKey"].as_str().unwrap().to_owned();
        let mut world = Self {
            app,
            naive: Naive::default(),
            keys: [LIVE_KEY.to_owned(), key],
            pool,
            offers: Vec::new(),
            redemptions: Vec::new(),
            tokens: BTreeMap::new(),
            saved: Vec::new(),
            posts: 0,
            tally: Tally::default(),
        };
        world.prepare(beginning);
        world
    }

    fn prepare(&mut self, beginning: &Beginning) {
        for who in [(0, 0), (0, 1), (0, 2), (1, 0)] {
            self.set_member(who, None);
        }
        for program in 0..self.keys.len() {
            self.create_offer(program, &an_offer());
        }
        match beginning {
            Beginning::Bare => {}
            Beginning::Funded(amount) => self.fund(*amount),
            Beginning::Paying(amount, limit) => {
                self.set_pool(&PoolChange {
                    credit_limit: Some(*limit),
                    low_threshold: Some(100),
                    pays_redemptions: Some(true),
                });
                self.fund(*amount);
            }
        }
    }

    pub(super) fn take(mut self, step: &Step) -> Self {
        self.naive.now = self.now();
        match step {
            Step::SetMember(who, tier) => self.set_member(*who, *tier),
            Step::Credit(who, amount) => self.credit(*who, *amount),
            Step::Debit(who, amount) => self.debit(*who, *amount),
            Step::Fund(amount) => self.fund(*amount),
            Step::SetPool(change) => self.set_pool(change),
            Step::Switch(programs) => self.switch(*programs),
            Step::CreateOffer(program, change) => self.create_offer(*program, change),
            Step::ChangeOffer(index, change) => self.change_offer(*index, change),
            Step::ArchiveOffer(index) => self.archive_offer(*index),
            Step::Redeem {
                who,
                offer,
                as_member,
            } => self.redeem(*who, *offer, *as_member),
            Step::Exactly {
                who,
                offer,
                goal,
                extra,
            } => self.exactly(*who, *offer, (*goal, *extra)),
            Step::Move(index, status) => self.advance(*index, *status),
            Step::Cancel {
                redemption,
                as_member,
            } => self.cancel(*redemption, *as_member),
            Step::Rate { .. } => self.rate(step),
            Step::Remove {
                who,
                retain,
                erase,
                cancel,
            } => {
                let of = self.naive.known.get(who).copied();
                self.remove(*who, *retain, *erase);
                if let Some(of) = of {
                    self.follow_up(of, *erase, *cancel);
                }
            }
            Step::Wait(seconds) => {
                let seconds = Duration::from_secs(u64::from(*seconds));
                self.app.clock.advance(seconds);
            }
            Step::Repeat(index) => self.repeat(*index),
            Step::Check => self.check(),
            Step::Restart => return self.restart(),
        }
        self
    }

    pub(super) fn now(&self) -> i64 {
        self.app.clock.now().as_millis()
    }

    /// The body of a response, after a check that it is the expected one.
    #[track_caller]
    pub(super) fn expect(&mut self, what: &str, answer: &Response, expected: Outcome) -> Value {
        let body = checked(answer, expected);
        self.tally.note(what, expected);
        body
    }

    /// A request with a body.
    pub(super) fn send(
        &self,
        method: &str,
        path: &str,
        credential: &str,
        body: &Value,
    ) -> Response {
        let request = self.app.request(method, path).bearer(credential);
        request.json(body).send()
    }

    pub(super) fn is_erased(&self, member: usize) -> bool {
        self.naive.members[member].is_erased
    }

    fn set_member(&mut self, who: Who, tier: Option<usize>) {
        let was_removed = self.naive.known.contains_key(&who) && self.naive.current(who).is_none();
        let what = if was_removed { "restore" } else { "set member" };
        let body = tier.map_or(json!({}), |tier| json!({"tier": TIERS[tier]}));
        let path = format!("/v1/members/u{}", who.1);
        let answer = self.send("PUT", &path, &self.keys[who.0], &body);
        let expected = self.naive.set_member(who, tier);
        self.expect(what, &answer, expected);
    }

    fn credit(&mut self, who: Who, amount: i64) {
        let expected = self.naive.credit(who, amount);
        self.move_points("credit", who, amount, expected);
    }

    fn debit(&mut self, who: Who, amount: i64) {
        let expected = self.naive.debit(who, amount);
        self.move_points("debit", who, amount, expected);
    }

    fn move_points(&mut self, what: &str, who: Who, amount: i64, expected: Outcome) {
        let body = json!({"externalUserID": format!("u{}", who.1), "amount": amount});
        let (key, path) = (self.keys[who.0].clone(), format!("/v1/wallet/{what}"));
        let answer = self.post((what, None), (&key, &path), body, expected);
        if expected == OK {
            let member = &self.naive.members[self.naive.known[&who]];
            assert_eq!(answer["balance"], member.balance());
        }
    }

    fn fund(&mut self, amount: i64) {
        let expected = self.naive.fund(amount);
        let path = format!("{}/fund", self.pool);
        let body = json!({"amount": amount, "note": "an invoice"});
        let answer = self.post(("fund", None), (PARTNER_LIVE_KEY, &path), body, expected);
        if expected == CREATED {
            assert_eq!(answer, self.shown_pool());
        }
    }

    fn set_pool(&mut self, change: &PoolChange) {
        let expected = self.naive.set_pool(change);
        let mut body = json!({});
        for (name, value) in [
            ("creditLimit", change.credit_limit.map(Value::from)),
            ("lowThreshold", change.low_threshold.map(Value::from)),
            (
                "settlementMode",
                change.pays_redemptions.map(|pays| json!(mode(pays))),
            ),
        ] {
            if let Some(value) = value {
                body[name] = value;
            }
        }
        let answer = self.send("PUT", &self.pool, PARTNER_LIVE_KEY, &body);
        let what = match change.pays_redemptions {
            Some(true) => "set ORG_POOL",
            Some(false) => "set MEMBER_WALLET",
            None => "set pool",
        };
        let answer = self.expect(what, &answer, expected);
        if expected == OK {
            assert_eq!(answer, self.shown_pool());
        }
    }

    fn switch(&mut self, programs: usize) {
        let pool = self.naive.pool.as_ref();
        let pays = pool.is_some_and(|pool| pool.pays_redemptions);
        if !pays {
            for (who, place) in self.naive.known.clone() {
                let member = &self.naive.members[place];
                if who.0 < programs && !member.is_removed && member.balance() > 0 {
                    self.debit(who, member.balance());
                }
            }
        }
        self.set_pool(&PoolChange {
            credit_limit: None,
            low_threshold: None,
            pays_redemptions: Some(!pays),
        });
    }

    /// The fields of a request to create or change an offer.
    fn offer_body(&self, change: &OfferChange) -> Value {
        let now = self.now();
        let time = |set: Option<i32>| {
            let at = set.map(|seconds| now + i64::from(seconds) * 1000);
            at.map(|at| Timestamp::from_millis(at).unwrap().to_string())
        };
        let tiers = change.tiers.as_ref();
        let tiers = tiers.map(|tiers| tiers.iter().map(|tier| TIERS[*tier]).collect::<Vec<_>>());
        let mut limit = json!({});
        if let Some(most) = change.per_member {
            limit["perMember"] = json!(most);
        }
        if let Some(only_open) = change.only_open {
            limit["per"] = json!(if only_open { "open" } else { "ever" });
        }
        let mut body = json!({"title": "An offer", "redemptionLimit": limit});
        for (name, value) in [
            ("pointsPrice", change.price.map(|price| json!(price))),
            (
                "availability",
                change
                    .stock
                    .map(|stock| json!({"quantityRemaining": stock})),
            ),
            ("availableFrom", change.from.map(|from| json!(time(from)))),
            (
                "availableUntil",
                change.until.map(|until| json!(time(until))),
            ),
            ("paused", change.paused.map(|paused| json!(paused))),
            ("tiers", tiers.map(|tiers| json!(tiers))),
        ] {
            if let Some(value) = value {
                body[name] = value;
            }
        }
        body
    }

    fn create_offer(&mut self, program: usize, change: &OfferChange) {
        let expected = self.naive.create_offer(program, change);
        let body = self.offer_body(change);
        let key = self.keys[program].clone();
        let answer = self.post(("create offer", None), (&key, "/v1/offers"), body, expected);
        if expected == CREATED {
            self.offers.push(answer["id"].as_str().unwrap().to_owned());
        }
    }

    /// A selected offer, the key of its program and its path.
    fn offer(&self, index: Index) -> Option<(usize, String, String)> {
        let place = (!self.offers.is_empty()).then(|| index.index(self.offers.len()))?;
        let key = self.keys[self.naive.offers[place].program].clone();
        Some((place, key, format!("/v1/offers/{}", self.offers[place])))
    }

    fn change_offer(&mut self, index: Index, change: &OfferChange) {
        let Some((place, key, path)) = self.offer(index) else {
            return;
        };
        let answer = self.send("PATCH", &path, &key, &self.offer_body(change));
        let expected = self.naive.change_offer(place, change);
        self.expect("change offer", &answer, expected);
    }

    fn archive_offer(&mut self, index: Index) {
        let Some((place, key, path)) = self.offer(index) else {
            return;
        };
        let answer = self.app.request("DELETE", &path).bearer(&key).send();
        let expected = self.naive.archive_offer(place);
        self.expect("archive offer", &answer, expected);
    }

    /// A token of a member, valid or not; a member that is not removed gets one.
    fn token(&mut self, who: Who, place: usize) -> Option<(String, bool)> {
        let now = self.now();
        let member = self.naive.members[place].clone();
        if let Some(token) = self.tokens.get(&place).cloned() {
            let is_good =
                !member.is_removed && token.removals == member.removals && now < token.ends;
            if !is_good {
                self.tokens.remove(&place);
            }
            return Some((token.text, is_good));
        }
        self.naive.current(who)?;
        let body = json!({"externalUserID": format!("u{}", who.1)});
        let grant = self.send("POST", "/v1/auth/exchange", &self.keys[who.0], &body);
        let text = grant.expect(200)["accessToken"]
            .as_str()
            .unwrap()
            .to_owned();
        let token = Token {
            text: text.clone(),
            removals: member.removals,
            ends: now + TOKEN_MS,
        };
        self.tokens.insert(place, token);
        Some((text, true))
    }

    /// The name of a member; that of an erased one is nobody's.
    fn name_of(&self, place: usize) -> Who {
        let mut known = self.naive.known.iter();
        let found = known.find(|(_, known)| **known == place);
        found.map_or((self.naive.members[place].program, u8::MAX), |(who, _)| {
            *who
        })
    }

    fn redeem(&mut self, who: Who, index: Index, as_member: bool) {
        let Some(offer) = self.offer_for(who, index) else {
            return;
        };
        let mut body = json!({"offer": self.offers[offer]});
        let place = self.naive.known.get(&who).copied();
        let pays = self
            .naive
            .pool
            .as_ref()
            .is_some_and(|pool| pool.pays_redemptions);
        let what = if pays { "redeem of pool" } else { "redeem" };
        let answer = if as_member {
            let Some((place, (token, is_good))) =
                place.and_then(|place| Some((place, self.token(who, place)?)))
            else {
                return;
            };
            let answer = self.send("POST", "/v1/redemptions", &token, &body);
            let expected = if is_good {
                self.naive.redeem(place, offer)
            } else {
                UNAUTHORIZED
            };
            let answer = self.expect(what, &answer, expected);
            (expected == CREATED).then_some(answer)
        } else {
            let place = self.naive.current(who);
            let expected = place.map_or(NOT_FOUND, |place| self.naive.redeem(place, offer));
            body["externalUserID"] = json!(format!("u{}", who.1));
            let key = self.keys[who.0].clone();
            let answer = self.post((what, place), (&key, "/v1/redemptions"), body, expected);
            (expected == CREATED).then_some(answer)
        };
        if let Some(answer) = answer {
            let made = self.naive.redemptions.last().unwrap();
            assert_eq!(answer["pointsCharged"], made.charged);
            assert_eq!(answer["status"], "SUBMITTED");
            self.redemptions
                .push(answer["id"].as_str().unwrap().to_owned());
        }
    }

    /// A credit or a redemption of the points that are left, or one more or less.
    fn exactly(&mut self, who: Who, index: Index, (goal, extra): (Goal, i64)) {
        let pool = self.naive.pool.clone().unwrap_or_default();
        let floor = if pool.pays_redemptions {
            -pool.credit_limit
        } else {
            0
        };
        let member = self
            .naive
            .current(who)
            .map(|place| &self.naive.members[place]);
        let left = match goal {
            Goal::Floor => pool.balance - floor,
            Goal::Threshold => pool.balance - pool.low_threshold,
            Goal::Empty => member.map_or(0, Member::balance),
        };
        let amount = left + extra;
        if !(1..=MAX).contains(&amount) {
            return;
        }
        if !pool.pays_redemptions && !matches!(goal, Goal::Empty) {
            return self.credit(who, amount);
        }
        let Some(offer) = self.offer_for(who, index) else {
            return;
        };
        let (key, path) = (
            &self.keys[who.0],
            format!("/v1/offers/{}", self.offers[offer]),
        );
        let change = OfferChange {
            price: Some(Some(amount)),
            paused: Some(false),
            stock: Some(None),
            per_member: Some(None),
            ..an_offer()
        };
        let answer = self.send("PATCH", &path, key, &self.offer_body(&change));
        let expected = self.naive.change_offer(offer, &change);
        self.expect("change offer", &answer, expected);
        self.redeem(who, index, false);
    }

    /// The index of an offer of a member's program.
    fn offer_for(&self, who: Who, index: Index) -> Option<usize> {
        let of_program = |place: &usize| self.naive.offers[*place].program == who.0;
        let offers: Vec<usize> = (0..self.offers.len()).filter(of_program).collect();
        (!offers.is_empty()).then(|| offers[index.index(offers.len())])
    }

    /// The index of a selected redemption.
    fn selected(&self, index: Index) -> Option<usize> {
        let count = self.redemptions.len();
        (count > 0).then(|| index.index(count))
    }

    /// The key of the program of a redemption, and its path.
    fn redemption(&self, place: usize) -> (String, String) {
        let offer = self.naive.redemptions[place].offer;
        let key = self.keys[self.naive.offers[offer].program].clone();
        (key, format!("/v1/redemptions/{}", self.redemptions[place]))
    }

    fn advance(&mut self, index: Index, next: usize) {
        let Some(place) = self.selected(index) else {
            return;
        };
        let (key, path) = self.redemption(place);
        let answer = self.send("PATCH", &path, &key, &json!({"status": WAY[next]}));
        let expected = self.naive.advance(place, next);
        let answer = self.expect("move", &answer, expected);
        if expected == OK {
            assert_eq!(answer["status"], WAY[next]);
        }
    }

    fn cancel(&mut self, index: Index, as_member: bool) {
        if let Some(place) = self.selected(index) {
            self.cancel_at(place, as_member);
        }
    }

    fn cancel_at(&mut self, place: usize, as_member: bool) {
        let (key, path) = self.redemption(place);
        let path = format!("{path}/cancel");
        let redemption = self.naive.redemptions[place].clone();
        let member = redemption.member;
        if !as_member {
            let what = match (redemption.status(), redemption.drawn, redemption.charged) {
                ("CANCELED", ..) => "cancel again",
                (_, 1.., _) => "cancel of pool",
                (_, _, 1..) if self.naive.members[member].is_removed => "cancel of removed",
                _ => "cancel",
            };
            let expected = self.naive.cancel(place, false);
            self.post((what, Some(member)), (&key, &path), json!({}), expected);
            return;
        }
        let who = self.name_of(member);
        let Some((token, is_good)) = self.token(who, member) else {
            return;
        };
        let answer = self.app.request("POST", &path).bearer(&token).send();
        let expected = if is_good {
            self.naive.cancel(place, true)
        } else {
            UNAUTHORIZED
        };
        self.expect("cancel as member", &answer, expected);
    }

    fn rate(&mut self, step: &Step) {
        let Step::Rate {
            redemption,
            is_own,
            other,
            rating,
            comment,
        } = step
        else {
            return;
        };
        let Some(place) = self.selected(*redemption) else {
            return;
        };
        let (_, path) = self.redemption(place);
        let owner = self.naive.redemptions[place].member;
        let (who, member) = if *is_own {
            (self.name_of(owner), Some(owner))
        } else {
            let who = (self.naive.members[owner].program, *other);
            (who, self.naive.known.get(&who).copied())
        };
        let Some((member, (token, is_good))) =
            member.and_then(|member| Some((member, self.token(who, member)?)))
        else {
            return;
        };
        let comment = comment.map(|number| format!("comment {number}"));
        let body = json!({"rating": rating, "comment": comment});
        let path = format!("{path}/feedback");
        let answer = self.send("PUT", &path, &token, &body);
        let is_rated = self.naive.redemptions[place].feedback.is_some();
        let expected = if is_good {
            self.naive.rate(member, place, (*rating, comment))
        } else {
            UNAUTHORIZED
        };
        let what = if is_rated { "rate again" } else { "rate" };
        self.expect(what, &answer, expected);
    }

    fn remove(&mut self, who: Who, retain: bool, erase: bool) {
        let path = format!(
            "/v1/members/u{}?retainBalance={retain}&erase={erase}",
            who.1
        );
        let what = match (self.naive.known.get(&who), erase) {
            (None, _) => "remove unknown",
            (Some(_), true) => "erase",
            (Some(_), false) => "remove",
        };
        let answer = self.app.request("DELETE", &path);
        let answer = answer.bearer(&self.keys[who.0]).send();
        let (expected, retained) = self.naive.remove(who, retain, erase);
        let answer = self.expect(what, &answer, expected);
        if expected == OK {
            assert_eq!(answer["balanceRetained"], retained, "{path}");
        }
    }

    /// What concerns a member that was removed: an open redemption is canceled, a response that
    /// showed one is requested again.
    fn follow_up(&mut self, member: usize, erase: bool, cancel: bool) {
        let is_open =
            |redemption: &Redemption| redemption.member == member && !redemption.is_over();
        let last = self.naive.redemptions.iter().rposition(is_open);
        if let Some(last) = last.filter(|_| cancel) {
            self.cancel_at(last, false);
        }
        let mut saved = self.saved.iter().rev();
        let saved = saved.find(|saved| saved.shows == Some(member));
        if let Some(saved) = saved.filter(|saved| erase && self.is_kept(saved)).cloned() {
            self.repeat_saved(saved);
        }
    }

    /// The pool as the partner sees it.
    pub(super) fn shown_pool(&self) -> Value {
        let pool = self.naive.pool.as_ref().map(|pool| {
            assert!(pool.balance <= MAX);
            json!({
                "balance": pool.balance,
                "creditLimit": pool.credit_limit,
                "lifetimeSpent": pool.lifetime_spent,
                "settlementMode": mode(pool.pays_redemptions),
                "lowThreshold": pool.low_threshold,
            })
        });
        json!({"pool": pool})
    }
}

/// The name of a mode.
pub(super) fn mode(pays_redemptions: bool) -> &'static str {
    if pays_redemptions {
        "ORG_POOL"
    } else {
        "MEMBER_WALLET"
    }
}
