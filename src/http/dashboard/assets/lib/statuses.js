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

const LABELS = {
  SUBMITTED: "Submitted",
  OPEN: "Open",
  AWAITING_VENDOR: "Awaiting vendor",
  AWAITING_CUSTOMER: "Awaiting customer",
  PURCHASED: "Purchased",
  COMPLETED: "Completed",
  CANCELED: "Canceled",
};

export const REASONS = {
  SOLD_OUT: "Sold out",
  VENDOR_DECLINED: "The vendor declined",
  DATE_UNAVAILABLE: "The date is not available",
  MEMBER_REQUESTED: "The member asked for it",
  EXPIRED: "Expired",
  OTHER: "Another reason",
};

export const label = (status) => LABELS[status] ?? status;

export const isOver = (status) => status === "COMPLETED" || status === "CANCELED";

/** Where a redemption may be moved from a status, the next step first. Canceling is apart. */
export function stepsFrom(status) {
  if (isOver(status)) return [];
  const forward = STATUSES.slice(STATUSES.indexOf(status) + 1, -1);
  return status === "AWAITING_CUSTOMER" ? [...forward, "AWAITING_VENDOR"] : forward;
}
