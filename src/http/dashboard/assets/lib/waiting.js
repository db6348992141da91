// The number of conversations that wait for a reply, in the menu.

import { get } from "./api.js";
import { whenLive } from "./live.js";

/** The limit of the API's count. */
const COUNT_MAX = 1000;
/** The first count is delayed by this time, so that the page's own requests come first. */
const FIRST_MS = 500;

/** Whether an event can change the number. @param {string} name */
export const isAboutWaiting = (name) =>
  name === "conversation.message_created" || name.startsWith("member.");

/**
 * Shows how many conversations wait, now and after every event that can change it.
 * @param {(text: string) => void} show receives the number, or an empty text if there are none
 * @param {AbortSignal} signal
 */
export function countWaiting(show, signal) {
  const ask = async () => {
    try {
      const page = await get("/v1/conversations", { sort: "waiting", waiting: true, limit: 1 });
      const count = page.waitingCount ?? 0;
      if (!signal.aborted) show(textOf(count));
    } catch {
      // The shown number stays; the next event requests it again.
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
