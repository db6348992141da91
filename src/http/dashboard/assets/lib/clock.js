// The time in a program of the sandbox, whose clock can be moved: requested once, however many
// parts of the page need it.

import { get } from "./api.js";
import { environment, key } from "./session.js";

/** @typedef {{ now: string, aheadSeconds: number }} Clock */

const KEPT_MS = 5000;

/** @type {{ key: string | null, at: number, clock: Promise<Clock | null> } | null} */
let known = null;

/**
 * Returns the clock; null where a program has none of its own, or if the request fails.
 * @param {{ isFresh?: boolean }} [options] `isFresh`: a cached response is not enough
 * @returns {Promise<Clock | null>}
 */
export function sandboxClock({ isFresh = false } = {}) {
  if (environment() !== "sandbox") return Promise.resolve(null);
  const isGood = known && known.key === key() && Date.now() - known.at < KEPT_MS;
  if (!known || !isGood || isFresh) {
    const clock = get("/v1/sandbox/clock").catch(() => null);
    known = { key: key(), at: Date.now(), clock };
  }
  return known.clock;
}
