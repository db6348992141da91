// What a member has of further kinds of points.

import { h } from "../../lib/dom.js";
import { button, card, table } from "../../lib/parts.js";
import { load } from "../../lib/states.js";
import { move } from "./dialogs.js";

const TITLE = "Further kinds of points";

/**
 * The card of further kinds, hidden if there is nothing to show.
 * @param {ReturnType<typeof import("./accounts.js").furtherAccounts>} accounts
 * @param {{ member: any, canMove: boolean }} standing the member as last loaded, and whether points
 *   can be credited and debited now
 * @param {() => void} changed
 * @returns {{ element: HTMLElement, again: import("../../lib/states.js").Again }}
 */
export function furtherCard(accounts, standing, changed) {
  const place = h("div");
  const element = card(TITLE, place);
  element.dataset.key = "further";
  const render = ({ rows, canMove }) => {
    element.style.display = rows.length === 0 ? "none" : "";
    return furtherTable(
      rows,
      canMove && ((type, account) => move(type, standing.member, account, changed)),
    );
  };
  const again = load(
    place,
    async () => ({ rows: await accounts.list(), canMove: standing.canMove }),
    render,
    2,
  );
  return { element, again };
}

/**
 * @param {import("./accounts.js").Further[]} rows
 * @param {false | ((type: "CREDIT" | "DEBIT", account: import("./accounts.js").Account) => void)}
 *   start begins a credit or debit, if there can be one
 */
function furtherTable(rows, start) {
  /** @type {any[]} */
  const columns = [
    { label: "Kind", cell: kindCell },
    {
      label: "Available",
      isNumber: true,
      cell: ({ balance, account }) => account.text(balance.available),
    },
    start && {
      label: h("span", { class: "hidden" }, "Actions"),
      cell: (row) => actions(row, start),
    },
  ];
  return table(TITLE, columns.filter(Boolean), rows, { keyOf: ({ kind }) => kind.id });
}

function kindCell({ kind, balance, account }) {
  const rest = [
    [balance.deferred, "pending, available later"],
    [balance.held, "held, reserved"],
  ].filter(([amount]) => Number(amount) > 0);
  return h(
    "div",
    { class: "offer-cell" },
    h("span", { class: "strong" }, kind.name),
    rest.map(([amount, what]) => h("span", { class: "hint" }, `${account.text(amount)} ${what}`)),
    kind.status === "ARCHIVED" && h("span", { class: "badge badge-canceled" }, "Archived"),
  );
}

function actions({ kind, account }, start) {
  const act = (type, text) =>
    button(text, () => start(type, account), {
      tone: "small",
      focus: `${type}-${kind.id}`,
      "aria-label": `${text} ${kind.name}`,
    });
  return h(
    "div",
    { class: "row-actions" },
    kind.status === "ACTIVE" && act("CREDIT", "Credit"),
    act("DEBIT", "Debit"),
  );
}
