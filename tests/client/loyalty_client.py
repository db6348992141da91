"""A client of the loyalty API, written from its public documentation alone, with nothing but the
standard library. It calls the documented operations of a running server, checks the type of every
documented field, and handles retries, expired tokens and broken streams as a client should.

    python3 loyalty_client.py http://127.0.0.1:8080 expys_sandbox_...

The server's member tokens should be valid for two or three seconds. It prints one line for each
check, and ends with exit code 1 at the first response that is not as documented.
"""

import calendar
import http.client
import http.server
import json
import sys
import threading
import time
import urllib.parse
import uuid

ATTEMPTS_MAX = 3
PATIENCE = 30.0


class ApiError(Exception):
    """An error in the documented envelope."""

    def __init__(self, status, code, message):
        super().__init__(f"{status} {code}: {message}")
        self.status, self.code, self.message = status, code, message


class Unauthorized(ApiError):
    """401"""


class Forbidden(ApiError):
    """403"""


class NotFound(ApiError):
    """404"""


class Conflict(ApiError):
    """409"""


class Validation(ApiError):
    """422"""


class RateLimited(ApiError):
    """429"""


class ServerError(ApiError):
    """500 and above"""


CLASSES = {401: Unauthorized, 403: Forbidden, 404: NotFound, 409: Conflict, 422: Validation,
           429: RateLimited}


class Client:
    """Sends requests with one credential; `refresh` returns another when that has expired."""

    def __init__(self, base, credential, refresh=None):
        self.base = urllib.parse.urlsplit(base)
        self.credential, self.refresh = credential, refresh
        self.attempts = []
        self.refreshed = 0
        self.last_headers = {}

    def call(self, method, path, body=None, query=None, key=None):
        """Returns the body of the response. 429 and 5xx are retried with the same idempotency key;
        an expired credential is refreshed once."""
        headers = {"Accept": "application/json"}
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        if method == "POST" and body is not None:
            headers["Idempotency-Key"] = key or str(uuid.uuid4())
        if query:
            path += "?" + urllib.parse.urlencode(query)
        may_refresh = self.refresh is not None
        self.attempts = []
        while True:
            headers["Authorization"] = "Bearer " + self.credential
            status, answer_headers, text = self.send(method, path, data, headers)
            self.attempts.append(status)
            if status == 401 and may_refresh:
                may_refresh = False
                self.refreshed += 1
                self.credential = self.refresh()
                continue
            retries = sum(1 for one in self.attempts if one == 429 or one >= 500)
            if (status == 429 or status >= 500) and retries < ATTEMPTS_MAX:
                time.sleep(min(float(answer_headers.get("retry-after", 0)), 5.0))
                continue
            return self.read(status, answer_headers, text)

    def send(self, method, path, data, headers):
        connection = http.client.HTTPConnection(self.base.hostname, self.base.port, timeout=PATIENCE)
        try:
            connection.request(method, path, data, headers)
            answer = connection.getresponse()
            text = answer.read()
            return answer.status, {k.lower(): v for k, v in answer.getheaders()}, text
        finally:
            connection.close()

    def read(self, status, headers, text):
        self.last_headers = headers
        check(headers.get("x-request-id"), "every answer has X-Request-Id")
        check(headers["content-type"].startswith("application/json"), "an answer is JSON")
        body = json.loads(text)
        if 200 <= status < 300:
            return body
        error = body["error"]
        check(set(body) == {"error"}, "an error is alone in its envelope")
        check(isinstance(error["code"], str) and isinstance(error["message"], str),
              "an error has a code and a message")
        raise (ServerError if status >= 500 else CLASSES.get(status, ApiError))(
            status, error["code"], error["message"])

    def messages(self, conversation):
        """Yields messages as they arrive, across reconnects, until the caller stops. A 401
        refreshes the token once between two connections that worked."""
        may_refresh = True
        while True:
            connection = http.client.HTTPConnection(
                self.base.hostname, self.base.port, timeout=PATIENCE)
            connection.request("GET", f"/v1/conversations/{conversation}/stream", headers={
                "Accept": "text/event-stream", "Authorization": "Bearer " + self.credential})
            answer = connection.getresponse()
            if answer.status == 401 and may_refresh:
                may_refresh = False
                self.refreshed += 1
                connection.close()
                self.credential = self.refresh()
                continue
            if answer.status != 200:
                self.read(answer.status, {k.lower(): v for k, v in answer.getheaders()},
                          answer.read())
            check(answer.getheader("content-type").startswith("text/event-stream"),
                  "a stream is text/event-stream")
            may_refresh = True
            yield "open"
            data = []
            for line in answer:
                line = line.rstrip(b"\r\n")
                if line.startswith(b":"):
                    continue
                if line.startswith(b"data:"):
                    data.append(line[5:].removeprefix(b" "))
                elif not line and data:
                    yield json.loads(b"\n".join(data))
                    data = []
            connection.close()
            yield "closed"


