// A member's profile and wallet, and the actions on it.

import { copyText } from "../../lib/copy.js";
import { h } from "../../lib/dom.js";
import { dateTime, day, dollars, exactTime, number, points } from "../../lib/format.js";
import { prettyJson } from "../../lib/json.js";
import { button, facts, figures, pageHead } from "../../lib/parts.js";
import { label } from "../../lib/statuses.js";
import { DOCUMENTS } from "../../lib/terms.js";
import { ownAccount } from "./accounts.js";
import { edit, move, removeMember, restore } from "./dialogs.js";
import { restFigures } from "./lots.js";
import { redeemFor } from "./redeem.js";
import { activate, suspend } from "./status.js";

/** The id that an erasure leaves; see docs/API.md. */
const ERASED = /^erased_[0-9a-f]{32}$/;

/**
 * Returns the name of a member.
 * @param {any} member
 * @returns {string}
 */
export const nameOf = ({ displayName, externalUserID }) => displayName ?? externalUserID;

const isErased = ({ externalUserID, archivedAt }) =>
  Boolean(archivedAt) && ERASED.test(externalUserID);

/**
 * The head of the page. For a member who is not loaded yet it has only the id.
 * @param {any} member
 * @param {string} [symbol]
 * @param {() => void} [changed]
 * @returns {HTMLElement}
 */
export function memberHead(member, symbol, changed) {
  const { externalUserID, tier, createdAt, archivedAt, suspendedAt } = member;
  const id = h("code", {}, externalUserID);
  const about = [
    h("span", { class: "member-id" }, id, copyButton(externalUserID, id)),
    tier && h("span", { class: "tag", "data-key": "tier" }, tier),
    createdAt && h("span", { "data-key": "since" }, "Member since ", exactTime(createdAt, day)),
    archivedAt &&
      h(
        "span",
        { class: "badge badge-canceled", "data-key": "removed" },
        isErased(member) ? "Erased" : "Removed",
      ),
    suspendedAt &&
      h("span", { class: "badge badge-suspended", "data-key": "suspended" }, "Suspended"),
  ];
  const name = isErased(member) ? "An erased member" : nameOf(member);
  return pageHead(name, about, ...(tier ? actions(member, symbol, changed) : []));
}

function actions(member, symbol, changed) {
  const { externalUserID, archivedAt } = member;
  if (isErased(member)) return [];
  if (archivedAt) {
    return [
      button("Restore", () => restore(member, changed), {
        tone: "primary",
        focus: "restore",
        "data-key": "restore",
      }),
    ];
  }
  return [
    h(
      "a",
      {
        class: "button",
        href: `#/inbox/new?member=${encodeURIComponent(externalUserID)}`,
        "data-key": "talk",
      },
      "Start a conversation",
    ),
    !member.suspendedAt &&
      button("Redeem for this member", () => redeemFor(member, symbol, changed), {
        focus: "redeem",
        "data-key": "redeem",
      }),
  ];
}

function copyButton(text, element) {
  return button("Copy", () => copyText(text, element), {
    tone: "small",
    focus: "copy-id",
    "aria-label": "Copy the id",
  });
}

/**
 * Wallet and profile.
 * @param {any} member with the text of its attributes, and the documents that it may have accepted
 * @param {string} symbol
 * @param {HTMLElement | undefined} further the card of further kinds
 * @param {() => void} changed
 * @returns {any[]}
 */
export function profile(member, symbol, further, changed) {
  return [
    isErased(member) && erasedNote(),
    walletCard(member, symbol, changed),
    further,
    !isErased(member) && profileCard(member, symbol, changed),
  ];
}

function erasedNote() {
  return h(
    "p",
    { class: "card", "data-key": "erased" },
    "This member was erased: name, id, email, phone, attributes, messages and reasons are deleted permanently. " +
      "The ledger and the redemptions stay, without the name.",
  );
}

