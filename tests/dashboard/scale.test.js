// The positions of the marks on the axes.

import assert from "node:assert/strict";
import test from "node:test";

import { timeTicks, valueTicks } from "../../src/http/dashboard/assets/lib/charts/scale.js";

const HOUR = 3600000;
const hours = (from, count, step = 1) =>
  Array.from({ length: count }, (_, nth) => Date.parse(from) + nth * step * HOUR);

test("values are marked at whole numbers, from 0 to the top at least", () => {
  for (const top of [0, 1, 2, 3, 5, 7, 12, 99, 100, 101, 12345, 999999, 2 ** 53 - 1]) {
    const ticks = valueTicks(top);
    assert.equal(ticks[0], 0);
    assert.ok(ticks.at(-1) >= top && ticks.length >= 2 && ticks.length <= 8, `${top}: ${ticks}`);
    assert.ok(ticks.every(Number.isInteger), `${top}: ${ticks}`);
    const step = ticks[1];
    assert.ok(
      ticks.every((tick, nth) => tick === nth * step),
      `${top}: ${ticks}`,
    );
  }
});

test("marks of hours and days never have more room than there is", () => {
  for (const [count, interval, step] of [
    [24, "hour", 1],
    [168, "hour", 1],
    [8760, "hour", 1],
    [30, "day", 24],
    [400, "day", 24],
    [5000, "day", 24],
  ]) {
    const walls = hours("2026-01-01T00:00Z", count, step);
    for (const room of [0, 1, 4, 12, 40]) {
      const { unit, at } = timeTicks(walls, interval, room);
      const what = `${count} ${interval}s in ${room}: ${unit} ${at}`;
      assert.ok(at.length >= 1 && at.length <= Math.max(1, room), what);
      assert.ok(interval === "hour" || unit !== "hour", what);
      assert.deepEqual(
        at,
        [...new Set(at)].sort((a, b) => a - b),
        what,
      );
    }
  }
});

test("marks of a month of days are Mondays, those of a year the first of months", () => {
  const month = hours("2026-11-01T00:00Z", 30, 24);
  const weeks = timeTicks(month, "day", 6);
  assert.equal(weeks.unit, "day");
  assert.deepEqual(
    weeks.at.map((nth) => new Date(month[nth]).getUTCDay()),
    weeks.at.map(() => 1),
  );
  const year = hours("2026-01-01T00:00Z", 365, 24);
  const months = timeTicks(year, "day", 12);
  assert.equal(months.unit, "month");
  assert.deepEqual(
    months.at.map((nth) => new Date(year[nth]).getUTCDate()),
    months.at.map(() => 1),
  );
});

test("weeks and months are counted off", () => {
  const walls = hours("2026-01-07T00:00Z", 52, 168);
  assert.deepEqual(timeTicks(walls, "week", 4), { unit: "day", at: [0, 13, 26, 39] });
  assert.deepEqual(timeTicks(walls.slice(0, 3), "month", 4), { unit: "month", at: [0, 1, 2] });
  assert.deepEqual(timeTicks([], "day", 4).at, []);
});
