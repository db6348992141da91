// Points with dates: the fields of a credit for them, and what a wallet has of them.

import { fromLocal } from "../../lib/fields.js";
import { expiryText } from "../../lib/expiry.js";
import { points } from "../../lib/format.js";

const USUAL = "usual";
const NEVER = "never";
const ON = "on";

/**
 * @typedef {object} Rules how the program keeps points
 * @property {boolean} isLots
 * @property {import("../../lib/expiry.js").Expiry | null} expiry
 */

/**
 * The fields for the dates of a credit; none in a program without lots.
 * @param {Rules | null} rules
 * @returns {any[]}
 */
export function dateFields(rules) {
  if (!rules?.isLots) return [];
  return [
    {
      name: "expires",
      label: "They expire",
      type: "select",
      required: true,
      options: [
        [USUAL, rules.expiry ? `As usual in this program: ${expiryText(rules.expiry)}` : "Never"],
        ...(rules.expiry ? [[NEVER, "Never"]] : []),
        [ON, "On a date"],
      ],
    },
    { name: "expiresAt", label: "On this date", type: "datetime-local" },
    {
      name: "maturesAt",
      label: "Available from",
      type: "datetime-local",
      hint: "Until then they are pending. Left empty, they are available now.",
    },
  ];
}

/**
 * The dates in the request of a credit.
 * @param {Record<string, any>} answers
 * @returns {{ expiresAt?: string | null, maturesAt?: string }}
 */
export function datesOf({ expires, expiresAt, maturesAt }) {
  if (expires === ON && !expiresAt) throw new Error("Choose the date on which the points expire.");
  return {
    ...(expires === NEVER && { expiresAt: null }),
    ...(expires === ON && { expiresAt: fromLocal(expiresAt) }),
    ...(maturesAt && { maturesAt: /** @type {string} */ (fromLocal(maturesAt)) }),
  };
}

/**
 * The figures of a wallet for points that cannot be spent now; none of a server that has no such
 * figures, or for a member who has no such points.
 * @param {{ pending?: number, held?: number }} wallet
 * @param {string} symbol
 * @returns {{ name: string, label: string, value: string, note: string }[]}
 */
export function restFigures({ pending = 0, held = 0 }, symbol) {
  const rows = [
    { name: "pending", label: "Pending", amount: pending, note: "available later" },
    { name: "held", label: "Held", amount: held, note: "reserved" },
  ];
  return rows
    .filter(({ amount }) => amount > 0)
    .map(({ amount, ...row }) => ({ ...row, value: points(amount, symbol) }));
}
