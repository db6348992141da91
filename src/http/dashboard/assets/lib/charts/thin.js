// Draws many rows as fewer points. Values are counts, so a point is the sum of its rows.

const HOUR = 3600000;
const DAY = 24 * HOUR;
const HOURS = [1, 2, 3, 4, 6, 8, 12, 24, 48, 72, 96, 168, 336, 672, 1344, 2688, 8760];

/** The maximum number of points drawn, all lines of a chart together. */
export const POINTS_MAX = 1000;

/**
 * Returns how many points a line may have in a drawing of this width.
 *
 * @param {number} width
 * @param {number} lines
 */
export function pointsIn(width, lines) {
  return Math.max(1, Math.min(Math.floor(width / 2), Math.floor(POINTS_MAX / Math.max(1, lines))));
}

/**
 * Divides rows into at most `limit` groups: `{ size, starts }`, `starts` being the first row of
 * each and, last, the number of rows. Groups of hours begin at the same times of each day, so that
 * a group with a clock change has an hour less or more.
 *
 * @param {number[]} walls
 * @param {string} interval
 * @param {number} limit
 */
export function group(walls, interval, limit) {
  const rows = walls.length;
  if (rows <= limit) return { size: 1, starts: range(rows + 1) };
  if (interval === "hour") {
    for (const size of HOURS.filter((each) => each >= rows / limit)) {
      const starts = byHours(walls, size);
      if (starts.length - 1 <= limit) return { size, starts };
    }
  }
  const size = Math.ceil(rows / limit);
  const starts = range(Math.ceil(rows / size)).map((at) => at * size);
  return { size, starts: [...starts, rows] };
}

/**
 * @param {number[]} walls
 * @param {number} size
 */
function byHours(walls, size) {
  const base = Math.floor(walls[0] / DAY) * DAY;
  /** @type {number[]} */
  const starts = [];
  let current = -1;
  walls.forEach((wall, at) => {
    const number = Math.floor((wall - base) / (size * HOUR));
    // Local time goes back where an hour comes twice; that does not begin another group.
    if (number > current) {
      starts.push(at);
      current = number;
    }
  });
  return [...starts, walls.length];
}

/**
 * Returns the sum of the values of each group; null where all of them are null.
 *
 * @param {(number | null)[]} values
 * @param {number[]} starts
 */
export function sums(values, starts) {
  return starts.slice(0, -1).map((start, at) => {
    /** @type {number | null} */
    let total = null;
    for (let row = start; row < starts[at + 1]; row += 1) {
      const value = values[row];
      if (value !== null) total = (total ?? 0) + value;
    }
    return total;
  });
}

/** @param {number} length */
function range(length) {
  return Array.from({ length }, (_, at) => at);
}
