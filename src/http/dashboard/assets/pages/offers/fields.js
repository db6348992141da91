// The fields of the form of an offer: how they show an offer, and the request that they make.

import { fromLocal, numberOrNull, toLocal } from "../../lib/fields.js";

const MAIN = [
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
  {
    name: "availableFrom",
    label: "Begins",
    type: "datetime-local",
    hint: "Until then, members do not see it.",
  },
  { name: "expiresAt", label: "Ends", type: "datetime-local" },
];

const MORE = [
  {
    name: "perMember",
    label: "Redemptions of a member",
    type: "number",
    min: 1,
    max: 1000,
    step: 1,
    value: 1,
    hint: "Left empty, there is no limit.",
  },
  {
    name: "per",
    label: "Of these redemptions",
    type: "select",
    required: true,
    options: [
      ["ever", "all that are not canceled"],
      ["open", "those that are neither completed nor canceled"],
    ],
  },
  { name: "images", label: "Pictures", type: "textarea", hint: "One https address on each line." },
  {
    name: "inclusions",
    label: "Includes",
    type: "textarea",
    hint: "One on each line, after its heading: “Drinks: A glass of wine”.",
  },
  { name: "disclaimer", label: "Small print", type: "textarea" },
  { name: "valueUSD", label: "Worth in US dollars", type: "number", min: 0, step: 0.01 },
  { name: "maxGuests", label: "Guests at most", type: "number", min: 0, step: 1 },
  { name: "startAt", label: "Experience begins", type: "datetime-local" },
  { name: "endAt", label: "Experience ends", type: "datetime-local" },
  { name: "location.venue", label: "Venue", maxlength: 200 },
  { name: "location.address", label: "Address", maxlength: 200 },
  { name: "location.city", label: "City", maxlength: 200 },
  { name: "location.state", label: "State or region", maxlength: 200 },
  {
    name: "location.countryCode",
    label: "Country",
    maxlength: 2,
    pattern: "[A-Z]{2}",
    title: "two capital letters, such as GR",
  },
  {
    name: "location.display",
    label: "Place in one line",
    maxlength: 200,
    hint: "Left empty, it is put together from venue to country.",
  },
  { name: "kind", label: "Kind", required: true, maxlength: 64, value: "experience" },
  { name: "type", label: "Type", required: true, maxlength: 64, value: "standard" },
];

/**
 * The main fields, and those that the form shows on request.
 * @type {any[]}
 */
export const FIELDS = [...MAIN, ...MORE.map((each) => ({ ...each, "data-more": true }))];

/** The parts of a location, in the order in which one line names them. */
const PLACE = ["venue", "address", "city", "state", "countryCode", "display"];

/**
 * Returns the value of each field for an offer; times to the minute, the precision of the form.
 * @param {any} offer
 * @returns {Record<string, any>}
 */
export function valuesOf(offer) {
  const { availability, redemptionLimit, location, inclusions } = offer;
  return {
    ...offer,
    quantityRemaining: availability.isUnlimited ? null : availability.quantityRemaining,
    tiers: offer.tiers.join(", "),
    images: offer.images.join("\n"),
    inclusions: inclusions.map(({ group, name }) => `${group}: ${name}`).join("\n"),
    perMember: redemptionLimit.perMember ?? "",
    per: redemptionLimit.per,
    ...Object.fromEntries(PLACE.map((part) => [`location.${part}`, location?.[part]])),
    ...Object.fromEntries(TIMES.map((name) => [name, toLocal(offer[name])])),
  };
}

const TIMES = ["availableFrom", "expiresAt", "startAt", "endAt"];

const CONVERT = {
  pointsPrice: numberOrNull,
  valueUSD: numberOrNull,
  maxGuests: numberOrNull,
  tiers: (text) => listOf(text, ","),
  images: (text) => listOf(text, "\n"),
  inclusions: inclusionsOf,
  disclaimer: (text) => text || null,
  ...Object.fromEntries(TIMES.map((name) => [name, fromLocal])),
};

/**
 * Returns the request body for some fields of the form.
 * @param {Record<string, any>} changes
 * @param {Record<string, any>} [all] every field: a location is sent as a whole
 * @returns {any}
 */
export function bodyOf(changes, all = changes) {
  /** @type {any} */
  const body = {};
  for (const [name, text] of Object.entries(changes)) {
    if (name === "quantityRemaining") {
      body.availability = { quantityRemaining: numberOrNull(text) };
    } else if (name === "perMember" || name === "per") {
      body.redemptionLimit ??= {};
      body.redemptionLimit[name] = name === "per" ? text : numberOrNull(text);
    } else if (name.startsWith("location.")) {
      body.location = locationOf(all);
    } else {
      body[name] = name in CONVERT ? CONVERT[name](text) : text;
    }
  }
  return body;
}

/**
 * Returns the parts of a text.
 * @param {string} text
 * @param {string} separator
 * @returns {string[]}
 */
export function listOf(text, separator) {
  const parts = text.split(separator).map((part) => part.trim());
  return parts.filter(Boolean);
}

function inclusionsOf(text) {
  return listOf(text, "\n").map((line) => {
    const [, group, name] = /^(.+?):\s+(.+)$/.exec(line) ?? [];
    if (!name) throw new Error(`Includes: “${line}” needs a heading, such as “Drinks: ${line}”.`);
    return { group, name };
  });
}

function locationOf(values) {
  /** @type {Record<string, any>} */
  const location = {};
  for (const part of PLACE) location[part] = values[`location.${part}`] || null;
  const given = Object.values(location).filter((text) => text !== null);
  if (given.length === 0) return null;
  return { ...location, display: location.display ?? given.join(", ") };
}
