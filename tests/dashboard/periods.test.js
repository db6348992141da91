// Windows of time, their comparison windows, and names of moments.

import assert from "node:assert/strict";
import test from "node:test";

import { wallOf } from "../../src/http/dashboard/assets/lib/charts/time.js";
import {
  boundsOf,
  bucketName,
  dayIn,
  shiftDays,
  wallTime,
  zones,
} from "../../src/http/dashboard/assets/lib/periods.js";
import { asReader } from "./reader.js";

const HOUR = 3600000;
const at = (text) => Date.parse(text);

/** Days around which clocks change somewhere, and a leap day. */
const DAYS = [
  ...["2026-03-08", "2026-03-29", "2026-03-31", "2026-04-05", "2026-10-04"],
  ...["2026-10-25", "2026-11-01", "2026-11-15", "2028-02-29", "2028-03-01"],
];

for (const zone of ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC"]) {
  const wall = (time) => new Date(wallOf(time, zone)).toISOString().slice(0, 16);

  test(`a window in ${zone} is compared up to the same time of day`, () => {
    for (const day of DAYS) {
      const present = at(`${day}T13:47:31Z`);
      for (const period of ["24h", "7d", "30d", "90d", "12m"]) {
        const { from, to, before, until, isOver, shift } = boundsOf({ period, zone }, present);
        const what = `${day}, ${period}: ${wall(before)} to ${wall(until)}`;
        assert.ok(from <= present && present < to && !isOver, what);
        assert.ok(before < until && until <= from + 2 * HOUR, what);
        assert.equal(wall(before).slice(11), wall(from).slice(11), what);
        const isLeap = wall(present).startsWith("2028-02-29") && period === "12m";
        const end = isLeap ? "2027-03-01T00:00" : wall(present);
        assert.equal(wall(until).slice(11), end.slice(11), what);
        if (shift.span) assert.equal(wallOf(from, zone) - wallOf(before, zone), shift.span, what);
        else assert.equal(shift.months, 12, what);
      }
    }
  });

  test(`chosen days in ${zone} are compared with as many days before them`, () => {
    const custom = { period: "custom", zone, first: "2026-03-01", last: "2026-03-31" };
    const { from, to, before, until, isOver } = boundsOf(custom, at("2026-07-01T00:00Z"));
    assert.ok(isOver);
    assert.equal(until, from);
    assert.equal(wall(from), "2026-03-01T00:00");
    assert.equal(wall(to), "2026-04-01T00:00");
    assert.equal(wall(before), "2026-01-29T00:00");
  });
}

test("a window that has not begun is compared as a whole", () => {
  const custom = { period: "custom", zone: "UTC", first: "2026-03-01", last: "2026-03-31" };
  const { from, until, isOver } = boundsOf(custom, at("2026-01-01T00:00Z"));
  assert.deepEqual([isOver, until], [true, from]);
});

const BERLIN = "Europe/Berlin";

test("an hour that comes twice says which one it is where it is asked to", () => {
  const [first, second] = [at("2026-10-25T00:30Z"), at("2026-10-25T01:30Z")];
  const name = (time, isTwice) => bucketName(time, BERLIN, "hour", isTwice);
  assert.equal(name(first), name(second));
  assert.notEqual(name(first, true), name(second, true));
});

/** Names for a reader in another place than the program. */
const namesIn = (language, lines) =>
  asReader(
    { language, zone: "Pacific/Auckland" },
    "periods.js",
    `const at = (text) => Date.parse(text);
    const range = (from, to, zone, interval) => lib.rangeName(at(from), at(to), zone, interval);
    const mark = (time, unit, isFirst = false) => lib.markName(at(time), "UTC", unit, isFirst);
    return ${lines};`,
  ).map((text) => text.replace(/[\u2009\u202f\u00a0]/g, " "));

const RANGES = `[
  range("2026-10-25T00:00+02:00", "2026-10-26T00:00+01:00", "Europe/Berlin", "hour"),
  range("2026-11-23T00:00Z", "2026-11-30T00:00Z", "UTC", "week"),
  range("2026-11-01T00:00Z", "2026-12-01T00:00Z", "UTC", "month"),
  range("2026-10-01T00:00Z", "2026-12-01T00:00Z", "UTC", "month"),
  range("2026-11-01T06:00Z", "2026-11-01T12:00Z", "UTC", "hour"),
]`;

test("a range is called by its days, weeks and months, its end included", () => {
  const names = namesIn("en_US", RANGES);
  assert.match(names.pop(), /^Sun, Nov 1, 2026, 0?6:00 – 11:59 AM$/);
  assert.deepEqual(names, [
    "Sun, Oct 25, 2026",
    "Nov 23 – 29, 2026",
    "November 2026",
    "Oct 1 – Nov 30, 2026",
  ]);
  assert.deepEqual(namesIn("de_DE", RANGES).slice(1, 3), ["23.–29. Nov. 2026", "November 2026"]);
});

const MARKS = `[
  mark("2026-11-24T00:00Z", "hour"), mark("2026-11-24T06:00Z", "hour"),
  mark("2027-01-01T00:00Z", "month"), mark("2026-12-01T00:00Z", "month"),
  mark("2026-12-01T00:00Z", "month", true), mark("2026-12-01T00:00Z", "year"),
]`;

test("the axis says the day at midnight and the year in January", () => {
  const marks = ["Nov 24", "06:00 AM", "Jan 2027", "Dec", "Dec 2026", "2026"];
  assert.deepEqual(namesIn("en_US", MARKS), marks);
  assert.equal(namesIn("de_DE", MARKS)[1], "06:00");
});

test("a day is the one that it is in the zone", () => {
  const time = at("2026-06-30T23:30Z");
  assert.equal(dayIn(time, "UTC"), "2026-06-30");
  assert.equal(dayIn(time, BERLIN), "2026-07-01");
  assert.equal(dayIn(time, "America/New_York"), "2026-06-30");
  assert.equal(wallTime(time, BERLIN), "2026-07-01 01:30");
  assert.equal(shiftDays("2028-02-28", 1), "2028-02-29");
  assert.equal(shiftDays("2026-03-01", -1), "2026-02-28");
});

test("zones come once each, the reader's own and UTC first", () => {
  const all = zones();
  assert.equal(new Set(all).size, all.length);
  assert.ok(all.slice(0, 2).includes("UTC"));
  assert.ok(all.length > 300 && all.includes("Asia/Tokyo"));
  assert.equal(all.includes(""), false);
});
