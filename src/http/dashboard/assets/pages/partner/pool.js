// The pool of an organization: prepaid points, from which its live programs draw.

import { get, post, put } from "../../lib/api.js";
import { h } from "../../lib/dom.js";
import { editDialog, formDialog } from "../../lib/dialogs.js";
import { number } from "../../lib/format.js";
import { notify } from "../../lib/notices.js";
import { button, card, facts } from "../../lib/parts.js";
import { environment } from "../../lib/session.js";
import { load } from "../../lib/states.js";

/** The API's limit for points. */
const POINTS_MAX = 2147483647;

/** What a pool pays for: the value, its name, and what it does. */
const MODES = [
  {
    mode: "MEMBER_WALLET",
    name: "Credits to members",
    what: "A credit draws its points from the pool, and is refused if they are not there.",
  },
  {
    mode: "ORG_POOL",
    name: "Redemptions",
    what: "Members have no points; a redemption draws its price from the pool, down to the credit limit.",
  },
];

/**
 * The card of an organization's pool.
 * @param {string} where the path of the organization
 */
export function poolCard(where) {
  const place = h("div", { id: "pool" });
  const again = load(
    place,
    () => get(`${where}/pool`),
    ({ pool }) => [
      pool ? poolFacts(pool) : h("p", {}, "None. Credits and redemptions are not limited."),
      environment() === "sandbox" &&
        h("p", { class: "hint" }, "The sandbox draws nothing from it."),
      h(
        "div",
        { class: "actions" },
        button("Add points", () => fundDialog(where, () => again())),
        button("Set limits", () => limitsDialog(where, () => again())),
      ),
    ],
  );
  return card("Pool", place);
}

function poolFacts({ balance, lifetimeSpent, creditLimit, lowThreshold, settlementMode }) {
  const { name, what } = MODES.find(({ mode }) => mode === settlementMode) ?? MODES[0];
  return facts([
    [
      "Balance",
      [
        h("span", { class: "strong" }, number(balance)),
        balance < lowThreshold && [" ", h("span", { class: "tag" }, "low")],
      ],
    ],
    ["Spent so far", number(lifetimeSpent)],
    ["Credit limit", number(creditLimit)],
    ["Low below", number(lowThreshold)],
    ["Pays for", [name, h("p", { class: "hint" }, what)]],
  ]);
}

function fundDialog(where, changed) {
  formDialog({
    title: "Add points to the pool",
    name: `Add points ${where}`,
    text: "Points that the organization bought.",
    action: "Add",
    fields: [
      {
        name: "amount",
        label: "Points",
        type: "number",
        min: 1,
        max: POINTS_MAX,
        step: 1,
        required: true,
      },
      { name: "note", label: "Note", maxlength: 1000, hint: "Such as the number of an invoice." },
    ],
    async submit({ amount, note }, options) {
      const body = { amount: Number(amount), ...(note && { note }) };
      const { pool } = await post(`${where}/pool/fund`, body, options);
      notify(`The pool has ${number(pool.balance)} points now.`);
      changed();
    },
  });
}

const LIMITS = [
  {
    name: "settlementMode",
    label: "Pays for",
    type: "select",
    required: true,
    options: MODES.map(({ mode, name }) => [mode, name]),
    hint: MODES.map(({ name, what }) => `${name}: ${what}`).join(" "),
  },
  {
    name: "creditLimit",
    label: "Credit limit",
    hint: "Points by which redemptions may overdraw it.",
  },
  { name: "lowThreshold", label: "Low below", hint: "Below it, org.points.low is sent." },
].map((each) => ({
  type: "number",
  min: 0,
  max: POINTS_MAX,
  step: 1,
  value: 0,
  required: true,
  ...each,
}));

function limitsDialog(where, changed) {
  editDialog({
    title: "Limits of the pool",
    fields: LIMITS,
    async load() {
      const { pool } = await get(`${where}/pool`);
      // A pool has no settings version; fields that are not sent keep their value.
      return { values: pool ?? {}, version: null };
    },
    save({ creditLimit, lowThreshold, settlementMode }) {
      return put(`${where}/pool`, {
        ...(creditLimit !== undefined && { creditLimit: Number(creditLimit) }),
        ...(lowThreshold !== undefined && { lowThreshold: Number(lowThreshold) }),
        ...(settlementMode !== undefined && { settlementMode }),
      });
    },
    saved: changed,
  });
}
