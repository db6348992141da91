// Offers: what members can redeem, how each is doing, and the form that creates and changes one.

import { all, get, patch, path, remove } from "../lib/api.js";
import { sandboxClock } from "../lib/clock.js";
import { append, h } from "../lib/dom.js";
import { count, day, number, points } from "../lib/format.js";
import { holdSlot } from "../lib/hold.js";
import { attempt } from "../lib/notices.js";
import { button, pageHead, table } from "../lib/parts.js";
import { emptyState, load } from "../lib/states.js";
import { isPending, later, whenPending } from "../lib/undo.js";
import { editOffer, newOffer } from "./offers/form.js";

export function offersPage(view) {
  const place = h("div");
  const make = (original) => newOffer(view.context.configuration, () => again(false), original);
  append(view.root, [
    pageHead(
      "Offers",
      "What members can redeem.",
      holdSlot("offer"),
      button("New offer", () => make(), { tone: "primary", symbol: "plus" }),
    ),
    place,
  ]);
  const again = load(place, offersWithFigures, ({ offers, archived }) => {
    if (offers.length === 0 && archived.length === 0) {
      return emptyState(
        "No offers yet",
        "The first one can be as small as a coffee.",
        button("Create an offer", () => make(), { tone: "primary" }),
      );
    }
    return [
      offers.length > 0 && offerTable(offers, view.context, { changed: () => again(), make }),
      archived.length > 0 && archivedTable(archived, view.context.symbol),
    ];
  });
  whenPending(() => again(), view.signal);
  view.live(again.live, (name) => name.startsWith("redemption."));
}

async function offersWithFigures() {
  const [offers, { offers: figures }, clock] = await Promise.all([
    all("/v1/offers", "data"),
    get("/v1/analytics/offers"),
    sandboxClock(),
  ]);
  const now = Date.now() + (clock?.aheadSeconds ?? 0) * 1000;
  const figuresOf = new Map(figures.map((row) => [row.offerId, row]));
  const listed = new Set(offers.map(({ id }) => id));
  return {
    offers: offers.map((offer) => ({
      ...offer,
      figures: figuresOf.get(offer.id),
      state: stateOf(offer, now),
      isLeaving: isPending(`offer:${offer.id}`),
    })),
    archived: figures.filter(({ offerId }) => !listed.has(offerId)),
  };
}

/** Returns why members cannot redeem an offer, or null if they can. */
function stateOf({ paused, availability, availableFrom, expiresAt }, now) {
  if (paused) return "Paused";
  if (availability.isAvailable) return null;
  if (expiresAt && new Date(expiresAt).getTime() <= now) return "Ended";
  if (availableFrom && new Date(availableFrom).getTime() > now) return "Scheduled";
  return "Sold out";
}

const figureColumns = (symbol, of) => [
  { label: "Members", isNumber: true, isWide: true, cell: (row) => number(of(row)?.signups ?? 0) },
  {
    label: "Completed",
    isNumber: true,
    isWide: true,
    cell: (row) => number(of(row)?.completions ?? 0),
  },
  {
    label: "Canceled",
    isNumber: true,
    isWide: true,
    cell: (row) => number(of(row)?.cancellations ?? 0),
  },
  {
    label: "Spent",
    isNumber: true,
    isWide: true,
    cell: (row) => points(of(row)?.pointsSpent ?? 0, symbol),
  },
  { label: "Rating", isNumber: true, isWide: true, cell: (row) => ratingOf(of(row)) },
];

/** The average of the ratings, and their number. */
function ratingOf(figures) {
  if (!figures?.ratingCount) return "–";
  const { averageRating, ratingCount } = figures;
  return h(
    "span",
    { class: "offer-rating" },
    number(averageRating),
    h("span", { class: "hint" }, count(ratingCount, "rating")),
  );
}

