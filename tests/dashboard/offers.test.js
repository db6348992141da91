// The form of an offer: what it shows of one, and what it sends.

import assert from "node:assert/strict";
import test from "node:test";

import { FIELDS, bodyOf, valuesOf } from "../../src/http/dashboard/assets/pages/offers/fields.js";

const offer = {
  id: "off_1",
  title: "Dinner",
  shortDescription: "Five courses",
  description: "With wine",
  disclaimer: "Not on Mondays",
  kind: "dining",
  type: "standard",
  pointsPrice: 900,
  valueUSD: 38.5,
  availableFrom: "2026-06-01T10:00:00.000Z",
  availableUntil: "2026-07-01T10:00:00.000Z",
  expiresAt: "2026-07-01T10:00:00.000Z",
  redemptionLimit: { perMember: null, per: "open" },
  images: ["https://example.com/1.png", "https://example.com/2.png"],
  inclusions: [
    { group: "Food", name: "Soup: of the day" },
    { group: "Drinks", name: "Wine" },
  ],
  location: {
    display: "Harbour Café, Athens",
    venue: "Harbour Café",
    address: null,
    city: "Athens",
    state: null,
    countryCode: "GR",
  },
  maxGuests: 4,
  availability: { isAvailable: true, quantityRemaining: 6, isUnlimited: false },
  startAt: null,
  endAt: null,
  tiers: ["gold", "silver"],
};

/** The text in each field of the form. */
const shown = (one) => {
  const values = valuesOf(one);
  return Object.fromEntries(FIELDS.map(({ name }) => [name, String(values[name] ?? "")]));
};

test("an offer that is sent as it is shown stays the same", () => {
  const { id, availability, availableUntil, ...rest } = offer;
  assert.ok(id && availableUntil);
  const { quantityRemaining } = availability;
  assert.deepEqual(bodyOf(shown(offer)), { ...rest, availability: { quantityRemaining } });
});

test("empty fields are null or empty lists", () => {
  const empty = Object.fromEntries(FIELDS.map(({ name }) => [name, ""]));
  const body = bodyOf(empty);
  for (const name of ["pointsPrice", "valueUSD", "maxGuests", "disclaimer", "location"]) {
    assert.equal(body[name], null, name);
  }
  assert.deepEqual([body.images, body.inclusions, body.tiers], [[], [], []]);
  assert.equal(body.redemptionLimit.perMember, null);
});

test("a change of one part of the location sends all of it", () => {
  const values = { ...shown(offer), "location.city": "Piraeus" };
  assert.deepEqual(bodyOf({ "location.city": "Piraeus" }, values), {
    location: { ...offer.location, city: "Piraeus" },
  });
  values["location.display"] = "";
  assert.equal(
    bodyOf({ "location.city": "" }, values).location.display,
    "Harbour Café, Piraeus, GR",
  );
});

test("a line without a heading is refused", () => {
  assert.throws(() => bodyOf({ inclusions: "Food: Soup\nWine" }), /“Wine” needs a heading/);
});
