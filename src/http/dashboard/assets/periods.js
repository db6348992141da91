// Windows of time for the timeseries: whole days, weeks and months by the calendar of a time zone.

const HOUR = 3600000;
const DAY = 24 * HOUR;

/** What can be chosen, with the interval that suits it. */
export const PERIODS = [
  { id: "24h", label: "Last 24 hours", interval: "hour" },
  { id: "7d", label: "Last 7 days", interval: "day", days: 7 },
  { id: "30d", label: "Last 30 days", interval: "day", days: 30 },
  { id: "90d", label: "Last 90 days", interval: "week", days: 90 },
  { id: "12m", label: "Last 12 months", interval: "month", months: 12 },
  { id: "custom", label: "Chosen days", interval: "day" },
];

export const INTERVALS = { hour: "Hours", day: "Days", week: "Weeks", month: "Months" };

/** The browser's zone first, then UTC, then every other one. */
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

/** `{ from, to, before }`: the window, and where the one of the same length before it begins. */
export function boundsOf({ period, zone, first, last }) {
  const today = dayIn(Date.now(), zone);
  const chosen = PERIODS.find(({ id }) => id === period);
  if (period === "24h") {
    const end = Math.ceil((Date.now() + 1) / HOUR) * HOUR;
    const at = (hours) => new Date(end - hours * HOUR).toISOString();
    return { from: at(24), to: at(0), before: at(48) };
  }
  if (chosen?.months) {
    const at = (months) => shiftMonths(`${today.slice(0, 7)}-01`, months);
    return { from: at(1 - chosen.months), to: at(1), before: at(1 - 2 * chosen.months) };
  }
  const end = period === "custom" ? shiftDays(last || today, 1) : shiftDays(today, 1);
  const start = period === "custom" ? first || today : shiftDays(end, -chosen.days);
  const length = Math.round((Date.parse(end) - Date.parse(start)) / DAY);
  return { from: start, to: end, before: shiftDays(start, -length) };
}

/** The day, `YYYY-MM-DD`, that it is somewhere. */
export function dayIn(time, zone) {
  return wallTime(time, zone).slice(0, 10);
}

/** What the clocks of a zone show, `YYYY-MM-DD HH:MM`: what the chart puts on its axis. */
export function wallTime(time, zone) {
  const parts = new Intl.DateTimeFormat("en-CA", {
    timeZone: zone,
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  }).formatToParts(new Date(time));
  const part = Object.fromEntries(parts.map(({ type, value }) => [type, value]));
  return `${part.year}-${part.month}-${part.day} ${part.hour}:${part.minute}`;
}

/** A bucket's name in a table. */
export function bucketName(time, zone, interval) {
  const style = {
    hour: { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" },
    month: { month: "long", year: "numeric" },
  }[interval] ?? { day: "numeric", month: "short", year: "numeric" };
  return new Intl.DateTimeFormat(undefined, { timeZone: zone, ...style }).format(new Date(time));
}

export function shiftDays(day, days) {
  return new Date(Date.parse(day) + days * DAY).toISOString().slice(0, 10);
}

function shiftMonths(day, months) {
  const date = new Date(`${day}T00:00:00Z`);
  date.setUTCMonth(date.getUTCMonth() + months);
  return date.toISOString().slice(0, 10);
}
