//! Random histories of redemptions of several units: returns in parts, lots whose time passes, a
//! program that is suspended, and its `refund_grace`. A model of the lots predicts each response.

use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};
use stampcard::domain::Timestamp;
use stampcard::service::verify;

use crate::support::{Response, TestApp};

const HOUR: u64 = 3600;
const MEMBERS: usize = 2;
const PRICES: [i64; 2] = [7, 20];
const STOCK: i64 = 9;

/// A step of a history. Times are in hours, so that they often coincide.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Credit(usize, i64, Option<u64>),
    Redeem(usize, usize, i64),
    /// Of some units, or of all that are left.
    Return(Index, Option<i64>),
    Complete(Index),
    Grace(Option<u64>),
    Suspend(bool),
    Wait(u64),
    Restart,
}

/// Any step.
pub(crate) fn step() -> impl Strategy<Value = Step> {
    let member = || 0..MEMBERS;
    let end = prop::option::weighted(0.8, 1..8_u64);
    prop_oneof![
        10 => (member(), 1..90_i64, end).prop_map(|(m, a, e)| Step::Credit(m, a, e)),
        9 => (member(), 0..PRICES.len(), 1..5_i64).prop_map(|(m, o, u)| Step::Redeem(m, o, u)),
        10 => (any::<Index>(), prop::option::weighted(0.8, 1..4_i64))
            .prop_map(|(r, u)| Step::Return(r, u)),
        2 => any::<Index>().prop_map(Step::Complete),
        2 => prop::option::of(1..4_u64).prop_map(Step::Grace),
        2 => prop::bool::weighted(0.3).prop_map(Step::Suspend),
        6 => (1..4_u64).prop_map(Step::Wait),
        1 => Just(Step::Restart),
    ]
}

/// Points of one credit, or of a return after their time.
#[derive(Debug)]
struct Lot {
    left: i64,
    end: Option<Timestamp>,
}

struct Member {
    path: String,
    name: String,
    lots: Vec<Lot>,
}

#[derive(Debug, PartialEq)]
enum State {
    Submitted,
    Completed,
    Canceled,
}

struct Redemption {
    id: String,
    member: usize,
    offer: usize,
    units: i64,
    left: i64,
    state: State,
    /// The lots that paid, and how many of its points are left of each.
    paid: Vec<(usize, i64)>,
}

struct World {
    app: TestApp,
    members: Vec<Member>,
    offers: [String; 2],
    stock: i64,
    redemptions: Vec<Redemption>,
    grace: Option<u64>,
    is_suspended: bool,
}

