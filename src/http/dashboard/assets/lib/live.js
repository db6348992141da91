// Live events of the program, passed to the page that is shown.

import { follow } from "./stream.js";

const URL_OF_STREAM = "/v1/activity/stream";
/** Without a stream on the server, figures are requested again at this interval. */
const POLL_MS = 10000;
/** Events within this time cause one update, */
const GATHER_MS = 150;
/** and there is at most one update in this time. */
const PAUSE_MS = 1000;

/** @typedef {{ name: string, data: any }} LiveEvent */

/** @type {Set<(event: LiveEvent) => void>} */
const listeners = new Set();

/**
 * @param {AbortSignal} signal
 * @param {(state: "live" | "waiting" | "missing") => void} onState
 */
export function startLive(signal, onState) {
  const onEvent = (/** @type {LiveEvent} */ event) =>
    listeners.forEach((listener) => listener(event));
  void follow(URL_OF_STREAM, {
    signal,
    onEvent,
    onState(state) {
      onState(state);
      if (state !== "missing") return;
      const timer = setInterval(() => {
        if (!document.hidden) onEvent({ name: "gap", data: null });
      }, POLL_MS);
      signal.addEventListener("abort", () => clearInterval(timer));
    },
  });
}

/**
 * Calls back after events that `concerns` (a test of their name) selects, until `signal` is
 * aborted. The callback receives the events of one update; a `gap` concerns every page: events may
 * have been missed.
 *
 * @param {(events: LiveEvent[]) => unknown} callback
 * @param {AbortSignal} signal
 * @param {(name: string) => boolean} [concerns]
 */
export function whenLive(callback, signal, concerns = () => true) {
  /** @type {LiveEvent[]} */
  let waiting = [];
  /** @type {number | null} */
  let timer = null;
  let nextAt = 0;
  const listener = (/** @type {LiveEvent} */ event) => {
    if (event.name !== "gap" && !concerns(event.name)) return;
    waiting.push(event);
    timer ??= setTimeout(
      () => {
        const events = waiting;
        waiting = [];
        timer = null;
        nextAt = Date.now() + PAUSE_MS;
        if (!signal.aborted) callback(events);
      },
      Math.max(GATHER_MS, nextAt - Date.now()),
    );
  };
  listeners.add(listener);
  signal.addEventListener("abort", () => listeners.delete(listener));
}
