// Local times and their inverse, compared with a clock that is computed for every single moment.

import assert from "node:assert/strict";
import test from "node:test";

import {
  momentOf,
  movedBack,
  wallOf,
  wallsOf,
} from "../../src/http/dashboard/assets/lib/charts/time.js";

const HOUR = 3600000;
const at = (text) => Date.parse(`${text}Z`);

/** Half a year of each, with a change of the clocks; Samoa left out a day. */
const HALVES = [
  ["Europe/Berlin", "2026-01-01"],
  ["America/New_York", "2026-07-01"],
  ["Australia/Lord_Howe", "2026-01-01"],
  ["Asia/Kolkata", "2026-01-01"],
  ["Africa/Casablanca", "2026-01-01"],
  ["Pacific/Apia", "2011-07-20"],
  ["UTC", "2026-01-01"],
];

for (const [zone, from] of HALVES) {
  test(`every hour of half a year is read as the clocks of ${zone} show it`, () => {
    const times = Array.from({ length: 4380 }, (_, nth) => Date.parse(from) + nth * HOUR);
    const walls = wallsOf(times, zone);
    const clock = new Intl.DateTimeFormat("sv-SE", {
      timeZone: zone,
      dateStyle: "short",
      timeStyle: "medium",
    });
    for (const nth of walls.keys()) {
      const text = new Date(walls[nth]).toISOString().slice(0, 19).replace("T", " ");
      assert.equal(text, clock.format(times[nth]));
      if (nth % 50 === 0 || walls[nth] - walls[nth - 1] !== HOUR) {
        const back = momentOf(walls[nth], zone);
        assert.equal(wallOf(back, zone), walls[nth], `${text} and back`);
        assert.ok(back <= times[nth], `${text} and back is not the first time`);
      }
    }
  });
}

test("what the clocks skip is the moment they skip to, what comes twice the first one", () => {
  assert.equal(momentOf(at("2026-03-29T02:30"), "Europe/Berlin"), at("2026-03-29T01:30"));
  assert.equal(momentOf(at("2026-10-25T02:30"), "Europe/Berlin"), at("2026-10-25T00:30"));
});

test("no day is made up when the calendar is moved back", () => {
  const moved = (text, months) => movedBack(at(text), { months });
  assert.equal(moved("2025-02-28T05:00", 12), at("2024-02-28T05:00"));
  assert.equal(moved("2024-02-29T05:00", 12), null);
  assert.equal(moved("2024-02-29T05:00", 48), at("2020-02-29T05:00"));
  assert.equal(moved("2026-03-31T05:00", 1), null);
  assert.equal(moved("2026-01-15T05:00", 1), at("2025-12-15T05:00"));
  assert.equal(movedBack(at("2026-01-15T05:00"), { span: HOUR }), at("2026-01-15T04:00"));
});

test("milliseconds stay, before 1970 too", () => {
  for (const time of [-1, -1001, 999, at("2026-06-01T00:00") + 7]) {
    assert.equal((((wallOf(time, "Asia/Tokyo") - time) % HOUR) + HOUR) % HOUR, 0, `${time}`);
  }
  assert.deepEqual(wallsOf([], "UTC"), []);
});
