// Moves of redemptions. A move is sent after ten seconds, unless it is undone; until then it is
// shown as if it had been made.

import { patch, path, post } from "../../lib/api.js";
import { formDialog } from "../../lib/dialogs.js";
import { points } from "../../lib/format.js";
import { notify } from "../../lib/notices.js";
import { REASONS, label } from "../../lib/statuses.js";
import { later, sendAll } from "../../lib/undo.js";
import { nameOf, whoseOf } from "./names.js";

/**
 * Moves without a response, or whose result is not shown yet, by redemption.
 * @type {Map<string, { redemption: any, to: string, isSent: boolean, done: Promise<void> }>}
 */
const moves = new Map();
/** @type {Set<(isSent: boolean) => void>} */
const listeners = new Set();

/**
 * Calls back when a move is requested, and with true when the server has one.
 * @param {(isSent: boolean) => void} callback
 * @param {AbortSignal} signal
 */
export function whenMoved(callback, signal) {
  listeners.add(callback);
  signal.addEventListener("abort", () => listeners.delete(callback));
}

const tell = (isSent) => listeners.forEach((listener) => listener(isSent));

/**
 * Returns the status of a redemption, or the one after its pending move.
 * @param {any} redemption
 * @returns {string}
 */
export const standing = ({ id, status }) => moves.get(id)?.to ?? status;

/**
 * Returns a redemption as it is shown: moved, if there is a pending move.
 * @param {any} redemption
 * @returns {any}
 */
export function shown(redemption) {
  const status = standing(redemption);
  return status === redemption.status ? redemption : { ...redemption, status, isMoving: true };
}

/**
 * Returns the redemptions with a pending move.
 * @returns {any[]} each as it was before
 */
export const moving = () =>
  [...moves.values()].filter(({ isSent }) => !isSent).map(({ redemption }) => redemption);

/**
 * Requests data that depends on statuses: after the moves that were sent.
 * @template T
 * @param {() => Promise<T>} ask
 * @returns {Promise<T>}
 */
export async function settled(ask) {
  const sent = [...moves].filter(([, move]) => move.isSent);
  const answer = await ask();
  for (const [id, move] of sent) if (moves.get(id) === move) moves.delete(id);
  return answer;
}

/**
 * Moves a redemption in ten seconds.
 * @param {any} redemption
 * @param {string} to
 */
export function move(redemption, to) {
  const { id } = redemption;
  let finish;
  const done = new Promise((resolve) => {
    finish = resolve;
  });
  const asked = { redemption, to, isSent: false, done };
  later({
    name: `redemption:${id}`,
    text: `${whoseOf(redemption)}: ${label(to)}.`,
    send: (options) =>
      patch(path`/v1/redemptions/${id}`, { status: /** @type {any} */ (to) }, options),
    settled(outcome) {
      if (moves.get(id) === asked) {
        if (outcome === "sent") asked.isSent = true;
        else moves.delete(id);
      }
      finish();
      tell(true);
    },
  });
  // After an earlier move of the same one, which is sent now.
  moves.set(id, asked);
  tell(false);
}

/**
 * Asks for a reason, and cancels.
 * @param {any} redemption
 * @param {string} symbol
 */
export function cancel(redemption, symbol) {
  const { id, pointsCharged } = redemption;
  formDialog({
    title: `Cancel ${whoseOf(redemption)}?`,
    text: pointsCharged
      ? `${nameOf(redemption)} gets ${points(pointsCharged, symbol)} back.`
      : "It cost nothing, so nothing is refunded.",
    action: "Cancel the redemption",
    tone: "danger",
    fields: [
      {
        name: "canceledReason",
        label: "Reason",
        type: "select",
        required: true,
        options: Object.entries(REASONS),
        value: "MEMBER_REQUESTED",
      },
      { name: "canceledNote", label: "Note", type: "textarea", maxlength: 1000 },
    ],
    async submit({ canceledReason, canceledNote }, options) {
      const body = { canceledReason, ...(canceledNote && { canceledNote }) };
      // An earlier move is sent first.
      if (moves.has(id)) sendAll();
      await moves.get(id)?.done;
      await post(path`/v1/redemptions/${id}/cancel`, body, options);
      const refund = pointsCharged ? ` ${points(pointsCharged, symbol)} went back.` : "";
      notify(`${whoseOf(redemption)}: Canceled.${refund}`);
      tell(true);
    },
  });
}
