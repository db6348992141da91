// Short messages that appear and disappear, read out by screen readers.

import { h } from "./dom.js";

const SECONDS = 6;

/** Notices with a name. @type {Map<string, HTMLElement>} Those that have a name. */
const named = new Map();

/**
 * @typedef {object} NoticeOptions
 * @property {(Node | string)[]} [actions] buttons and links next to the text
 * @property {number | null} [seconds] how long it stays; null means until it is closed
 * @property {string} [name] only one notice of a name is shown at a time
 * @property {number} [countdown] draws this number of seconds passing, instead of the close button
 */

/**
 * Shows a message. Returns a function that removes it.
 * @param {string} text
 * @param {"good" | "bad"} [tone]
 * @param {NoticeOptions} [options]
 * @returns {() => void}
 */
export function notify(text, tone = "good", options = {}) {
  const { actions = [], seconds = SECONDS, name, countdown } = options;
  if (name) dismiss(name);
  const hide = () => {
    clearTimeout(timer);
    notice.remove();
    if (name && named.get(name) === notice) named.delete(name);
  };
  const close = h(
    "button",
    { class: "icon-button", type: "button", "aria-label": "Close this message", onclick: hide },
    "×",
  );
  const notice = h(
    "div",
    { class: `notice notice-${tone}${countdown ? " is-timed" : ""}` },
    h("span", {}, text),
    actions,
    !countdown && close,
  );
  if (countdown) notice.style.setProperty("--seconds", `${countdown}s`);
  if (name) named.set(name, notice);
  document.getElementById("notices")?.append(notice);
  const timer = seconds === null ? undefined : setTimeout(hide, seconds * 1000);
  return hide;
}

/**
 * Removes the message of a name, if there is one.
 * @param {string} name
 */
export function dismiss(name) {
  named.get(name)?.remove();
  named.delete(name);
}

/**
 * Runs an action and shows its result. Returns whether it succeeded.
 * @template T
 * @param {() => Promise<T>} action
 * @param {string | ((answer: T) => string)} [done]
 * @returns {Promise<boolean>}
 */
export async function attempt(action, done) {
  try {
    const answer = await action();
    if (done) notify(typeof done === "function" ? done(answer) : done);
    return true;
  } catch (error) {
    notify(error instanceof Error ? error.message : String(error), "bad");
    return false;
  }
}
