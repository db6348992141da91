// Kinds of points: the program's own points, and further ones beside them, which may have decimals.
// In the API they are assets.

import { get } from "./api.js";
import { decimal, number } from "./format.js";

/** @typedef {import("../../types").Schema<"AssetResponse">} Kind */

/** The API's limit for a page; a program has fewer kinds. */
export const PAGE_MAX = 200;

/**
 * The kinds of points of the program, its own points first.
 * @returns {Promise<Kind[]>}
 */
export async function kindsOfPoints() {
  const { data } = await get("/v1/assets", { limit: PAGE_MAX });
  return data;
}

/**
 * An amount with its symbol.
 * @param {string} amount
 * @param {{ symbol: string }} kind
 */
export const amountText = (amount, { symbol }) => `${decimal(amount)} ${symbol}`;

/**
 * The beginning of a sentence about what members have.
 * @param {number} members
 */
export const haveText = (members) =>
  members === 1 ? "1 member has" : `${number(members)} members have`;

/**
 * The smallest amount with this many decimals.
 * @param {number} scale
 * @returns {string}
 */
export const smallest = (scale) => (10 ** -scale).toFixed(scale);

/** How a kind is kept, in words, by the API's word. @type {Record<string, string>} */
export const KEPT = {
  SIMPLE: "As a sum, which lives forever",
  LOT: "In lots: points that were credited together, which can have dates",
};

/**
 * The field for the largest credit or debit of a kind.
 * @param {number | null} [scale] null: not known yet
 */
export const limitField = (scale = null) => ({
  name: "max_transaction_amount",
  label: "Largest credit or debit",
  type: "number",
  min: scale === null ? 0 : smallest(scale),
  max: Number.MAX_SAFE_INTEGER,
  step: scale === null ? "any" : smallest(scale),
  hint: "Left empty, there is no limit.",
});

/** The field for the order in which lots are used. */
export const orderField = {
  name: "burn_order",
  label: "Points to use first",
  type: "select",
  required: true,
  options: [
    ["fifo", "The oldest first"],
    ["soonest_expiry", "Those that expire first"],
  ],
};

/**
 * Changed settings as the request has them.
 * @param {Record<string, any>} changes
 */
export const settingsBody = ({ max_transaction_amount: max, ...changes }) => ({
  ...changes,
  ...(max !== undefined && { max_transaction_amount: max || null }),
});
