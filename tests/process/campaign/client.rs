//! One client of the campaign: its objects, its expectations, and the random choice of its next
//! write.
//!
//! Everything it creates carries its name, so that its rows differ from those of the others. It
//! waits for each response, so its rows are in the order of its writes.

use std::path::PathBuf;

use rusqlite::Connection;
use serde_json::{Value, json};

use super::PARTNER_KEY;
use super::deed::{Deed, Effect, Row};
use crate::server::{SANDBOX_KEY, Server, request};

/// The number of newest members, offers and bookings that are still changed.
const RECENT: usize = 24;
/// The client that moves the clock: with two, the log would not show which one did.
pub(super) const KEEPER: &str = "c0-";
const STATUSES: [(&str, i64); 6] = [
    ("OPEN", 7),
    ("AWAITING_VENDOR", 8),
    ("AWAITING_CUSTOMER", 9),
    ("PURCHASED", 10),
    ("COMPLETED", 11),
    ("CANCELED", 12),
];

/// The expected state of a member.
#[derive(Debug, Clone, Default)]
pub(super) struct Member {
    pub(super) id: String,
    pub(super) name: Option<String>,
    pub(super) tier: String,
    pub(super) balance: i64,
    pub(super) archived: bool,
    pub(super) erased: bool,
    token: Option<String>,
    /// Changed since the last comparison.
    pub(super) touched: bool,
}

#[derive(Debug, Clone)]
struct Booking {
    id: String,
    conversation: String,
    member: usize,
    offer: usize,
    price: i64,
    /// The number of `STATUSES` it has passed.
    passed: usize,
    is_open: bool,
}

#[derive(Debug, Clone)]
struct Offer {
    id: String,
    price: i64,
    archived: bool,
}

/// One client.
pub(super) struct Client {
    pub(super) name: String,
    /// The key or token of its program.
    pub(super) key: String,
    /// Whether its program is not shared and it resets it.
    may_reset: bool,
    /// The number of resets.
    pub(super) resets: usize,
    rng: fastrand::Rng,
    database: PathBuf,
    /// The target of the webhooks that it creates and deletes.
    url: String,
    serial: usize,
    pub(super) members: Vec<Member>,
    offers: Vec<Offer>,
    bookings: Vec<Booking>,
    webhook: Option<(String, String)>,
    program: Option<String>,
    organization: Option<String>,
    api_key: Option<(String, String)>,
    /// The row numbers of erased members: their ids no longer identify them.
    pub(super) erased: Vec<i64>,
    /// The log up to here fits the responses.
    pub(super) since: i64,
    /// The rows of its acknowledged writes after that.
    pub(super) rows: Vec<Row>,
    /// Seconds that it moved the program's clock.
    pub(super) ahead: i64,
}

fn plain(kind: i64) -> Row {
    (kind, None, None)
}

fn ledger(kind: i64, amount: i64, reason: Option<&str>) -> Row {
    (kind, Some(amount), reason.map(str::to_owned))
}

fn text(answer: &Value, field: &str) -> String {
    answer[field].as_str().unwrap().to_owned()
}

fn nothing() -> Effect {
    Box::new(|_, _| {})
}

impl Client {
    pub(super) fn new(number: usize, seed: u64, database: PathBuf, url: String) -> Self {
        Self {
            name: format!("c{number}-"),
            key: SANDBOX_KEY.to_owned(),
            may_reset: false,
            resets: 0,
            rng: fastrand::Rng::with_seed(seed),
            database,
            url,
            serial: 0,
            members: Vec::new(),
            offers: Vec::new(),
            bookings: Vec::new(),
            webhook: None,
            program: None,
            organization: None,
            api_key: None,
            erased: Vec::new(),
            since: 0,
            rows: Vec::new(),
            ahead: 0,
        }
    }

    /// Whether it still holds a key or token.
    pub(super) fn holds(&self, credential: &str) -> bool {
        let mut tokens = self.members.iter().filter_map(|m| m.token.as_deref());
        [&self.key, PARTNER_KEY].contains(&credential) || tokens.any(|t| t == credential)
    }

