// The servers of the operator that a program can have, and what each of them is for.

/**
 * @typedef {object} Purpose
 * @property {"phoneWebhook" | "conciergeWebhook"} field the field of the configuration
 * @property {string} name
 * @property {string} text what it gets
 * @property {Record<"sandbox" | "live", string>} without what happens while there is none
 */

/** @type {Purpose[]} */
export const PURPOSES = [
  {
    field: "phoneWebhook",
    name: "Codes by SMS",
    text: "Gets the codes that verify phone numbers of members, and sends each by SMS.",
    without: {
      sandbox:
        "The code 000000 works in this sandbox only while no server is set, here or for all programs.",
      live: "While no server is set, here or for all programs, no code is sent.",
    },
  },
  {
    field: "conciergeWebhook",
    name: "Sensitive details",
    text:
      "Gets diets, allergies and needs that members tell you with their plans, for your concierge. " +
      "They are not stored here.",
    without: {
      sandbox: "While no server is set, they are dropped.",
      live: "While no server is set, they are dropped.",
    },
  },
];

/**
 * The body of the request that sets the URL of one, or removes it.
 * @param {Purpose} purpose
 * @param {string | null} url null removes it
 */
export const bodyOf = ({ field }, url) => ({ [field]: url === null ? null : { url } });
