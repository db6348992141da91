// Windows of time for the timeseries: whole days, weeks and months by the calendar of a time zone.

import { momentOf, movedBack, wallOf } from "./charts/time.js";

/** @typedef {import("../../types").Interval} Interval */

const MINUTE = 60000;
const HOUR = 3600000;
const DAY = 24 * HOUR;

/**
 * The periods to choose from, each with a suitable interval.
 *
 * @type {{ id: string, label: string, interval: Interval, days?: number, months?: number }[]}
 */
export const PERIODS = [
  { id: "24h", label: "Last 24 hours", interval: "hour" },
  { id: "7d", label: "Last 7 days", interval: "day", days: 7 },
  { id: "30d", label: "Last 30 days", interval: "day", days: 30 },
  { id: "90d", label: "Last 90 days", interval: "week", days: 90 },
  { id: "12m", label: "Last 12 months", interval: "month", months: 12 },
  { id: "custom", label: "Chosen days", interval: "day" },
];

export const INTERVALS = { hour: "Hours", day: "Days", week: "Weeks", month: "Months" };

/** The browser's zone first, then UTC, then all others. */
export function zones() {
  const own = ownZone();
  const others = Intl.supportedValuesOf("timeZone").filter(
    (zone) => zone !== own && zone !== "UTC",
  );
  return [...new Set([own, "UTC", ...others])];
}

export function ownZone() {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
}

/**
 * Returns the window `{ from, to }`, the one before it `{ before, until }`, and `shift`, by how
 * much the latter is earlier by the calendar. While the window is not over, the one before it ends
 * at the same local time, so that equal parts are compared.
 *
 * @param {{ period: string, zone: string, first?: string | null, last?: string | null }} view
 * @param {number} present
 */
export function boundsOf({ period, zone, first, last }, present) {
  const today = dayIn(present, zone);
  const chosen = PERIODS.find(({ id }) => id === period);
  if (period === "24h") {
    const end = Math.ceil((present + 1) / HOUR) * HOUR;
    return against({ from: end - DAY, to: end, shift: { span: DAY }, zone, present });
  }
  const at = (/** @type {string} */ day) => momentOf(Date.parse(day), zone);
  if (chosen?.months) {
    const { months } = chosen;
    const month = (/** @type {number} */ count) =>
      at(shiftMonths(`${today.slice(0, 7)}-01`, count));
    return against({ from: month(1 - months), to: month(1), shift: { months }, zone, present });
  }
  const end = shiftDays(period === "custom" ? last || today : today, 1);
  const start = period === "custom" ? first || today : shiftDays(end, -(chosen?.days ?? 1));
  const shift = { span: Date.parse(end) - Date.parse(start) };
  return against({ from: at(start), to: at(end), shift, zone, present });
}

/**
 * @param {object} window
 * @param {number} window.from
 * @param {number} window.to
 * @param {{ months?: number, span?: number }} window.shift
 * @param {string} window.zone
 * @param {number} window.present
 */
function against({ from, to, shift, zone, present }) {
  const earlier = (/** @type {number} */ time) => {
    const wall = wallOf(time, zone);
    const back = movedBack(wall, shift);
    if (back !== null) return momentOf(back, zone);
    // The 29th of February is compared up to where the 28th ended.
    const yesterday = Math.floor(wall / DAY) * DAY - DAY;
    return momentOf(Number(movedBack(yesterday, shift)) + DAY, zone);
  };
  // A window that has not begun belongs to a program whose clock is ahead.
  const isOver = present >= to || present < from;
  const until = earlier(isOver ? to : Math.max(from, Math.floor(present / MINUTE) * MINUTE));
  return { from, to, before: earlier(from), until, isOver, shift };
}

/**
 * Returns the local day in a zone as `YYYY-MM-DD`.
 *
 * @param {number} time
 * @param {string} zone
 */
export function dayIn(time, zone) {
  return wallTime(time, zone).slice(0, 10);
}

