// The alignment of the rows of two periods.

import assert from "node:assert/strict";
import test from "node:test";

import { pair, sideBySide } from "../../src/http/dashboard/assets/lib/charts/align.js";

const HOUR = 3600000;
const DAY = 24 * HOUR;
const hours = (from, count) =>
  Array.from({ length: count }, (_, nth) => Date.parse(from) + nth * HOUR);
const range = (from, to) => Array.from({ length: to - from }, (_, nth) => from + nth);
const berlin = { zone: "Europe/Berlin", interval: "hour", shift: { span: DAY } };

const SHORT = hours("2026-03-29T00:00+01:00", 23);
const LONG = hours("2026-10-25T00:00+02:00", 25);

test("the hour that a day skips has nothing beside it", () => {
  const before = hours("2026-03-28T00:00+01:00", 24);
  assert.deepEqual(pair(SHORT, before, berlin), [0, 1, ...range(3, 24)]);
  const after = hours("2026-03-30T00:00+02:00", 24);
  assert.deepEqual(pair(after, SHORT, berlin), [0, 1, -1, ...range(2, 23)]);
});

test("of an hour that comes twice the first meets the first", () => {
  const before = hours("2026-10-24T00:00+02:00", 24);
  assert.deepEqual(pair(LONG, before, berlin), [0, 1, 2, -1, ...range(3, 24)]);
  const after = hours("2026-10-26T00:00+01:00", 24);
  assert.deepEqual(pair(after, LONG, berlin), [0, 1, 2, ...range(4, 25)]);
  const twice = { ...berlin, shift: { span: 0 } };
  assert.deepEqual(pair(LONG, LONG, twice), range(0, 25));
});

test("where clocks move by half an hour each row still meets one", () => {
  const howe = { zone: "Australia/Lord_Howe", interval: "hour", shift: { span: DAY } };
  // At 2:00 on the 4th of October the clocks there go forward to 2:30.
  const day = hours("2026-10-05T00:00+11:00", 24);
  const before = hours("2026-10-03T13:30Z", 24);
  const pairs = pair(day, before, howe).filter((at) => at >= 0);
  assert.equal(new Set(pairs).size, pairs.length);
  assert.ok(pairs.length >= 22, `${pairs}`);
});

test("the 29th of February has nothing beside it", () => {
  const day = (text) => Date.parse(`${text}T00:00Z`);
  const pairs = pair(
    [day("2024-02-28"), day("2024-02-29"), day("2024-03-01")],
    [day("2023-02-28"), day("2023-03-01")],
    { zone: "UTC", interval: "day", shift: { months: 12 } },
  );
  assert.deepEqual(pairs, [0, -1, 1]);
});

test("weeks and months meet in their order", () => {
  const rows = [0, 7 * DAY, 14 * DAY];
  assert.deepEqual(pair(rows, rows.slice(1), { ...berlin, interval: "week" }), [0, 1, -1]);
  assert.deepEqual(pair([], rows, berlin), []);
});

const row = (startTime, signups) => ({
  startTime,
  endTime: startTime + HOUR,
  signups,
  pointsMinted: 0,
  pointsSpent: 0,
});
const utc = { zone: "UTC", interval: "hour", shift: { span: DAY } };

test("rows that have not begun are not shown; one that has is not finished", () => {
  const now = [row(0, 1), row(HOUR, 0), row(2 * HOUR, 0)];
  const shown = sideBySide({ now, then: null, ...utc, present: HOUR + 5 });
  assert.deepEqual(shown, { now: now.slice(0, 2), beside: null, openAt: 1, left: [] });
  // Activity of a clock that is ahead is shown.
  const ahead = [row(0, 1), row(HOUR, 0), row(2 * HOUR, 3)];
  assert.equal(sideBySide({ now: ahead, then: null, ...utc, present: HOUR + 5 }).now.length, 3);
  // Without any activity there is still a first row.
  const none = sideBySide({ now: [row(DAY, 0)], then: null, ...utc, present: 0 });
  assert.deepEqual([none.now.length, none.openAt], [1, -1]);
});

test("each row of the period before is beside one, or is left over", () => {
  const then = hours("2026-10-24T00:00+02:00", 24).map((start, nth) => row(start, nth));
  const now = SHORT.map((start) => row(start, 1));
  const shift = { span: Date.parse("2026-03-29T00:00Z") - Date.parse("2026-10-24T00:00Z") };
  const { beside, left } = sideBySide({
    ...{ now, then, zone: "Europe/Berlin", interval: "hour", shift },
    present: Infinity,
  });
  const sum = (rows) => rows.reduce((total, each) => total + (each?.signups ?? 0), 0);
  assert.equal(sum(beside) + sum(left), sum(then));
  assert.deepEqual(
    left.map(({ signups }) => signups),
    [2],
  );
});
