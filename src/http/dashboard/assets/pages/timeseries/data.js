// Requests the buckets of a window and of the one before it, and the values known only at the end.

import { get } from "../../lib/api.js";
import { sideBySide } from "../../lib/charts/align.js";
import { wallsOf } from "../../lib/charts/time.js";
import { sandboxClock } from "../../lib/clock.js";
import { boundsOf } from "../../lib/periods.js";

/** Fewer buckets than this are requested again completely. */
const MANY = 500;
/**
 * Older data does not change, because no activity is stamped earlier than one before it. The value
 * is large, because the clocks of this computer and of the server may differ.
 */
const SETTLED_MS = 2 * 86400000;
const HOUR = 3600000;

/** How far ahead activity of a moved sandbox clock is searched for. */
const AHEAD_MS = 3650 * 86400000;

/**
 * Returns a function that loads a view: the result of `sideBySide`, with `bounds`, `walls` and
 * `ahead`, the time of the newest activity after the present.
 */
export function seriesSource() {
  const askNow = tail();
  const askThen = tail();
  let ahead = null;
  let isMoved = false;
  const source = async ({ period, interval, zone, first, last, compares }) => {
    const present = Date.now();
    const bounds = boundsOf({ period, zone, first, last }, present);
    const { before, until, shift } = bounds;
    const settled = present - SETTLED_MS;
    ahead ??= askAhead(present, zone, isMoved);
    const [now, then] = await Promise.all([
      askNow({ from: bounds.from, to: bounds.to, interval, zone, settled }),
      compares && askThen({ from: before, to: until, interval, zone, settled: until - 1 }),
    ]);
    const shown = sideBySide({ now, then: then || null, zone, interval, shift, present });
    const starts = shown.now.map(({ startTime }) => startTime);
    const walls = wallsOf(starts, zone);
    return { ...shown, bounds, interval, zone, walls, ahead: await ahead, toJSON };
  };
  /** After events: if one comes from a moved clock, its activity is searched for once more. */
  source.hear = async (events) => {
    const isAhead = ({ data }) => Date.parse(data?.createdAt) > Date.now() + 2 * HOUR;
    if (!events.some(isAhead) || (await ahead)) return;
    isMoved = true;
    ahead = null;
  };
  return source;
}

/** The newest month from now on with activity: only a moved clock causes one. */
async function askAhead(present, zone, isFresh) {
  const clock = await sandboxClock({ isFresh });
  if (!clock || clock.aheadSeconds * 1000 < HOUR) return null;
  const from = Math.ceil(present / HOUR + 1) * HOUR;
  const window = { from, to: from + AHEAD_MS, interval: "month", zone };
  const rows = await ask(window).catch(() => []);
  const newest = rows.findLast((row) => row.signups + row.pointsMinted + row.pointsSpent > 0);
  return newest && { from: newest.startTime, to: newest.endTime };
}

let answers = 0;
/**
 * Drawing thousands of buckets takes less time than comparing them with the shown ones.
 *
 * @this {any}
 */
function toJSON() {
  const { now, beside, ...rest } = this;
  if (now.length > MANY) return (answers += 1);
  return { ...rest, now, beside, toJSON: undefined };
}

/** Requests the buckets of a window; of many, only those that may have changed since. */
function tail() {
  /** @type {{ key: string | null, rows: any[], settled: number }} */
  let known = { key: null, rows: [], settled: 0 };
  return async ({ from, to, interval, zone, settled }) => {
    if (from >= to) return [];
    const key = `${from} ${interval} ${zone}`;
    const kept =
      known.key === key && known.rows.length > MANY
        ? known.rows.filter(({ endTime }) => endTime <= Math.min(known.settled, to))
        : [];
    const rows = [
      ...kept,
      ...(await ask({ from: kept.at(-1)?.endTime ?? from, to, interval, zone })),
    ];
    // Months from the 31st are counted from there, and cannot be continued from elsewhere.
    known = { key: interval === "month" ? null : key, rows, settled };
    return rows;
  };
}

async function ask({ from, to, interval, zone }) {
  if (from >= to) return [];
  const at = (time) => new Date(time).toISOString();
  const query = { from: at(from), to: at(to), interval, tz: zone };
  const answer = await get("/v1/analytics/timeseries", query);
  // Without `measures` the buckets are of the first kind.
  const buckets = /** @type {import("../../../types").Schema<"BucketResponse">[]} */ (
    answer.buckets
  );
  // A server may be configured to write times as text.
  return buckets.map((bucket) => ({
    ...bucket,
    startTime: Number(new Date(bucket.startTime)),
    endTime: Number(new Date(bucket.endTime)),
  }));
}