    /// Gives it a separate organization, which may be reset.
    pub(super) fn settle_in(&mut self, server: &Server, may_reset: bool) {
        let body = json!({"name": format!("{}alone", self.name)});
        let route = ("POST", "/partner/organizations");
        let made = request(
            &server.agent,
            server.address,
            PARTNER_KEY,
            route,
            None,
            &body,
        );
        self.key = text(&made.unwrap().expect(201), "apiKey");
        self.may_reset = may_reset;
        self.rows = vec![plain(60), plain(50)];
    }

    /// Chooses its next write.
    pub(super) fn next(&mut self) -> Deed {
        self.serial += 1;
        let mark = format!("{}{}", self.name, self.serial);
        let deed = match self.rng.u32(..100) {
            0..6 if self.may_reset => Some(self.reset(&mark)),
            0..8 => Some(self.make_member(&mark)),
            8..15 => Some(self.exchange(&mark)),
            15..36 => self.credit(&mark),
            36..42 => self.debit(&mark),
            42..47 => self.change_member(&mark),
            47..52 => self.remove(),
            52..55 => self.restore(),
            55..60 => Some(self.change_offers(&mark)),
            60..70 => self.redeem(&mark),
            70..78 => self.advance_booking(),
            78..82 => self.cancel(&mark),
            82..90 => self.say(&mark),
            90..93 => Some(self.change_webhooks(&mark)),
            93..95 => Some(self.change_programs(&mark)),
            95..98 => Some(self.change_organizations(&mark)),
            _ => self.move_clock(&mark),
        };
        // A client without a member for this write signs one up.
        let mut deed = deed.unwrap_or_else(|| self.make_member(&mark));
        if deed.credential == SANDBOX_KEY {
            self.key.clone_into(&mut deed.credential);
        }
        deed.resets += self.resets;
        deed
    }

    fn pick_member(&mut self, fits: impl Fn(&Member) -> bool) -> Option<usize> {
        let from = self.members.len().saturating_sub(RECENT);
        let fitting: Vec<usize> = (from..self.members.len())
            .filter(|index| fits(&self.members[*index]))
            .collect();
        self.rng.choice(fitting)
    }

    fn make_member(&mut self, mark: &str) -> Deed {
        let tier = ["standard", "gold"][self.rng.usize(..2)];
        let body = json!({"displayName": mark, "tier": tier});
        let member = Member {
            id: mark.to_owned(),
            name: Some(mark.to_owned()),
            tier: tier.to_owned(),
            touched: true,
            ..Member::default()
        };
        let effect = Box::new(move |client: &mut Self, _: &Value| client.members.push(member));
        put_member(mark, body, vec![plain(1)], effect)
    }

    fn exchange(&mut self, mark: &str) -> Deed {
        let known = self.pick_member(|member| !member.archived);
        let known = known.filter(|_| self.rng.bool());
        let id = known.map_or(mark.to_owned(), |index| self.members[index].id.clone());
        let rows = if known.is_some() {
            vec![20]
        } else {
            vec![1, 20]
        };
        let body = json!({"externalUserID": id});
        let effect = Box::new(move |client: &mut Self, answer: &Value| {
            let index = known.unwrap_or_else(|| {
                client.members.push(Member {
                    id,
                    tier: "standard".to_owned(),
                    ..Member::default()
                });
                client.members.len() - 1
            });
            let member = &mut client.members[index];
            (member.token, member.touched) = (Some(text(answer, "accessToken")), true);
        });
        let rows = rows.into_iter().map(plain).collect();
        post("/v1/auth/exchange", mark, body, 200, rows, effect)
    }

    fn credit(&mut self, mark: &str) -> Option<Deed> {
        let index = self.pick_member(|member| !member.archived)?;
        let amount = self.rng.i64(1..200);
        Some(self.post_points("/v1/wallet/credit", mark, index, amount))
    }

    fn debit(&mut self, mark: &str) -> Option<Deed> {
        let index = self.pick_member(|member| !member.archived && member.balance > 0)?;
        let amount = self.rng.i64(1..=self.members[index].balance);
        Some(self.post_points("/v1/wallet/debit", mark, index, -amount))
    }

