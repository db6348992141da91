"""The history that `record.py` creates: every kind of row, unusual values included."""

import json
import sqlite3
import time
import urllib.parse

EVENTS = [
    "redemption.created", "redemption.open", "redemption.awaiting_vendor",
    "redemption.awaiting_customer", "redemption.purchased", "redemption.completed",
    "redemption.canceled", "wallet.credited", "wallet.debited", "member.created",
    "member.tier_changed", "member.removed", "conversation.message_created",
]
REASONS = [
    "SOLD_OUT", "VENDOR_DECLINED", "DATE_UNAVAILABLE", "MEMBER_REQUESTED", "EXPIRED", "OTHER",
]
# The attempt after which the next one is an hour later, and the last one.
ATTEMPTS_PENDING, ATTEMPTS_DEAD = 5, 8
PATIENCE = 60.0
POINTS_MAX = 9007199254740991

# Stored byte for byte: order, spaces, numbers that no double can represent, a duplicate key.
ATTRIBUTES = {
    "ada": '{"z":1,"a":2,"big":9007199254740993,"price":1.10,"e":1E+2,"":null}',
    "Zoë/ø": '{ "nested" : { "b" : [ 1 , 2.50 , { } ] , "a" : "\\u00e9é" } }',
    "名前 ✨": '{"k":1,"k":2,"text":"line\\nbreak \\"quoted\\" \\\\ / \\/","true":true}',
    "o'neil": '{}',
    "percent%_": '{"minus":-0.0,"tiny":1e-300,"huge":123456789012345678901234567890}',
}
REASONS_GIVEN = [
    None, "", "welcome bonus", "Größe „XL“ – 10 €", 'she said "yes"; it\'s \\ done',
    "<b>&amp;</b>, with, commas", "日本語の理由 🎁", " spaces around ",
]


def quote(text):
    return urllib.parse.quote(text, safe="")


