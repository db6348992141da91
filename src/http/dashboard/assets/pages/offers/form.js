// The form that creates, duplicates and changes an offer, and a description of its effect.

import { get, patch, path, post } from "../../lib/api.js";
import { editDialog, formDialog } from "../../lib/dialogs.js";
import { fromLocal } from "../../lib/fields.js";
import { dateTime } from "../../lib/format.js";
import { notify } from "../../lib/notices.js";
import { tiersInUse, tiersOfNobody } from "../../lib/tiers.js";
import { FIELDS, bodyOf, listOf, valuesOf } from "./fields.js";

/** The fields, with the tiers in use to choose from once they are loaded. */
function fieldsFor({ defaultTier }) {
  const known = tiersInUse(defaultTier).catch(() => []);
  return FIELDS.map((each) => (each.name === "tiers" ? { ...each, suggestions: known } : each));
}

/**
 * Creates an offer.
 * @param {any} configuration
 * @param {() => void} changed
 * @param {any} [original] an offer to begin with
 */
export function newOffer(configuration, changed, original) {
  const values = original
    ? valuesOf({ ...original, title: `${original.title} (copy)`.slice(0, 200) })
    : {};
  formDialog({
    title: original ? `Duplicate ${original.title}` : "New offer",
    action: "Create the offer",
    fields: fieldsFor(configuration).map((each) => ({
      ...each,
      value: values[each.name] ?? each.value,
    })),
    preview,
    async submit(answers, options) {
      const offer = await post("/v1/offers", bodyOf(answers), options);
      notify(`${offer.title}: ${await truthOf(standOf(offer))}`, "good", { seconds: 12 });
      changed();
    },
  });
}

/**
 * Changes an offer.
 * @param {any} offer
 * @param {any} configuration
 * @param {() => void} changed
 */
export function editOffer({ id, title }, configuration, changed) {
  const where = path`/v1/offers/${id}`;
  editDialog({
    title: `Edit ${title}`,
    fields: fieldsFor(configuration),
    preview,
    async load() {
      const offer = await get(where);
      return { values: valuesOf(offer), version: offer.version };
    },
    save: (changes, { match, values }) => patch(where, bodyOf(changes, values), { match }),
    saved: changed,
  });
}

const preview = (answers) =>
  truthOf({
    tiers: listOf(answers.tiers, ","),
    beginsAt: laterOrNull(fromLocal(answers.availableFrom)),
    endsAt: fromLocal(answers.expiresAt),
    hasEnded: answers.expiresAt !== "" && new Date(answers.expiresAt) <= new Date(),
    isSoldOut: answers.quantityRemaining !== "" && Number(answers.quantityRemaining) === 0,
  });

/** The state of an offer, by the server's clock. */
function standOf({ tiers, availableFrom, expiresAt, availability }) {
  const isSoldOut = availability.quantityRemaining === 0;
  const beginsAt = laterOrNull(availableFrom);
  return {
    tiers,
    beginsAt,
    endsAt: expiresAt,
    isSoldOut,
    hasEnded: expiresAt !== null && beginsAt === null && !availability.isAvailable && !isSoldOut,
  };
}

const laterOrNull = (time) => (time && new Date(time) > new Date() ? time : null);

/** Describes who can redeem an offer, and until when. */
async function truthOf({ tiers, beginsAt, endsAt, hasEnded, isSoldOut }) {
  if (hasEnded) return `It has ended already, on ${dateTime(endsAt)}: members cannot redeem it.`;
  if (isSoldOut) return "None are left: members cannot redeem it.";
  const nobodys = await tiersOfNobody(tiers);
  const from = beginsAt ? dateTime(beginsAt) : "now";
  const time = `from ${from}${endsAt ? ` until ${dateTime(endsAt)}` : " on"}`;
  const names = (some) => some.map((tier) => `“${tier}”`).join(" and ");
  if (tiers.length === 0) return `Every member can redeem it, ${time}.`;
  if (nobodys.length === tiers.length) {
    return `No member has the tier ${names(nobodys)}: no one can redeem it yet.`;
  }
  const who = `Members with the tier ${names(tiers.filter((tier) => !nobodys.includes(tier)))}`;
  const warning = nobodys.length > 0 ? ` No member has the tier ${names(nobodys)}.` : "";
  return `${who} can redeem it, ${time}.${warning}`;
}
