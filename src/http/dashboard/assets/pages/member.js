// One member: who it is, what is in the wallet and why, what was redeemed.

import { all, get, path, post, put, remove } from "../lib/api.js";
import { append, h } from "../lib/dom.js";
import { formDialog } from "../lib/dialogs.js";
import { dateTime, number, points, timeText } from "../lib/format.js";
import { notify } from "../lib/notices.js";
import {
  backLink,
  badge,
  button,
  card,
  facts,
  figures,
  link,
  pageHead,
  pagedTable,
  table,
} from "../lib/parts.js";
import { emptyState, load } from "../lib/states.js";
import { label } from "../lib/statuses.js";

export function memberPage(view) {
  const { id } = view.params;
  const { symbol } = view.context;
  const wallet = h("div");
  const ledger = h("div");
  const redeemed = h("div");
  append(view.root, [
    backLink("members", "Members"),
    pageHead(id),
    wallet,
    h("div", { class: "halves" }, card("Ledger", ledger), card("Redemptions", redeemed)),
  ]);
  const transactions = (cursor) =>
    get("/v1/wallet/transactions", { externalUserID: id, limit: 15, cursor });
  const walletAgain = load(
    wallet,
    () => get(path`/v1/members/${id}`, { includeArchived: true }),
    (member) => profile(member, symbol, refresh),
    6,
  );
  const ledgerAgain = load(
    ledger,
    () => transactions(),
    (first) => ledgerTable(first, transactions),
  );
  const redeemedAgain = load(
    redeemed,
    () => redemptionsOf(id),
    (rows) => redemptionTable(rows, symbol),
  );
  const refresh = () => [walletAgain, ledgerAgain, redeemedAgain].forEach((again) => again());
  view.live((events) => {
    if (!events.some(({ data }) => !data || data.data?.externalUserID === id)) return;
    [walletAgain, ledgerAgain.unlessPaged, redeemedAgain].forEach((again) => again());
  });
}

function profile(member, symbol, changed) {
  const { wallet, redemptionCounts } = member;
  const isRemoved = member.archivedAt !== null;
  const redeemed = Object.entries(redemptionCounts)
    .filter(([, count]) => count > 0)
    .map(([status, count]) => `${number(count)} ${label(status).toLowerCase()}`);
  return [
    h(
      "section",
      { class: "card", "aria-label": "Wallet" },
      figures([
        { name: "balance", label: "Balance", value: points(wallet.balance, symbol) },
        { name: "amountReceived", label: "Received", value: points(wallet.amountReceived, symbol) },
        { name: "amountSpent", label: "Spent", value: points(wallet.amountSpent, symbol) },
      ]),
      !isRemoved &&
        h(
          "div",
          { class: "actions" },
          button("Credit points", () => move("credit", member, symbol, changed), {
            tone: "primary",
            focus: "credit",
          }),
          button("Debit points", () => move("debit", member, symbol, changed), { focus: "debit" }),
        ),
    ),
    h(
      "section",
      { class: "card" },
      h(
        "div",
        { class: "card-head" },
        h("h2", { class: "card-title" }, "Profile"),
        h(
          "div",
          { class: "actions" },
          button(isRemoved ? "Restore" : "Edit", () => edit(member, changed), {
            tone: "small",
            focus: "edit",
          }),
          !isRemoved &&
            button("Remove", () => removeMember(member, symbol, changed), {
              tone: "small",
              focus: "remove",
            }),
        ),
      ),
      facts([
        ["Name", member.displayName ?? "–"],
        ["Tier", h("span", { class: "tag" }, member.tier)],
        ["Redemptions", redeemed.join(", ") || "none"],
        [
          "Attributes",
          member.attributes &&
            h("code", { class: "json" }, JSON.stringify(member.attributes, null, 1)),
        ],
        ["Removed", isRemoved ? dateTime(member.archivedAt) : null],
      ]),
    ),
  ];
}

