// The budget of a kind of points, from which it is issued. In the API it is the program's wallet.

import { get, patch, path, post } from "../../lib/api.js";
import { confirmDialog, formDialog } from "../../lib/dialogs.js";
import { PAGE_MAX, amountText, smallest } from "../../lib/kinds.js";
import { attempt, notify } from "../../lib/notices.js";

/** @typedef {import("../../lib/kinds.js").Kind} Kind */

/** How a kind is issued, in words, by the API's word. @type {Record<string, string>} */
export const ISSUED = {
  UNLIMITED: "Without limit",
  PREFUNDED: "From a budget",
};

/**
 * What the budgets of the program have.
 * @param {{ asset_id?: string }} [query]
 */
export async function budgets(query = {}) {
  const where = path`/v1/programs/${"current"}/balance`;
  return (await get(where, { limit: PAGE_MAX, ...query })).data;
}

/** Whether nothing was ever credited in the program: later, its points do not get a budget. */
export async function isUnused() {
  return (await get("/v1/journal-entries", { limit: 1 })).data.length === 0;
}

/** @param {Kind} kind @param {() => void} changed */
export const addDialog = (kind, changed) =>
  changeDialog(kind, changed, {
    title: `Add to the budget of ${kind.name}`,
    text: "Members can be credited as much as the budget has.",
    action: "Add",
    send: (body, options) =>
      post(path`/v1/programs/${"current"}/assets/${kind.id}/fund`, body, options),
  });

/** @param {Kind} kind @param {() => void} changed */
export const takeDialog = (kind, changed) =>
  changeDialog(kind, changed, {
    title: `Take from the budget of ${kind.name}`,
    text: "What is taken is gone. What members have stays.",
    action: "Take",
    isLimited: true,
    send: (body, options) =>
      post(path`/v1/programs/${"current"}/assets/${kind.id}/burn`, body, options),
  });

/**
 * Asks for an amount, next to what the budget has now: credits change it all the time.
 * @param {Kind} kind
 * @param {() => void} changed
 * @param {{ title: string, text: string, action: string, isLimited?: boolean,
 *   send: (body: { amount: string, description?: string },
 *   options: import("../../lib/api.js").Options) => Promise<{ available: string }> }} what
 */
async function changeDialog(kind, changed, { title, text, action, isLimited, send }) {
  let available = "";
  const isKnown = await attempt(async () => {
    [{ available }] = await budgets({ asset_id: kind.id });
  });
  if (!isKnown) return;
  formDialog({
    title,
    text: `${budgetText(available, kind)}. ${text}`,
    action,
    fields: [
      {
        name: "amount",
        label: `Amount, ${kind.symbol}`,
        type: "number",
        required: true,
        min: smallest(kind.scale),
        step: smallest(kind.scale),
        max: isLimited ? available : null,
      },
      { name: "note", label: "Note", maxlength: 500, hint: "It stays in the journal." },
    ],
    async submit({ amount, note }, options) {
      const answer = await send({ amount, ...(note && { description: note }) }, options);
      notify(`${budgetText(answer.available, kind)} now.`);
      changed();
    },
  });
}

/**
 * What a budget has, in words.
 * @param {string} available
 * @param {{ name: string, symbol: string }} kind
 */
export const budgetText = (available, { symbol, name }) =>
  `The budget of ${name} ${Number(available) === 0 ? "is empty" : `has ${amountText(available, { symbol })}`}`;

/**
 * Gives the program's own points a budget.
 * @param {Kind} kind
 * @param {() => void} changed
 */
export const switchDialog = ({ id, name }, changed) =>
  confirmDialog({
    title: `Issue ${name} from a budget?`,
    text:
      "Credits then take their points from a budget, which is empty at first: until you add to " +
      "it, every credit is refused, those of your app, too. There is no way back.",
    action: "Use a budget",
    async submit(_, options) {
      await patch(path`/v1/assets/${id}`, { issuance_policy: "PREFUNDED" }, options);
      notify(`${name} is issued from a budget. Add to it before anything is credited.`);
      changed();
    },
  });
