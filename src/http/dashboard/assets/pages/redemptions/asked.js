// What the page of redemptions shows, as it stands in the address: a link to it shows the same.

import { shiftDays } from "../../lib/periods.js";
import { STATUSES, isOver } from "../../lib/statuses.js";

/**
 * @typedef {object} Asked
 * @property {string} view `board` or `list`
 * @property {string} search
 * @property {string} offer an id; empty: every one
 * @property {string} member an external id; empty: everybody
 * @property {string} status one of them, of the list; empty: all
 * @property {string} from the first day, as YYYY-MM-DD; empty: from the beginning
 * @property {string} to the last day; empty: until now
 * @property {string} order `newest`, `oldest`, or empty: as is usual
 */

/** Those that narrow down what is shown. */
const FILTERS = ["search", "offer", "member", "status", "from", "to"];
const DAY = /^\d{4}-\d\d-\d\d$/;

/**
 * What an address asks for; what it says wrongly is left out.
 * @param {URLSearchParams} query
 * @returns {Asked}
 */
export function askedFor(query) {
  const text = (name) => query.get(name)?.trim() ?? "";
  const oneOf = (name, allowed) => (allowed.includes(text(name)) ? text(name) : "");
  const day = (name) =>
    DAY.test(text(name)) && !Number.isNaN(Date.parse(text(name))) ? text(name) : "";
  return {
    view: oneOf("view", ["board", "list"]) || "board",
    search: text("search"),
    offer: text("offer"),
    member: text("member"),
    status: oneOf("status", STATUSES),
    from: day("from"),
    to: day("to"),
    order: oneOf("order", ["newest", "oldest"]),
  };
}

/**
 * The address that asks for this.
 * @param {Partial<Asked>} asked
 * @returns {string}
 */
export function addressOf(asked) {
  const given = Object.entries(asked).filter(
    ([name, value]) => value && !(name === "view" && value === "board"),
  );
  const query = new URLSearchParams(given).toString();
  return query ? `#/redemptions?${query}` : "#/redemptions";
}

/**
 * Whether anything is left out, of a board or of the list.
 * @param {Asked} asked
 * @returns {boolean}
 */
export const isNarrowed = (asked) =>
  FILTERS.some((name) => asked[name] && !(name === "status" && asked.view === "board"));

/**
 * The same without what narrows it down.
 * @returns {Partial<Asked>}
 */
export const unfiltered = () => Object.fromEntries(FILTERS.map((name) => [name, ""]));

/**
 * The order of redemptions of a status: longest waiting first, unless asked otherwise.
 * @param {Asked} asked
 * @param {string} status empty: of all
 * @returns {string}
 */
export function orderOf(asked, status) {
  // A column of what is over begins with what happened last, also where the others do not.
  if (asked.view === "board" && isOver(status)) return "newest";
  return asked.order || (status && !isOver(status) ? "oldest" : "newest");
}

/**
 * The same as a query of the API.
 * @param {Asked} asked
 * @param {string} status empty: of all
 * @returns {Record<string, string>}
 */
export function queryOf(asked, status) {
  return {
    status,
    order: orderOf(asked, status),
    search: asked.search,
    offer: asked.offer,
    externalUserID: asked.member,
    // A removed member's redemptions stay.
    includeArchived: asked.member && "true",
    from: midnight(asked.from),
    to: asked.to && midnight(shiftDays(asked.to, 1)),
  };
}

/** When a day begins where the reader is. */
const midnight = (day) => day && new Date(`${day}T00:00`).toISOString();