class Injector(http.server.BaseHTTPRequestHandler):
    """A proxy that injects errors by a plan: a status is returned instead of calling the
    server, and `lost` drops the response after the server has acted."""

    protocol_version = "HTTP/1.1"

    def forward(self):
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length)
        plan = self.server.plan.pop(0) if self.server.plan else "pass"
        self.server.keys.append(self.headers.get("Idempotency-Key"))
        if plan == 429 or plan == 500:
            code = "RATE_LIMITED" if plan == 429 else "INTERNAL"
            self.answer(plan, [("Retry-After", "0"), ("X-Request-Id", "req_proxy")], json.dumps(
                {"error": {"code": code, "message": "injected"}}).encode())
            return
        base = self.server.base
        connection = http.client.HTTPConnection(base.hostname, base.port, timeout=PATIENCE)
        connection.request(self.command, self.path, body or None, {
            name: value for name, value in self.headers.items()
            if name.lower() not in ("host", "connection", "content-length")})
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        if plan == "lost":
            self.answer(503, [("Retry-After", "0"), ("X-Request-Id", "req_proxy")], json.dumps(
                {"error": {"code": "ERROR", "message": "the answer was lost"}}).encode())
            return
        headers = [(name, value) for name, value in answer.getheaders()
                   if name.lower() not in ("content-length", "transfer-encoding", "connection",
                                           "date")]
        self.answer(answer.status, headers, text)

    def answer(self, status, headers, text):
        self.send_response(status)
        if not any(name.lower() == "content-type" for name, _ in headers):
            self.send_header("Content-Type", "application/json")
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_PUT = do_DELETE = forward

    def log_message(self, *_):
        """Logs nothing."""


def start_injector(base):
    proxy = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Injector)
    proxy.base = urllib.parse.urlsplit(base)
    proxy.plan, proxy.keys = [], []
    threading.Thread(target=proxy.serve_forever, daemon=True).start()
    return proxy


# The documented shapes: a type, a type or null, a list, an object.

def check(is_right, what):
    if not is_right:
        raise AssertionError(what)


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def is_integer(value):
    return isinstance(value, int) and not isinstance(value, bool)


def is_text(value):
    return isinstance(value, str)


def is_flag(value):
    return isinstance(value, bool)


def is_time(value):
    if not is_text(value):
        return False
    try:
        time.strptime(value[:19], "%Y-%m-%dT%H:%M:%S")
    except ValueError:
        return False
    return value.endswith("Z")


def or_null(rule):
    return lambda value: value is None or fits(value, rule)


def list_of(rule):
    return lambda value: isinstance(value, list) and all(fits(item, rule) for item in value)


def one_of(*values):
    return lambda value: value in values


def is_object(value):
    return isinstance(value, dict)


def fits(value, rule):
    """A shape allows further fields: they may be added at any time."""
    if isinstance(rule, dict):
        return is_object(value) and all(
            name in value and fits(value[name], inner) for name, inner in rule.items())
    return rule(value)


def explain(value, rule, path=""):
    if isinstance(rule, dict) and is_object(value):
        for name, inner in rule.items():
            if name not in value:
                return f"{path}.{name} is missing"
            if not fits(value[name], inner):
                return explain(value[name], inner, f"{path}.{name}")
    return f"{path} is {json.dumps(value)}"


