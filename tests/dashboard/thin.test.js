// Many rows drawn as fewer points.

import assert from "node:assert/strict";
import test from "node:test";

import {
  group,
  pointsIn,
  POINTS_MAX,
  sums,
} from "../../src/http/dashboard/assets/lib/charts/thin.js";
import { wallsOf } from "../../src/http/dashboard/assets/lib/charts/time.js";

const HOUR = 3600000;
/** A year of hours with both changes of the clocks. */
const YEAR = Array.from(
  { length: 8760 },
  (_, nth) => Date.parse("2025-12-01T00:00+01:00") + nth * HOUR,
);
const WALLS = wallsOf(YEAR, "Europe/Berlin");

for (const [width, lines] of [
  [1150, 2],
  [1150, 1],
  [340, 2],
  [4000, 2],
  [40, 1],
  [0, 3],
]) {
  test(`no row is lost or counted twice by ${lines} lines in ${width} pixels`, () => {
    const limit = pointsIn(width, lines);
    assert.ok(limit >= 1 && limit * lines <= POINTS_MAX);
    const { starts } = group(WALLS, "hour", limit);
    assert.ok(starts.length - 1 <= limit, `${starts.length}`);
    assert.equal(starts[0], 0);
    assert.equal(starts.at(-1), YEAR.length);
    assert.ok(starts.every((start, nth) => nth === 0 || start > starts[nth - 1]));
    const values = YEAR.map((_, nth) => nth % 13);
    const total = (list) => list.reduce((sum, value) => sum + value, 0);
    assert.equal(total(sums(values, starts)), total(values));
  });
}

test("a day in which the clocks change has an hour less or more", () => {
  const { size, starts } = group(WALLS, "hour", 400);
  assert.equal(size, 24);
  const lengths = starts.slice(1).map((start, nth) => start - starts[nth]);
  assert.equal(lengths.length, 365);
  const having = (length) => lengths.filter((each) => each === length).length;
  assert.deepEqual([having(23), having(24), having(25)], [1, 363, 1]);
});

test("what has room is not grouped, and what has no hours is grouped by its number", () => {
  assert.deepEqual(group([0, HOUR, 2 * HOUR], "hour", 3), { size: 1, starts: [0, 1, 2, 3] });
  assert.deepEqual(group([], "hour", 3), { size: 1, starts: [0] });
  assert.deepEqual(group([1, 2, 3, 4, 5], "week", 2), { size: 3, starts: [0, 3, 5] });
});

test("none stays none, and 0 is not none", () => {
  assert.deepEqual(sums([null, 1, null, null, null, 0], [0, 2, 4, 6]), [1, null, 0]);
});
