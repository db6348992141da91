// A button that sends something once, however often it is pressed before the answer is there.

import { beginIntent, keepIntent, outcomeOf, settleIntent, unsettledIntent } from "./intents.js";
import { notify } from "./notices.js";

/** @type {Set<string>} What is under way, by name. */
const underWay = new Set();

/**
 * Sends something and says how it went. If the answer is lost, the next time sends the same again.
 * @template T
 * @param {string} name what it is about
 * @param {(options: { key: string, wasLost: boolean }) => Promise<T>} send
 * @param {string | ((answer: T) => string)} done what to say once it is done
 * @returns {Promise<boolean>} whether it is
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
    const unknown = "It is not known whether this arrived. Press again: it acts once.";
    notify(isLost ? `${unknown} ${message}` : message, "bad");
    return false;
  } finally {
    underWay.delete(name);
  }
}
