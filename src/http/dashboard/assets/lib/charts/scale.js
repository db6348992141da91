// The positions of the marks on the axes.

const HOUR = 3600000;
const DAY = 24 * HOUR;

/**
 * Returns round whole values from 0 to at least `top`, about `count` steps.
 *
 * @param {number} top
 */
export function valueTicks(top, count = 5) {
  const rough = Math.max(1, top) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const round = [1, 2, 2.5, 5].find((each) => each * power >= rough) ?? 10;
  const step = Math.max(1, round * power);
  const whole = Number.isInteger(step) ? step : Math.ceil(step);
  const steps = Math.max(1, Math.ceil(top / whole));
  return Array.from({ length: steps + 1 }, (_, at) => at * whole);
}

/** @param {number} wall */
const month = (wall) => {
  const date = new Date(wall);
  return date.getUTCFullYear() * 12 + date.getUTCMonth();
};

/**
 * @param {string} unit
 * @param {(wall: number) => number} numberOf
 * @returns {[string, (wall: number) => number]}
 */
const level = (unit, numberOf) => [unit, numberOf];

/** From fine to coarse: the unit that a mark may represent, and its number at a wall time. */
const LEVELS = [
  ...[1, 2, 3, 6, 12].map((size) => level("hour", (wall) => Math.floor(wall / (size * HOUR)))),
  ...[1, 2].map((size) => level("day", (wall) => Math.floor(wall / (size * DAY)))),
  // Weeks begin on Mondays; the first of January 1970 was a Thursday.
  ...[1, 2].map((size) => level("day", (wall) => Math.floor((wall / DAY + 3) / (7 * size)))),
  ...[1, 2, 3, 6].map((size) => level("month", (wall) => Math.floor(month(wall) / size))),
  ...[1, 2, 5, 10, 50, 100].map((size) =>
    level("year", (wall) => Math.floor(month(wall) / 12 / size)),
  ),
];

/**
 * Returns which points get a mark: `{ unit, at }`, at most `room` of them. `walls` is the local
 * time at the start of each point. Points of weeks and months are counted off instead, as they
 * begin anywhere.
 *
 * @param {number[]} walls
 * @param {string} interval
 * @param {number} room
 */
export function timeTicks(walls, interval, room) {
  const most = Math.max(1, room);
  if (interval === "week" || interval === "month") {
    const size = Math.ceil(walls.length / most);
    const at = walls.map((_, index) => index).filter((index) => index % size === 0);
    return { unit: interval === "week" ? "day" : "month", at };
  }
  const levels = LEVELS.filter(([unit]) => interval === "hour" || unit !== "hour");
  for (const [unit, numberOf] of levels) {
    /** @type {number[]} */
    const at = [];
    walls.forEach((wall, index) => {
      const before = index === 0 ? numberOf(wall - 1) : numberOf(walls[index - 1]);
      if (numberOf(wall) > before) at.push(index);
    });
    if (at.length > 0 && at.length <= most) return { unit, at };
  }
  return { unit: "day", at: walls.length > 0 ? [0] : [] };
}
