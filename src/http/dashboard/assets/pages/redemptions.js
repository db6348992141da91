// Redemptions on a board, a column for each status. They are moved by buttons or by dragging.

import { all, get, patch, path, post } from "../lib/api.js";
import { append, h } from "../lib/dom.js";
import { formDialog } from "../lib/dialogs.js";
import { select } from "../lib/fields.js";
import { number, points, timeText } from "../lib/format.js";
import { attempt, notify } from "../lib/notices.js";
import { button, memberLink, pageHead } from "../lib/parts.js";
import { emptyState, load } from "../lib/states.js";
import { REASONS, STATUSES, isOver, label, stepsFrom } from "../lib/statuses.js";

/** Cards that a column shows; the newest ones. */
const COLUMN_MAX = 30;

export function redemptionsPage(view) {
  const place = h("div");
  append(view.root, [
    pageHead("Redemptions", "Each one moves to the right, until it is completed or canceled."),
    place,
  ]);
  const again = load(
    place,
    fetchBoard,
    (board) => {
      if (board.columns.every(({ redemptions }) => redemptions.length === 0)) {
        return emptyState(
          "No redemptions yet",
          "When a member redeems an offer, it appears here by itself.",
        );
      }
      return boardOf(board, view.context.symbol, () => again());
    },
    8,
  );
  view.live(
    () => again(),
    (name) => name.startsWith("redemption."),
  );
}

async function fetchBoard() {
  const [summary, offers, ...pages] = await Promise.all([
    get("/v1/analytics/summary"),
    all("/v1/offers", "data"),
    ...STATUSES.map((status) => get("/v1/redemptions", { status, limit: COLUMN_MAX })),
  ]);
  return {
    titles: Object.fromEntries(offers.map(({ id, title }) => [id, title])),
    columns: STATUSES.map((status, at) => ({
      status,
      total: summary.redemptions[status.toLowerCase()],
      redemptions: pages[at].redemptions,
    })),
  };
}

function boardOf({ titles, columns }, symbol, changed) {
  const byId = new Map(
    columns.flatMap(({ redemptions }) =>
      redemptions.map((redemption) => [redemption.id, redemption]),
    ),
  );
  const board = h("div", {
    class: "board",
    tabindex: "0",
    role: "region",
    "aria-label": "Redemptions by status",
  });
  append(
    board,
    columns.map(({ status, total, redemptions }) => {
      const cards = redemptions.map((redemption) =>
        cardOf(redemption, titles[redemption.offer] ?? "An archived offer", symbol, changed),
      );
      const column = h(
        "section",
        {
          class: "column",
          "data-status": status,
          "aria-label": `${label(status)}, ${number(total)}`,
        },
        h(
          "h2",
          { class: "column-title" },
          h("i", { class: `dot part-${status.toLowerCase()}` }),
          label(status),
          h("span", { class: "column-count" }, number(total)),
        ),
        h("ul", { class: "column-cards" }, cards),
        total > redemptions.length &&
          h(
            "p",
            { class: "hint" },
            `${number(total - redemptions.length)} older ones are not shown.`,
          ),
      );
      acceptDrops(column, status, byId, titles, symbol, changed);
      return column;
    }),
  );
  return board;
}

function cardOf(redemption, title, symbol, changed) {
  const { id, status, externalUserID, pointsCharged, createdAt, canceledReason } = redemption;
  const [next, ...others] = stepsFrom(status);
  const move = (to) => moveTo(redemption, to, changed);
  const element = h(
    "li",
    { class: "ticket", draggable: String(!isOver(status)), "data-redemption": id },
    h("p", { class: "ticket-title" }, title),
    h("p", { class: "ticket-who" }, memberLink(externalUserID)),
    h("p", { class: "hint" }, points(pointsCharged ?? 0, symbol), " · ", timeText(createdAt)),
    canceledReason && h("p", { class: "hint" }, REASONS[canceledReason] ?? canceledReason),
    !isOver(status) &&
      h(
        "div",
        { class: "ticket-actions" },
        button(label(next), () => move(next), {
          tone: "small",
          focus: `next-${id}`,
          "aria-label": `Move to ${label(next)}: ${title}, ${externalUserID}`,
          "data-move": next,
        }),
        others.length > 0 &&
          select([["", "Other…"], ...others.map((to) => [to, label(to)])], "", {
            class: "small",
            "aria-label": `Move elsewhere: ${title}, ${externalUserID}`,
            "data-focus": `other-${id}`,
            onchange: ({ target }) => target.value && move(target.value),
          }),
        button("Cancel", () => cancelDialog(redemption, title, symbol, changed), {
          tone: "small",
          focus: `cancel-${id}`,
          "aria-label": `Cancel: ${title}, ${externalUserID}`,
          "data-cancel": true,
        }),
      ),
  );
  element.addEventListener("dragstart", (event) => {
    event.dataTransfer.setData("text/plain", id);
    event.dataTransfer.effectAllowed = "move";
  });
  return element;
}

function acceptDrops(column, status, byId, titles, symbol, changed) {
  column.addEventListener("dragover", (event) => {
    event.preventDefault();
    column.classList.add("is-target");
  });
  column.addEventListener("dragleave", (event) => {
    if (!column.contains(event.relatedTarget)) column.classList.remove("is-target");
  });
  column.addEventListener("drop", (event) => {
    event.preventDefault();
    column.classList.remove("is-target");
    const redemption = byId.get(event.dataTransfer.getData("text/plain"));
    if (!redemption || redemption.status === status) return;
    if (status === "CANCELED") {
      cancelDialog(redemption, titles[redemption.offer] ?? "An archived offer", symbol, changed);
    } else if (stepsFrom(redemption.status).includes(status)) {
      moveTo(redemption, status, changed);
    } else {
      notify(`It cannot go from ${label(redemption.status)} to ${label(status)}.`, "bad");
    }
  });
}

async function moveTo({ id }, status, changed) {
  await attempt(() => patch(path`/v1/redemptions/${id}`, { status }), `Moved to ${label(status)}.`);
  changed();
}

function cancelDialog({ id, externalUserID, pointsCharged }, title, symbol, changed) {
  formDialog({
    title: `Cancel ${title}?`,
    text: pointsCharged
      ? `${externalUserID} gets ${points(pointsCharged, symbol)} back.`
      : "It cost nothing, so nothing is refunded.",
    action: "Cancel the redemption",
    tone: "danger",
    fields: [
      {
        name: "canceledReason",
        label: "Reason",
        type: "select",
        required: true,
        options: Object.entries(REASONS),
        value: "MEMBER_REQUESTED",
      },
      { name: "canceledNote", label: "Note", type: "textarea", maxlength: 1000 },
    ],
    async submit({ canceledReason, canceledNote }) {
      await post(path`/v1/redemptions/${id}/cancel`, {
        canceledReason,
        ...(canceledNote && { canceledNote }),
      });
      notify(pointsCharged ? `Canceled; ${points(pointsCharged, symbol)} went back.` : "Canceled.");
      changed();
    },
  });
}
