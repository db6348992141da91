// The statuses of a redemption in their order, and the moves between them.

export const STATUSES = [
  "SUBMITTED",
  "OPEN",
  "AWAITING_VENDOR",
  "AWAITING_CUSTOMER",
  "PURCHASED",
  "COMPLETED",
  "CANCELED",
];

/** @type {Record<string, string>} */
const LABELS = {
  SUBMITTED: "Submitted",
  OPEN: "Open",
  AWAITING_VENDOR: "Awaiting vendor",
  AWAITING_CUSTOMER: "Awaiting customer",
  PURCHASED: "Purchased",
  COMPLETED: "Completed",
  CANCELED: "Canceled",
  // Of interests only.
  CONVERTED: "Converted",
  CLOSED: "Closed",
};

/** @type {Record<string, string>} */
export const REASONS = {
  SOLD_OUT: "Sold out",
  VENDOR_DECLINED: "The vendor declined",
  DATE_UNAVAILABLE: "The date is not available",
  MEMBER_REQUESTED: "The member asked for it",
  EXPIRED: "Expired",
  OTHER: "Another reason",
};

/**
 * Returns the name of a status.
 * @param {string} status
 * @returns {string}
 */
export const label = (status) => LABELS[status] ?? status;

/**
 * Returns statuses to choose from, each with its name.
 * @param {string[]} statuses
 * @returns {[value: string, text: string][]}
 */
export const choices = (statuses) => statuses.map((status) => [status, label(status)]);

/**
 * Whether a status is final.
 * @param {string} status
 * @returns {boolean}
 */
export const isOver = (status) => status === "COMPLETED" || status === "CANCELED";

/**
 * Returns the statuses that a redemption may be moved to from a status, the next step first,
 * without canceling.
 * @param {string} status
 * @returns {string[]}
 */
export function stepsFrom(status) {
  if (isOver(status)) return [];
  const forward = STATUSES.slice(STATUSES.indexOf(status) + 1, -1);
  return status === "AWAITING_CUSTOMER" ? [...forward, "AWAITING_VENDOR"] : forward;
}
