// A message that is sent once, however often the button is pressed and whatever happens to the
// response: until it is known to be sent, it stays in its field.

import { h, replace } from "../../lib/dom.js";
import {
  beginIntent,
  keepIntent,
  outcomeOf,
  settleIntent,
  unsettledIntents,
} from "../../lib/intents.js";
import { notify } from "../../lib/notices.js";

/**
 * @typedef {object} Sender
 * @property {HTMLElement} problem the place of error messages
 * @property {HTMLElement} button
 * @property {HTMLElement} startOver
 * @property {() => void} press
 * @property {Record<string, any> | null} lost the message that was sent and may have arrived
 */

/**
 * @param {object} what
 * @param {(answers: Record<string, any>) => boolean} what.isMine whether an earlier message sent
 *   from here is meant
 * @param {() => { name: string, answers: Record<string, any> } | null} what.begin the message to
 *   send, and its name; null if there is nothing
 * @param {(answers: Record<string, any>, options: import("../../lib/api.js").Options) =>
 *   Promise<any>} what.send
 * @param {(answer: any) => void} what.sent
 * @param {(isFixed: boolean) => void} what.fix makes the form keep the message as it was sent
 * @param {(error: any) => string} [what.explain]
 * @param {string} what.action the text of the button
 * @returns {Sender}
 */
export function sender({ isMine, begin, send, sent, fix, explain, action }) {
  let intent = unsettledIntents().find(({ answers }) => isMine(answers)) ?? null;
  let isSending = false;
  const problem = h("div", { class: "form-error", role: "alert", hidden: true });
  const button = h("button", { class: "button button-primary", type: "submit" }, action);
  const startOver = h(
    "button",
    {
      class: "button button-quiet",
      type: "button",
      hidden: true,
      onclick: () => {
        if (intent) settleIntent(intent);
        intent = null;
        show("");
      },
    },
    "Start over",
  );
  const show = (/** @type {string} */ text) => {
    const isLost = intent?.isLost ?? false;
    fix(isLost || isSending);
    button.disabled = isSending;
    replace(button, isLost && !isSending ? "Send again" : action);
    startOver.hidden = !isLost || isSending;
    problem.hidden = text === "";
    replace(problem, text);
  };
  const lostText = "It is not known whether this arrived. Press again: nothing is done twice.";
  const press = async () => {
    if (isSending) return;
    const wanted = intent ? null : begin();
    const mine = intent ?? (wanted && beginIntent(freeName(wanted.name), wanted.answers));
    if (!mine) return;
    intent = mine;
    keepIntent(mine);
    isSending = true;
    show("");
    try {
      const answer = await send(mine.answers, { key: mine.key, wasLost: mine.isLost });
      settleIntent(mine);
      intent = null;
      isSending = false;
      show("");
      sent(answer);
    } catch (error) {
      isSending = false;
      mine.isLost = outcomeOf(mine, error) === "lost";
      const why = explain?.(error) ?? (error instanceof Error ? error.message : String(error));
      if (!mine.isLost) {
        settleIntent(mine);
        intent = null;
      }
      const text = mine.isLost ? `${lostText} ${why}` : why;
      show(text);
      if (!problem.isConnected) notify(`${mine.name}: ${text}`, "bad");
    }
  };
  show(intent ? lostText : "");
  return { problem, button, startOver, press, lost: intent?.answers ?? null };
}

/** One form of a name exists at a time; this is another one. @param {string} name */
function freeName(name) {
  const taken = new Set(unsettledIntents().map((intent) => intent.name));
  let free = name;
  for (let number = 2; taken.has(free); number += 1) free = `${name} (${number})`;
  return free;
}
