// The pool of the program's organization, if it has one.

import { get } from "../../lib/api.js";
import { h } from "../../lib/dom.js";
import { points } from "../../lib/format.js";
import { card, facts } from "../../lib/parts.js";
import { load } from "../../lib/states.js";

/**
 * The card of the pool; nothing without one.
 * @param {any} view
 */
export function poolCard(view) {
  const place = h("div");
  load(
    place,
    () => get("/v1/balance"),
    (pool) => hasPool(pool) && shown(pool, view.context.symbol),
    0,
  );
  return place;
}

const hasPool = ({ balance, lifetimeSpent, settlementMode }) =>
  balance !== 0 || lifetimeSpent !== 0 || settlementMode === "ORG_POOL";

function shown({ balance, lifetimeSpent, creditLimit, settlementMode }, symbol) {
  const isOfOrganization = settlementMode === "ORG_POOL";
  return card(
    "Pool of the organization",
    facts([
      ["Balance", h("span", { class: "strong" }, points(balance, symbol))],
      ["Spent so far", points(lifetimeSpent, symbol)],
      ["Credit limit", isOfOrganization ? points(creditLimit, symbol) : null],
      ["Pays for", isOfOrganization ? "redemptions" : "credits to members"],
    ]),
  );
}
