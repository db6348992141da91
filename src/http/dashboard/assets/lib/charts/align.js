// Aligns the rows of two periods by local time.

import { movedBack, wallsOf } from "./time.js";

/** @type {Record<string, number>} */
const SPANS = { hour: 3600000, day: 86400000 };

/**
 * @typedef {{ months?: number, span?: number }} Shift
 * @typedef {{ zone: string, interval: string, shift: Shift }} Alignment
 * @typedef {{ startTime: number, endTime: number } & Record<string, number>} Row
 */

/**
 * For each row of `now`, returns the aligned row of `then`, or -1. Both are lists of rising start
 * times. Hours and days are aligned if the clocks show the same, moved back by `shift`: an hour
 * that one period skips has no counterpart, and of an hour that comes twice the first is aligned
 * with the first. Weeks and months, which start at the beginning of each period, are aligned in
 * their order.
 *
 * @param {number[]} now
 * @param {number[]} then
 * @param {Alignment} alignment
 */
export function pair(now, then, { zone, interval, shift }) {
  const span = SPANS[interval];
  if (!span) return now.map((_, at) => (at < then.length ? at : -1));
  const walls = wallsOf(now, zone);
  // In zones that move their clocks by half an hour, each hour still has one row.
  const rest = interval === "hour" && walls.length > 0 ? walls[0] % span : 0;
  const whole = (/** @type {number} */ wall) => Math.floor((wall - rest) / span) * span + rest;
  // The second of an hour that comes twice differs by a millisecond.
  const places = new Map();
  wallsOf(then, zone).forEach((wall, at) => {
    const place = whole(wall);
    places.set(places.has(place) ? place + 1 : place, at);
  });
  const seen = new Set();
  const backOf = mover(shift);
  return walls.map((wall) => {
    const place = whole(wall);
    const turn = seen.has(place) ? 1 : 0;
    seen.add(place);
    const back = backOf(place);
    return back === null ? -1 : (places.get(back + turn) ?? -1);
  });
}

/**
 * Moves local time back; the calendar is used once per day.
 *
 * @param {Shift} shift
 */
function mover(shift) {
  const DAY = SPANS.day;
  /** @type {number | null} */
  let day = null;
  /** @type {number | null} */
  let back = null;
  return (/** @type {number} */ wall) => {
    const begin = Math.floor(wall / DAY) * DAY;
    if (begin !== day) back = movedBack(begin, shift);
    day = begin;
    return back === null ? null : back + (wall - begin);
  };
}

/**
 * Combines two responses: `now` without empty rows that have not begun, `beside` (for each row the
 * one of `then`, or null), `openAt` (the row that is not finished, or -1) and `left` (the rows of
 * `then` that have no counterpart).
 *
 * @param {Alignment & { now: Row[], then: Row[] | null, present: number }} what
 */
export function sideBySide({ now, then, zone, interval, shift, present }) {
  let end = now.length;
  const isAhead = (/** @type {Row} */ row) =>
    row.startTime > present && !row.signups && !row.pointsMinted && !row.pointsSpent;
  while (end > 1 && isAhead(now[end - 1])) end -= 1;
  const rows = now.slice(0, end);
  const openAt = rows.findIndex((row) => row.startTime <= present && present < row.endTime);
  if (!then) return { now: rows, beside: null, openAt, left: [] };
  const starts = (/** @type {Row[]} */ list) => list.map(({ startTime }) => startTime);
  const pairs = pair(starts(rows), starts(then), { zone, interval, shift });
  const taken = new Set(pairs);
  return {
    now: rows,
    beside: pairs.map((at) => (at < 0 ? null : then[at])),
    openAt,
    left: then.filter((_, at) => !taken.has(at)),
  };
}