def shaped(value, rule, exactly=False):
    check(fits(value, rule), "" if fits(value, rule) else explain(value, rule, "the answer"))
    if exactly:
        check(set(value) == set(rule), f"it has {sorted(value)} and no other field")
    return value


STATUSES = ("SUBMITTED", "OPEN", "AWAITING_VENDOR", "AWAITING_CUSTOMER", "PURCHASED", "COMPLETED",
            "CANCELED")
GRANT = {"accessToken": is_text, "expiresAt": is_time}
CURRENCY = {"name": is_text, "symbol": is_text, "unitsPerUSD": is_number}
WALLET = {"balance": is_number, "amountReceived": is_number, "amountSpent": is_number,
          "balanceUSD": is_number, "balanceDisplay": is_number, "amountReceivedUSD": is_number,
          "amountReceivedDisplay": is_number, "amountSpentUSD": is_number,
          "amountSpentDisplay": is_number, "currency": CURRENCY, "pending": is_number,
          "held": is_number, "expiring": list_of({"amount": is_number, "at": is_time}),
          "asOf": is_number}
OFFER = {"id": is_text, "title": is_text, "description": is_text, "shortDescription": is_text,
         "kind": is_text, "type": is_text, "pointsPrice": or_null(is_integer),
         "expiresAt": or_null(is_time), "images": list_of(is_text)}
OFFERS = {"data": list_of(OFFER), "nextCursor": or_null(is_text)}
REDEMPTION = {"id": is_text, "offer": is_text, "status": one_of(*STATUSES), "createdAt": is_time,
              "startAt": or_null(is_time), "endAt": or_null(is_time),
              "canceledReason": or_null(is_text), "canceledNote": or_null(is_text)}
REDEMPTIONS = {"redemptions": list_of(REDEMPTION), "nextCursor": or_null(is_text)}
ELIGIBILITY = {"tier": is_text, "wallet": WALLET}
TRANSACTION = {"id": is_text, "type": one_of("CREDIT", "DEBIT"), "amount": is_number,
               "reason": or_null(is_text), "redemptionID": or_null(is_text), "createdAt": is_time}
TRANSACTIONS = {"transactions": list_of(TRANSACTION), "nextCursor": or_null(is_text)}
CREDITED = {"balance": is_number, "currency": CURRENCY}
CONVERSATION = {"id": is_text, "type": is_text, "title": or_null(is_text),
                "lastMessageAt": or_null(is_time)}
CONVERSATIONS = {"conversations": list_of(CONVERSATION)}
MESSAGE = {"id": is_text, "authorID": is_text, "type": is_text, "body": or_null(is_text),
           "createdAt": is_time}
MESSAGES = {"messages": list_of(MESSAGE), "nextCursor": or_null(is_text)}
MEMBER = {"externalUserID": is_text, "displayName": or_null(is_text), "tier": is_text,
          "attributes": or_null(is_object)}
SUMMARY_OF_MEMBER = {**MEMBER, "wallet": WALLET,
                     "redemptionCounts": {status: is_number for status in STATUSES}}
REMOVED = {"externalUserID": is_text, "archived": is_flag, "balanceRetained": is_flag}
SUMMARY = {"memberCount": is_number, "pointsMinted": is_number, "pointsSpent": is_number,
           "completionRate": is_number,
           "redemptions": {**{status.lower(): is_number for status in STATUSES},
                           "total": is_number}}
OF_OFFERS = {"offers": list_of({"offerId": is_text, "signups": is_number, "completions": is_number,
                                "cancellations": is_number, "pointsSpent": is_number})}
TIMESERIES = {"buckets": list_of({"startTime": is_number, "endTime": is_number,
                                  "signups": is_number, "pointsMinted": is_number,
                                  "pointsSpent": is_number})}
WEBHOOK = {"id": is_text, "url": is_text, "events": list_of(is_text),
           "environment": one_of("SANDBOX", "LIVE"), "createdAt": is_time}
