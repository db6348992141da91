// Actions that can be undone: each waits for ten seconds before it is sent. It is sent immediately
// when the page is left, or when another one about the same object begins.

import { ApiError, randomId } from "./api.js";
import { h } from "./dom.js";
import { notify } from "./notices.js";
import { key } from "./session.js";

const SECONDS = 10;

/**
 * @typedef {object} Later
 * @property {string} name its subject, such as `redemption:` and an id
 * @property {string} text the message, with the member and the object
 * @property {(options: import("./api.js").Options) => Promise<unknown>} send
 * @property {(outcome: "sent" | "undone" | Error) => void} [settled]
 */

/** Waiting actions, by name. @type {Map<string, { sendNow: () => void }>} What waits, by name. */
const waiting = new Map();
/**
 * Actions without a response yet, by name.
 * @type {Map<string, { count: number, last: Promise<void> }>} What has no answer yet, by name.
 */
const onTheWay = new Map();

/**
 * Announces an action, with a button that undoes it, and sends it ten seconds later.
 * @param {Later} what
 */
export function later(what) {
  const { name, text } = what;
  waiting.get(name)?.sendNow();
  // The credential and the name do not change while it waits.
  const options = { key: randomId(), credential: key() ?? "", keepalive: true };
  const finish = () => {
    clearTimeout(timer);
    hide();
    waiting.delete(name);
  };
  const undo = () => {
    finish();
    settle(what, "undone");
  };
  const sendNow = () => {
    finish();
    inTurn(what, options);
  };
  const hide = notify(text, "good", {
    seconds: null,
    countdown: SECONDS,
    actions: [h("button", { class: "notice-action", type: "button", onclick: undo }, "Undo")],
  });
  const timer = setTimeout(sendNow, SECONDS * 1000);
  waiting.set(name, { sendNow });
  listeners.forEach((listener) => listener());
}

/**
 * @param {Later} what
 * @param {"sent" | "undone" | Error} outcome
 */
function settle(what, outcome) {
  what.settled?.(outcome);
  listeners.forEach((listener) => listener());
}

/**
 * Whether an action on this object waits, or is being sent.
 * @param {string} name
 * @returns {boolean}
 */
export const isPending = (name) => waiting.has(name) || onTheWay.has(name);

/**
 * Callbacks of the parts that show pending actions.
 * @type {Set<() => void>} Who shows what is pending.
 */
const listeners = new Set();

/**
 * Calls back whenever an action becomes pending, or is no longer, until `signal` is aborted.
 * @param {() => void} callback
 * @param {AbortSignal} signal
 */
export function whenPending(callback, signal) {
  listeners.add(callback);
  signal.addEventListener("abort", () => listeners.delete(callback));
}

/** Sends all waiting actions. */
export function sendAll() {
  for (const { sendNow } of [...waiting.values()]) sendNow();
}

/**
 * Sends an action after earlier ones on the same object.
 * @param {Later} what
 * @param {import("./api.js").Options} options
 */
function inTurn(what, options) {
  const queue = onTheWay.get(what.name) ?? { count: 0, last: Promise.resolve() };
  // Immediately if nothing is pending: a page that is being left has no later.
  const work = () =>
    deliver(what, options, () => {
      queue.count -= 1;
      if (queue.count === 0) onTheWay.delete(what.name);
    });
  const isFree = queue.count === 0;
  queue.count += 1;
  onTheWay.set(what.name, queue);
  Object.assign(queue, { last: isFree ? work() : queue.last.then(work) });
}

/**
 * @param {Later} what
 * @param {import("./api.js").Options} options
 * @param {() => void} answered
 */
async function deliver(what, options, answered) {
  try {
    await what.send(options);
    answered();
    settle(what, "sent");
  } catch (error) {
    answered();
    const problem = error instanceof Error ? error : new Error(String(error));
    if (problem instanceof ApiError && problem.isUnknown) offerAgain(what, options);
    else notify(`${what.text} That did not work: ${problem.message}`, "bad");
    settle(what, problem);
  }
}

/**
 * @param {Later} what
 * @param {import("./api.js").Options} options
 */
function offerAgain(what, options) {
  const again = () => {
    hide();
    inTurn(what, { ...options, wasLost: true });
  };
  const button = h("button", { class: "notice-action", type: "button", onclick: again }, "Again");
  const text = `${what.text} It is not known whether this arrived. Press again: nothing is done twice.`;
  const hide = notify(text, "bad", { seconds: null, name: `lost:${what.name}`, actions: [button] });
}

window.addEventListener("pagehide", sendAll);
// A phone that puts a tab to sleep may never wake it.
document.addEventListener("freeze", sendAll);