    fn post_points(&mut self, path: &str, mark: &str, index: usize, change: i64) -> Deed {
        let id = &self.members[index].id;
        let amount = change.abs();
        let body = json!({"externalUserID": id, "amount": amount, "reason": mark});
        let kind = if change > 0 { 4 } else { 5 };
        let rows = vec![ledger(kind, amount, Some(mark))];
        post(path, mark, body, 200, rows, moves(index, change))
    }

    fn change_member(&mut self, mark: &str) -> Option<Deed> {
        let index = self.pick_member(|member| !member.archived)?;
        let id = self.members[index].id.clone();
        if self.rng.bool() {
            let name = mark.to_owned();
            let body = json!({"displayName": name});
            let effect = Box::new(move |client: &mut Self, _: &Value| {
                let member = &mut client.members[index];
                (member.name, member.touched) = (Some(name), true);
            });
            let trace = "SELECT count(*) FROM member WHERE display_name = ?1";
            let mut deed = put_member(&id, body, vec![plain(32)], effect);
            deed.trace = Some((trace, mark.to_owned()));
            return Some(deed);
        }
        let tiers = ["standard", "gold", "platinum"];
        let now = &self.members[index].tier;
        let others: Vec<&str> = tiers.into_iter().filter(|tier| tier != now).collect();
        let tier = self.rng.choice(others)?.to_owned();
        let body = json!({"tier": tier});
        let effect = Box::new(move |client: &mut Self, _: &Value| {
            let member = &mut client.members[index];
            (member.tier, member.touched) = (tier, true);
        });
        Some(put_member(&id, body, vec![plain(2)], effect))
    }

    /// Whether a write is about a member that was erased, perhaps by the write that was open when
    /// the server was killed, and was done.
    pub(super) fn has_erased(&self, deed: &Deed, opened: Option<&Deed>) -> bool {
        let erasure = opened.filter(|open| open.path.ends_with("erase=true"));
        let erased = erasure.and_then(|open| self.member_of(open));
        let is_same = |member: &Member| erased.is_some_and(|erased| erased.id == member.id);
        let of = self.member_of(deed);
        of.is_some_and(|member| member.erased || is_same(member))
    }

    /// The member that a write is about.
    fn member_of(&self, deed: &Deed) -> Option<&Member> {
        let is_in_path = |id: &String| deed.path.split(['/', '?']).any(|part| part == id);
        let of = &deed.body["externalUserID"];
        let mut members = self.members.iter();
        let named = members.find(|member| *of == *member.id || is_in_path(&member.id));
        let mut bookings = self.bookings.iter();
        let booking = bookings.find(|one| is_in_path(&one.id) || is_in_path(&one.conversation));
        let booked = booking.map(|booking| &self.members[booking.member]);
        named.or(booked)
    }

    /// Deletes a member: retaining the balance, clearing it, or erasing the member permanently.
    fn remove(&mut self) -> Option<Deed> {
        let index = self.pick_member(|member| !member.archived)?;
        let member = &self.members[index];
        let (retain, erase) = [(false, false), (true, false), (false, true)][self.rng.usize(..3)];
        let mut rows = Vec::new();
        if !retain && member.balance > 0 {
            rows.push(ledger(5, member.balance, None));
        }
        rows.push(plain(3));
        if erase {
            rows.push(plain(31));
        }
        let path = format!(
            "/v1/members/{}?retainBalance={retain}&erase={erase}",
            member.id
        );
        if erase {
            // Afterwards the rows do not show whose they were.
            let connection = Connection::open_with_flags(
                &self.database,
                rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY,
            );
            let row = connection.and_then(|connection| {
                let sql = "SELECT id FROM member WHERE external_user_id = ?1";
                connection.query_row(sql, [&member.id], |row| row.get(0))
            });
            self.erased.push(row.ok()?);
        }
        let effect = Box::new(move |client: &mut Self, _: &Value| {
            let member = &mut client.members[index];
            (member.archived, member.erased, member.touched) = (true, erase, true);
            member.token = None;
            if !retain {
                member.balance = 0;
            }
        });
        Some(change(
            "DELETE",
            path,
            Value::Null,
            (200, 200),
            rows,
            effect,
        ))
    }

