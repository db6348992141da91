// The kinds of points of the program: the list, creating and editing one, and archiving it.

import { get, patch, path, post } from "../../lib/api.js";
import { confirmDialog, editDialog, formDialog } from "../../lib/dialogs.js";
import { h } from "../../lib/dom.js";
import { count, decimal } from "../../lib/format.js";
import {
  KEPT,
  PAGE_MAX,
  amountText,
  haveText,
  kindsOfPoints,
  limitField,
  orderField,
  settingsBody,
  smallest,
} from "../../lib/kinds.js";
import { attempt, notify } from "../../lib/notices.js";
import { button, table } from "../../lib/parts.js";
import { load } from "../../lib/states.js";
import {
  ISSUED,
  addDialog,
  budgetText,
  budgets,
  isUnused,
  switchDialog,
  takeDialog,
} from "./budget.js";
import { convertDialog } from "./convert.js";

/** The API's limit for the decimals of amounts. */
const SCALE_MAX = 6;

/**
 * The card of the kinds of points.
 * @param {any} view
 */
export function kindsCard({ context }) {
  const place = h("div");
  const again = load(
    place,
    () => rowsOf(context.program),
    (rows) => kindTable(rows, () => again()),
    3,
  );
  return h(
    "section",
    { class: "card", id: "kinds" },
    h(
      "div",
      { class: "card-head" },
      h("h2", { class: "card-title" }, "Kinds of points"),
      button("New kind of points", () => createDialog(() => again()), { tone: "small" }),
    ),
    h(
      "p",
      { class: "hint" },
      "Offers are paid with the program's own points. Members can have further kinds beside them, " +
        "such as miles, which only the earning part of the API and this dashboard show.",
    ),
    place,
  );
}

/**
 * @typedef {object} Row
 * @property {import("../../lib/kinds.js").Kind} kind
 * @property {any} sum what members have of it
 * @property {string | undefined} budget what its budget has, if it has one
 * @property {boolean} canSwitch whether it can be given a budget
 */

/** @returns {Promise<Row[]>} */
async function rowsOf({ id }) {
  const [kinds, { data: sums }, funds, isNew] = await Promise.all([
    kindsOfPoints(),
    get("/v1/reports/ledger-summary", { program_id: id, limit: PAGE_MAX }),
    budgets(),
    isUnused(),
  ]);
  return kinds.map((kind) => {
    const isIts = ({ asset_id }) => asset_id === kind.id;
    const budget = funds.find(isIts)?.available;
    const canSwitch = kind.is_default && isNew && budget === undefined;
    return { kind, sum: sums.find(isIts), budget, canSwitch };
  });
}

function kindTable(rows, changed) {
  return table(
    "Kinds of points",
    [
      { label: "Kind", cell: kindCell },
      {
        label: h("span", { class: "hidden" }, "Actions"),
        cell: (row) => actions(row, changed),
      },
    ],
    rows,
    { keyOf: ({ kind }) => kind.id },
  );
}

function kindCell({ kind, sum, budget }) {
  const { name, symbol, scale, is_default, inventory_mode: mode, status } = kind;
  const digits = scale === 0 ? "whole points" : count(scale, "decimal");
  return h(
    "div",
    { class: "offer-cell" },
    h("span", {}, h("span", { class: "strong" }, name), ` (${symbol})`),
    is_default && h("span", { class: "hint" }, "The program's own points"),
    h("span", { class: "hint" }, `${mode === "LOT" ? "In lots" : "As a sum"} · ${digits}`),
    sum && h("span", { class: "hint" }, sumText(sum, symbol)),
    budget !== undefined && h("span", { class: "hint" }, budgetText(budget, kind)),
    status === "ARCHIVED" && h("span", { class: "badge badge-canceled" }, "Archived"),
  );
}

const sumText = ({ participant_count: members, current_balance: sum }, symbol) =>
  members === 0 ? "Nobody has any" : `${haveText(members)} ${amountText(sum, { symbol })}`;

