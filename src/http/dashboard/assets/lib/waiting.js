// How many members wait for an answer, as the menu says.

import { get } from "./api.js";
import { whenLive } from "./live.js";

/** The API counts no further. */
const COUNT_MAX = 1000;
/** The first count waits so long for the page: what it shows comes first. */
const FIRST_MS = 500;

/** Whether an event can change who waits. @param {string} name */
export const isAboutWaiting = (name) =>
  name === "conversation.message_created" || name.startsWith("member.");

/**
 * Shows how many conversations wait, now and after every event that can change it.
 * @param {(text: string) => void} show gets the number, or nothing if there are none
 * @param {AbortSignal} signal
 */
export function countWaiting(show, signal) {
  const ask = async () => {
    try {
      const page = await get("/v1/conversations", { sort: "waiting", waiting: true, limit: 1 });
      const count = page.waitingCount ?? 0;
      if (!signal.aborted) show(textOf(count));
    } catch {
      // What was shown stays; the next event asks again.
    }
  };
  const first = setTimeout(ask, FIRST_MS);
  signal.addEventListener("abort", () => clearTimeout(first));
  whenLive(ask, signal, isAboutWaiting);
}

/** @param {number} count */
const textOf = (count) => {
  if (count === 0) return "";
  return count < COUNT_MAX ? String(count) : `${COUNT_MAX}+`;
};
