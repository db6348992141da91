// A member's redemptions.

import { get } from "../../lib/api.js";
import { h } from "../../lib/dom.js";
import { exactTime, points } from "../../lib/format.js";
import { holdSlot } from "../../lib/hold.js";
import { moreButton, pagedList } from "../../lib/paging.js";
import { badge, table } from "../../lib/parts.js";
import { emptyState, load } from "../../lib/states.js";
import { codeText, redemptionLink } from "../redemptions/names.js";

const SIZE = 10;

/**
 * The card of a member's redemptions.
 * @param {string} externalUserID
 * @param {string} symbol
 * @returns {{ element: HTMLElement, again: any }}
 */
export function redemptionsCard(externalUserID, symbol) {
  const place = h("div");
  const ask = (page) => get("/v1/redemptions", { externalUserID, includeArchived: true, ...page });
  const list = pagedList(ask, "redemptions", SIZE);
  const again = load(place, list.fetch, ({ rows, hasMore }) => {
    if (rows.length === 0) {
      return emptyState("Nothing redeemed yet", "Redemptions will be listed here.");
    }
    const more = moreButton(list, hasMore, again);
    return [redemptionTable(rows, symbol), h("div", { class: "more", "data-key": "more" }, more)];
  });
  const head = h(
    "div",
    { class: "card-head" },
    h("h2", { class: "card-title" }, "Redemptions"),
    holdSlot("redeemed"),
  );
  return {
    element: h("section", { class: "card", "data-list": "redemptions" }, head, place),
    again,
  };
}

function redemptionTable(rows, symbol) {
  /** @type {any[]} */
  const columns = [
    { label: "Offer", cell: offerCell },
    { label: "Status", cell: ({ status }) => badge(status) },
    {
      label: "Charged",
      isNumber: true,
      isWide: true,
      cell: ({ pointsCharged }) => points(pointsCharged ?? 0, symbol),
    },
  ];
  return table("Redemptions", columns, rows, { keyOf: ({ id }) => id, hold: "redeemed" });
}

function offerCell(redemption) {
  const { createdAt, startAt } = redemption;
  return h(
    "div",
    { class: "offer-cell" },
    redemptionLink(redemption),
    codeText(redemption),
    h("span", { class: "hint" }, exactTime(createdAt)),
    startAt && h("span", { class: "hint", "data-key": "start" }, "for ", exactTime(startAt)),
  );
}
