// Moving redemptions along. A move is sent ten seconds after it was asked for, unless it is taken
// back; until then it is shown as if it had been made.

import { patch, path, post } from "../../lib/api.js";
import { formDialog } from "../../lib/dialogs.js";
import { points } from "../../lib/format.js";
import { notify } from "../../lib/notices.js";
import { REASONS, label } from "../../lib/statuses.js";
import { later, sendAll } from "../../lib/undo.js";
import { nameOf, whoseOf } from "./names.js";

/**
 * Moves whose answer is not known, or not shown yet, by redemption.
 * @type {Map<string, { redemption: any, to: string, isSent: boolean, done: Promise<void> }>}
 */
const moves = new Map();
/** @type {Set<(isSent: boolean) => void>} */
const listeners = new Set();

/**
 * Calls back when a move was asked for, and with true when the server knows of one.
 * @param {(isSent: boolean) => void} callback
 * @param {AbortSignal} signal
 */
export function whenMoved(callback, signal) {
  listeners.add(callback);
  signal.addEventListener("abort", () => listeners.delete(callback));
}

const tell = (isSent) => listeners.forEach((listener) => listener(isSent));

/**
 * Where a redemption stands, or will as soon as its move was sent.
 * @param {any} redemption
 * @returns {string}
 */
export const standing = ({ id, status }) => moves.get(id)?.to ?? status;

/**
 * A redemption as it is shown: moved, if a move of it was asked for.
 * @param {any} redemption
 * @returns {any}
 */
export function shown(redemption) {
  const status = standing(redemption);
  return status === redemption.status ? redemption : { ...redemption, status, isMoving: true };
}

/**
 * The redemptions that are about to be moved.
 * @returns {any[]} each as it was when that was asked for
 */
export const moving = () =>
  [...moves.values()].filter(({ isSent }) => !isSent).map(({ redemption }) => redemption);

/**
 * Asks the server for something that tells where redemptions stand: it knows of what was sent.
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
  // After what was asked of the same one before, which is sent now.
  moves.set(id, asked);
  tell(false);
}

/**
 * Asks why, and cancels.
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
      // What was asked of it before comes first.
      if (moves.has(id)) sendAll();
      await moves.get(id)?.done;
      await post(path`/v1/redemptions/${id}/cancel`, body, options);
      const refund = pointsCharged ? ` ${points(pointsCharged, symbol)} went back.` : "";
      notify(`${whoseOf(redemption)}: Canceled.${refund}`);
      tell(true);
    },
  });
}
