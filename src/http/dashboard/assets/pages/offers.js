// Offers: what members can redeem, how each is doing, and the form that makes and changes one.

import { all, get, patch, path, post, remove } from "../lib/api.js";
import { append, h } from "../lib/dom.js";
import { confirmDialog, formDialog } from "../lib/dialogs.js";
import { fromLocal, numberOrNull, toLocal } from "../lib/fields.js";
import { day, number, points } from "../lib/format.js";
import { notify } from "../lib/notices.js";
import { button, pageHead, table } from "../lib/parts.js";
import { emptyState, load } from "../lib/states.js";

export function offersPage(view) {
  const place = h("div");
  const make = () => offerDialog(null, () => again());
  append(view.root, [
    pageHead(
      "Offers",
      "What members can redeem.",
      button("New offer", make, { tone: "primary", symbol: "plus" }),
    ),
    place,
  ]);
  const again = load(place, offersWithFigures, ({ offers, archived }) => {
    if (offers.length === 0 && archived.length === 0) {
      return emptyState(
        "No offers yet",
        "The first one can be as small as a coffee.",
        button("Make an offer", make, { tone: "primary" }),
      );
    }
    return [
      offers.length > 0 && offerTable(offers, view.context.symbol, () => again()),
      archived.length > 0 && archivedTable(archived, view.context.symbol),
    ];
  });
  view.live(
    again.live,
    (name) => name.startsWith("redemption."),
  );
}

async function offersWithFigures() {
  const [offers, { offers: figures }] = await Promise.all([
    all("/v1/offers", "data"),
    get("/v1/analytics/offers"),
  ]);
  const figuresOf = new Map(figures.map((row) => [row.offerId, row]));
  const listed = new Set(offers.map(({ id }) => id));
  return {
    offers: offers.map((offer) => ({ ...offer, figures: figuresOf.get(offer.id) })),
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
];

function offerTable(offers, symbol, changed) {
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
          cell: (offer) =>
            h(
              "div",
              { class: "row-actions" },
              button("Edit", () => offerDialog(offer, changed), {
                tone: "small",
                focus: `edit-${offer.id}`,
                "aria-label": `Edit ${offer.title}`,
              }),
              button("Archive", () => archive(offer, changed), {
                tone: "small",
                focus: `archive-${offer.id}`,
                "aria-label": `Archive ${offer.title}`,
              }),
            ),
        },
      ],
      offers,
    ).element,
  );
}

function offerCell({ title, shortDescription, availability, tiers, expiresAt }) {
  const left = availability.quantityRemaining;
  const notes = [
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
    ).element,
  );
}

function archive(offer, changed) {
  confirmDialog({
    title: `Archive ${offer.title}?`,
    text: "Nobody can redeem it any more, for good. Its redemptions and figures stay.",
    action: "Archive it",
    async submit() {
      await remove(path`/v1/offers/${offer.id}`);
      notify(`${offer.title} is archived.`);
      changed();
    },
  });
}

function offerDialog(offer, changed) {
  formDialog({
    title: offer ? `Edit ${offer.title}` : "New offer",
    action: offer ? "Save" : "Make the offer",
    fields: [
      { name: "title", label: "Title", value: offer?.title, required: true, maxlength: 200 },
      { name: "shortDescription", label: "In one line", value: offer?.shortDescription },
      { name: "description", label: "Description", type: "textarea", value: offer?.description },
      {
        name: "pointsPrice",
        label: "Price in points",
        type: "number",
        min: 0,
        step: 1,
        value: offer?.pointsPrice,
        hint: "Left empty, it is free.",
      },
      {
        name: "quantityRemaining",
        label: "Pieces left",
        type: "number",
        min: 0,
        step: 1,
        value: offer && pieces(offer),
        hint: "Left empty, there is no end to them.",
      },
      {
        name: "tiers",
        label: "Tiers",
        value: offer?.tiers.join(", "),
        hint: "Separated by commas. Left empty, it is for everybody.",
      },
      {
        name: "expiresAt",
        label: "Ends",
        type: "datetime-local",
        value: toLocal(offer?.expiresAt),
      },
    ],
    async submit(answers) {
      const body = {
        title: answers.title,
        shortDescription: answers.shortDescription,
        description: answers.description,
        pointsPrice: numberOrNull(answers.pointsPrice),
        tiers: answers.tiers
          .split(",")
          .map((tier) => tier.trim())
          .filter(Boolean),
        expiresAt: fromLocal(answers.expiresAt),
        availability: { quantityRemaining: numberOrNull(answers.quantityRemaining) },
      };
      if (offer) await patch(path`/v1/offers/${offer.id}`, changes(offer, body));
      else await post("/v1/offers", body);
      notify(offer ? "Saved." : `${answers.title} can be redeemed now.`);
      changed();
    },
  });
}

/** The pieces left as the form has them: null without a limit. */
function pieces({ availability }) {
  return availability.isUnlimited ? null : availability.quantityRemaining;
}

/**
 * Only what is different: the stock may have moved while the form was open, and the form knows
 * times to the minute only.
 */
function changes(offer, body) {
  const same = {
    availability: pieces(offer) === body.availability.quantityRemaining,
    expiresAt: toLocal(offer.expiresAt) === toLocal(body.expiresAt),
    tiers: offer.tiers.join() === body.tiers.join(),
  };
  return Object.fromEntries(
    Object.entries(body).filter(([name, value]) => !(same[name] ?? offer[name] === value)),
  );
}
