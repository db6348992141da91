"""The reads that `record.py` sends to a server, and their responses."""

import datetime
import json
import re
from collections import Counter

from history import EVENTS, quote

STATUSES = ["SUBMITTED", "OPEN", "AWAITING_VENDOR", "AWAITING_CUSTOMER", "PURCHASED", "COMPLETED",
            "CANCELED"]
WITHOUT_ID = "/v1/offers/off_00000000-0000-7000-8000-000000000000"


class Reads:
    """Sends every read, follows every list to its last page, and records each response once."""

    def __init__(self, server, history):
        self.server, self.history = server, history
        self.answers, self.asked = [], {}

    def get(self, credential, path):
        """The body of the response, which is recorded."""
        if (credential, path) not in self.asked:
            status, headers, text = self.server.call("GET", path, credential)
            self.answers.append({
                "kind": "get", "path": path, "credential": credential, "status": status,
                "type": headers.get("content-type"), "etag": headers.get("etag"), "answer": text})
            self.asked[credential, path] = json.loads(text) if text else None
        return self.asked[credential, path]

    def pages(self, credential, path, rows, limit):
        """All rows of a list, page by page."""
        sign = "&" if "?" in path else "?"
        found, cursor = [], None
        while True:
            more = f"&cursor={quote(cursor)}" if cursor else ""
            page = self.get(credential, f"{path}{sign}limit={limit}{more}")
            found += page[rows]
            pagination = page.get("pagination")
            cursor = pagination["next_cursor"] if pagination else page["nextCursor"]
            if cursor is None:
                return found

    def routes(self):
        """The number of reads of each route."""
        def route(path):
            path = path.split("?")[0].removeprefix("/api/v1")
            path = re.sub(r"(members)/[^/]+", r"\1/{externalUserID}", path)
            return re.sub(r"/([a-z]+_)?[0-9a-f]{8}-[^/]*", "/{id}", path)
        return Counter(route(answer["path"]) for answer in self.answers)

    def read_all(self):
        history = self.history
        for number, credential in enumerate(history.programs):
            self.read_program(credential, is_main=number == 0)
            self.read_reports(credential)
        for credential in history.tokens:
            self.read_as_member(credential)
        for credential in history.dead_tokens:
            self.get(credential, "/v1/wallet")
        for credential in history.closed:
            for path in ("/v1/members", "/v1/analytics/summary", "/v1/programs"):
                self.get(credential, path)
        for credential in history.partners:
            self.read_partner(credential)
        self.read_refusals(history.sandbox)
        for path in ("/healthz", "/readyz"):
            self.get(None, path)
        self.read_streams()

    def read_few(self):
        """Reads that show whether a repeated write took effect."""
        for credential in self.history.programs:
            self.get(credential, "/v1/analytics/summary")
            for member in self.pages(credential, "/v1/members", "members", 100):
                who = quote(member["externalUserID"])
                self.get(credential, f"/v1/wallet?externalUserID={who}")
        for credential in self.history.partners:
            for path in ("/partner/usage", "/partner/billing/usage", "/partner/organizations"):
                self.get(credential, path)

    # The loyalty routes.

    def read_program(self, key, is_main):
        members = self.pages(key, "/v1/members?includeArchived=true", "members", 7)
        self.pages(key, "/v1/members", "members", 100)
        self.get(key, "/v1/members")
        for query in ("tier=gold", "tier=" + quote("Größe L ✨"), "search=guest", "search=UPPER",
                      "search=%25", "search=_", "search=" + quote("山田"), "search=" + quote("å"),
                      "search=gone&includeArchived=true", "tier=silver&search=guest&limit=2"):
            self.get(key, f"/v1/members?{query}")
        for member in members:
            self.read_member(key, member["externalUserID"], is_main)
        self.read_catalogue(key, members)
        self.read_conversations(key)
        self.read_webhooks(key)
        self.get(key, "/v1/configuration")
        self.read_analytics(key, is_main)

    def read_member(self, key, name, is_main):
        path = f"/v1/members/{quote(name)}"
        self.get(key, path)
        self.get(key, path + "?includeArchived=true")
        who = "externalUserID=" + quote(name)
        for route in ("/v1/wallet", "/v1/eligibility", "/v1/redemptions", "/v1/conversations",
                      "/v1/wallet/transactions"):
            self.get(key, f"{route}?{who}")
        status, _, _ = self.server.call("GET", f"/v1/wallet/transactions?{who}", key)
        if status == 200:
            limit = 5 if is_main else 100
            self.pages(key, f"/v1/wallet/transactions?{who}", "transactions", limit)
        if not name.startswith("guest_") or name < "guest_06":
            self.get(key, f"/v1/offers?{who}")

    def read_catalogue(self, key, members):
        offers = self.pages(key, "/v1/offers", "data", 4)
        ids = {offer["id"] for offer in offers} | set(self.history.offers.get(key, []))
        for query in ("", "?available=true", "?available=false", "?limit=100"):
            self.get(key, "/v1/offers" + query)
        who = "externalUserID=" + quote(members[-1]["externalUserID"])
        for offer in sorted(ids):
            self.get(key, f"/v1/offers/{offer}")
            self.get(key, f"/v1/offers/{offer}?{who}")
        redemptions = self.pages(key, "/v1/redemptions", "redemptions", 5)
        self.get(key, "/v1/redemptions")
        for status in STATUSES:
            self.get(key, f"/v1/redemptions?status={status}")
        self.pages(key, "/v1/redemptions?status=CANCELED", "redemptions", 3)
        for redemption in redemptions:
            self.get(key, f"/v1/redemptions/{redemption['id']}")
            self.get(key, f"/v1/redemptions/{redemption['id']}?{who}")

    def read_conversations(self, key):
        conversations = self.pages(key, "/v1/conversations", "conversations", 6)
        self.pages(key, "/v1/conversations?waiting=true", "conversations", 2)
        self.get(key, "/v1/conversations")
        for conversation in conversations:
            path = f"/v1/conversations/{conversation['id']}/messages"
            self.get(key, path)
            if conversation["lastMessageAt"]:
                self.pages(key, path, "messages", 3)

    def read_webhooks(self, key):
        for webhook in self.get(key, "/v1/webhooks")["data"]:
            path = f"/v1/webhooks/{webhook['id']}/deliveries"
            self.get(key, path)
            self.pages(key, path, "deliveries", 90)
            for status in ("pending", "delivered", "dead"):
                self.get(key, f"{path}?status={status}")

    def read_analytics(self, key, is_main):
        self.get(key, "/v1/analytics/summary")
        offers = self.get(key, "/v1/analytics/offers")["offers"]
        path = "/v1/analytics/timeseries"
        today = datetime.datetime.fromtimestamp(
            self.first_day(), datetime.timezone.utc).date()

        def day(number):
            return (today + datetime.timedelta(days=number)).isoformat()

        windows = [
            f"from={day(-2)}&to={day(6)}&interval=hour",
            f"from={day(-1)}T23:30:00%2B05:45&to={day(3)}T01:02:03.004Z&interval=hour",
            f"from={day(-30)}&to={day(130)}&interval=day",
            f"from={day(-365)}&to={day(365)}&interval=week",
            f"from={day(-30)}&to={day(130)}&interval=day&tz=America/New_York",
            f"from={day(0)}T12:34:56.789Z&to={day(60)}&interval=week&tz=Europe/Berlin",
            f"from={day(-365)}&to={day(365)}&interval=month",
            f"from={day(-365)}&to={day(365)}&interval=month&tz=Asia/Kolkata",
            "from=2026-01-31&to=2028-01-31&interval=month&tz=Pacific/Auckland",
            f"from=0001-01-01&to=9998-12-31&interval=month&offer={WITHOUT_ID[11:]}",
            "from=1970-01-01&to=2200-01-01&interval=month",
        ]
        for window in windows if is_main else windows[1:8:3]:
            self.get(key, f"{path}?{window}")
        for row in offers:
            for window in windows[1:8:3]:
                self.get(key, f"{path}?{window}&offer={row['offerId']}")

    def first_day(self):
        return self.history.rows("SELECT min(at) FROM activity")[0][0] / 1000

    # The other routes.

    def read_reports(self, key):
        day = datetime.datetime.fromtimestamp(self.first_day(), datetime.timezone.utc)

        def time(days):
            return (day + datetime.timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")

        self.pages(key, "/v1/programs?include_archived=true", "data", 1)
        for query in ("", "?include_archived=true&sort_by=name", "?status=ARCHIVED",
                      "?status=ACTIVE&sort_by=name&sort_dir=desc", "?search=" + quote("ü"),
                      "?sort_by=created_at&sort_dir=asc&limit=200"):
            for program in self.get(key, "/v1/programs" + query)["data"]:
                self.get(key, f"/v1/programs/{program['id']}")
        path = "/v1/reports/program-activity"
        self.pages(key, path, "data", 2)
        for query in ("", f"?from={time(-1)}&to={time(1)}", f"?from={time(1)}&to={time(200)}",
                      f"?from={time(-9)}&to={time(-1)}", f"?since={time(1)}", f"?since={time(300)}",
                      f"?from={time(-1)}&to={time(1)}&since={time(0.5)}"):
            self.get(key, path + query)

    def read_as_member(self, token):
        for path in ("/v1/wallet", "/v1/eligibility", "/v1/wallet/transactions", "/v1/offers",
                     "/v1/redemptions", "/v1/conversations", "/v1/offers?available=false",
                     "/v1/redemptions?status=CANCELED", "/v1/wallet?externalUserID=guest_01",
                     "/v1/members"):
            self.get(token, path)
        for redemption in self.pages(token, "/v1/redemptions", "redemptions", 2):
            self.get(token, f"/v1/redemptions/{redemption['id']}")
        for offer in self.pages(token, "/v1/offers", "data", 3):
            self.get(token, f"/v1/offers/{offer['id']}")
        for conversation in self.get(token, "/v1/conversations")["conversations"]:
            self.get(token, f"/v1/conversations/{conversation['id']}/messages?limit=2")
        others = self.history.submitted
        self.get(token, f"/v1/redemptions/{others['id']}")
        self.get(token, f"/v1/conversations/{others['conversationId']}/messages")

    def read_partner(self, key):
        day = datetime.datetime.fromtimestamp(self.first_day(), datetime.timezone.utc).date()

        def date(days):
            return (day + datetime.timedelta(days=days)).isoformat()

        for route in ("/partner/analytics", "/partner/usage"):
            for query in ("", f"?startDate={date(-1)}&endDate={date(1)}",
                          f"?startDate={date(0)}&endDate={date(200)}",
                          f"?startDate={date(20)}&endDate={date(60)}",
                          f"?startDate={date(-9)}&endDate={date(-8)}"):
                self.get(key, route + query)
        for path in ("/partner/billing", "/partner/billing/usage", "/partner/organizations",
                     "/partner/organizations?status=suspended",
                     "/partner/organizations?status=canceled",
                     "/partner/organizations?search=" + quote("töchter"),
                     "/partner/organizations?externalId=" + quote("ext/1 ✨"),
                     "/api/v1/partner/billing", "/api/v1/partner/organizations?pageSize=100"):
            self.get(key, path)
        page, seen = 1, 0
        while True:
            rows = self.get(key, f"/partner/organizations?page={page}&pageSize=3")
            for organization in rows["organizations"]:
                path = f"/partner/organizations/{organization['id']}"
                self.get(key, path)
                self.get(key, path + "/api-keys")
            page, seen = page + 1, seen + len(rows["organizations"])
            if seen >= rows["total"]:
                break

    def read_refusals(self, key):
        for path in (WITHOUT_ID, "/v1/members/unknown", "/v1/wallet", "/v1/unknown",
                     "/v1/wallet?externalUserID=unknown", "/v1/members?limit=0",
                     "/v1/members?cursor=garbage", "/v1/redemptions?status=LOST",
                     "/v1/analytics/timeseries?from=2026-01-01&to=2025-01-01&interval=day",
                     "/v1/analytics/timeseries?from=2026-01-01&to=2027-01-01&interval=day&tz=No",
                     "/v1/programs/none", "/v1/reports/program-activity?from=2026-01-01T00:00:00Z",
                     "/partner/billing"):
            self.get(key, path)
        for path in ("/v1/wallet", "/partner/billing"):
            self.get(None, path)
            self.get("expys_sandbox_unknown000000000000000000000000", path)
        self.get(self.history.partners[0], "/v1/members")
        self.get(self.history.partners[0], "/partner/organizations?page=0")

    def read_streams(self):
        """The whole log of two programs, as the activity stream shows it."""
        names = ", ".join(str(kind + 1) for kind in range(len(EVENTS)))
        for name, credential in (("Sandbox", self.history.sandbox), ("Live", self.history.live)):
            count = self.history.rows(
                f"SELECT count(*) FROM activity WHERE kind IN ({names}) AND program_id ="
                " (SELECT min(id) FROM program WHERE name = ?)", name)[0][0]
            path = "/v1/activity/stream"
            self.answers.append({
                "kind": "stream", "path": path, "credential": credential,
                "frames": self.server.frames(path, credential, count)})
