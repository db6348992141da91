// The life of points: what the form shows, what it sends, and what the page says about it.

import assert from "node:assert/strict";
import test from "node:test";

import { expiryOf, expiryText, valuesOf } from "../../src/http/dashboard/assets/lib/expiry.js";
import {
  dateFields,
  datesOf,
  restFigures,
} from "../../src/http/dashboard/assets/pages/member/lots.js";

const LIVES = [
  [null, "never"],
  [{ after: "P12M" }, "12 months after the credit"],
  [{ after: "P1M1D" }, "1 month and 1 day after the credit"],
  [{ after: "P90D" }, "90 days after the credit"],
  [{ at: "year_end" }, "at the end of the year of the credit"],
  [{ at: "year_end", extra: "P3M" }, "3 months after the end of the year of the credit"],
];

test("every life of points has its words, and comes out of the form as it went in", () => {
  for (const [expiry, text] of LIVES) {
    assert.equal(expiryText(expiry), text);
    assert.deepEqual(expiryOf(valuesOf(expiry)), expiry);
  }
});

test("the form sends what was typed, and asks for a time where one is needed", () => {
  assert.deepEqual(expiryOf({ life: "after", months: "6", days: "" }), { after: "P6M" });
  assert.deepEqual(expiryOf({ life: "year_end", months: "", days: "0" }), { at: "year_end" });
  // What is hidden is not sent.
  assert.equal(expiryOf({ life: "never", months: "6", days: "1" }), null);
  assert.throws(() => expiryOf({ life: "after", months: "", days: "0" }), /months or days/);
});

test("a credit has dates only where points are in lots", () => {
  assert.deepEqual(dateFields(null), []);
  assert.deepEqual(dateFields({ isLots: false, expiry: null }), []);
  const choices = (expiry) => dateFields({ isLots: true, expiry })[0].options;
  assert.deepEqual(choices({ after: "P1M" }), [
    ["usual", "As usual in this program: 1 month after the credit"],
    ["never", "Never"],
    ["on", "On a date"],
  ]);
  // Without an expiry of the program, never is the usual.
  assert.deepEqual(choices(null), [
    ["usual", "Never"],
    ["on", "On a date"],
  ]);
});

test("a credit names the dates that were chosen, and no others", () => {
  assert.deepEqual(datesOf({}), {});
  const none = { expires: "usual", expiresAt: "2030-01-01T00:00", maturesAt: "" };
  assert.deepEqual(datesOf(none), {});
  assert.deepEqual(datesOf({ ...none, expires: "never" }), { expiresAt: null });
  const both = datesOf({ ...none, expires: "on", maturesAt: "2029-01-01T00:00" });
  assert.deepEqual(
    [new Date(both.expiresAt).getFullYear(), new Date(both.maturesAt).getFullYear()],
    [2030, 2029],
  );
  assert.throws(() => datesOf({ expires: "on", expiresAt: "" }), /Choose the date/);
});

test("pending and held points are figures only if there are any", () => {
  assert.deepEqual(restFigures({}, "pts"), []);
  assert.deepEqual(restFigures({ pending: 0, held: 0 }, "pts"), []);
  const named = restFigures({ pending: 40, held: 5 }, "pts");
  assert.deepEqual(
    named.map(({ name, value }) => [name, value]),
    [
      ["pending", "40 pts"],
      ["held", "5 pts"],
    ],
  );
});