/// The status and the code of a response on an earning route.
type Predicted = (u16, &'static str);
const MADE: Predicted = (201, "");
const INACTIVE: Predicted = (409, "program_inactive");
const UNAVAILABLE: Predicted = (409, "reward_unavailable");
const TOO_FEW: Predicted = (422, "insufficient_balance");

#[track_caller]
fn checked(response: Response, (status, code): Predicted) -> Value {
    let body = response.expect(status);
    if !code.is_empty() {
        assert_eq!(body["code"], code, "{body}");
    }
    body
}

/// Runs a history, and checks at its end what every redemption, the stock and the balances are.
pub(crate) fn live(steps: &[Step]) {
    let mut world = World::begin();
    for step in steps {
        world = world.take(step);
    }
    world.suspend(false);
    world.check();
}

impl World {
    fn begin() -> Self {
        let app = TestApp::start();
        app.post("/v1/assets/default/convert", &json!({"to": "LOT"}))
            .expect(200);
        app.patch("/v1/assets/default", &json!({"burn_order": "fifo"}))
            .expect(200);
        let any = json!({"perMember": null, "per": "ever"});
        let stock = json!({"quantityRemaining": STOCK});
        let offers = [
            json!({"pointsPrice": PRICES[0], "redemptionLimit": any}),
            json!({"pointsPrice": PRICES[1], "redemptionLimit": any, "availability": stock}),
        ];
        let offers = offers.map(|fields| app.offer(fields));
        let members = (0..MEMBERS).map(|number| {
            let name = format!("u{number}");
            let made = app.post("/v1/participants", &json!({"external_id": name}));
            let id = made.expect(201)["id"].as_str().unwrap().to_owned();
            let path = format!("/v1/participants/{id}/redemptions");
            Member {
                path,
                name,
                lots: Vec::new(),
            }
        });
        Self {
            members: members.collect(),
            app,
            offers,
            stock: STOCK,
            redemptions: Vec::new(),
            grace: None,
            is_suspended: false,
        }
    }

    fn take(mut self, step: &Step) -> Self {
        match step {
            Step::Credit(member, amount, hours) => self.credit(*member, *amount, *hours),
            Step::Redeem(member, offer, units) => self.redeem(*member, *offer, *units),
            Step::Return(index, units) => self.give_back(*index, *units),
            Step::Complete(index) => self.complete(*index),
            Step::Grace(hours) => self.set_grace(*hours),
            Step::Suspend(is_suspended) => self.suspend(*is_suspended),
            Step::Wait(hours) => self.app.clock.advance(Duration::from_secs(HOUR * hours)),
            Step::Restart => {
                let app = self.app.restart();
                return Self { app, ..self };
            }
        }
        self
    }

    /// The time in some hours.
    fn after(&self, hours: u64) -> Timestamp {
        let now = self.app.clock.now();
        now.saturating_add(Duration::from_secs(HOUR * hours))
    }

    /// The points of a member that can be spent: those whose time has passed expire first.
    fn balance(&mut self, member: usize) -> i64 {
        let now = self.app.clock.now();
        let lots = &mut self.members[member].lots;
        for lot in lots.iter_mut() {
            if lot.end.is_some_and(|end| end <= now) {
                lot.left = 0;
            }
        }
        lots.iter().map(|lot| lot.left).sum()
    }

    fn credit(&mut self, member: usize, amount: i64, hours: Option<u64>) {
        let end = hours.map(|hours| self.after(hours));
        let body = json!({"externalUserID": self.members[member].name, "amount": amount,
            "expiresAt": end.map(|end| end.to_string())});
        let answer = self.app.post("/v1/wallet/credit", &body);
        if self.is_suspended {
            answer.expect_error(403, "FORBIDDEN");
            return;
        }
        self.members[member].lots.push(Lot { left: amount, end });
        assert_eq!(answer.expect(200)["balance"], self.balance(member));
    }

    fn redeem(&mut self, member: usize, offer: usize, units: i64) {
        let cost = PRICES[offer] * units;
        let is_short = offer == 1 && self.stock < units;
        let predicted = if self.is_suspended {
            INACTIVE
        } else if is_short {
            UNAVAILABLE
        } else if self.balance(member) < cost {
            TOO_FEW
        } else {
            MADE
        };
        let reward = self.offers[offer].strip_prefix("off_").unwrap();
        let body = json!({"program_id": "current", "reward_id": reward, "quantity": units});
        let path = format!("{}/items", self.members[member].path);
        let answer = checked(self.app.post(&path, &body), predicted);
        if predicted != MADE {
            return;
        }
        assert_eq!(answer["amount"], cost.to_string());
        if offer == 1 {
            self.stock -= units;
        }
        let (mut paid, mut due) = (Vec::new(), cost);
        for (place, lot) in self.members[member].lots.iter_mut().enumerate() {
            let part = due.min(lot.left);
            if part > 0 {
                lot.left -= part;
                due -= part;
                paid.push((place, part));
            }
        }
        self.redemptions.push(Redemption {
            id: answer["id"].as_str().unwrap().to_owned(),
            member,
            offer,
            units,
            left: units,
            state: State::Submitted,
            paid,
        });
    }

    fn give_back(&mut self, index: Index, units: Option<i64>) {
        if self.redemptions.is_empty() {
            return;
        }
        let place = index.index(self.redemptions.len());
        let redemption = &self.redemptions[place];
        let units = units.unwrap_or(redemption.left);
        let is_possible = units > 0 && units <= redemption.left;
        let predicted = if self.is_suspended {
            INACTIVE
        } else if is_possible {
            MADE
        } else {
            TOO_FEW
        };
        let mut body = json!({"reason": "A change of plans"});
        if units > 0 {
            body["quantity"] = json!(units);
        }
        let path = &self.members[redemption.member].path;
        let path = format!("{path}/{}/reverse", redemption.id);
        let answer = checked(self.app.post(&path, &body), predicted);
        if predicted != MADE {
            return;
        }
        let price = PRICES[redemption.offer];
        assert_eq!(answer["quantity"], units);
        assert_eq!(answer["amount"], (price * units).to_string());
        self.returned(place, units);
    }

    /// Puts the points of units back to the lots that they came from, the last one first.
    fn returned(&mut self, place: usize, units: i64) {
        self.balance(self.redemptions[place].member);
        let now = self.app.clock.now();
        let again = self.grace.map(|hours| self.after(hours));
        let redemption = &mut self.redemptions[place];
        redemption.left -= units;
        if redemption.left == 0 && redemption.state == State::Submitted {
            redemption.state = State::Canceled;
        }
        if redemption.offer == 1 {
            self.stock += units;
        }
        let lots = &mut self.members[redemption.member].lots;
        let mut due = PRICES[redemption.offer] * units;
        for (lot, paid) in redemption.paid.iter_mut().rev() {
            let part = due.min(*paid);
            *paid -= part;
            due -= part;
            let is_over = lots[*lot].end.is_some_and(|end| end <= now);
            if !is_over {
                lots[*lot].left += part;
            } else if again.is_some() && part > 0 {
                lots.push(Lot {
                    left: part,
                    end: again,
                });
            }
        }
        assert_eq!(due, 0);
    }

    fn complete(&mut self, index: Index) {
        if self.redemptions.is_empty() {
            return;
        }
        let place = index.index(self.redemptions.len());
        let redemption = &mut self.redemptions[place];
        let path = format!("/v1/redemptions/rdm_{}", redemption.id);
        let answer = self.app.patch(&path, &json!({"status": "COMPLETED"}));
        if self.is_suspended {
            answer.expect_error(403, "FORBIDDEN");
        } else if redemption.state == State::Canceled {
            answer.expect_error(409, "REDEMPTION_TRANSITION_INVALID");
        } else {
            assert_eq!(answer.expect(200)["status"], "COMPLETED");
            redemption.state = State::Completed;
        }
    }

    fn patch_program(&self, fields: &Value) {
        self.app.patch("/v1/programs/current", fields).expect(200);
    }

    fn set_grace(&mut self, hours: Option<u64>) {
        let grace = hours.map(|hours| format!("{hours}h"));
        self.patch_program(&json!({"refund_grace": grace}));
        self.grace = hours;
    }

    fn suspend(&mut self, is_suspended: bool) {
        let status = if is_suspended { "SUSPENDED" } else { "ACTIVE" };
        self.patch_program(&json!({"status": status}));
        self.is_suspended = is_suspended;
    }

    fn check(&mut self) {
        for member in 0..MEMBERS {
            // Whatever is due is applied before a write.
            self.credit(member, 1, None);
        }
        for redemption in &self.redemptions {
            let path = &self.members[redemption.member].path;
            let path = format!("{path}/{}", redemption.id);
            let shown = self.app.get(&path).expect(200);
            let back = redemption.units - redemption.left;
            assert_eq!(shown["quantity"], redemption.units);
            assert_eq!(shown["reversed_quantity"], back);
            let price = PRICES[redemption.offer];
            assert_eq!(shown["reversed_amount"], (price * back).to_string());
            let reversals = self.app.get(&format!("{path}/reversals?limit=200"));
            let reversals = reversals.expect(200);
            let reversals = reversals["data"].as_array().unwrap().iter();
            let units = reversals.map(|row| row["quantity"].as_i64().unwrap());
            assert_eq!(units.sum::<i64>(), back);
            let own = format!("/v1/redemptions/rdm_{}", redemption.id);
            let status = &self.app.get(&own).expect(200)["status"];
            let expected = match redemption.state {
                State::Submitted => "SUBMITTED",
                State::Completed => "COMPLETED",
                State::Canceled => "CANCELED",
            };
            assert_eq!(status, expected);
        }
        let offer = self.app.get(&format!("/v1/offers/{}", self.offers[1]));
        let stock = &offer.expect(200)["availability"]["quantityRemaining"];
        assert_eq!(*stock, self.stock);
        let report = verify::verify(&self.app.sqlite(), |_| ()).unwrap();
        assert_eq!(report.findings, Vec::<String>::new());
    }
}
