// One redemption: its member and offer, status, booking dates and history.

import { actorText } from "../../lib/actors.js";
import { all, get, patch, path } from "../../lib/api.js";
import { editDialog } from "../../lib/dialogs.js";
import { append, h } from "../../lib/dom.js";
import { select, fromLocal, toLocal } from "../../lib/fields.js";
import { dateTime, points } from "../../lib/format.js";
import { backLink, badge, button, card, facts, link, pageHead } from "../../lib/parts.js";
import { load } from "../../lib/states.js";
import { REASONS, choices, isOver, label, stepsFrom } from "../../lib/statuses.js";
import { addressOf } from "./asked.js";
import { cancel, move, settled, shown, whenMoved } from "./moves.js";
import {
  bookedText,
  codeText,
  nameOf,
  ratingText,
  titleOf,
  waitLabel,
  whoLink,
  whoseOf,
} from "./names.js";

/**
 * The page.
 * @param {any} view
 */
export function redemptionPage(view) {
  const { id } = view.params;
  const { symbol } = view.context;
  const place = h("div");
  const past = h("div");
  const head = pageHead("Redemption");
  append(view.root, [
    backLink("redemptions", "Redemptions"),
    head,
    place,
    card("What happened", past),
  ]);
  const again = load(
    place,
    async () => shown(await settled(() => get(path`/v1/redemptions/${id}`))),
    (redemption) => {
      head.querySelector("h1").textContent = titleOf(redemption);
      document.title = `${whoseOf(redemption)} · Stampcard`;
      return profile(redemption, symbol, refresh);
    },
    6,
  );
  const pastAgain = load(
    past,
    () => all(path`/v1/redemptions/${id}/history`, "history"),
    (entries) => timeline(entries, symbol),
  );
  const refresh = () => {
    void again();
    void pastAgain();
  };
  view.live(
    (events) => {
      if (!events.some(({ data }) => !data || data.data?.id === id)) return;
      void again.live();
      void pastAgain.live();
    },
    (name) => name.startsWith("redemption."),
  );
  whenMoved(refresh, view.signal);
}

function profile(redemption, symbol, changed) {
  return h(
    "div",
    { class: "redemption" },
    h("section", { class: "card" }, standingOf(redemption, symbol)),
    h(
      "section",
      { class: "card" },
      h(
        "div",
        { class: "card-head" },
        h("h2", { class: "card-title" }, "Booking"),
        h(
          "div",
          { class: "actions" },
          button("Edit dates", () => editDates(redemption, changed), {
            tone: "small",
            focus: "dates",
          }),
        ),
      ),
      factsOf(redemption, symbol),
    ),
  );
}

function standingOf(redemption, symbol) {
  const { status } = redemption;
  const [next, ...others] = stepsFrom(status);
  return [
    h(
      "p",
      { class: "redemption-standing", "data-key": "status" },
      badge(status),
      since(redemption),
    ),
    !isOver(status) &&
      h(
        "div",
        { class: "actions", "data-key": "actions" },
        button(`Move to ${label(next)}`, () => move(redemption, next), {
          tone: "primary",
          focus: "next",
          "data-move": next,
        }),
        others.length > 0 &&
          select([["", "Other…"], ...choices(others)], "", {
            "aria-label": "Move elsewhere",
            onchange({ target }) {
              const to = target.value;
              target.value = "";
              if (to) move(redemption, to);
            },
          }),
        button("Cancel it", () => cancel(redemption, symbol), { focus: "cancel" }),
      ),
  ];
}

const since = ({ status, createdAt, isMoving }) => {
  if (isMoving) return h("span", { class: "hint" }, "This is sent in a few seconds.");
  return !isOver(status) && waitLabel(createdAt);
};

function factsOf(redemption, symbol) {
  const { offer, pointsCharged, createdAt, conversationId } = redemption;
  const { canceledReason, canceledNote, externalUserID, feedback } = redemption;
  const same = (filter) => addressOf({ view: "list", ...filter });
  return facts([
    ["Member", h("span", {}, whoLink(redemption))],
    ["Offer", h("a", { href: same({ offer }) }, titleOf(redemption))],
    ["Code", codeText(redemption)],
    ["Booked for", bookedText(redemption) ?? "no date yet"],
    ["Redeemed", dateTime(createdAt)],
    ["Points", points(pointsCharged, symbol)],
    ["Why canceled", canceledReason && (REASONS[canceledReason] ?? canceledReason)],
    ["Note", canceledNote && h("span", { class: "ticket-note" }, canceledNote)],
    ["Rating", feedback && `${ratingText(feedback)} · ${dateTime(feedback.submittedAt)}`],
    ["Comment", feedback && h("span", { class: "ticket-note" }, feedback.comment ?? "none")],
    ["Conversation", link(`inbox/${conversationId}`, `Write to ${nameOf(redemption)}`)],
    ["Others", h("a", { href: same({ member: externalUserID }) }, "Redemptions of this member")],
  ]);
}

/** Sends only the changed date. */
function editDates({ id }, changed) {
  const times = { startAt: "Begins", endAt: "Ends" };
  editDialog({
    title: "When is it booked for?",
    text: "In the time zone of this browser.",
    fields: Object.entries(times).map(([name, text]) => ({
      name,
      label: text,
      type: "datetime-local",
    })),
    async load() {
      const { startAt, endAt } = await get(path`/v1/redemptions/${id}`);
      return { values: { startAt: toLocal(startAt), endAt: toLocal(endAt) }, version: null };
    },
    save(changes) {
      const body = Object.entries(changes).map(([name, text]) => [name, fromLocal(text)]);
      return patch(path`/v1/redemptions/${id}`, Object.fromEntries(body));
    },
    saved: changed,
  });
}

function timeline(entries, symbol) {
  return h(
    "ol",
    { class: "timeline" },
    entries.map((entry, at) =>
      h(
        "li",
        { "data-key": `entry-${at}`, "data-event": entry.event },
        h("span", { class: "strong" }, textOf(entry, symbol)),
        h("span", { class: "hint" }, `${dateTime(entry.at)} · ${actorText(entry.actor)}`),
      ),
    ),
  );
}

function textOf(entry, symbol) {
  const { event, from, to } = entry;
  if (event === "wallet.debited") return `${points(entry.points, symbol)} spent`;
  if (event === "wallet.credited") return `${points(entry.points, symbol)} returned`;
  if (event === "redemption.created") {
    return entry.units > 1 ? `Redeemed, ${unitsText(entry)}` : "Redeemed";
  }
  if (event === "redemption.changed") {
    const booked = bookedText(entry);
    return booked ? `Booked for ${booked}` : "Booking dates removed";
  }
  if (event === "redemption.rated") return `Rated ${ratingText(entry)}`;
  if (event === "redemption.returned") return `Returned ${unitsText(entry)}`;
  return `${label(from)} → ${label(to)}`;
}

/** The units that were redeemed or returned together. */
function unitsText({ units }) {
  return units === 1 ? "1 unit" : `${units} units`;
}
