// The life of a redemption: its statuses in their order, and where each may go.

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
 * What a status is called.
 * @param {string} status
 * @returns {string}
 */
export const label = (status) => LABELS[status] ?? status;

/**
 * Statuses to choose from, each with what it is called.
 * @param {string[]} statuses
 * @returns {[value: string, text: string][]}
 */
export const choices = (statuses) => statuses.map((status) => [status, label(status)]);

/**
 * Whether nothing comes after a status.
 * @param {string} status
 * @returns {boolean}
 */
export const isOver = (status) => status === "COMPLETED" || status === "CANCELED";

/**
 * Where a redemption may be moved from a status, the next step first. Canceling is apart.
 * @param {string} status
 * @returns {string[]}
 */
export function stepsFrom(status) {
  if (isOver(status)) return [];
  const forward = STATUSES.slice(STATUSES.indexOf(status) + 1, -1);
  return status === "AWAITING_CUSTOMER" ? [...forward, "AWAITING_VENDOR"] : forward;
}
