// The state of a request that must take effect once.

import assert from "node:assert/strict";
import { webcrypto } from "node:crypto";
import test from "node:test";

// The browser features that the modules need.
const slots = new Map([["stampcard.key", "expys_sandbox_one"]]);
globalThis.sessionStorage = {
  getItem: (slot) => slots.get(slot) ?? null,
  setItem: (slot, text) => slots.set(slot, text),
  removeItem: (slot) => slots.delete(slot),
};
// Node 18 has it elsewhere.
globalThis.crypto ??= webcrypto;
globalThis.location = { hash: "#/members/ada" };

const { ApiError } = await import("../../src/http/dashboard/assets/lib/api.js");
const { beginIntent, keepIntent, outcomeOf, settleIntent, unsettledIntent, unsettledIntents } =
  await import("../../src/http/dashboard/assets/lib/intents.js");

const answered = (status) => new ApiError(status, "X", "no", null);

test("what an answer says of what was sent", () => {
  const fresh = beginIntent("Credit ada", {});
  const lost = { ...fresh, isLost: true };
  // There was no response, or one that leaves the result open.
  for (const status of [0, 408, 500, 502, 503, 504, 599]) {
    assert.equal(outcomeOf(fresh, answered(status)), "lost", status);
    assert.equal(outcomeOf(lost, answered(status)), "lost", status);
  }
  // The server processed the request, or replayed its response.
  for (const status of [400, 404, 409, 412, 413, 422]) {
    assert.equal(outcomeOf(fresh, answered(status)), "refused", status);
    assert.equal(outcomeOf(lost, answered(status)), "refused", status);
  }
  // It did not; so the earlier request may still have arrived.
  for (const status of [401, 403, 429]) {
    assert.equal(outcomeOf(fresh, answered(status)), "refused", status);
    assert.equal(outcomeOf(lost, answered(status)), "lost", status);
  }
  assert.equal(outcomeOf(fresh, new Error("a field is empty")), "unclear");
  assert.equal(outcomeOf(lost, new Error("a field is empty")), "lost");
});

test("an intent is kept until it is settled, for its credential alone", () => {
  const intent = beginIntent("Credit ada", { amount: "5" });
  assert.equal(unsettledIntent("Credit ada"), null);
  keepIntent(intent);
  assert.deepEqual(unsettledIntent("Credit ada"), { ...intent, isLost: true });
  assert.equal(unsettledIntent("Credit bob"), null);
  slots.set("stampcard.key", "expys_sandbox_other");
  assert.deepEqual(unsettledIntents(), []);
  assert.notEqual(beginIntent("Credit ada", {}).key, intent.key);
  slots.set("stampcard.key", "expys_sandbox_one");
  keepIntent(intent);
  assert.equal(unsettledIntents().length, 1);
  settleIntent(intent);
  assert.deepEqual(unsettledIntents(), []);
  assert.deepEqual([...slots.keys()], ["stampcard.key"]);
});

test("an intent that the server may have forgotten is not sent again", () => {
  keepIntent({ ...beginIntent("Old", {}), at: Date.now() - 21 * 3600000 });
  keepIntent({ ...beginIntent("New", {}), at: Date.now() - 19 * 3600000 });
  assert.deepEqual(
    unsettledIntents().map(({ name }) => name),
    ["New"],
  );
});

test("where the tab has no storage, the page itself remembers", () => {
  const { setItem } = sessionStorage;
  sessionStorage.setItem = () => {
    throw new Error("no storage");
  };
  const intent = beginIntent("Credit ada", {});
  keepIntent(intent);
  assert.equal(unsettledIntent("Credit ada")?.key, intent.key);
  sessionStorage.setItem = setItem;
});
