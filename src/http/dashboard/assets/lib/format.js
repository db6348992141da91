// Numbers, points and times as text, in the language of the browser.

const whole = new Intl.NumberFormat();
const share = new Intl.NumberFormat(undefined, { style: "percent", maximumFractionDigits: 1 });
const change = new Intl.NumberFormat(undefined, {
  style: "percent",
  maximumFractionDigits: 0,
  signDisplay: "exceptZero",
});
const compact = new Intl.NumberFormat(undefined, {
  notation: "compact",
  maximumFractionDigits: 1,
});
const money = new Intl.NumberFormat(undefined, {
  style: "currency",
  currency: "USD",
  trailingZeroDisplay: "stripIfInteger",
});
const moment = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const date = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto", style: "short" });

/** @param {number} value */
export const number = (value) => whole.format(value);
/**
 * For an axis up to `top`, where space is limited: "12K".
 *
 * @param {number} value
 * @param {number} top
 */
export const short = (value, top) => (top < 10000 ? number(value) : compact.format(value));
/** @param {number} fraction */
export const percent = (fraction) => share.format(fraction);
/** @param {string | number | Date | null | undefined} time */
export const dateTime = (time) => (time ? moment.format(new Date(time)) : "–");
/** @param {string | number | Date | null | undefined} time */
export const day = (time) => (time ? date.format(new Date(time)) : "–");

/**
 * Points followed by their symbol.
 *
 * @param {number} value
 * @param {string} symbol
 */
export const points = (value, symbol) => `${number(value)} ${symbol}`;

/**
 * An amount as the API writes it, such as "1250.50", in the reader's format.
 *
 * @param {string} amount
 */
export function decimal(amount) {
  const digits = amount.split(".")[1]?.length ?? 0;
  const format = new Intl.NumberFormat(undefined, {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
  // As text: a number would not have all digits of a large amount.
  return format.format(/** @type {any} */ (amount));
}

/**
 * The change of a figure, or null if there is no reference.
 *
 * @param {number} now
 * @param {number} before
 */
export function changed(now, before) {
  return before > 0 ? change.format(now / before - 1) : null;
}

/** US dollars, whole ones without cents. @param {number} value */
export const dollars = (value) => money.format(value);

/** @type {[number, Intl.RelativeTimeFormatUnit][]} */
const STEPS = [
  [60, "second"],
  [60, "minute"],
  [24, "hour"],
  [30, "day"],
  [12, "month"],
];

/** "3 min. ago". @param {string | number | Date} time */
export function ago(time) {
  let distance = (new Date(time).getTime() - Date.now()) / 1000;
  for (const [size, unit] of STEPS) {
    if (Math.abs(distance) < size) return relative.format(Math.round(distance), unit);
    distance /= size;
  }
  return relative.format(Math.round(distance), "year");
}

/** @type {[number, string][]} */
const SPANS = [
  [86400, "day"],
  [3600, "hour"],
  [60, "minute"],
  [1, "second"],
];

/**
 * A duration, by its two largest units: "2 days 3 hours".
 * @param {number} seconds whole
 * @returns {string}
 */
export function spanText(seconds) {
  const parts = [];
  let rest = seconds;
  for (const [size, unit] of SPANS) {
    const many = Math.floor(rest / size);
    rest -= many * size;
    if (many > 0) parts.push(count(many, unit));
  }
  return parts.slice(0, 2).join(" ") || count(0, "second");
}

const DAY_MS = 86400000;

/**
 * A past or future time: "3 min. ago", or its date if that is more than a day away.
 *
 * @param {string | number | Date} time
 */
export const when = (time) =>
  Math.abs(new Date(time).getTime() - Date.now()) < DAY_MS ? ago(time) : day(time);

/** The same as an element, with the exact time, too. @param {string | number | Date} time */
export function timeText(time) {
  const element = document.createElement("time");
  element.dateTime = new Date(time).toISOString();
  element.title = dateTime(time);
  element.textContent = when(time);
  return element;
}

/**
 * A time in the reader's format, or only its day, and how long ago that is.
 *
 * @param {string | number | Date} time
 * @param {(time: any) => string} [write]
 */
export function exactTime(time, write = dateTime) {
  const element = timeText(time);
  element.title = ago(time);
  element.textContent = write(time);
  element.dataset.exact = "";
  return element;
}

/**
 * A number with its noun in singular or plural.
 *
 * @param {number} amount
 * @param {string} one
 * @param {string} [many]
 */
export const count = (amount, one, many = `${one}s`) =>
  `${number(amount)} ${amount === 1 ? one : many}`;