function offerTable(offers, { symbol, configuration }, { changed, make }) {
  const actions = (offer) =>
    h(
      "div",
      { class: "row-actions offer-actions" },
      button("Edit", () => editOffer(offer, configuration, changed), {
        tone: "small",
        focus: `edit-${offer.id}`,
        "aria-label": `Edit ${offer.title}`,
      }),
      button("Duplicate", () => make(offer), {
        tone: "small",
        focus: `duplicate-${offer.id}`,
        "aria-label": `Duplicate ${offer.title}`,
      }),
      button(offer.paused ? "Resume" : "Pause", () => pause(offer, changed), {
        tone: "small",
        focus: `pause-${offer.id}`,
        "aria-label": `${offer.paused ? "Resume" : "Pause"} ${offer.title}`,
      }),
      button("Archive", () => archive(offer), {
        tone: "small",
        focus: `archive-${offer.id}`,
        "aria-label": `Archive ${offer.title}`,
      }),
    );
  return h(
    "section",
    { class: "card card-flush" },
    table(
      "Offers",
      [
        {
          label: "Offer",
          cell: (offer) => h("div", { class: "offer" }, picture(offer), offerCell(offer)),
        },
        {
          label: "Price",
          isNumber: true,
          cell: ({ pointsPrice }) => (pointsPrice ? points(pointsPrice, symbol) : "Free"),
        },
        ...figureColumns(symbol, (offer) => offer.figures),
        {
          label: h("span", { class: "hidden" }, "Actions"),
          cell: (offer) => !offer.isLeaving && actions(offer),
        },
      ],
      offers,
      { keyOf: ({ id }) => id, hold: "offer" },
    ),
  );
}

/** Addresses that turned out to be no pictures. */
const broken = new Set();

/** The first picture of an offer that the page may load. */
function picture({ images }) {
  const src = images.find((image) => image.startsWith("https://") && !broken.has(image));
  const onerror = ({ target }) => {
    broken.add(src);
    target.remove();
  };
  const looks = { class: "offer-picture", alt: "", loading: "lazy", referrerpolicy: "no-referrer" };
  return src && h("img", { ...looks, src, onerror });
}

const BADGES = {
  Scheduled: "submitted",
  Paused: "suspended",
  Ended: "canceled",
  "Sold out": "canceled",
};

function offerCell({ state, isLeaving, ...offer }) {
  const { title, shortDescription, availability, tiers, availableFrom, expiresAt } = offer;
  const left = availability.quantityRemaining;
  const notes = [
    isLeaving && h("span", { class: "badge badge-canceled" }, "Being archived"),
    state && h("span", { class: `badge badge-${BADGES[state]}` }, state),
    left > 0 &&
      h("span", { class: "tag" }, availability.isUnlimited ? "unlimited" : `${number(left)} left`),
    tiers.map((tier) => h("span", { class: "tag" }, tier)),
    state === "Scheduled" && h("span", { class: "tag" }, `from ${day(availableFrom)}`),
    expiresAt && h("span", { class: "tag" }, `until ${day(expiresAt)}`),
  ];
  return h(
    "div",
    { class: "offer-cell" },
    h("span", { class: "strong" }, title),
    shortDescription &&
      shortDescription !== title &&
      h("span", { class: "hint" }, shortDescription),
    h("span", { class: "tags" }, notes),
  );
}

function archivedTable(rows, symbol) {
  return h(
    "details",
    { class: "card" },
    h("summary", {}, `Archived offers (${number(rows.length)})`),
    table(
      "Archived offers",
      [
        { label: "Offer", cell: ({ offerId }) => h("code", {}, offerId) },
        ...figureColumns(symbol, (row) => row),
      ],
      rows,
    ),
  );
}

async function pause({ id, title, paused }, changed) {
  const done = paused ? "members see it again." : "members no longer see it.";
  const send = () => patch(path`/v1/offers/${id}`, { paused: !paused });
  if (await attempt(send, `${title} is ${paused ? "resumed" : "paused"}: ${done}`)) changed();
}

/** It can be undone for ten seconds, and not after that. */
function archive({ id, title }) {
  later({
    name: `offer:${id}`,
    text: `Archiving ${title}: members can no longer redeem it.`,
    send: (options) => remove(path`/v1/offers/${id}`, null, options),
  });
}