function walletCard(member, symbol, changed) {
  const { wallet } = member;
  const amounts = [
    {
      name: "balance",
      label: "Balance",
      value: points(wallet.balance, symbol),
      // 0 as long as a point is worth nothing.
      note: wallet.balanceUSD > 0 && `≈ ${dollars(wallet.balanceUSD)}`,
    },
    { name: "amountReceived", label: "Received", value: points(wallet.amountReceived, symbol) },
    { name: "amountSpent", label: "Spent", value: points(wallet.amountSpent, symbol) },
    ...restFigures(wallet, symbol),
  ];
  const account = ownAccount(member, symbol);
  const act = (type, text, tone) =>
    button(text, () => move(type, member, account, changed), { tone, focus: type });
  return h(
    "section",
    { class: "card", "aria-label": "Wallet", "data-key": "wallet" },
    figures(amounts),
    expiring(wallet, symbol),
    !member.archivedAt &&
      !member.suspendedAt &&
      h(
        "div",
        { class: "actions", "data-key": "move" },
        act("CREDIT", "Credit points", "primary"),
        act("DEBIT", "Debit points"),
      ),
    member.suspendedAt &&
      h(
        "p",
        { class: "hint", "data-key": "no-move" },
        "The member is suspended: points can neither be credited nor spent.",
      ),
  );
}

/** What expires next. A server of an earlier version does not tell. */
function expiring({ expiring: rows = [] }, symbol) {
  if (rows.length === 0) return null;
  const lines = rows.map(({ amount, at }) =>
    h("li", { "data-key": at }, points(amount, symbol), " · ", exactTime(at)),
  );
  return h(
    "div",
    { class: "expiring", "data-key": "expiring" },
    facts([["Expires next", h("ul", {}, lines)]]),
  );
}

/** The address to write to. */
const mailTo = (email) => `mailto:${encodeURIComponent(email).replace("%40", "@")}`;

/** The address to call, without the zero in brackets of a national number. */
const callTo = (phone) => `tel:${phone.replace("(0)", "").replace(/[^+\d]/g, "")}`;

function profileCard(member, symbol, changed) {
  const { attributes, archivedAt, suspendedAt, redemptionCounts } = member;
  const redeemed = Object.entries(redemptionCounts)
    .filter(([, count]) => count > 0)
    .map(([status, count]) => `${number(count)} ${label(status).toLowerCase()}`);
  const act = (text, action, focus) => button(text, action, { tone: "small", focus });
  return h(
    "section",
    { class: "card", "data-key": "profile" },
    h(
      "div",
      { class: "card-head" },
      h("h2", { class: "card-title" }, "Profile"),
      !archivedAt &&
        h(
          "div",
          { class: "actions", "data-key": "change" },
          act("Edit", () => edit(member, changed), "edit"),
          suspendedAt
            ? act("Make active", () => activate(member, changed), "activate")
            : act("Suspend", () => suspend(member, changed), "suspend"),
          act("Remove", () => removeMember(member, symbol, changed), "remove"),
        ),
    ),
    facts([
      ["Name", member.displayName ?? "–"],
      ["Email", member.email && h("a", { href: mailTo(member.email) }, member.email)],
      ["Phone", member.phone && h("a", { href: callTo(member.phone) }, member.phone)],
      ["Tier", h("span", { class: "tag" }, member.tier)],
      ["Redemptions", redeemed.join(", ") || "none"],
      ...acceptances(member.documents),
      ["Attributes", attributes && h("code", { class: "json" }, prettyJson(attributes))],
      ["Suspended", suspendedAt ? dateTime(suspendedAt) : null],
      ["Removed", archivedAt ? dateTime(archivedAt) : null],
    ]),
  );
}

/**
 * A line for each published document: whether the member accepted its present version.
 * @param {any[]} documents
 * @returns {[term: string, what: any][]}
 */
const acceptances = (documents) =>
  DOCUMENTS.map(([type, name]) => {
    const document = documents.find((each) => each.type === type);
    const { acceptedAt } = document ?? {};
    return [name, document ? acceptanceText(acceptedAt) : null];
  });

const acceptanceText = (acceptedAt) =>
  acceptedAt ? h("span", {}, "accepted ", exactTime(acceptedAt, day)) : "not accepted";
