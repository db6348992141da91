// Interests of members in offers: the list, and the page of one.

import { get, patch, path } from "../lib/api.js";
import { confirmDialog } from "../lib/dialogs.js";
import { append, h } from "../lib/dom.js";
import { picker } from "../lib/fields.js";
import { dateTime, timeText } from "../lib/format.js";
import { moreButton, pagedList } from "../lib/paging.js";
import { backLink, badge, button, card, facts, link, pageHead, table } from "../lib/parts.js";
import { emptyState, load } from "../lib/states.js";
import { titleOf, whoLink, whoseOf } from "./redemptions/names.js";

/** @type {[value: string, text: string][]} */
const STATUSES = [
  ["", "All"],
  ["submitted", "Submitted"],
  ["converted", "Converted"],
  ["closed", "Closed"],
];

/** @type {Record<string, string>} */
const WORDS = {
  APP_CHAT: "In the conversation",
  SMS: "By text message",
  EMAIL: "By email",
  PHONE: "By phone",
  ANYTIME: "At any time",
  MORNING: "In the morning",
  AFTERNOON: "In the afternoon",
  EVENING: "In the evening",
};

/**
 * The list.
 * @param {any} view
 */
export function interestsPage(view) {
  const place = h("div");
  let status = "";
  const list = pagedList((page) => get("/v1/interests", { ...page, status }), "interests");
  const choose = (/** @type {string} */ chosen) => {
    status = chosen;
    list.reset();
    void again(false);
  };
  append(view.root, [
    pageHead(
      "Interests",
      "Offers that members want arranged.",
      picker("Status", STATUSES, "", choose),
    ),
    place,
  ]);
  const again = load(
    place,
    list.fetch,
    ({ rows, hasMore }) => {
      if (rows.length === 0) return nothing(status);
      const more = moreButton(list, hasMore, () => again());
      return h(
        "section",
        { class: "card card-flush" },
        tableOf(rows),
        h("div", { class: "more" }, more),
      );
    },
    8,
  );
}

/** @param {string} status */
const nothing = (status) =>
  status
    ? emptyState("Nothing found", "No interest has this status.")
    : emptyState("No interests yet", "When a member shows interest in an offer, it appears here.");

/** @param {any[]} rows */
function tableOf(rows) {
  /** @type {import("../lib/parts.js").Column[]} */
  const columns = [
    {
      label: "Interest",
      cell: (row) =>
        h(
          "div",
          { class: "offer-cell" },
          h("span", { class: "strong" }, link(`interests/${row.id}`, titleOf(row))),
          h("span", {}, whoLink(row)),
        ),
    },
    { label: "Status", cell: ({ status }) => badge(status.toUpperCase()) },
    { label: "Created", isWide: true, cell: ({ createdAt }) => timeText(createdAt) },
    {
      label: "Preferred dates",
      isWide: true,
      cell: ({ intake }) => datesOf(intake?.preferredDates) ?? "–",
    },
  ];
  return table("Interests", columns, rows, { keyOf: ({ id }) => id });
}

/**
 * The page of one interest.
 * @param {any} view
 */
export function interestPage(view) {
  const { id } = view.params;
  const place = h("div");
  const head = pageHead("Interest");
  append(view.root, [backLink("interests", "Interests"), head, place]);
  const again = load(
    place,
    () => get(path`/v1/interests/${id}`),
    (interest) => {
      head.querySelector("h1").textContent = titleOf(interest);
      document.title = `${whoseOf(interest)} · Stampcard`;
      return [standingOf(interest, () => again()), card("Intake", intakeOf(interest))];
    },
    6,
  );
}

/**
 * @param {any} interest
 * @param {() => void} changed
 */
function standingOf(interest, changed) {
  const { id, status, createdAt, conversationId } = interest;
  const close = () =>
    confirmDialog({
      title: "Close this interest?",
      text: "It can then no longer become a redemption. The conversation stays open.",
      action: "Close it",
      async submit() {
        await patch(path`/v1/interests/${id}`, { status: "closed" });
        changed();
      },
    });
  return h(
    "section",
    { class: "card" },
    facts([
      ["Status", badge(status.toUpperCase())],
      ["Member", h("span", {}, whoLink(interest))],
      ["Created", dateTime(createdAt)],
      ["Conversation", link(`inbox/${conversationId}`, "Open the conversation")],
      // Both have the same digits.
      ["Redemption", status === "converted" ? link(redemptionOf(id), titleOf(interest)) : null],
    ]),
    status === "submitted" &&
      h("div", { class: "actions" }, button("Close", close, { focus: "close" })),
  );
}

/** @param {string} id */
const redemptionOf = (id) => `redemptions/${id.replace("int_", "rdm_")}`;

/** @param {any} interest */
function intakeOf({ intake }) {
  if (!intake) return h("p", { class: "hint" }, "The member gave no details.");
  const { adults, children, occasion, phone, phoneVerified, sensitiveDetailsSentAt } = intake;
  const isVerified = phoneVerified ? " verified" : " not verified";
  return facts([
    ["Adults", adults],
    ["Children", children],
    ["Preferred dates", datesOf(intake.preferredDates)],
    ["Not possible", datesOf(intake.blackoutDates)],
    ["Occasion", occasion && occasion[0] + occasion.slice(1).toLowerCase()],
    ["Contact", WORDS[intake.contactMethod] ?? null],
    ["When", WORDS[intake.contactWindow] ?? null],
    ["Phone", phone && h("span", {}, phone, h("span", { class: "hint" }, isVerified))],
    [
      "Sensitive details",
      sensitiveDetailsSentAt && `forwarded ${dateTime(sensitiveDetailsSentAt)}`,
    ],
  ]);
}

const DATE = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeZone: "UTC" });

/**
 * Days of the calendar, or null if there are none.
 * @param {string[] | undefined} dates
 */
function datesOf(dates) {
  if (!dates?.length) return null;
  return dates.map((date) => DATE.format(new Date(date))).join(", ");
}
