// The life of points: the fields of a form for it, the request that they make, and its description.

import { count } from "./format.js";

/** @typedef {{ after?: string, at?: string, extra?: string }} Expiry as the API has it */

export const NEVER = "never";
export const AFTER = "after";
export const YEAR_END = "year_end";

/** The API's limit for each part of a period: a century. */
const MONTHS_MAX = 1200;
const DAYS_MAX = 36600;

/** @type {[string, string][]} */
const OF_CREDITS = [
  [NEVER, "Never"],
  [AFTER, "Some time after the credit"],
  [YEAR_END, "At the end of the year of the credit, or some time after that"],
];

/**
 * The fields of a form for the life of points.
 * @param {string} label
 * @param {[value: string, text: string][]} [options]
 * @returns {any[]}
 */
export const lifeFields = (label, options = OF_CREDITS) => [
  {
    name: "life",
    label,
    type: "select",
    required: true,
    options,
  },
  { name: "months", label: "Months", type: "number", min: 0, max: MONTHS_MAX, step: 1 },
  { name: "days", label: "Days", type: "number", min: 0, max: DAYS_MAX, step: 1 },
];

/**
 * Returns the values of these fields.
 * @param {Expiry | null} expiry
 * @returns {{ life: string, months: number | null, days: number | null }}
 */
export function valuesOf(expiry) {
  const life = expiry?.after ? AFTER : expiry?.at ? YEAR_END : NEVER;
  return { life, ...partsOf(expiry?.after ?? expiry?.extra) };
}

/**
 * Returns the life that the fields describe; null means that points do not expire.
 * @param {Record<string, any>} answers
 * @returns {{ after: string } | { at: "year_end", extra?: string } | null}
 */
export function expiryOf({ life, months, days }) {
  const period = `P${Number(months) > 0 ? `${months}M` : ""}${Number(days) > 0 ? `${days}D` : ""}`;
  const isEmpty = period === "P";
  if (life === AFTER) {
    if (isEmpty) throw new Error("Enter after how many months or days the points expire.");
    return { after: period };
  }
  if (life !== YEAR_END) return null;
  return { at: YEAR_END, ...(!isEmpty && { extra: period }) };
}

/**
 * When points expire, in words: "12 months after the credit".
 * @param {Expiry | null} expiry
 * @returns {string}
 */
export function expiryText(expiry) {
  if (!expiry) return "never";
  if (expiry.after) return `${periodText(expiry.after)} after the credit`;
  const end = "the end of the year of the credit";
  return expiry.extra ? `${periodText(expiry.extra)} after ${end}` : `at ${end}`;
}

/** @param {string} period */
function periodText(period) {
  const { months, days } = partsOf(period);
  const parts = [months && count(months, "month"), days && count(days, "day")];
  return parts.filter(Boolean).join(" and ");
}

/**
 * The months and days of a period as the API writes it: P12M, P1M15D.
 * @param {string | undefined} period
 * @returns {{ months: number | null, days: number | null }}
 */
function partsOf(period) {
  const [, months, days] = period?.match(/^P(?:(\d+)M)?(?:(\d+)D)?$/) ?? [];
  return { months: months ? Number(months) : null, days: days ? Number(days) : null };
}
