// Redemptions as a list, page by page.

import { get } from "../../lib/api.js";
import { h } from "../../lib/dom.js";
import { points, timeText } from "../../lib/format.js";
import { holdSlot } from "../../lib/hold.js";
import { moreButton, pagedList } from "../../lib/paging.js";
import { badge, button, table } from "../../lib/parts.js";
import { emptyState, load } from "../../lib/states.js";
import { REASONS, isOver, label, stepsFrom } from "../../lib/statuses.js";
import { isNarrowed, queryOf } from "./asked.js";
import { move, settled, shown, whenMoved } from "./moves.js";
import {
  bookedText,
  codeText,
  commentText,
  ratingText,
  redemptionLink,
  waitLabel,
  whoLink,
  whoseOf,
} from "./names.js";

/**
 * Shows the list in a place.
 * @param {Element} place
 * @param {any} view
 * @param {import("./asked.js").Asked} asked
 * @returns {() => void} shows it again, after the view has changed
 */
export function showList(place, view, asked) {
  const pages = pagedList(
    (page) => get("/v1/redemptions", { ...queryOf(asked, asked.status), ...page }),
    "redemptions",
  );
  const again = load(
    place,
    async () => {
      const { rows, hasMore } = await settled(() => pages.fetch());
      return { rows: rows.map(shown), hasMore };
    },
    ({ rows, hasMore }) => {
      if (rows.length === 0) return nothing(asked);
      return [
        holdSlot("redemption"),
        h(
          "section",
          { class: "card card-flush", "data-key": "list" },
          tableOf(rows, view.context.symbol),
          h("div", { class: "more" }, moreButton(pages, hasMore, again)),
        ),
      ];
    },
    8,
  );
  view.live(
    () => again.live(),
    (name) => name.startsWith("redemption."),
  );
  whenMoved(() => again(), view.signal);
  return () => {
    pages.reset();
    void again(false);
  };
}

const nothing = (asked) =>
  isNarrowed(asked)
    ? emptyState("Nothing found", "No redemption matches the filters above.")
    : emptyState(
        "No redemptions yet",
        "When a member redeems an offer, it appears here automatically.",
      );

function tableOf(rows, symbol) {
  /** @type {import("../../lib/parts.js").Column[]} */
  const columns = [
    {
      label: "Redemption",
      cell: (row) =>
        h(
          "div",
          { class: "offer-cell" },
          h("span", { class: "strong" }, redemptionLink(row)),
          h("span", {}, whoLink(row)),
          codeText(row),
        ),
    },
    { label: "Status", cell: statusOf },
    { label: "Redeemed", isWide: true, cell: ({ createdAt }) => timeText(createdAt) },
    { label: "Booked for", isWide: true, cell: (row) => bookedText(row) ?? "–" },
    {
      label: "Points",
      isNumber: true,
      isWide: true,
      cell: ({ pointsCharged }) => points(pointsCharged, symbol),
    },
    { label: "Next step", cell: nextOf },
  ];
  return table("Redemptions", columns, rows, { keyOf: ({ id }) => id, hold: "redemption" });
}

/** @param {any} row */
function statusOf({ status, createdAt, canceledReason, canceledNote, feedback }) {
  return h(
    "div",
    { class: "offer-cell" },
    h("span", {}, badge(status)),
    !isOver(status) && waitLabel(createdAt),
    canceledReason && h("span", { class: "hint" }, REASONS[canceledReason] ?? canceledReason),
    canceledNote && h("span", { class: "hint ticket-note" }, canceledNote),
    feedback && h("span", { class: "hint" }, `Rated ${ratingText(feedback)}`),
    commentText(feedback, "span"),
  );
}

function nextOf(redemption) {
  const { id, status } = redemption;
  if (isOver(status)) return "–";
  const [next] = stepsFrom(status);
  return button(label(next), () => move(redemption, next), {
    tone: "small",
    focus: `next-${id}`,
    "aria-label": `Move to ${label(next)}: ${whoseOf(redemption)}`,
    "data-move": next,
  });
}
