// Redemptions on a board, a column for each status. They are moved by buttons or by dragging.

import { get } from "../../lib/api.js";
import { h } from "../../lib/dom.js";
import { select } from "../../lib/fields.js";
import { number, points, timeText } from "../../lib/format.js";
import { holdSlot } from "../../lib/hold.js";
import { notify } from "../../lib/notices.js";
import { button } from "../../lib/parts.js";
import { emptyState, load } from "../../lib/states.js";
import { REASONS, STATUSES, choices, isOver, label, stepsFrom } from "../../lib/statuses.js";
import { addressOf, isNarrowed, orderOf, queryOf } from "./asked.js";
import { cancel, move, moving, settled, shown, whenMoved } from "./moves.js";
import {
  bookedText,
  codeText,
  commentText,
  ratingText,
  redemptionLink,
  whoLink,
  whoseOf,
} from "./names.js";

/** The number of cards in a column. */
const COLUMN_MAX = 30;

/**
 * @typedef {object} Column
 * @property {string} status
 * @property {number | null} total null if they are not counted
 * @property {boolean} hasMore
 * @property {any[]} redemptions
 */

/**
 * Shows the board in a place.
 * @param {Element} place
 * @param {any} view
 * @param {import("./asked.js").Asked} asked
 * @returns {() => void} shows it again, after the view has changed
 */
