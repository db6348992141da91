// Entries of a ledger: their words, and which of them can be reversed.

import assert from "node:assert/strict";
import test from "node:test";

import { units } from "../../src/http/dashboard/assets/pages/member/accounts.js";
import {
  entryText,
  lotLines,
  reversalOf,
  reversals,
} from "../../src/http/dashboard/assets/pages/member/entries.js";

const entry = (id, type, reason = null, redemptionID = null) => ({
  id,
  type,
  reason,
  redemptionID,
});

test("entries that the server makes have words of their own", () => {
  assert.equal(entryText(entry("txn_1", "DEBIT", "expired")), "Expired");
  assert.equal(entryText(entry("txn_1", "DEBIT", "member removed")), "Forfeited with the removal");
  assert.equal(entryText(entry("txn_1", "CREDIT", "expired")), "expired");
  assert.equal(entryText(entry("txn_1", "DEBIT")), null);
  const reversal = reversalOf("txn_01a22cbd-da56-7087-805b-9307abf55005", "counted twice");
  assert.equal(entryText(entry("txn_1", "DEBIT", reversal)), "Reversal: counted twice");
});

test("a redemption is canceled, and a credit or debit moved back", () => {
  const rows = [
    entry("txn_6", "DEBIT", "redemption", "rdm_2"),
    entry("txn_5", "DEBIT", "member removed"),
    entry("txn_4", "DEBIT", "expired"),
    entry("txn_3", "DEBIT", "counted twice"),
    entry("txn_2", "CREDIT", "purchase"),
    entry("txn_1", "CREDIT"),
  ];
  assert.deepEqual(
    [...reversals(rows)],
    [
      ["txn_6", "cancel"],
      ["txn_3", "move"],
      ["txn_2", "move"],
      ["txn_1", "move"],
    ],
  );
});

test("what was reversed is not offered again", () => {
  const long = "txn_01a22cbd-da56-7087-805b-9307abf55005";
  const two = [entry("txn_9", "DEBIT", reversalOf(long)), entry(long, "CREDIT", "purchase")];
  assert.equal(reversals(two).get(long), "reversed");
  const rows = [
    entry("txn_5", "CREDIT", "refund", "rdm_1"),
    entry("txn_4", "DEBIT", reversalOf("txn_2", "a mistake: see txn_1")),
    entry("txn_3", "DEBIT", "redemption", "rdm_1"),
    entry("txn_2", "CREDIT", "purchase"),
    entry("txn_1", "CREDIT", "purchase"),
  ];
  assert.deepEqual(Object.fromEntries(reversals(rows)), {
    txn_4: "move",
    txn_3: "reversed",
    txn_2: "reversed",
    txn_1: "move",
  });
});

test("entries of further kinds have the words of their actions, and other ids", () => {
  const id = "8b0ac8ea-31a7-8ad0-a6e5-0f9a42f9d3b4";
  const other = "7b0ac8ea-31a7-8ad0-a6e5-0f9a42f9d3b4";
  const done = (action, type, reason = null) => ({ ...entry(other, type, reason), action });
  assert.equal(entryText(done("CREDIT", "CREDIT", "a flight")), "a flight");
  assert.equal(entryText(done("DEBIT", "DEBIT")), null);
  assert.equal(entryText(done("EXPIRE", "DEBIT")), "Expired");
  assert.equal(entryText(done("HOLD", "DEBIT", "an order")), "Held: an order");
  const reversal = done("DEBIT", "DEBIT", reversalOf(id, "counted twice"));
  assert.equal(entryText(reversal), "Reversal: counted twice");
  assert.equal(entryText({ ...reversal, action: "REVERSAL" }), "Reversal: counted twice");
  const spend = { ...done("REDEMPTION", "DEBIT", "tea"), id: "the spend", spend: "a redemption" };
  assert.equal(entryText(spend), "Spent: tea");
  const rows = [
    { ...done("RELEASE", "CREDIT"), id: "the release" },
    spend,
    reversal,
    { ...entry(id, "CREDIT"), action: "CREDIT" },
  ];
  assert.deepEqual(
    [...reversals(rows)],
    [
      ["the spend", "cancel"],
      [other, "move"],
      [id, "reversed"],
    ],
  );
  // A reason is not the name of an entry.
  assert.equal(entryText(entry("txn_1", "DEBIT", "Reversal of fees")), "Reversal of fees");
});

test("what an entry did to lots is a line for each kind of change", () => {
  const lot = (number, change, expiresAt = null) => ({ number, change, amount: 1000, expiresAt });
  assert.deepEqual(lotLines(null), []);
  assert.deepEqual(lotLines([]), []);
  const [made, taken, ...rest] = lotLines([
    lot(7, "made", "2027-01-31T12:00:00.000Z"),
    lot(2, "taken"),
  ]);
  assert.match(made, /^New lot: 1,000 of lot 7 \(expires .*2027.*\)$/);
  assert.equal(taken, "From: 1,000 of lot 2 (no end)");
  assert.deepEqual(rest, []);
  const many = lotLines([1, 2, 3, 4, 5].map((number) => lot(number, "taken")));
  assert.equal(many.length, 1);
  assert.match(many[0], /lot 3 \(no end\), and 2 other lots$/);
});

test("amounts are compared by all their digits", () => {
  assert.equal(Number("900719925474099.91"), Number("900719925474099.92"));
  assert.ok(units("900719925474099.91") < units("900719925474099.92"));
  assert.ok(units("9.00") < units("10.00") && units("-0.01") < 0n);
  assert.equal(units("0.00"), 0n);
  assert.equal(units(7), 7n);
});