class History:
    """Creates the history and keeps the credentials and ids that the reads need."""

    def __init__(self, server, receiver, keys, database):
        self.server, self.receiver, self.database = server, receiver, database
        self.sandbox, self.live = keys["SANDBOX_KEY"], keys["LIVE_KEY"]
        self.partners = [keys["PARTNER_SANDBOX_KEY"], keys["PARTNER_LIVE_KEY"]]
        # Writes with an Idempotency-Key, with their responses.
        self.posts = []
        # Keys of programs that can be read, and of those that refuse requests.
        self.programs, self.closed = [self.sandbox, self.live], []
        self.tokens, self.dead_tokens = [], []
        self.offers = {}

    # Requests.

    def send(self, method, path, credential, body=None, status=200, key=None, other=None):
        """Sends a request, whose status must be as expected; text is sent unchanged. A request
        with a `key` is recorded with its response; `other` is a valid body that conflicts with it."""
        text = body if body is None or isinstance(body, str) else json.dumps(
            body, ensure_ascii=False)
        # The prefix keeps the key from matching a log line by chance: tests search logs for keys.
        key = key and f"kept/{key}"
        found, headers, answer = self.server.call(method, path, credential, text, key)
        if found != status:
            raise SystemExit(f"{method} {path} {text}: {found} {answer}")
        if key is not None:
            if isinstance(other, dict):
                other = json.dumps({**body, **other}, ensure_ascii=False)
            self.posts.append({
                "kind": "post", "path": path, "credential": credential, "key": key, "body": text,
                "other": other, "status": found, "type": headers.get("content-type"),
                "answer": answer})
        return json.loads(answer) if answer else None

    def post(self, path, credential, body=None, status=200, key=None, other=None):
        return self.send("POST", path, credential, body, status, key, other)

    def member(self, credential, name, body=None, **fields):
        self.send("PUT", f"/v1/members/{quote(name)}", credential, body or fields)

    def remove(self, credential, name, query=""):
        self.send("DELETE", f"/v1/members/{quote(name)}{query}", credential)

    def credit(self, credential, name, amount, reason=None, key=None):
        body = {"externalUserID": name, "amount": amount}
        if reason is not None:
            body["reason"] = reason
        self.post("/v1/wallet/credit", credential, body, key=key, other={"amount": amount + 1})

    def debit(self, credential, name, amount, **more):
        body = {"externalUserID": name, "amount": amount, **more}
        self.post("/v1/wallet/debit", credential, body)

    def token(self, credential, name, key=None, **fields):
        body = {"externalUserID": name, **fields}
        grant = self.post("/v1/auth/exchange", credential, body, key=key,
                          other={"externalUserID": name + "?"})
        return grant["accessToken"]

    def offer(self, credential, title, **fields):
        made = self.post("/v1/offers", credential, {"title": title, **fields}, 201)
        self.offers.setdefault(credential, []).append(made["id"])
        return made["id"]

    def redeem(self, credential, offer, name=None, key=None):
        body = {"offer": offer} if name is None else {"offer": offer, "externalUserID": name}
        return self.post("/v1/redemptions", credential, body, 201, key, {"offer": offer + "x"})

    def move(self, credential, redemption, **fields):
        self.send("PATCH", f"/v1/redemptions/{redemption['id']}", credential, fields)

    def cancel(self, credential, redemption, body=None, key=None):
        self.post(f"/v1/redemptions/{redemption['id']}/cancel", credential, body, key=key,
                  other='{"canceledNote":"another"}')

    def say(self, credential, conversation, message, key=None):
        body = {"message": message}
        if not credential.startswith("v4."):
            body["as"] = "agent"
        self.post(f"/v1/conversations/{conversation}/messages", credential, body, key=key,
                  other={"message": message + "!"})

    def support(self, credential, name):
        listed = self.send("GET", f"/v1/conversations?externalUserID={quote(name)}", credential)
        return next(c["id"] for c in listed["conversations"] if c["type"] == "support")

    def pass_time(self, credential, **units):
        seconds = units.get("hours", 0) * 3600 + units.get("days", 0) * 86_400
        self.post("/v1/sandbox/clock", credential, {"advanceSeconds": seconds})

    def webhook(self, credential, url, events, key=None):
        body = {"url": url, "events": events}
        made = self.post("/v1/webhooks", credential, body, 201, key, {"url": url + "/other"})
        return made["id"]

    def rows(self, sql, *values):
        connection = sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)
        found = connection.execute(sql, values).fetchall()
        connection.close()
        return found

    def wait(self, what, is_so):
        deadline = time.monotonic() + PATIENCE
        while not is_so():
            if time.monotonic() > deadline:
                raise SystemExit(f"waited in vain for {what}")
            time.sleep(0.02)

    # The history.

    def make(self):
        self.configure()
        self.sign_up()
        self.earn()
        self.make_offers()
        self.book()
        self.talk()
        self.refuse()
        self.leave()
        self.sandbox_programs()
        self.partner_sandbox()
        self.live_history()
        self.last_writes()
        self.settle_webhooks()

    def configure(self):
        key = self.sandbox
        self.send("PUT", "/v1/configuration", key, {
            "currencyName": "Étoiles ✨", "currencySymbol": "★", "defaultTier": "standard"})
        base = self.receiver.base
        self.receiver.plan.update({"/all": 204, "/tiers": 200, "/removals": 500})
        self.all_events = self.webhook(key, base + "/all", EVENTS, key="webhook-all")
        self.tiers = self.webhook(key, base + "/tiers", ["member.tier_changed"])
        with_closed_port = "http://127.0.0.1:9/closed"
        self.closed_port = self.webhook(
            key, with_closed_port, ["redemption.canceled", "member.removed"])

    def sign_up(self):
        key = self.sandbox
        names = {"ada": "Ada Lovelace", "Zoë/ø": "Zoë Ångström", "名前 ✨": "山田 太郎",
                 "o'neil": "O'Neil, \"Q\"", "percent%_": "100% _under_"}
        for name, shown in names.items():
            shown = json.dumps(shown, ensure_ascii=False)
            self.member(key, name, f'{{"displayName": {shown}, "attributes": {ATTRIBUTES[name]}}}')
        self.member(key, "UPPER", displayName="Upper", tier="silver")
        self.member(key, "upper", displayName="lower", tier="silver")
        self.member(key, "nobody")
        self.member(key, "cleared", displayName="Cleared Name", attributes={"a": 1})
        self.member(key, "cleared", displayName=None, attributes=None)
        for number in range(1, 25):
            self.member(key, f"guest_{number:02}", displayName=f"Guest {number}")
        for tier in ("silver", "gold", "standard", "Größe L ✨", "gold"):
            self.member(key, "ada", tier=tier)
        for number in range(1, 25, 4):
            self.member(key, f"guest_{number:02}", tier="silver")
        self.member(key, "guest_05", tier="gold")
        # The receiver fails, and the webhook is deleted while it waits: its delivery is given up.
        moves = self.rows("SELECT count(*) FROM activity WHERE kind = 2")[0][0]
        self.wait("the tiers", lambda: self.count_deliveries("/tiers") == moves)
        self.receiver.plan["/tiers"] = 500
        self.member(key, "guest_09", tier="gold")
        self.wait("a failure", lambda: self.count_deliveries("/tiers", "pending") == 1)
        self.send("DELETE", f"/v1/webhooks/{self.tiers}", key)
        self.pass_time(key, hours=3)

    def count_deliveries(self, path, status=None):
        return self.rows(
            "SELECT count(*) FROM webhook_delivery d"
            " JOIN webhook_endpoint w ON w.id = d.endpoint_id"
            " WHERE w.url LIKE '%' || ? AND (? IS NULL OR d.status = ?)",
            path, status, status)[0][0]

    def earn(self):
        key = self.sandbox
        for turn in range(8):
            for number in range(1, 25):
                reason = REASONS_GIVEN[(turn + number) % len(REASONS_GIVEN)]
                self.credit(key, f"guest_{number:02}", turn * 10 + number, reason,
                            key=f"credit {number}/{turn}")
            self.pass_time(key, hours=7)
        for name in ("ada", "Zoë/ø", "名前 ✨", "o'neil", "percent%_", "UPPER", "upper"):
            self.credit(key, name, 1000, "welcome bonus")
        self.credit(key, "cleared", 1)
        for number, reason in enumerate(REASONS_GIVEN):
            more = {} if reason is None else {"reason": reason}
            self.debit(key, "guest_20", number + 1, **more)
        self.debit(key, "cleared", 1, reason="back to nothing")
        self.pass_time(key, days=2)

    def make_offers(self):
        key, now = self.sandbox, time.time()
        self.free = self.offer(key, "Free, without a price")
        self.free_too = self.offer(key, "Free, for 0", pointsPrice=0)
        self.coffee = self.offer(
            key, "Kaffee & Kuchen ☕", pointsPrice=40, description="Zwei Stück,\nein Kännchen.\t",
            shortDescription="Für zwei", kind="food", type="voucher",
            images=["https://example.com/a.jpg", "https://example.com/ü?x=1&y=2"])
        self.few = self.offer(key, "A few", pointsPrice=10, availability={"quantityRemaining": 9})
        self.last_one = self.offer(key, "The last one", pointsPrice=5,
                                   availability={"quantityRemaining": 1})
        self.gold = self.offer(key, "For gold", pointsPrice=1, tiers=["gold", "Größe L ✨"])
        self.dated = self.offer(
            key, "Concert", pointsPrice=100, kind="experience", startAt="2027-07-01T18:00:00+02:00",
            endAt="2027-07-01T23:59:59.999Z", expiresAt="2099-12-31T23:59:59.123456Z")
        self.dear = self.offer(key, "Out of reach", pointsPrice=POINTS_MAX)
        soon = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now + 8 * 86_400))
        self.expired = self.offer(key, "Expires", pointsPrice=3, expiresAt=soon)
        self.archived = self.offer(key, "Archived", pointsPrice=2)
        self.renamed = self.offer(key, "Before it was renamed", pointsPrice=7)
        for number in range(1, 8):
            self.offer(key, f"Offer {number}", pointsPrice=number * 11)
        self.sold_out_patch = self.offer(key, "Taken back", availability={"quantityRemaining": 3})
        self.send("PATCH", f"/v1/offers/{self.sold_out_patch}", key,
                  {"availability": {"quantityRemaining": 0}, "description": "None left"})

    def book(self):
        key = self.sandbox
        ada = self.token(key, "ada", displayName="Ada Lovelace", email="ada@example.com")
        self.tokens.append(ada)
        self.submitted = self.redeem(key, self.coffee, "guest_01")
        paths = {
            "guest_02": ["OPEN"],
            "guest_03": ["OPEN", "AWAITING_VENDOR"],
            "guest_04": ["AWAITING_VENDOR", "AWAITING_CUSTOMER", "AWAITING_VENDOR",
                         "AWAITING_CUSTOMER"],
            "guest_05": ["OPEN", "AWAITING_VENDOR", "AWAITING_CUSTOMER", "PURCHASED"],
            "guest_06": ["OPEN", "AWAITING_VENDOR", "AWAITING_CUSTOMER", "PURCHASED", "COMPLETED"],
            "guest_07": ["COMPLETED"],
            "guest_08": ["PURCHASED", "CANCELED"],
        }
        for name, statuses in paths.items():
            redemption = self.redeem(key, self.coffee, name)
            for status in statuses:
                self.move(key, redemption, status=status)
                self.pass_time(key, hours=1)
        bought = self.redeem(key, self.few, "guest_05")
        self.move(key, bought, status="PURCHASED", startAt="2027-01-02T03:04:05.678Z",
                  endAt="2027-01-03T00:00:00+05:30")
        self.move(key, bought, endAt=None)
        for number, reason in enumerate(REASONS, 9):
            redemption = self.redeem(key, self.few, f"guest_{number:02}")
            note = f"Grund {number}:\n\t„{reason}“ \"quoted\" 🎁"
            self.cancel(key, redemption, {"canceledReason": reason, "canceledNote": note},
                        key=f"cancel {reason}")
        self.pass_time(key, days=20)
        # Without a reason, by the member, and with one that comes later.
        self.cancel(key, self.redeem(key, self.few, "guest_16"), key="cancel without a body")
        mine = self.redeem(ada, self.coffee, key="booking by token")
        self.cancel(ada, mine, key="cancel by token")
        self.booking = self.redeem(ada, self.coffee)
        late = self.redeem(key, self.renamed, "guest_17")
        self.move(key, late, status="CANCELED")
        self.move(key, late, canceledReason="OTHER", canceledNote="noted later")
        self.renamed_booking = self.redeem(key, self.renamed, "guest_18", key="booking by key")
        self.send("PATCH", f"/v1/offers/{self.renamed}", key, {
            "title": "After it was renamed", "pointsPrice": 700, "tiers": ["gold"]})
        self.redeem(ada, self.gold)
        self.redeem(ada, self.dated)
        for name in ("guest_01", "ada", "名前 ✨"):
            self.redeem(key, self.free, name)
        self.cancel(key, self.redeem(key, self.free_too, "Zoë/ø"))
        self.redeem(key, self.last_one, "Zoë/ø")
        self.redeem(key, self.archived, "o'neil")
        self.send("DELETE", f"/v1/offers/{self.archived}", key)
        self.pass_time(key, days=30)

    def talk(self):
        key, ada = self.sandbox, self.tokens[0]
        support = self.support(key, "ada")
        self.say(ada, support, "Hello? Is anybody there? 👋", key="message by token")
        self.say(key, support, "Good morning,\n\twhat can we do?", key="message by key")
        self.say(ada, support, "\"Quotes\", \\backslashes\\ and 日本語")
        booking = self.booking["conversationId"]
        for number in range(5):
            self.say(ada, booking, f"Question {number} about the booking")
            self.say(key, booking, f"Answer {number} to the question")
        self.say(key, self.renamed_booking["conversationId"], "We have renamed it")
        for number in range(1, 6):
            token = self.token(key, f"guest_{number:02}")
            self.say(token, self.support(key, f"guest_{number:02}"), f"I am guest number {number}")
        self.talkative = self.token(key, "gone, erased", displayName="Erased Person",
                                    email="erased@example.com")
        self.member(key, "gone, erased", attributes={"secret": "forget this"})
        support = self.support(key, "gone, erased")
        self.say(self.talkative, support, "Please forget that I was here")
        self.say(key, support, "We will, and this answer too")
        self.pass_time(key, hours=5)

    def refuse(self):
        """Refusals that are stored under their keys."""
        key = self.sandbox
        debit = {"externalUserID": "cleared", "amount": 10}
        self.post("/v1/wallet/debit", key, debit, 422, "poor", {"amount": 11})
        unknown = {"externalUserID": "unknown", "amount": 10}
        self.post("/v1/wallet/credit", key, unknown, 404, "unknown", {"amount": 11})
        again = {"offer": self.coffee, "externalUserID": "guest_01"}
        other = {"externalUserID": "guest_02"}
        self.post("/v1/redemptions", key, again, 409, "held", other)
        for name, offer in (("sold out", self.last_one), ("expired", self.expired),
                            ("tier", self.gold), ("price", self.dear)):
            body = {"offer": offer, "externalUserID": "guest_02"}
            self.post("/v1/redemptions", key, body, 422, name, {"externalUserID": "guest_03"})
        body = {"offer": self.archived, "externalUserID": "guest_02"}
        self.post("/v1/redemptions", key, body, 404, "archived", {"externalUserID": "guest_03"})
        self.post(f"/v1/redemptions/{self.submitted['id']}/cancel", self.tokens[0], None, 404,
                  "not mine", "{}")
        # Bodies are the same if they are the same JSON.
        self.post("/v1/wallet/credit", key,
                  '{ "reason":"\\u00e9",  "amount":5.0, "externalUserID":"ada" }', 200, "spaced",
                  '{"reason":"é","amount":6,"externalUserID":"ada"}')

    def leave(self):
        key = self.sandbox
        self.removals = self.webhook(key, self.receiver.base + "/removals", ["member.removed"])
        for name in ("gone, forfeited", "gone, retained", "gone, with a booking", "back again",
                     "gone, erased and retained"):
            self.member(key, name, displayName=name.title(), tier="gold")
            self.credit(key, name, 500, "before leaving")
        self.credit(key, "gone, erased", 77)
        left = [self.redeem(key, offer, "gone, with a booking") for offer in
                (self.coffee, self.few, self.gold)]
        self.move(key, left[2], status="COMPLETED")
        self.say(key, left[0]["conversationId"], "Read by nobody")
        gone = self.token(key, "gone, forfeited")
        before = self.token(key, "back again")
        self.dead_tokens += [gone, before, self.talkative]
        self.remove(key, "gone, forfeited")
        self.remove(key, "gone, retained", "?retainBalance=true")
        self.remove(key, "gone, with a booking", "?retainBalance=true")
        self.remove(key, "gone, erased", "?erase=true")
        self.remove(key, "gone, erased and retained", "?erase=true&retainBalance=true")
        self.remove(key, "back again")
        self.pass_time(key, days=1)
        self.cancel(key, left[0], {"canceledReason": "MEMBER_REQUESTED"})
        self.member(key, "back again", displayName="Back Again", tier="silver")
        self.credit(key, "back again", 5)
        self.tokens.append(self.token(key, "back again"))
        self.pass_time(key, days=40)

    def sandbox_programs(self):
        """Further programs of the sandbox's organization."""
        key = self.sandbox
        made = self.post("/v1/programs", key, {"name": "Zweites Programm"}, 201, "second program",
                         {"name": "Another"})
        self.second = made["apiKey"]
        self.programs.append(self.second)
        self.member(self.second, "whale", displayName="Whale", tier="platinum")
        self.credit(self.second, "whale", POINTS_MAX - 1000, "nearly everything")
        self.debit(self.second, "whale", POINTS_MAX - 2000)
        self.member(self.second, "ada", displayName="Another Ada")
        self.credit(self.second, "ada", 10)
        self.redeem(self.second, self.offer(self.second, "Second coffee", pointsPrice=4), "ada")
        token = self.token(self.second, "ada", key="sealed token")
        self.tokens.append(token)
        self.say(token, self.support(self.second, "ada"), "From the second program")
        third = self.post("/v1/programs", key, {"name": "To be archived"}, 201)
        self.credit_new(third["apiKey"], "somebody")
        self.send("PATCH", f"/v1/programs/{third['id']}", key, {"status": "ARCHIVED"})
        self.closed.append(third["apiKey"])
        fourth = self.post("/v1/programs", key, {"name": "Archived for a while"}, 201)
        self.credit_new(fourth["apiKey"], "somebody")
        for change in ({"status": "ARCHIVED"}, {"status": "ACTIVE"}, {"name": "Übrig & back"}):
            self.send("PATCH", f"/v1/programs/{fourth['id']}", key, change)
        self.programs.append(fourth["apiKey"])

    def credit_new(self, credential, name):
        self.member(credential, name)
        self.credit(credential, name, 12, "a dozen")

    def organization(self, partner, name, key=None, **fields):
        body = {"name": name, **fields}
        made = self.post("/partner/organizations", partner, body, 201, key, {"name": name + "!"})
        return made["organization"]["id"], made["apiKey"]

    def partner_sandbox(self):
        partner = self.partners[0]
        body = ('{"name": "Ägypten & Söhne", "externalId": "ext/1 ✨", "tier": "paid",'
                ' "initialCredits": 2, "metadata": {"b":1,"a":9007199254740993, "c" : 1.10}}')
        made = self.post("/partner/organizations", partner, body, 201, "organization",
                         '{"name": "Other"}')
        first, key = made["organization"]["id"], made["apiKey"]
        path = f"/partner/organizations/{first}"
        self.programs.append(key)
        self.send("PATCH", path, partner, {"name": "Ägypten & Töchter"})
        for number in range(4):
            # Two use a credit, two exceed the allocation.
            self.token(key, f"member {number}")
        self.token(key, "member 0", displayName="Refreshed")
        self.send("PUT", path + "/credits", partner, {"credits": 3, "notes": "one\nmore ✨"})
        self.token(key, "member 4")
        extra = self.post(path + "/api-keys", partner, {"name": "Schlüssel 2"}, 201, "api key",
                          {"name": "Third"})
        revoked = self.post(path + "/api-keys", partner, {"name": "Revoked"}, 201)
        self.programs.append(extra["plainKey"])
        self.closed.append(revoked["plainKey"])
        self.send("DELETE", f"{path}/api-keys/{revoked['apiKey']['id']}", partner, status=204)

        for name, status in (("Suspended AG", "suspended"), ("Canceled Ltd", "canceled")):
            organization, key = self.organization(partner, name, externalId=name.lower())
            self.credit_new(key, "left behind")
            self.dead_tokens.append(self.token(key, "left behind"))
            self.send("PUT", f"/partner/organizations/{organization}/status", partner,
                      {"status": status})
            self.closed.append(key)
        organization, key = self.organization(partner, "Back in business", initialCredits=500)
        self.programs.append(key)
        path = f"/partner/organizations/{organization}"
        self.send("DELETE", path, partner, status=204)
        self.send("PUT", path + "/status", partner, {"status": "active"})
        self.send("PUT", path + "/tier", partner, {"tier": "paid"})
        self.credit_new(key, "kept")
        for number in range(3):
            self.organization(partner, f"Trial {number}", metadata={"number": number})
        self.post("/partner/organizations", partner, {"name": "Too much", "initialCredits": 501},
                  422, "too much", {"initialCredits": 502})

        _, self.reset = self.organization(partner, "Starts afresh")
        self.send("PUT", "/v1/configuration", self.reset, {
            "currencyName": "Kept", "currencySymbol": "k"})
        self.credit_new(self.reset, "before the reset")
        self.dead_tokens.append(self.token(self.reset, "before the reset"))
        self.webhook(self.reset, self.receiver.base + "/all", ["member.created"])
        self.pass_time(self.reset, days=3)
        self.post("/v1/sandbox/reset", self.reset, None, 200, "reset", "{}")
        self.credit_new(self.reset, "after the reset")
        self.programs.append(self.reset)

    def live_history(self):
        key, partner = self.live, self.partners[1]
        # No event that it subscribes to happens, so nothing is sent to the outside.
        self.webhook(key, "https://receiver.invalid/hook", ["conversation.message_created"])
        for number in range(1, 6):
            self.member(key, f"live {number}", displayName=f"Live {number}", tier="vip")
            self.credit(key, f"live {number}", 100 * number, "live", key=f"live {number}")
        offer = self.offer(key, "Live offer", pointsPrice=30, tiers=["vip"])
        self.move(key, self.redeem(key, offer, "live 1"), status="COMPLETED")
        self.cancel(key, self.redeem(key, offer, "live 2"), {"canceledReason": "SOLD_OUT"})
        token = self.token(key, "live 3", key="live token")
        self.tokens.append(token)
        self.redeem(token, offer, key="live booking")
        self.remove(key, "live 5")
        _, other = self.organization(partner, "Live organization", key="live organization",
                                     tier="paid", initialCredits=100)
        self.credit_new(other, "somebody")
        self.token(other, "somebody")
        self.programs.append(other)

    def last_writes(self):
        """Tests of webhooks, one that fails and one that does not, and a delivery sent again."""
        key = self.sandbox
        self.wait("all events", lambda: not self.unsent())
        self.post(f"/v1/webhooks/{self.all_events}/test", key, None, 200, "test", "{}")
        self.post(f"/v1/webhooks/{self.removals}/test", key, None, 200, "failing test", "{}")
        page = self.send("GET", f"/v1/webhooks/{self.all_events}/deliveries?limit=3", key)
        again = page["deliveries"][1]["id"]
        self.post(f"/v1/webhooks/{self.all_events}/deliveries/{again}/redeliver", key, None, 200,
                  "again", "{}")
        self.wait("the tests", lambda: not self.rows(
            "SELECT 1 FROM webhook_delivery WHERE status = 'pending' AND attempts = 0"))

    def unsent(self):
        """Whether an event was never tried by the webhook that listens to all of them."""
        return self.rows(
            "SELECT 1 FROM webhook_endpoint w JOIN activity a ON a.program_id = w.program_id"
            " WHERE w.url LIKE '%/all' AND w.disabled_at IS NULL AND a.kind <= 13"
            " AND a.seq > w.cursor_seq")

    def settle_webhooks(self):
        """Lets the deliveries that fail fail until they are dead or wait for an hour."""
        for webhook in (self.closed_port, self.removals):
            page = self.send("GET", f"/v1/webhooks/{webhook}/deliveries?limit=100", self.sandbox)
            waiting = [d["id"] for d in page["deliveries"] if d["status"] == "pending"]
            for number, delivery in enumerate(waiting):
                wanted = ATTEMPTS_DEAD if number % 2 == 0 else ATTEMPTS_PENDING
                self.push(webhook, delivery, wanted)
        soon = int(time.time() * 1000) + 1_800_000
        self.wait("deliveries that are due soon", lambda: not self.rows(
            "SELECT 1 FROM webhook_delivery WHERE next_at < ?", soon))

    def push(self, webhook, delivery, wanted):
        path = f"/v1/webhooks/{webhook}/deliveries"

        def attempts():
            page = self.send("GET", path + "?limit=100", self.sandbox)
            return next(d for d in page["deliveries"] if d["id"] == delivery)["attempts"]

        before = attempts()
        while before < wanted:
            self.post(f"{path}/{delivery}/redeliver", self.sandbox)
            self.wait("an attempt", lambda: attempts() > before)
            before = attempts()
