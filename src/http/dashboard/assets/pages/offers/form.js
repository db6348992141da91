// The form that creates and changes an offer, and a description of its effect.

import { get, patch, path, post } from "../../lib/api.js";
import { editDialog, formDialog } from "../../lib/dialogs.js";
import { fromLocal, numberOrNull, toLocal } from "../../lib/fields.js";
import { dateTime } from "../../lib/format.js";
import { notify } from "../../lib/notices.js";
import { tiersInUse, tiersOfNobody } from "../../lib/tiers.js";

const FIELDS = [
  { name: "title", label: "Title", required: true, maxlength: 200 },
  { name: "shortDescription", label: "In one line" },
  { name: "description", label: "Description", type: "textarea" },
  {
    name: "pointsPrice",
    label: "Price in points",
    type: "number",
    min: 0,
    step: 1,
    hint: "Left empty, it is free.",
  },
  {
    name: "quantityRemaining",
    label: "Pieces left",
    type: "number",
    min: 0,
    step: 1,
    hint: "Left empty, the quantity is unlimited.",
  },
  {
    name: "tiers",
    label: "Tiers",
    hint: "Separated by commas. Left empty, it is for everybody.",
  },
  { name: "expiresAt", label: "Ends", type: "datetime-local" },
];

/** The fields, with the tiers in use to choose from once they are loaded. */
function fieldsFor({ defaultTier }) {
  const known = tiersInUse(defaultTier).catch(() => []);
  return FIELDS.map((each) => (each.name === "tiers" ? { ...each, suggestions: known } : each));
}

export function newOffer(configuration, changed) {
  formDialog({
    title: "New offer",
    action: "Create the offer",
    fields: fieldsFor(configuration),
    preview,
    async submit(answers, options) {
      const offer = await post("/v1/offers", bodyOf(answers), options);
      notify(`${offer.title}: ${await truthOf(standOf(offer))}`, "good", { seconds: 12 });
      changed();
    },
  });
}

export function editOffer({ id, title }, configuration, changed) {
  const where = path`/v1/offers/${id}`;
  editDialog({
    title: `Edit ${title}`,
    fields: fieldsFor(configuration),
    preview,
    async load() {
      const offer = await get(where);
      const { availability } = offer;
      const values = {
        ...offer,
        quantityRemaining: availability.isUnlimited ? null : availability.quantityRemaining,
        tiers: offer.tiers.join(", "),
        // To the minute, the precision of the form.
        expiresAt: toLocal(offer.expiresAt),
      };
      return { values, version: offer.version };
    },
    save: (changes, { match }) => patch(where, bodyOf(changes), { match }),
    saved: changed,
  });
}

const CONVERT = {
  pointsPrice: numberOrNull,
  tiers: listOf,
  expiresAt: fromLocal,
};

/**
 * Returns the request body for the values of the form.
 * @param {Record<string, any>} answers
 * @returns {any}
 */
function bodyOf({ quantityRemaining, ...answers }) {
  const entries = Object.entries(answers);
  const body = Object.fromEntries(
    entries.map(([name, answer]) => [name, CONVERT[name]?.(answer) ?? plain(name, answer)]),
  );
  if (quantityRemaining !== undefined) {
    body.availability = { quantityRemaining: numberOrNull(quantityRemaining) };
  }
  return body;
}

const plain = (name, answer) => (name in CONVERT ? null : answer);

function listOf(text) {
  const parts = text.split(",").map((part) => part.trim());
  return parts.filter(Boolean);
}

const preview = (answers) =>
  truthOf({
    tiers: listOf(answers.tiers),
    endsAt: fromLocal(answers.expiresAt),
    hasEnded: answers.expiresAt !== "" && new Date(answers.expiresAt) <= new Date(),
    isSoldOut: answers.quantityRemaining !== "" && Number(answers.quantityRemaining) === 0,
  });

/** The state of an offer, by the server's clock. */
function standOf({ tiers, expiresAt, availability }) {
  const isSoldOut = availability.quantityRemaining === 0;
  return {
    tiers,
    endsAt: expiresAt,
    isSoldOut,
    hasEnded: expiresAt !== null && !availability.isAvailable && !isSoldOut,
  };
}

/** Describes who can redeem an offer, and until when. */
async function truthOf({ tiers, endsAt, hasEnded, isSoldOut }) {
  if (hasEnded) return `It has ended already, on ${dateTime(endsAt)}: members cannot redeem it.`;
  if (isSoldOut) return "None are left: members cannot redeem it.";
  const nobodys = await tiersOfNobody(tiers);
  const until = endsAt ? ` until ${dateTime(endsAt)}` : " on";
  const names = (some) => some.map((tier) => `“${tier}”`).join(" and ");
  if (tiers.length === 0) return `Every member can redeem it, from now${until}.`;
  if (nobodys.length === tiers.length) {
    return `No member has the tier ${names(nobodys)}: no one can redeem it yet.`;
  }
  const who = `Members with the tier ${names(tiers.filter((tier) => !nobodys.includes(tier)))}`;
  const warning = nobodys.length > 0 ? ` No member has the tier ${names(nobodys)}.` : "";
  return `${who} can redeem it, from now${until}.${warning}`;
}
