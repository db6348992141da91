// What a member has of further kinds of points.

import { h } from "../../lib/dom.js";
import { button, card, table } from "../../lib/parts.js";
import { move } from "./dialogs.js";

/**
 * The card of further kinds; nothing in a program without them.
 * @param {any} member
 * @param {import("./accounts.js").Further[]} further
 * @param {() => void} changed
 */
export function furtherCard(member, further, changed) {
  if (further.length === 0) return null;
  const canMove = !member.archivedAt && !member.suspendedAt;
  /** @type {any[]} */
  const columns = [
    { label: "Kind", cell: kindCell },
    {
      label: "Available",
      isNumber: true,
      cell: ({ balance, account }) => account.text(balance.available),
    },
    canMove && {
      label: h("span", { class: "hidden" }, "Actions"),
      cell: (row) => actions(member, row, changed),
    },
  ];
  const element = card(
    "Further kinds of points",
    table("Further kinds of points", columns.filter(Boolean), further, {
      keyOf: ({ kind }) => kind.id,
    }),
  );
  element.dataset.key = "further";
  return element;
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

function actions(member, { kind, account }, changed) {
  const act = (type, text) =>
    button(text, () => move(type, member, account, changed), {
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
