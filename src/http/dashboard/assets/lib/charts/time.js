// Local times of a time zone. This needs no document, so that a test can run it on its own.
//
// A "wall" is a local time as the number of milliseconds at which the clocks of UTC show the same.

const DAY = 86400000;
const WEEK = 7 * DAY;
/** @type {Map<string, Intl.DateTimeFormat>} */
const clocks = new Map();

/** @param {string} zone */
function clockOf(zone) {
  let clock = clocks.get(zone);
  if (!clock) {
    const all = Object.fromEntries(
      ["year", "month", "day", "hour", "minute", "second"].map((part) => [part, "numeric"]),
    );
    clock = new Intl.DateTimeFormat("en-US", {
      ...all,
      timeZone: zone,
      hourCycle: "h23",
      calendar: "gregory",
    });
    clocks.set(zone, clock);
  }
  return clock;
}

/**
 * Returns the local time of a zone at a moment.
 *
 * @param {number} time
 * @param {string} zone
 */
export function wallOf(time, zone) {
  if (zone === "UTC") return time;
  /** @type {Record<string, number>} */
  const part = {};
  for (const { type, value } of clockOf(zone).formatToParts(time)) part[type] = Number(value);
  const shown = Date.UTC(part.year, part.month - 1, part.day, part.hour, part.minute, part.second);
  return shown + (((time % 1000) + 1000) % 1000);
}

/**
 * Returns the local times of many moments in rising order. The offset is computed once per week,
 * and for each moment of a week with a clock change: no zone changes its clocks and back within
 * one.
 *
 * @param {number[]} times
 * @param {string} zone
 * @returns {number[]}
 */
export function wallsOf(times, zone) {
  const walls = new Array(times.length);
  let offset = null;
  for (let at = 0; at < times.length;) {
    let last = at;
    while (last + 1 < times.length && times[last + 1] - times[at] <= WEEK) last += 1;
    const first = offset ?? wallOf(times[at], zone) - times[at];
    offset = wallOf(times[last], zone) - times[last];
    const isSteady = offset === first;
    // The next week begins where this one ends.
    const end = last === at || last === times.length - 1 ? last + 1 : last;
    for (; at < end; at += 1) walls[at] = isSteady ? times[at] + first : wallOf(times[at], zone);
    if (end === last + 1) offset = null;
  }
  return walls;
}

/**
 * Returns when clocks show a local time: the first such moment, and in a gap the moment after it.
 *
 * @param {number} wall
 * @param {string} zone
 */
export function momentOf(wall, zone) {
  const offsets = [-DAY, DAY].map((away) => wallOf(wall + away, zone) - (wall + away));
  const moments = offsets.map((offset) => wall - offset);
  const shown = moments.filter((moment) => wallOf(moment, zone) === wall);
  return shown.length > 0 ? Math.min(...shown) : moments[0];
}

/**
 * Moves a local time back by `{ months }` of the calendar or `{ span }` milliseconds; null on a day
 * that the other month does not have.
 *
 * @param {number} wall
 * @param {{ months?: number, span?: number }} shift
 */
export function movedBack(wall, { months = 0, span = 0 }) {
  if (months === 0) return wall - span;
  const date = new Date(wall);
  const day = date.getUTCDate();
  date.setUTCMonth(date.getUTCMonth() - months);
  return date.getUTCDate() === day ? date.getTime() : null;
}