function actions({ kind, budget, canSwitch }, changed) {
  const act = (text, onclick) =>
    button(text, () => onclick(kind, changed), {
      tone: "small",
      focus: `${text}-${kind.id}`,
      "aria-label": `${text}: ${kind.name}`,
    });
  const isActive = kind.status === "ACTIVE";
  const ofFurther = [
    act("Edit", edit),
    kind.inventory_mode === "SIMPLE" && act("Keep in lots…", convert),
    isActive ? act("Archive", archive) : act("Use again", useAgain),
  ];
  return h(
    "div",
    { class: "row-actions" },
    canSwitch && act("Use a budget…", switchDialog),
    budget !== undefined && [
      isActive && act("Add to the budget", addDialog),
      act("Take from the budget", takeDialog),
    ],
    !kind.is_default && ofFurther,
  );
}

const convert = (kind, changed) => convertDialog({ ...kind, of: "the kind of points" }, changed);

function createDialog(changed) {
  formDialog({
    title: "New kind of points",
    text: "Its symbol, its decimals and how it is issued never change.",
    action: "Create it",
    fields: [
      { name: "name", label: "Name", required: true, maxlength: 255, placeholder: "Miles" },
      {
        name: "symbol",
        label: "Symbol",
        required: true,
        maxlength: 16,
        spellcheck: "false",
        placeholder: "MI",
        hint: "Letters and digits. It follows every amount.",
      },
      {
        name: "inventory_mode",
        label: "How it is kept",
        type: "select",
        required: true,
        options: Object.entries(KEPT),
        hint: "Only points in lots can expire. A sum can be put into lots later, but not the reverse.",
      },
      {
        name: "scale",
        label: "Decimals",
        type: "number",
        required: true,
        min: 0,
        max: SCALE_MAX,
        step: 1,
        value: 0,
        hint: "0 for whole points, 2 for amounts such as 12.50.",
      },
      {
        name: "issuance_policy",
        label: "How it is issued",
        type: "select",
        required: true,
        options: Object.entries(ISSUED),
        hint: "A budget is empty at first. Credits take from it, and are refused if it has less.",
      },
      limitField(),
    ],
    preview: async ({ scale, symbol }) => {
      const least = smallest(Number(scale));
      const example = amountText(`1250${least.slice(1)}`, { symbol }).trim();
      return `An amount looks like this: ${example}. The smallest is ${decimal(least)}.`;
    },
    async submit({ scale, ...answers }, options) {
      const kind = await post("/v1/assets", bodyOf({ ...answers, scale: Number(scale) }), options);
      const next =
        kind.issuance_policy === "PREFUNDED"
          ? "Add to its budget before anything is credited."
          : "Members can have it now.";
      notify(`${kind.name} is created. ${next}`);
      changed();
    },
  });
}

const bodyOf = (answers) => ({
  program_id: "current",
  .../** @type {any} */ (settingsBody(answers)),
});

function edit({ id, name, scale, inventory_mode: mode }, changed) {
  editDialog({
    title: `Edit ${name}`,
    fields: [
      { name: "name", label: "Name", required: true, maxlength: 255 },
      ...(mode === "LOT" ? [orderField] : []),
      limitField(scale),
    ],
    async load() {
      const values = await get(path`/v1/assets/${id}`);
      return { values, version: values.version };
    },
    save: (changes, { match }) => patch(path`/v1/assets/${id}`, settingsBody(changes), { match }),
    saved: changed,
  });
}

function archive({ id, name, symbol }, changed) {
  confirmDialog({
    title: `Archive ${name}?`,
    text:
      `Nobody gets any more of it: credits of ${name} are refused. What members have stays. It can ` +
      `be spent, held and debited, and points in lots still expire. The symbol ${symbol} stays ` +
      "taken. You can use it again later.",
    action: "Archive it",
    async submit(_, options) {
      await patch(path`/v1/assets/${id}`, { status: "ARCHIVED" }, options);
      notify(`${name} is archived.`);
      changed();
    },
  });
}

async function useAgain({ id, name }, changed) {
  const send = () => patch(path`/v1/assets/${id}`, { status: "ACTIVE" });
  if (await attempt(send, `${name} is in use again.`)) changed();
}
