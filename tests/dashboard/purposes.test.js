// The servers for codes and sensitive details: the texts about them, and what the page sends.

import assert from "node:assert/strict";
import test from "node:test";

import { PURPOSES, bodyOf } from "../../src/http/dashboard/assets/pages/settings/purposes.js";

test("a server is set by its URL, and removed by null", () => {
  const [phone, concierge] = PURPOSES;
  const url = "https://example.com/codes";
  assert.deepEqual(bodyOf(phone, url), { phoneWebhook: { url } });
  assert.deepEqual(bodyOf(concierge, url), { conciergeWebhook: { url } });
  assert.deepEqual(bodyOf(concierge, null), { conciergeWebhook: null });
});

test("only the sandbox has a code that always works, while no server is set", () => {
  const mention = (environment) =>
    PURPOSES.filter(({ without }) => without[environment].includes("000000"));
  assert.deepEqual(
    mention("sandbox").map(({ field }) => field),
    ["phoneWebhook"],
  );
  assert.deepEqual(mention("live"), []);
  for (const { text, without } of PURPOSES) {
    assert.ok(text && without.sandbox && without.live);
  }
});
