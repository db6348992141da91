// Entries of a ledger: what they are in words, and what can be reversed.

import { count, day, number } from "../../lib/format.js";

const REVERSAL = /^Reversal of (txn_[\w-]+)/;

/**
 * The names of entries that the server creates, by the reason that it gives them.
 * @type {Record<string, string>}
 */
const OWN = { expired: "Expired", "member removed": "Forfeited with the removal" };

/**
 * @typedef {object} Entry a ledger entry, as the API has it
 * @property {string} id
 * @property {string} type
 * @property {string | null} [reason]
 * @property {string | null} [redemptionID]
 */

/** @param {Entry} entry */
const ownText = ({ type, reason, redemptionID }) =>
  type === "DEBIT" && !redemptionID ? OWN[reason ?? ""] : undefined;

/**
 * What an entry without a redemption is for; null if nobody said. The long id of an entry that was
 * reversed is left out.
 * @param {Entry} entry
 * @returns {string | null}
 */
export const entryText = (entry) =>
  ownText(entry) ?? entry.reason?.replace(REVERSAL, "Reversal") ?? null;

/**
 * @typedef {object} MovedLot what an entry did to a lot, as the API has it
 * @property {number} number
 * @property {string} change
 * @property {number} amount
 * @property {string | null} [expiresAt]
 */

/** The number of lots that are named before the others are counted. */
const LOTS_MAX = 3;

/** @type {Record<string, string>} */
const CHANGES = { made: "New lot", taken: "From", restored: "Back in", moved: "Available now" };

/**
 * What an entry did to lots, a line for each kind of change; none in an account without lots.
 * @param {MovedLot[] | null | undefined} lots
 * @param {number} [most] how many are named of each kind before the others are counted
 * @returns {string[]}
 */
export function lotLines(lots, most = LOTS_MAX) {
  const kinds = [...new Set((lots ?? []).map(({ change }) => change))];
  return kinds.map((kind) => {
    const all = (lots ?? []).filter(({ change }) => change === kind);
    const more = all.length - most;
    const named = all.slice(0, most).map(lotText);
    if (more > 0) named.push(`and ${count(more, "other lot")}`);
    return `${CHANGES[kind]}: ${named.join(", ")}`;
  });
}

/** @param {MovedLot} lot */
const lotText = ({ number: lot, amount, expiresAt }) =>
  `${number(amount)} of lot ${lot} (${expiresAt ? `expires ${day(expiresAt)}` : "no end"})`;

/**
 * The reason of the entry that reverses another one.
 * @param {string} id
 * @param {string} [note]
 * @returns {string}
 */
export const reversalOf = (id, note) => `Reversal of ${id}${note ? `: ${note}` : ""}`;

/**
 * How entries can be reversed, by id: `cancel` their redemption, or `move` the points back; or they
 * are `reversed` already. Others are not in it. Whatever reverses an entry is above it.
 * @param {Entry[]} rows the newest entries, the first ones of the list
 * @returns {Map<string, "cancel" | "move" | "reversed">}
 */
export function reversals(rows) {
  /** @type {Map<string, "cancel" | "move" | "reversed">} */
  const found = new Map();
  const done = new Set();
  for (const row of rows) {
    const { id, type, reason, redemptionID } = row;
    const subject = redemptionID ?? id;
    if (redemptionID && type === "CREDIT") done.add(redemptionID);
    else if (done.has(subject)) found.set(id, "reversed");
    else if (redemptionID) found.set(id, "cancel");
    else if (!ownText(row)) found.set(id, "move");
    const reversed = reason?.match(REVERSAL)?.[1];
    if (reversed && !redemptionID) done.add(reversed);
  }
  return found;
}