    fn restore(&mut self) -> Option<Deed> {
        let index = self.pick_member(|member| member.archived && !member.erased)?;
        let id = self.members[index].id.clone();
        let effect = Box::new(move |client: &mut Self, _: &Value| {
            let member = &mut client.members[index];
            (member.archived, member.touched) = (false, true);
        });
        Some(put_member(&id, json!({}), vec![plain(30)], effect))
    }

    fn change_offers(&mut self, mark: &str) -> Deed {
        let from = self.offers.len().saturating_sub(RECENT);
        let open: Vec<usize> = (from..self.offers.len())
            .filter(|index| !self.offers[*index].archived)
            .collect();
        let picked = self.rng.choice(&open).copied();
        let Some(index) = picked.filter(|_| open.len() > 3 && self.rng.bool()) else {
            let price = self.rng.i64(0..20);
            let body = json!({"title": mark, "pointsPrice": price});
            let effect = Box::new(move |client: &mut Self, answer: &Value| {
                let id = text(answer, "id");
                client.offers.push(Offer {
                    id,
                    price,
                    archived: false,
                });
            });
            return post("/v1/offers", mark, body, 201, vec![plain(40)], effect);
        };
        let path = format!("/v1/offers/{}", self.offers[index].id);
        if self.rng.bool() {
            let effect = Box::new(move |client: &mut Self, _: &Value| {
                client.offers[index].archived = true;
            });
            let rows = vec![plain(42)];
            return change("DELETE", path, Value::Null, (200, 404), rows, effect);
        }
        let body = json!({"title": format!("{mark} again")});
        change("PATCH", path, body, (200, 200), vec![plain(41)], nothing())
    }

    fn redeem(&mut self, mark: &str) -> Option<Deed> {
        let index = self.pick_member(|member| !member.archived)?;
        let member = &self.members[index];
        let from = self.offers.len().saturating_sub(RECENT);
        let free: Vec<usize> = (from..self.offers.len())
            .filter(|offer| {
                let held = self
                    .bookings
                    .iter()
                    .any(|booking| booking.member == index && booking.offer == *offer);
                let it = &self.offers[*offer];
                !it.archived && it.price <= member.balance && !held
            })
            .collect();
        let number = self.rng.choice(free)?;
        let offer = &self.offers[number];
        let price = offer.price;
        let mut rows = vec![plain(6)];
        if price > 0 {
            rows.push(ledger(5, price, None));
        }
        let effect = Box::new(move |client: &mut Self, answer: &Value| {
            moves(index, -price)(client, answer);
            client.bookings.push(Booking {
                id: text(answer, "id"),
                conversation: text(answer, "conversationId"),
                member: index,
                offer: number,
                price,
                passed: 0,
                is_open: true,
            });
        });
        let body = json!({"offer": offer.id, "externalUserID": member.id});
        let token = member.token.clone().filter(|_| self.rng.bool());
        let mut deed = post("/v1/redemptions", mark, body, 201, rows, effect);
        deed.credential = token.unwrap_or(deed.credential);
        Some(deed)
    }

    fn pick_booking(&mut self, fits: impl Fn(&Self, &Booking) -> bool) -> Option<usize> {
        let from = self.bookings.len().saturating_sub(RECENT);
        let fitting: Vec<usize> = (from..self.bookings.len())
            .filter(|index| fits(self, &self.bookings[*index]))
            .collect();
        self.rng.choice(fitting)
    }

    fn advance_booking(&mut self) -> Option<Deed> {
        let index = self.pick_booking(|_, booking| booking.is_open)?;
        let booking = &self.bookings[index];
        let next = self.rng.usize(booking.passed..STATUSES.len());
        let (status, kind) = STATUSES[next];
        let path = format!("/v1/redemptions/{}", booking.id);
        let rows = ended(booking, kind);
        let refund = if status == "CANCELED" {
            booking.price
        } else {
            0
        };
        let member = booking.member;
        let effect = Box::new(move |client: &mut Self, answer: &Value| {
            moves(member, refund)(client, answer);
            let booking = &mut client.bookings[index];
            (booking.passed, booking.is_open) = (next + 1, next < 4);
        });
        let body = json!({"status": status});
        Some(change("PATCH", path, body, (200, 200), rows, effect))
    }

