// How the program's points are kept: as a sum or in lots, and how long they live.

import { get, patch, path } from "../../lib/api.js";
import { editForm } from "../../lib/edits.js";
import { expiryOf, expiryText, lifeFields, valuesOf } from "../../lib/expiry.js";
import { h } from "../../lib/dom.js";
import { KEPT, limitField, orderField, settingsBody } from "../../lib/kinds.js";
import { zones } from "../../lib/periods.js";
import { button, card, facts } from "../../lib/parts.js";
import { load } from "../../lib/states.js";
import { convertDialog } from "./convert.js";

const asset = () => get(path`/v1/assets/${"default"}`);
const program = () => get(path`/v1/programs/${"current"}`);

/**
 * The cards about the program's points.
 * @param {any} view
 */
export function pointsCards(view) {
  const place = h("div", { class: "stack", id: "points" });
  const again = load(
    place,
    () => Promise.all([asset(), program()]),
    ([{ inventory_mode: mode }, { time_zone: zone }]) => {
      const isLots = mode === "LOT";
      return [
        card(
          "How points are kept",
          stack(
            ways(view, isLots, () => again(false)),
            keeping(isLots),
          ),
        ),
        card("Life of points", life(isLots, zone)),
      ];
    },
    5,
  );
  return place;
}

function ways({ context }, isLots, changed) {
  if (isLots) {
    return facts([["Kept", KEPT.LOT]]);
  }
  return [
    facts([["Kept", KEPT.SIMPLE]]),
    h(
      "p",
      { class: "hint" },
      "Points that are kept in lots can expire, and can be credited now to become available later.",
    ),
    h(
      "div",
      { class: "actions" },
      button("Keep them in lots…", () => convertDialog(ownOf(context), changed), {
        focus: "convert",
      }),
    ),
  ];
}

/** The program's own points, for a conversion. */
const ownOf = ({ program: { name }, symbol }) => ({
  id: "default",
  name,
  symbol,
  of: "the program",
});

/** The settings of the points themselves. */
function keeping(isLots) {
  const most = limitField(0);
  return formOf({
    fields: isLots ? [orderField, most] : [most],
    async load() {
      const values = await asset();
      return { values, version: values.version };
    },
    save: (changes, { match }) =>
      patch(path`/v1/assets/${"default"}`, settingsBody(changes), { match }),
  });
}

/** The settings of the program that say how long points live. */
function life(isLots, zone) {
  const calendar = {
    name: "time_zone",
    label: "Time zone of the program",
    type: "select",
    required: true,
    options: [...new Set([zone, ...zones()])],
    hint: "Months, days and years are counted by its calendar.",
  };
  const notice = {
    name: "expiry_notice",
    label: "Announce it this many days before",
    type: "number",
    min: 1,
    max: 366,
    step: 1,
    hint:
      "The event wallet.expiring is sent for each member, for example to an email service. " +
      "Left empty, it is not sent. A longer time announces at once what expires within it.",
  };
  const form = formOf({
    fields: isLots ? [...lifeFields("Points expire"), notice, calendar] : [calendar],
    preview: isLots ? preview : undefined,
    async load() {
      const { expiry, expiry_notice, time_zone, version } = await program();
      return { values: { ...valuesOf(expiry ?? null), expiry_notice, time_zone }, version };
    },
    save: (changes, { match, values }) => {
      const { expiry_notice, time_zone } = changes;
      const isChanged = ["life", "months", "days"].some((name) => name in changes);
      const body = {
        ...(isChanged && { expiry: expiryOf(values) }),
        ...(expiry_notice !== undefined && { expiry_notice: Number(expiry_notice) || null }),
        ...(time_zone !== undefined && { time_zone }),
      };
      return patch(path`/v1/programs/${"current"}`, body, { match });
    },
  });
  if (isLots) return form;
  const why = "Points that are kept as a sum do not expire.";
  return stack(h("p", { class: "hint" }, why), form);
}

async function preview(answers) {
  const text = expiryText(expiryOf(answers));
  const when =
    text === "never" ? "do not expire" : `expire ${text}, unless it has a date of its own`;
  return `Points that are credited from now on ${when}. Earlier ones keep their dates.`;
}

const stack = (...content) => h("div", { class: "stack" }, content);

const formOf = (editing) => editForm(editing, { className: "form form-narrow" }).element;