/**
 * Returns the local time in a zone as `YYYY-MM-DD HH:MM`.
 *
 * @param {number} time
 * @param {string} zone
 */
export function wallTime(time, zone) {
  return new Date(wallOf(time, zone)).toISOString().slice(0, 16).replace("T", " ");
}

/** @type {Intl.DateTimeFormatOptions} */
const HOUR_NAME = { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" };
/** @type {Record<string, Intl.DateTimeFormatOptions>} */
const NAMES = {
  hour: HOUR_NAME,
  hourTwice: { ...HOUR_NAME, timeZoneName: "short" },
  hourOfYear: { ...HOUR_NAME, weekday: "short", year: "numeric" },
  day: { day: "numeric", month: "short", year: "numeric" },
  weekday: { weekday: "short", day: "numeric", month: "short", year: "numeric" },
  month: { month: "long", year: "numeric" },
};
/**
 * The text on an axis: of an hour, the day where it begins, the month, the year.
 *
 * @type {Record<string, Intl.DateTimeFormatOptions>}
 */
const MARKS = {
  hour: { hour: "2-digit", minute: "2-digit" },
  day: { day: "numeric", month: "short" },
  month: { month: "short" },
  monthOfYear: { month: "short", year: "numeric" },
  year: { year: "numeric" },
};
/** @type {Map<string, Intl.DateTimeFormat>} */
const formats = new Map();

/**
 * Creating a format takes far longer than using it.
 *
 * @param {Record<string, Intl.DateTimeFormatOptions>} styles
 * @param {string} name
 * @param {string} zone
 */
function formatOf(styles, name, zone) {
  const key = `${styles === MARKS}/${name}/${zone}`;
  const known = formats.get(key);
  if (known) return known;
  const format = new Intl.DateTimeFormat(undefined, { timeZone: zone, ...styles[name] });
  formats.set(key, format);
  return format;
}

/**
 * Returns a bucket's name in a table. For an hour that comes twice it includes which one it is.
 *
 * @param {number} time
 * @param {string} zone
 * @param {Interval} interval
 */
export function bucketName(time, zone, interval, isTwice = false) {
  /** @type {string} */
  let name = interval === "week" ? "day" : interval;
  if (interval === "hour" && isTwice) name = "hourTwice";
  return formatOf(NAMES, name, zone).format(time);
}

/**
 * Returns the range from one moment to before another as one name.
 *
 * @param {number} from
 * @param {number} to
 * @param {string} zone
 * @param {Interval} interval
 */
export function rangeName(from, to, zone, interval) {
  if (interval === "month" && to - from < 32 * DAY) return bucketName(from, zone, "month");
  const isOfDays = [from, to].every((time) => wallOf(time, zone) % DAY === 0);
  let name = to - from <= 1.5 * DAY ? "weekday" : "day";
  if (interval === "hour" && !isOfDays) name = "hourOfYear";
  return formatOf(NAMES, name, zone).formatRange(from, to - 1);
}

/**
 * Returns a mark of the axis.
 *
 * @param {number} time
 * @param {string} zone
 * @param {string} unit
 * @param {boolean} isFirst
 */
export function markName(time, zone, unit, isFirst) {
  const wall = new Date(wallOf(time, zone));
  let name = unit;
  if (unit === "hour" && wall.getUTCHours() === 0 && wall.getUTCMinutes() === 0) name = "day";
  if (unit === "month" && (isFirst || wall.getUTCMonth() === 0)) name = "monthOfYear";
  return formatOf(MARKS, name, zone).format(time);
}

/**
 * @param {string} day
 * @param {number} days
 */
export function shiftDays(day, days) {
  return new Date(Date.parse(day) + days * DAY).toISOString().slice(0, 10);
}

/**
 * @param {string} day
 * @param {number} months
 */
function shiftMonths(day, months) {
  const date = new Date(`${day}T00:00:00Z`);
  date.setUTCMonth(date.getUTCMonth() + months);
  return date.toISOString().slice(0, 10);
}
