// The view of the redemptions page, as in the address: a link to it shows the same.

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
 * @property {string} order `newest`, `oldest`, or empty: the default
 */

/** The filters. */
const FILTERS = ["search", "offer", "member", "status", "from", "to"];
const DAY = /^\d{4}-\d\d-\d\d$/;

/**
 * Parses the view in an address; invalid values are ignored.
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
 * Returns the address of a view.
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
 * Whether filters apply, to a board or to the list.
 * @param {Asked} asked
 * @returns {boolean}
 */
export const isNarrowed = (asked) =>
  FILTERS.some((name) => asked[name] && !(name === "status" && asked.view === "board"));

/**
 * Returns the view without its filters.
 * @returns {Partial<Asked>}
 */
export const unfiltered = () => Object.fromEntries(FILTERS.map((name) => [name, ""]));

/**
 * Returns the order of redemptions of a status: longest waiting first, unless another one was
 * chosen.
 * @param {Asked} asked
 * @param {string} status empty: of all
 * @returns {string}
 */
export function orderOf(asked, status) {
  // A column of finished redemptions begins with the latest, also where the others do not.
  if (asked.view === "board" && isOver(status)) return "newest";
  return asked.order || (status && !isOver(status) ? "oldest" : "newest");
}

/**
 * Returns the view as a query of the API.
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

/** The start of a day in the reader's time zone. */
const midnight = (day) => day && new Date(`${day}T00:00`).toISOString();
