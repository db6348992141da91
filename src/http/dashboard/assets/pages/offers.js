// Offers: what members can redeem, how each is doing, and the form that creates and changes one.

import { all, get, path, remove } from "../lib/api.js";
import { append, h } from "../lib/dom.js";
import { count, day, number, points } from "../lib/format.js";
import { holdSlot } from "../lib/hold.js";
import { button, pageHead, table } from "../lib/parts.js";
import { emptyState, load } from "../lib/states.js";
import { isPending, later, whenPending } from "../lib/undo.js";
import { editOffer, newOffer } from "./offers/form.js";

export function offersPage(view) {
  const place = h("div");
  const make = () => newOffer(view.context.configuration, () => again(false));
  append(view.root, [
    pageHead(
      "Offers",
      "What members can redeem.",
      holdSlot("offer"),
      button("New offer", make, { tone: "primary", symbol: "plus" }),
    ),
    place,
  ]);
  const again = load(place, offersWithFigures, ({ offers, archived }) => {
    if (offers.length === 0 && archived.length === 0) {
      return emptyState(
        "No offers yet",
        "The first one can be as small as a coffee.",
        button("Create an offer", make, { tone: "primary" }),
      );
    }
    return [
      offers.length > 0 && offerTable(offers, view.context, () => again()),
      archived.length > 0 && archivedTable(archived, view.context.symbol),
    ];
  });
  whenPending(() => again(), view.signal);
  view.live(again.live, (name) => name.startsWith("redemption."));
}

async function offersWithFigures() {
  const [offers, { offers: figures }] = await Promise.all([
    all("/v1/offers", "data"),
    get("/v1/analytics/offers"),
  ]);
  const figuresOf = new Map(figures.map((row) => [row.offerId, row]));
  const listed = new Set(offers.map(({ id }) => id));
  return {
    offers: offers.map((offer) => ({
      ...offer,
      figures: figuresOf.get(offer.id),
      isLeaving: isPending(`offer:${offer.id}`),
    })),
    archived: figures.filter(({ offerId }) => !listed.has(offerId)),
  };
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

function offerTable(offers, { symbol, configuration }, changed) {
  const actions = (offer) =>
    h(
      "div",
      { class: "row-actions" },
      button("Edit", () => editOffer(offer, configuration, changed), {
        tone: "small",
        focus: `edit-${offer.id}`,
        "aria-label": `Edit ${offer.title}`,
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
        { label: "Offer", cell: offerCell },
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

function offerCell({ title, shortDescription, availability, tiers, expiresAt, isLeaving }) {
  const left = availability.quantityRemaining;
  const notes = [
    isLeaving && h("span", { class: "badge badge-canceled" }, "Being archived"),
    !availability.isAvailable &&
      h("span", { class: "badge badge-canceled" }, left === 0 ? "Sold out" : "Expired"),
    left > 0 &&
      h("span", { class: "tag" }, availability.isUnlimited ? "unlimited" : `${number(left)} left`),
    tiers.map((tier) => h("span", { class: "tag" }, tier)),
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

/** It can be undone for ten seconds, and not after that. */
function archive({ id, title }) {
  later({
    name: `offer:${id}`,
    text: `Archiving ${title}: members can no longer redeem it.`,
    send: (options) => remove(path`/v1/offers/${id}`, null, options),
  });
}