function ledgerTable(first, page) {
  if (first.transactions.length === 0) {
    return emptyState("No points yet", "What is credited or spent will be listed here.");
  }
  return pagedTable(
    "Ledger",
    [
      { label: "When", cell: ({ createdAt }) => timeText(createdAt) },
      { label: "What for", cell: ({ reason }) => reason ?? "–" },
      {
        label: "Points",
        isNumber: true,
        cell: ({ type, amount }) =>
          h(
            "span",
            { class: type === "CREDIT" ? "credit" : "debit" },
            `${type === "CREDIT" ? "+" : "−"}${number(amount)}`,
          ),
      },
    ],
    first,
    "transactions",
    page,
  );
}

async function redemptionsOf(externalUserID) {
  const [{ redemptions }, offers] = await Promise.all([
    get("/v1/redemptions", { externalUserID, limit: 50 }),
    all("/v1/offers", "data"),
  ]);
  const titles = new Map(offers.map(({ id, title }) => [id, title]));
  return redemptions.map((each) => ({
    ...each,
    title: titles.get(each.offer) ?? "An archived offer",
  }));
}

function redemptionTable(rows, symbol) {
  if (rows.length === 0)
    return emptyState("Nothing redeemed yet", "Redemptions will be listed here.");
  return table(
    "Redemptions",
    [
      {
        label: "Offer",
        cell: ({ title, createdAt }) =>
          h(
            "div",
            { class: "offer-cell" },
            h("span", {}, title),
            h("span", { class: "hint" }, timeText(createdAt)),
          ),
      },
      { label: "Status", cell: ({ status }) => badge(status) },
      {
        label: "Charged",
        isNumber: true,
        isWide: true,
        cell: ({ pointsCharged }) => points(pointsCharged ?? 0, symbol),
      },
    ],
    rows,
  ).element;
}

function move(kind, { externalUserID, wallet }, symbol, changed) {
  const isCredit = kind === "credit";
  formDialog({
    title: isCredit ? `Credit ${externalUserID}` : `Debit ${externalUserID}`,
    text: isCredit
      ? null
      : `To correct a mistake. The wallet holds ${points(wallet.balance, symbol)}.`,
    action: isCredit ? "Credit" : "Debit",
    fields: [
      {
        name: "amount",
        label: "Points",
        type: "number",
        min: 1,
        step: 1,
        required: true,
        max: isCredit ? null : wallet.balance,
      },
      {
        name: "reason",
        label: "Reason",
        maxlength: 500,
        hint: "The member sees it in the ledger.",
      },
    ],
    async submit({ amount, reason }) {
      const body = { externalUserID, amount: Number(amount), ...(reason && { reason }) };
      const { balance } = await post(`/v1/wallet/${kind}`, body);
      notify(`${externalUserID} has ${points(balance, symbol)} now.`);
      changed();
    },
  });
}

function edit(member, changed) {
  formDialog({
    title: `Edit ${member.externalUserID}`,
    text: member.archivedAt && "Saving restores the member with the history it had.",
    action: "Save",
    fields: [
      { name: "displayName", label: "Display name", value: member.displayName, maxlength: 255 },
      { name: "tier", label: "Tier", value: member.tier, required: true, maxlength: 64 },
      {
        name: "attributes",
        label: "Attributes",
        type: "textarea",
        rows: 6,
        value: member.attributes && JSON.stringify(member.attributes, null, 2),
        hint: "A JSON object of your own.",
      },
    ],
    async submit({ displayName, tier, attributes }) {
      await put(path`/v1/members/${member.externalUserID}`, {
        displayName: displayName || null,
        tier,
        attributes: objectOrNull(attributes),
      });
      notify("Saved.");
      changed();
    },
  });
}

function objectOrNull(text) {
  if (text === "") return null;
  try {
    return JSON.parse(text);
  } catch {
    throw new Error('The attributes must be a JSON object, such as {"plan": "annual"}.');
  }
}

function removeMember({ externalUserID, wallet }, symbol, changed) {
  formDialog({
    title: `Remove ${externalUserID}?`,
    text: "The member is archived and signed out. What was redeemed stays as it is.",
    action: "Remove",
    tone: "danger",
    fields: [
      {
        name: "retainBalance",
        type: "check",
        label: `Keep the ${points(wallet.balance, symbol)} in the wallet`,
        hint: "Otherwise they are forfeited.",
      },
    ],
    async submit({ retainBalance }) {
      await remove(path`/v1/members/${externalUserID}`, { retainBalance });
      notify(`${externalUserID} is removed.`);
      changed();
    },
  });
}