NEW_WEBHOOK = {**WEBHOOK, "signingSecret": lambda v: is_text(v) and v.startswith("whsec_")}
WEBHOOKS = {"data": list_of({**WEBHOOK, "disabledAt": or_null(is_time)})}


class Walk:
    """Runs all checks with one key."""

    def __init__(self, base, key):
        self.base, self.key = base, key
        self.proxy = start_injector(base)
        self.through = f"http://127.0.0.1:{self.proxy.server_address[1]}"
        self.org = Client(base, key)
        self.user = "user/ä 42"
        self.path = "/v1/members/" + urllib.parse.quote(self.user, safe="")
        self.steps = 0

    def done(self, what):
        self.steps += 1
        print(f"{self.steps:2} {what}", flush=True)

    def refuses(self, kind, code, *call, by=None):
        try:
            (by or self.org).call(*call)
        except ApiError as error:
            check(type(error) is kind, f"{call} gives {type(error).__name__}: {error}")
            check(error.code == code, f"{call} gives {error}")
            return
        check(False, f"{call} is refused")

    def token(self):
        grant = self.org.call("POST", "/v1/auth/exchange", {"externalUserID": self.user})
        return shaped(grant, GRANT, exactly=True)["accessToken"]

    def run(self):
        self.members()
        self.points()
        self.offers_and_redemptions()
        self.conversations()
        self.analytics()
        self.webhooks()
        self.retries()
        self.expiry()
        self.stream()
        self.removal()

    def members(self):
        token = self.token()
        check(token.startswith("v4.local."), "a member token is a PASETO")
        self.done("exchangeToken")
        self.member = Client(self.base, token, self.token)
        member = self.org.call("PUT", self.path, {
            "displayName": "Ada", "tier": "gold", "attributes": {"plan": "annual"}})
        shaped(member, MEMBER, exactly=True)
        check(member["externalUserID"] == self.user, "the id is decoded")
        self.done("setMember")
        shaped(self.org.call("GET", self.path), SUMMARY_OF_MEMBER)
        self.refuses(NotFound, "NOT_FOUND", "GET", "/v1/members/nobody")
        self.refuses(Forbidden, "FORBIDDEN", "GET", self.path, by=self.member)
        self.refuses(Unauthorized, "UNAUTHORIZED", "GET", self.path,
                     by=Client(self.base, "expys_sandbox_unknown"))
        self.done("getMember")

    def points(self):
        body = {"externalUserID": self.user, "amount": 100, "reason": "welcome"}
        credited = shaped(self.org.call("POST", "/v1/wallet/credit", body), CREDITED)
        check(credited["balance"] == 100, "the balance is that after the credit")
        self.refuses(Validation, "VALIDATION", "POST", "/v1/wallet/credit", {**body, "amount": 0})
        self.refuses(NotFound, "NOT_FOUND", "POST", "/v1/wallet/credit",
                     {**body, "externalUserID": "nobody"})
        self.refuses(Forbidden, "FORBIDDEN", "POST", "/v1/wallet/credit", body, None, None,
                     by=self.member)
        self.done("creditWallet")
        wallet = shaped(self.member.call("GET", "/v1/wallet"), WALLET)
        check(wallet["balance"] == 100 and wallet["currency"]["symbol"], "the wallet has them")
        self.done("getWallet")
        for one, query in ((self.member, None), (self.org, {"externalUserID": self.user})):
            shaped(one.call("GET", "/v1/eligibility", query=query), ELIGIBILITY)
            page = one.call("GET", "/v1/wallet/transactions", query=query)
            check(shaped(page, TRANSACTIONS)["transactions"][0]["reason"] == "welcome", "a reason")
        self.done("getEligibility")
        self.refuses(Validation, "VALIDATION", "GET", "/v1/wallet/transactions", None,
                     {"limit": 101}, by=self.member)
        self.done("listTransactions")

    def offers_and_redemptions(self):
        # The documented operations cannot create offers.
        for price in (40, 1000, None):
            self.org.call("POST", "/v1/offers", {"title": "An offer", "pointsPrice": price})
        offers = shaped(self.member.call("GET", "/v1/offers", query={"limit": 2}), OFFERS)
        check(len(offers["data"]) == 2 and offers["nextCursor"], "there is another page")
        rest = self.member.call("GET", "/v1/offers", query={
            "limit": 2, "cursor": offers["nextCursor"]})
        check(rest["nextCursor"] is None, "the last page has no cursor")
        self.refuses(Validation, "VALIDATION", "GET", "/v1/offers", None, {"cursor": "x"},
                     by=self.member)
        by_price = {offer["pointsPrice"]: offer["id"] for offer in offers["data"] + rest["data"]}
        self.done("listOffers")
        self.offer = by_price[40]
        made = self.member.call("POST", "/v1/redemptions", {"offer": self.offer}, None, "my key")
        check(shaped(made, REDEMPTION)["status"] == "SUBMITTED", "a redemption begins SUBMITTED")
        again = self.member.call("POST", "/v1/redemptions", {"offer": self.offer}, None, "my key")
        check(again == made, "the same key brings the same redemption")
        self.refuses(Conflict, "REDEMPTION_ALREADY_EXISTS", "POST", "/v1/redemptions",
                     {"offer": self.offer}, by=self.member)
        self.refuses(Conflict, "IDEMPOTENCY_KEY_REUSED", "POST", "/v1/redemptions",
                     {"offer": by_price[None]}, None, "my key", by=self.member)
        self.refuses(Validation, "INSUFFICIENT_POINTS", "POST", "/v1/redemptions",
                     {"offer": by_price[1000]}, by=self.member)
        self.refuses(NotFound, "NOT_FOUND", "POST", "/v1/redemptions", {"offer": "off_1"},
                     by=self.member)
        on_behalf = self.org.call("POST", "/v1/redemptions", {
            "offer": by_price[None], "externalUserID": self.user})
        shaped(on_behalf, REDEMPTION)
        self.done("createRedemption")
        check(self.member.call("GET", "/v1/redemptions/" + made["id"]) == made, "it is found")
        self.refuses(NotFound, "NOT_FOUND", "GET", "/v1/redemptions/rdm_1", by=self.member)
        self.done("getRedemption")
        for one, query in ((self.member, {}), (self.org, {"externalUserID": self.user})):
            page = shaped(one.call("GET", "/v1/redemptions", query={
                **query, "limit": 1, "status": "SUBMITTED"}), REDEMPTIONS)
            check(page["redemptions"][0]["id"] == on_behalf["id"], "the newest comes first")
            check(page["nextCursor"] is not None, "there is another page")
        check(self.member.call("GET", "/v1/wallet")["amountSpent"] == 40, "the price is spent")
        self.done("listRedemptions")

    def conversations(self):
        found = shaped(self.member.call("GET", "/v1/conversations"), CONVERSATIONS)
        shaped(self.org.call("GET", "/v1/conversations", query={
            "externalUserID": self.user}), CONVERSATIONS)
        support = [one for one in found["conversations"] if one["type"] == "support"]
        check(len(support) == 1, "every member has one for support")
        self.support = support[0]["id"]
        self.messages_path = f"/v1/conversations/{self.support}/messages"
        self.done("listConversations")
        said = self.member.call("POST", self.messages_path, {"message": "Hello"})
        check(shaped(said, {"ok": is_flag}, exactly=True)["ok"], "it is accepted")
        self.refuses(Forbidden, "FORBIDDEN", "POST", self.messages_path, {"message": "Hello"})
        self.refuses(Validation, "VALIDATION", "POST", self.messages_path, {"message": ""},
                     by=self.member)
        self.done("sendMessage")
        page = shaped(self.member.call("GET", self.messages_path), MESSAGES)
        check(page["messages"][0]["authorID"] == self.user, "the author is the member")
        check(page["messages"][0]["body"] == "Hello", "it says what was said")
        shaped(self.org.call("GET", self.messages_path, query={
            "externalUserID": self.user, "limit": 5}), MESSAGES)
        self.refuses(NotFound, "NOT_FOUND", "GET", "/v1/conversations/cnv_1/messages",
                     by=self.member)
        self.done("listMessages")

    def analytics(self):
        summary = shaped(self.org.call("GET", "/v1/analytics/summary"), SUMMARY)
        check(summary["pointsMinted"] == 100 and summary["pointsSpent"] == 40, "every write counts")
        self.refuses(Forbidden, "FORBIDDEN", "GET", "/v1/analytics/summary", by=self.member)
        self.done("getAnalyticsSummary")
        rows = shaped(self.org.call("GET", "/v1/analytics/offers"), OF_OFFERS)["offers"]
        check({"offerId": self.offer, "pointsSpent": 40}.items()
              <= [row for row in rows if row["offerId"] == self.offer][0].items(), "its points")
        self.done("getAnalyticsOffers")
        window = {"from": "2026-06-01T00:00:00Z", "to": "2026-06-23T00:00:00Z"}
        for interval, count in (("day", 22), ("week", 4), ("month", 1), ("hour", 528)):
            series = self.org.call("GET", "/v1/analytics/timeseries", query={
                **window, "interval": interval})
            check(len(shaped(series, TIMESERIES)["buckets"]) == count, f"{count} of {interval}")
        self.refuses(Validation, "VALIDATION", "GET", "/v1/analytics/timeseries", None, window)
        self.done("getAnalyticsTimeseries")

    def webhooks(self):
        body = {"url": "https://example.com/hook", "events": ["redemption.created"]}
        made = shaped(self.org.call("POST", "/v1/webhooks", body, None, "hook"), NEW_WEBHOOK)
        again = self.org.call("POST", "/v1/webhooks", body, None, "hook")
        check(again == made, "the same key brings the same secret")
        self.refuses(Validation, "WEBHOOK_EVENT_UNKNOWN", "POST", "/v1/webhooks",
                     {**body, "events": ["redemption.renamed"]})
        self.refuses(Validation, "WEBHOOK_URL_NOT_ALLOWED", "POST", "/v1/webhooks",
                     {**body, "url": "ftp://example.com/"})
        self.refuses(Forbidden, "FORBIDDEN", "POST", "/v1/webhooks", body, by=self.member)
        self.done("createWebhook")
        listed = shaped(self.org.call("GET", "/v1/webhooks"), WEBHOOKS)["data"]
        check([one["id"] for one in listed] == [made["id"]], "it is listed")
        check("signingSecret" not in listed[0], "the secret is shown once")
        self.done("listWebhooks")
        deleted = self.org.call("DELETE", "/v1/webhooks/" + made["id"])
        shaped(deleted, {"id": is_text, "ok": is_flag}, exactly=True)
        listed = self.org.call("GET", "/v1/webhooks")["data"]
        check(listed[0]["disabledAt"] is not None, "a deleted one is disabled")
        self.refuses(NotFound, "NOT_FOUND", "DELETE", "/v1/webhooks/wh_1")
        self.done("deleteWebhook")

    def retries(self):
        org = Client(self.through, self.key)
        balance = self.member.call("GET", "/v1/wallet")["balance"]
        self.proxy.plan, self.proxy.keys = [429, "lost", "pass"], []
        body = {"externalUserID": self.user, "amount": 7}
        credited = org.call("POST", "/v1/wallet/credit", body)
        check(org.attempts == [429, 503, 200], f"three attempts: {org.attempts}")
        check(len(set(self.proxy.keys)) == 1, "with one key")
        check(org.last_headers.get("idempotency-replayed") == "true", "the last is a replay")
        check(credited["balance"] == balance + 7, "it acted once")
        check(self.member.call("GET", "/v1/wallet")["balance"] == balance + 7, "and not again")

        self.proxy.plan = ["lost", 500]
        grant = org.call("POST", "/v1/auth/exchange", {"externalUserID": self.user})
        check(org.attempts == [503, 500, 200], f"three attempts: {org.attempts}")
        Client(self.base, grant["accessToken"]).call("GET", "/v1/wallet")

        member = Client(self.through, self.token(), self.token)
        self.proxy.plan = ["lost", 429]
        member.call("POST", self.messages_path, {"message": "Once"})
        page = self.member.call("GET", self.messages_path)["messages"]
        check([one["body"] for one in page].count("Once") == 1, "it was said once")

        self.proxy.plan = ["lost"]
        hooked = org.call("POST", "/v1/webhooks", {
            "url": "https://example.com/", "events": ["member.removed"]})
        listed = self.org.call("GET", "/v1/webhooks")["data"]
        active = [one["id"] for one in listed if one["disabledAt"] is None]
        check(active == [hooked["id"]], "it was made once")
        self.org.call("DELETE", "/v1/webhooks/" + hooked["id"])

        self.proxy.plan = [500, 500, 500]
        try:
            org.call("GET", "/v1/analytics/summary")
            check(False, "a third failure is told")
        except ServerError as error:
            check(error.code == "INTERNAL", "by its class")
        self.proxy.plan = []
        self.done("429 and 5xx are retried safely, also after the server acted")

    def expiry(self):
        grant = self.org.call("POST", "/v1/auth/exchange", {"externalUserID": self.user})
        member = Client(self.base, grant["accessToken"], self.token)
        member.call("GET", "/v1/wallet")
        check(member.refreshed == 0, "a new token is good")
        wait_until(grant["expiresAt"])
        member.call("GET", "/v1/wallet")
        check(member.attempts == [401, 200] and member.refreshed == 1, "it is refreshed once")
        forever_bad = Client(self.base, "v4.local.bad", lambda: "v4.local.bad")
        self.refuses(Unauthorized, "UNAUTHORIZED", "GET", "/v1/wallet", by=forever_bad)
        check(forever_bad.attempts == [401, 401], "a second 401 is told")
        self.done("an expired token is refreshed once")

    def say_as_operator(self, text):
        # The operator's routes are not among the documented operations.
        self.org.call("POST", self.messages_path, {"message": text, "as": "agent"})

    def stream(self):
        member = Client(self.base, self.token(), self.token)
        stream = member.messages(self.support)
        check(next(stream) == "open", "it opens")
        self.say_as_operator("One\ntwo ☕")
        heard = shaped(next(stream), MESSAGE)
        check(heard["body"] == "One\ntwo ☕" and heard["authorID"] == "agent", "it is heard")
        # The stream ends with its token; the next connection needs a new one.
        check(next(stream) == "closed", "it ends when the token expires")
        while member.refreshed == 0:
            check(next(stream) in ("open", "closed"), "nothing was said")
        check(member.refreshed == 1, "and is opened anew")
        self.say_as_operator("Three")
        check(next(stream)["body"] == "Three", "what is said then is heard")
        stream.close()
        self.refuses(Forbidden, "FORBIDDEN", "GET", f"/v1/conversations/{self.support}/stream")
        self.refuses(NotFound, "NOT_FOUND", "GET", "/v1/conversations/cnv_1/stream",
                     by=self.member)
        self.done("streamMessages, through a reconnect")

    def removal(self):
        removed = self.org.call("DELETE", self.path, query={"retainBalance": "true"})
        shaped(removed, REMOVED, exactly=True)
        check(removed == {"externalUserID": self.user, "archived": True, "balanceRetained": True},
              "it says what was done")
        check(self.org.call("DELETE", self.path) == removed, "a second removal has the same answer")
        self.refuses(NotFound, "NOT_FOUND", "GET", "/v1/wallet", by=self.member)
        self.done("removeMember")


def wait_until(moment):
    """Waits for the time that the server named, and a little longer."""
    end = time.strptime(moment[:19], "%Y-%m-%dT%H:%M:%S")
    fraction = float("0" + moment[19:-1]) if len(moment) > 20 else 0.0
    time.sleep(max(0.0, calendar.timegm(end) + fraction - time.time()) + 0.05)


if __name__ == "__main__":
    walk = Walk(sys.argv[1], sys.argv[2])
    walk.run()
    print(f"all {walk.steps} steps as documented")
