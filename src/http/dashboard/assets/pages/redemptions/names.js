// Names of redemptions.

import { h } from "../../lib/dom.js";
import { count, dateTime } from "../../lib/format.js";
import { link } from "../../lib/parts.js";

/**
 * Returns the member, by name if there is one.
 * @param {any} redemption
 * @returns {string}
 */
export const nameOf = ({ displayName, externalUserID }) => displayName || externalUserID;

/**
 * The offer's title.
 * @param {any} redemption
 * @returns {string}
 */
export const titleOf = ({ offerTitle }) => offerTitle ?? "An offer";

/**
 * "Ada Lovelace's Museum night".
 * @param {any} redemption
 * @returns {string}
 */
export const whoseOf = (redemption) => `${nameOf(redemption)}'s ${titleOf(redemption)}`;

/**
 * A link to the page of a redemption.
 * @param {any} redemption
 * @returns {HTMLElement}
 */
export const redemptionLink = (redemption) =>
  link(`redemptions/${redemption.id}`, titleOf(redemption));

/**
 * Returns a link to its member, by name, with the id if that differs.
 * @param {any} redemption
 * @returns {any[]}
 */
export function whoLink(redemption) {
  const { displayName, externalUserID } = redemption;
  return [
    link(`members/${encodeURIComponent(externalUserID)}`, nameOf(redemption)),
    displayName && [" ", h("span", { class: "hint" }, externalUserID)],
  ];
}

/**
 * Returns the booking date, or null.
 * @param {any} redemption
 * @returns {string | null}
 */
export function bookedText({ startAt, endAt }) {
  if (!startAt && !endAt) return null;
  if (!endAt) return dateTime(startAt);
  return startAt ? `${dateTime(startAt)} – ${dateTime(endAt)}` : `until ${dateTime(endAt)}`;
}

/**
 * The code as an element, if there is one: redemptions of version 0.1.0 have none.
 * @param {any} redemption
 */
export const codeText = ({ code }) => (code ? h("code", { "data-key": "code" }, code) : null);

const MINUTE = 60000;
/** @type {[number, string][]} */
const UNITS = [
  [24 * 60 * MINUTE, "day"],
  [60 * MINUTE, "hour"],
  [MINUTE, "minute"],
];

/**
 * Shows how long the member has waited, and updates it.
 * @param {string} createdAt
 * @returns {HTMLElement}
 */
export const waitLabel = (createdAt) =>
  h("span", { class: "hint", "data-waiting": createdAt }, waitText(createdAt));

// The text must be updated.
setInterval(() => {
  for (const each of document.querySelectorAll("[data-waiting]")) {
    each.textContent = waitText(each.getAttribute("data-waiting") ?? "");
  }
}, MINUTE / 2);

/** @param {string} createdAt @returns {string} */
function waitText(createdAt) {
  const waited = Math.max(Date.now() - new Date(createdAt).getTime(), MINUTE);
  const [size, unit] = UNITS.find(([size]) => waited >= size) ?? [MINUTE, "minute"];
  return `waiting for ${count(Math.floor(waited / size), unit)}`;
}

/**
 * A rating as text: "9 of 10".
 * @param {{ rating: number }} feedback or an entry of the history
 * @returns {string}
 */
export const ratingText = ({ rating }) => `${rating} of 10`;

/**
 * The comment of feedback as an element, if there is one.
 * @param {any} feedback
 * @param {string} tag
 */
export const commentText = (feedback, tag) =>
  feedback?.comment
    ? h(tag, { class: "hint ticket-note", "data-key": "comment" }, feedback.comment)
    : null;
