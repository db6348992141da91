// How the program's points are kept: as a sum or in lots, and how long they live.

import { get, patch, path } from "../../lib/api.js";
import { editForm } from "../../lib/edits.js";
import { expiryOf, expiryText, lifeFields, valuesOf } from "../../lib/expiry.js";
import { h } from "../../lib/dom.js";
import { zones } from "../../lib/periods.js";
import { button, card, facts } from "../../lib/parts.js";
import { load } from "../../lib/states.js";
import { convertDialog } from "./convert.js";

const asset = () => get(path`/v1/assets/${"default"}`);
const program = () => get(path`/v1/programs/${"current"}`);

const ORDERS = [
  ["fifo", "The oldest first"],
  ["soonest_expiry", "Those that expire first"],
];

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
    return facts([["Kept", "In lots: points that were credited together, which can have dates"]]);
  }
  return [
    facts([["Kept", "As a sum, which lives forever"]]),
    h(
      "p",
      { class: "hint" },
      "Points that are kept in lots can expire, and can be credited now to become available later.",
    ),
    h(
      "div",
      { class: "actions" },
      button("Keep them in lots…", () => convertDialog(context, changed), { focus: "convert" }),
    ),
  ];
}

/** The settings of the points themselves. */
function keeping(isLots) {
  const order = {
    name: "burn_order",
    label: "Points to use first",
    type: "select",
    required: true,
    options: ORDERS,
  };
  const most = {
    name: "max_transaction_amount",
    label: "Largest credit or debit",
    type: "number",
    min: 1,
    max: Number.MAX_SAFE_INTEGER,
    step: 1,
    hint: "In points. Left empty, there is no limit.",
  };
  return formOf({
    fields: isLots ? [order, most] : [most],
    async load() {
      const values = await asset();
      return { values, version: values.version };
    },
    save: (changes, { match }) => {
      const { max_transaction_amount: max } = changes;
      const body = {
        ...changes,
        ...(max !== undefined && { max_transaction_amount: max || null }),
      };
      return patch(path`/v1/assets/${"default"}`, body, { match });
    },
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
