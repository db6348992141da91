// One member: who it is, what is in the wallet and why, what was redeemed.

import { all, get, path } from "../lib/api.js";
import { append, h } from "../lib/dom.js";
import { dateTime, number, points, timeText } from "../lib/format.js";
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
import { edit, move, removeMember, restore } from "./member/dialogs.js";

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
          button(
            isRemoved ? "Restore" : "Edit",
            () => (isRemoved ? restore : edit)(member, changed),
            { tone: "small", focus: "edit" },
          ),
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