export function showBoard(place, view, asked) {
  /** @type {Column[] | null} */
  let known = null;
  let isStale = true;
  const again = load(
    place,
    async () => {
      if (isStale || !known) {
        isStale = false;
        try {
          known = await settled(() => fetchColumns(asked));
        } catch (error) {
          isStale = true;
          throw error;
        }
      }
      return moved(known, asked);
    },
    (columns) => {
      const isEmpty = columns.every(({ redemptions }) => redemptions.length === 0);
      return isEmpty ? nothing(asked) : boardOf(columns, asked, view.context.symbol);
    },
    8,
  );
  view.live(
    () => {
      isStale = true;
      void again.live();
    },
    (name) => name.startsWith("redemption."),
  );
  whenMoved(async (isSent) => {
    const followed = focusedCard(place);
    isStale ||= isSent;
    await again();
    if (followed) followCard(place, followed);
  }, view.signal);
  return () => {
    isStale = true;
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

/**
 * @param {import("./asked.js").Asked} asked
 * @returns {Promise<Column[]>}
 */
async function fetchColumns(asked) {
  const [summary, ...pages] = await Promise.all([
    isNarrowed(asked) ? null : get("/v1/analytics/summary"),
    ...STATUSES.map((status) =>
      get("/v1/redemptions", { ...queryOf(asked, status), limit: COLUMN_MAX }),
    ),
  ]);
  return STATUSES.map((status, at) => ({
    status,
    total: summary && summary.redemptions[status.toLowerCase()],
    hasMore: pages[at].nextCursor !== null,
    redemptions: pages[at].redemptions,
  }));
}

/**
 * Returns the columns with pending moves applied.
 * @param {Column[]} columns
 * @param {import("./asked.js").Asked} asked
 * @returns {Column[]}
 */
export function moved(columns, asked) {
  const rows = new Map(
    columns.flatMap(({ redemptions }) => redemptions.map((each) => [each.id, each])),
  );
  // For redemptions in no column it is unknown whether they match the filters.
  if (!isNarrowed(asked))
    for (const each of moving()) if (!rows.has(each.id)) rows.set(each.id, each);
  const changed = [...rows.values()].map((row) => [row, shown(row)]);
  return columns.map(({ status, total, hasMore, redemptions }) => {
    const left = changed.filter(([row, now]) => row.status === status && now.status !== status);
    const come = changed.filter(([row, now]) => row.status !== status && now.status === status);
    if (left.length + come.length === 0) return { status, total, hasMore, redemptions };
    const kept = redemptions.filter((row) => shown(row).status === status);
    return {
      status,
      total: total === null ? null : total + come.length - left.length,
      hasMore,
      redemptions: inOrder([...kept, ...come.map(([, now]) => now)], orderOf(asked, status)),
    };
  });
}

/** By creation time, as on the server. */
function inOrder(redemptions, order) {
  const sign = order === "oldest" ? 1 : -1;
  const isLater = (one, other) =>
    one.createdAt > other.createdAt || (one.createdAt === other.createdAt && one.id > other.id);
  return redemptions.toSorted((one, other) => (isLater(one, other) ? sign : -sign));
}

function boardOf(columns, asked, symbol) {
  const byId = new Map(
    columns.flatMap(({ redemptions }) => redemptions.map((each) => [each.id, each])),
  );
  return [
    holdSlot("redemption"),
    h(
      "div",
      {
        class: "board",
        tabindex: "0",
        role: "region",
        "aria-label": "Redemptions by status",
        "data-key": "board",
      },
      columns.map((column) => columnOf(column, asked, byId, symbol)),
    ),
  ];
}

function columnOf(column, asked, byId, symbol) {
  const { status, total, hasMore, redemptions } = column;
  const count = total === null ? countOf(redemptions, hasMore) : number(total);
  return h(
    "section",
    {
      class: "column",
      "data-key": status,
      "data-status": status,
      "aria-label": `${label(status)}, ${count}`,
      ondragover(event) {
        event.preventDefault();
        this.classList.add("is-target");
      },
      ondragleave(event) {
        if (!this.contains(event.relatedTarget)) this.classList.remove("is-target");
      },
      ondrop(event) {
        event.preventDefault();
        this.classList.remove("is-target");
        drop(byId.get(event.dataTransfer.getData("text/plain")), status, symbol);
      },
    },
    h(
      "h2",
      { class: "column-title" },
      h("i", { class: `dot part-${status.toLowerCase()}` }),
      label(status),
      h("span", { class: "column-count" }, count),
    ),
    h(
      "ul",
      { class: "column-cards", "data-hold": "redemption" },
      redemptions.map((redemption) => cardOf(redemption, symbol)),
    ),
    h("p", { class: "hint column-more" }, hasMore && moreLink(column, asked)),
  );
}

const countOf = (redemptions, hasMore) => `${number(redemptions.length)}${hasMore ? "+" : ""}`;

/** A link to those that the column does not show. */
function moreLink({ status, total, redemptions }, asked) {
  const order = orderOf(asked, status);
  const rest = total === null ? "More" : number(Math.max(total - redemptions.length, 1));
  const what = `${rest} ${order === "oldest" ? "newer" : "older"} ones`;
  const to = addressOf({ ...asked, view: "list", status, order });
  return h("a", { href: to, "aria-label": `${what}, ${label(status)}` }, what);
}

function cardOf(redemption, symbol) {
  const { id, status, pointsCharged, createdAt, canceledReason, canceledNote } = redemption;
  const { code, feedback } = redemption;
  const booked = bookedText(redemption);
  return h(
    "li",
    {
      class: `ticket${redemption.isMoving ? " is-moving" : ""}`,
      draggable: String(!isOver(status)),
      "data-key": id,
      "data-redemption": id,
      ondragstart(event) {
        event.dataTransfer.setData("text/plain", id);
        event.dataTransfer.effectAllowed = "move";
      },
    },
    h("p", { class: "ticket-title" }, redemptionLink(redemption)),
    h("p", { class: "ticket-who" }, whoLink(redemption)),
    h("p", { class: "hint" }, points(pointsCharged, symbol), " · ", timeText(createdAt)),
    code && h("p", {}, codeText(redemption)),
    booked && h("p", { class: "hint", "data-key": "booked" }, `Booked: ${booked}`),
    canceledReason &&
      h("p", { class: "hint", "data-key": "reason" }, REASONS[canceledReason] ?? canceledReason),
    canceledNote && h("p", { class: "hint ticket-note", "data-key": "note" }, canceledNote),
    feedback && h("p", { class: "hint", "data-key": "rating" }, `Rated ${ratingText(feedback)}`),
    commentText(feedback, "p"),
    !isOver(status) && actionsOf(redemption, symbol),
  );
}

function actionsOf(redemption, symbol) {
  const { id, status } = redemption;
  const [next, ...others] = stepsFrom(status);
  const whose = whoseOf(redemption);
  return h(
    "div",
    { class: "ticket-actions", "data-key": "actions" },
    button(label(next), () => move(redemption, next), {
      tone: "small",
      focus: `next-${id}`,
      "aria-label": `Move to ${label(next)}: ${whose}`,
      "data-move": next,
    }),
    others.length > 0 &&
      select([["", "Other…"], ...choices(others)], "", {
        class: "small",
        "aria-label": `Move elsewhere: ${whose}`,
        "data-focus": `other-${id}`,
        onchange({ target }) {
          const to = target.value;
          // If it is undone, the same can be chosen again.
          target.value = "";
          if (to) move(redemption, to);
        },
      }),
    button("Cancel", () => cancel(redemption, symbol), {
      tone: "small",
      focus: `cancel-${id}`,
      "aria-label": `Cancel: ${whose}`,
      "data-cancel": true,
    }),
  );
}

function drop(redemption, status, symbol) {
  if (!redemption || redemption.status === status) return;
  if (status === "CANCELED") cancel(redemption, symbol);
  else if (stepsFrom(redemption.status).includes(status)) move(redemption, status);
  else notify(`It cannot go from ${label(redemption.status)} to ${label(status)}.`, "bad");
}

/** The card with the focus, by its redemption. */
const focusedCard = (place) =>
  place.contains(document.activeElement) &&
  document.activeElement?.closest("[data-redemption]")?.getAttribute("data-redemption");

/** The focus moves with a card, so that its next step is one key away. */
function followCard(place, id) {
  if (focusedCard(place) !== id || !document.activeElement?.closest("[data-gone]")) return;
  const card = place.querySelector(`[data-redemption="${CSS.escape(id)}"]:not([data-gone])`);
  const target = card?.querySelector("[data-move]") ?? card?.querySelector("a");
  target?.focus({ preventScroll: true });
}
