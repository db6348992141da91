// Keeping points in lots from now on: what that does first, and then doing it.

import { path, post } from "../../lib/api.js";
import { formDialog } from "../../lib/dialogs.js";
import { AFTER, NEVER, YEAR_END, expiryOf, lifeFields } from "../../lib/expiry.js";
import { h } from "../../lib/dom.js";
import { fromLocal } from "../../lib/fields.js";
import { count, dateTime } from "../../lib/format.js";
import { amountText, haveText } from "../../lib/kinds.js";
import { attempt, notify } from "../../lib/notices.js";

const ON = "on";
/** When the present points expire. @type {[string, string][]} */
const LIVES = [
  [NEVER, "Never"],
  [AFTER, "Some time from now"],
  [YEAR_END, "At the end of this year, or some time after that"],
  [ON, "On a date"],
];

/**
 * Counts what a conversion would do, and asks whether to do it.
 * @param {{ id: string, symbol: string, name: string, of: string }} kind the kind of points; `of`
 *   says whose name has to be typed
 * @param {() => void} changed
 */
export async function convertDialog({ id, symbol, name, of }, changed) {
  /** @type {any} */
  let counted;
  const isCounted = await attempt(async () => {
    counted = await tried(id, {});
  });
  if (!isCounted) return;
  formDialog({
    title: "Keep points in lots?",
    text: [
      h("span", { class: "strong" }, sumOf(counted, symbol)),
      " From then on each credit is a lot of its own. ",
      h("span", { class: "strong" }, "This is one way:"),
      " points in lots are never put back into a sum.",
    ],
    action: "Keep them in lots",
    tone: "danger",
    fields: [
      ...lifeFields("Points that members have now expire", LIVES),
      { name: "date", label: "On this date", type: "datetime-local" },
      {
        name: "confirm",
        label: `Type ${name} to confirm`,
        required: true,
        spellcheck: "false",
        hint:
          id === "default"
            ? "The life of points that are credited later is set on the page of settings."
            : "Points that are credited later expire only if the credit says so.",
      },
    ],
    preview: async (answers) => {
      const { would_expire_first: first } = await tried(id, datesOf(answers));
      return first
        ? `The first of these points expire on ${dateTime(first)}.`
        : "They do not expire.";
    },
    async submit(answers, options) {
      if (answers.confirm !== name) {
        throw new Error(`Type ${name}, the name of ${of}, to confirm.`);
      }
      const body = { to: /** @type {const} */ ("LOT"), ...datesOf(answers) };
      await post(path`/v1/assets/${id}/convert`, body, options);
      notify("Points are kept in lots from now on.");
      changed();
    },
  });
}

/** What a conversion would do; nothing is changed. */
const tried = (id, dates) =>
  post(path`/v1/assets/${id}/convert`, { to: "LOT", ...dates, dry_run: true });

/** The present points and their lots, in numbers. */
function sumOf({ members, lots, points }, symbol) {
  if (members === 0) return "No member has points now.";
  return `${haveText(members)} ${amountText(points, { symbol })}, which become ${count(lots, "lot")}.`;
}

/** The dates of the present points, as the request names them. */
function datesOf(answers) {
  if (answers.life !== ON) {
    const expiry = expiryOf(answers);
    return expiry ? { expiry } : { expires_at: null };
  }
  const expiresAt = fromLocal(answers.date);
  if (expiresAt === null) throw new Error("Choose the date on which the points expire.");
  return { expires_at: expiresAt };
}