    fn cancel(&mut self, mark: &str) -> Option<Deed> {
        let index = self.pick_booking(|_, booking| booking.is_open)?;
        let booking = &self.bookings[index];
        let path = format!("/v1/redemptions/{}/cancel", booking.id);
        let (member, price) = (booking.member, booking.price);
        let effect = Box::new(move |client: &mut Self, answer: &Value| {
            moves(member, price)(client, answer);
            client.bookings[index].is_open = false;
        });
        let body = json!({"canceledReason": "OTHER", "canceledNote": mark});
        Some(post(&path, mark, body, 200, ended(booking, 12), effect))
    }

    /// A message of the member or of the operator.
    fn say(&mut self, mark: &str) -> Option<Deed> {
        let index = self.pick_booking(|client, booking| {
            let member = &client.members[booking.member];
            !member.archived
        })?;
        let booking = &self.bookings[index];
        let path = format!("/v1/conversations/{}/messages", booking.conversation);
        let token = self.members[booking.member].token.clone();
        let token = token.filter(|_| self.rng.bool());
        let body = if token.is_some() {
            json!({"message": mark})
        } else {
            json!({"message": mark, "as": "agent"})
        };
        let mut deed = post(&path, mark, body, 200, vec![plain(13)], nothing());
        deed.credential = token.unwrap_or(deed.credential);
        deed.trace = Some((
            "SELECT count(*) FROM message WHERE body = ?1",
            mark.to_owned(),
        ));
        Some(deed)
    }

    fn change_webhooks(&mut self, mark: &str) -> Deed {
        if let Some((id, url)) = self.webhook.clone() {
            let path = format!("/v1/webhooks/{id}");
            let effect = Box::new(|client: &mut Self, _: &Value| client.webhook = None);
            let rows = vec![plain(71)];
            let mut deed = change("DELETE", path, Value::Null, (200, 200), rows, effect);
            let trace = "SELECT count(*) FROM webhook_endpoint
                         WHERE url = ?1 AND disabled_at IS NOT NULL";
            deed.trace = Some((trace, url));
            return deed;
        }
        let url = format!("{}/{mark}", self.url);
        let body = json!({"url": url, "events": ["member.created", "member.removed"]});
        let kept = url.clone();
        let effect = Box::new(move |client: &mut Self, answer: &Value| {
            assert!(text(answer, "signingSecret").starts_with("whsec_"));
            client.webhook = Some((text(answer, "id"), kept));
        });
        let mut deed = post("/v1/webhooks", mark, body, 201, vec![plain(70)], effect);
        deed.trace = Some(("SELECT count(*) FROM webhook_endpoint WHERE url = ?1", url));
        deed
    }

    fn change_programs(&mut self, mark: &str) -> Deed {
        if let Some(id) = self.program.take() {
            let path = format!("/v1/programs/{id}");
            let body = json!({"name": mark, "status": "ARCHIVED"});
            return change("PATCH", path, body, (200, 200), vec![plain(51)], nothing());
        }
        let body = json!({"name": mark});
        let effect = Box::new(|client: &mut Self, answer: &Value| {
            client.program = Some(text(answer, "id"));
        });
        post("/v1/programs", mark, body, 201, vec![plain(50)], effect)
    }

