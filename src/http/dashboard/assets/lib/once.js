// Sends something once, however often its button is pressed before the response.

import { beginIntent, keepIntent, outcomeOf, settleIntent, unsettledIntent } from "./intents.js";
import { notify } from "./notices.js";

/** Pending requests, by name. @type {Set<string>} What is under way, by name. */
const underWay = new Set();

/**
 * Sends a request and shows its result. If the response is lost, the next call repeats the same
 * request.
 * @template T
 * @param {string} name its subject
 * @param {(options: { key: string, wasLost: boolean }) => Promise<T>} send
 * @param {string | ((answer: T) => string)} done the message on success
 * @returns {Promise<boolean>} whether it succeeded
 */
export async function once(name, send, done) {
  if (underWay.has(name)) return false;
  const intent = unsettledIntent(name) ?? beginIntent(name, {});
  underWay.add(name);
  keepIntent(intent);
  try {
    const answer = await send({ key: intent.key, wasLost: intent.isLost });
    settleIntent(intent);
    notify(typeof done === "function" ? done(answer) : done);
    return true;
  } catch (error) {
    const isLost = outcomeOf(intent, error) === "lost";
    if (!isLost) settleIntent(intent);
    const message = error instanceof Error ? error.message : String(error);
    const unknown = "It is not known whether this arrived. Press again: nothing is done twice.";
    notify(isLost ? `${unknown} ${message}` : message, "bad");
    return false;
  } finally {
    underWay.delete(name);
  }
}
