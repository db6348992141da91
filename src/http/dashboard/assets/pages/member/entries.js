// Entries of a ledger: what they are in words, and what can be reversed.

import { count, day, number } from "../../lib/format.js";

const REVERSAL = /^Reversal of (txn_[\w-]+|[\da-f]{8}-[\da-f-]{27})/;

/**
 * The names of entries that the server creates, by the reason that it gives them.
 * @type {Record<string, string>}
 */
const OWN = { expired: "Expired", "member removed": "Forfeited with the removal" };

/**
 * What entries of further kinds are besides credits and debits, by the API's word.
 * @type {Record<string, string>}
 */
const ACTIONS = {
  EXPIRE: "Expired",
  FORFEIT: "Forfeited",
  HOLD: "Held",
  MATURITY: "Available now",
  REDEMPTION: "Spent",
  RELEASE: "Released",
  REVERSAL: "Returned",
  SETTLE: "Settled",
  VOID_HOLD: "Taken back",
};

/**
 * @typedef {object} Entry a ledger entry, as the API has it
 * @property {string} id
 * @property {string} [action] the word for it in the ledger of a further kind
 * @property {string | null} [spend] the redemption of an amount of a further kind
 * @property {string} type
 * @property {string | null} [reason]
 * @property {string | null} [redemptionID]
 */

/** @param {Entry} entry */
const ownText = ({ type, reason, redemptionID }) =>
  type === "DEBIT" && !redemptionID ? OWN[reason ?? ""] : undefined;

/** @param {Entry} entry */
const actionText = ({ action }) => ACTIONS[action ?? ""];

/**
 * What an entry without a redemption is for; null if nobody said. The long id of an entry that was
 * reversed is left out.
 * @param {Entry} entry
 * @returns {string | null}
 */
export function entryText(entry) {
  const reason = ownText(entry) ?? entry.reason?.replace(REVERSAL, "Reversal");
  const isReversal = REVERSAL.test(entry.reason ?? "");
  return [!isReversal && actionText(entry), reason].filter(Boolean).join(": ") || null;
}

/**
 * @typedef {object} MovedLot what an entry did to a lot, as the API has it
 * @property {number} number
 * @property {string} change
 * @property {any} amount
 * @property {string | null} [expiresAt]
 */

/** The number of lots that are named before the others are counted. */
const LOTS_MAX = 3;

/** @type {Record<string, string>} */
const CHANGES = {
  made: "New lot",
  taken: "From",
  restored: "Back in",
  moved: "Available now",
  held: "Held",
};

/**
 * What an entry did to lots, a line for each kind of change; none in an account without lots.
 * @param {MovedLot[] | null | undefined} lots
 * @param {number} [most] how many are named of each kind before the others are counted
 * @param {(amount: any) => string} [digits] an amount as text
 * @returns {string[]}
 */
export function lotLines(lots, most = LOTS_MAX, digits = number) {
  const kinds = [...new Set((lots ?? []).map(({ change }) => change))];
  return kinds.map((kind) => {
    const all = (lots ?? []).filter(({ change }) => change === kind);
    const more = all.length - most;
    const named = all.slice(0, most).map((lot) => lotText(lot, digits));
    if (more > 0) named.push(`and ${count(more, "other lot")}`);
    return `${CHANGES[kind]}: ${named.join(", ")}`;
  });
}

/** @param {MovedLot} lot @param {(amount: any) => string} digits */
const lotText = ({ number: lot, amount, expiresAt }, digits) =>
  `${digits(amount)} of lot ${lot} (${expiresAt ? `expires ${day(expiresAt)}` : "no end"})`;

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
    else if (row.spend) found.set(id, "cancel");
    else if (!ownText(row) && !actionText(row)) found.set(id, "move");
    const reversed = reason?.match(REVERSAL)?.[1];
    if (reversed && !redemptionID) done.add(reversed);
  }
  return found;
}