    /// Through the partner key: creates an organization and a key of it, revokes the key, cancels
    /// the organization.
    fn change_organizations(&mut self, mark: &str) -> Deed {
        let mut deed = match (self.organization.clone(), self.api_key.clone()) {
            (None, _) => {
                let effect = Box::new(|client: &mut Self, answer: &Value| {
                    client.organization = Some(text(&answer["organization"], "id"));
                });
                let rows = vec![plain(60), plain(50)];
                let body = json!({"name": mark});
                post("/partner/organizations", mark, body, 201, rows, effect)
            }
            (Some(id), None) if self.rng.u8(..3) > 0 => {
                let path = format!("/partner/organizations/{id}/api-keys");
                let name = mark.to_owned();
                let effect = Box::new(move |client: &mut Self, answer: &Value| {
                    client.api_key = Some((text(&answer["apiKey"], "id"), name));
                });
                let body = json!({"name": mark});
                let mut deed = post(&path, mark, body, 201, Vec::new(), effect);
                let trace = "SELECT count(*) FROM credential WHERE name = ?1";
                deed.trace = Some((trace, mark.to_owned()));
                deed
            }
            (Some(id), Some((key, name))) => {
                let path = format!("/partner/organizations/{id}/api-keys/{key}");
                let effect = Box::new(|client: &mut Self, _: &Value| client.api_key = None);
                let trace = "SELECT count(*) FROM credential
                             WHERE name = ?1 AND revoked_at IS NOT NULL";
                let null = Value::Null;
                let mut deed = change("DELETE", path, null, (204, 404), Vec::new(), effect);
                deed.trace = Some((trace, name));
                deed
            }
            (Some(id), None) => {
                let path = format!("/partner/organizations/{id}");
                let effect = Box::new(|client: &mut Self, _: &Value| client.organization = None);
                let rows = vec![plain(61)];
                change("DELETE", path, Value::Null, (204, 204), rows, effect)
            }
        };
        PARTNER_KEY.clone_into(&mut deed.credential);
        deed
    }

    fn move_clock(&mut self, mark: &str) -> Option<Deed> {
        if self.name != KEEPER {
            return None;
        }
        let seconds = self.rng.i64(1..5000);
        let effect = Box::new(move |client: &mut Self, _: &Value| client.ahead += seconds);
        let body = json!({"advanceSeconds": seconds});
        let rows = vec![plain(51)];
        Some(post("/v1/sandbox/clock", mark, body, 200, rows, effect))
    }

    /// Replaces the program by an empty one, in which the idempotency record is saved, too.
    fn reset(&self, mark: &str) -> Deed {
        let mut rows = vec![plain(51)];
        rows.extend(self.webhook.as_ref().map(|_| plain(71)));
        rows.extend([plain(50), plain(51)]);
        let effect = Box::new(|client: &mut Self, _: &Value| {
            client.members.clear();
            client.offers.clear();
            client.bookings.clear();
            client.webhook = None;
            client.resets += 1;
        });
        let mut deed = post("/v1/sandbox/reset", mark, json!({}), 200, rows, effect);
        deed.resets = 1;
        deed
    }
}

/// Credits or debits points.
fn moves(member: usize, change: i64) -> Effect {
    Box::new(move |client, _| {
        let member = &mut client.members[member];
        member.balance += change;
        member.touched = true;
    })
}

/// The rows of a booking that changes its status, with the refund if it is canceled.
fn ended(booking: &Booking, kind: i64) -> Vec<Row> {
    let mut rows = vec![plain(kind)];
    if kind == 12 && booking.price > 0 {
        rows.push(ledger(4, booking.price, None));
    }
    rows
}

fn change(
    method: &'static str,
    path: String,
    body: Value,
    status: (u16, u16),
    rows: Vec<Row>,
    effect: Effect,
) -> Deed {
    Deed {
        credential: SANDBOX_KEY.to_owned(),
        method,
        path,
        key: None,
        body,
        status,
        rows,
        trace: None,
        resets: 0,
        effect,
    }
}

fn put_member(id: &str, body: Value, rows: Vec<Row>, effect: Effect) -> Deed {
    let path = format!("/v1/members/{id}");
    change("PUT", path, body, (200, 200), rows, effect)
}

fn post(path: &str, mark: &str, body: Value, status: u16, rows: Vec<Row>, effect: Effect) -> Deed {
    let mut deed = change(
        "POST",
        path.to_owned(),
        body,
        (status, status),
        rows,
        effect,
    );
    deed.key = Some(format!("key-{mark}"));
    deed
}
