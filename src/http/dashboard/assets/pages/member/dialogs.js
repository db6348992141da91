// Actions on a member: credit and debit points, change the profile, remove and restore the member.

import { get, path, put, remove } from "../../lib/api.js";
import { editDialog, formDialog } from "../../lib/dialogs.js";
import { points } from "../../lib/format.js";
import { RawJson, objectText, rawText } from "../../lib/json.js";
import { notify } from "../../lib/notices.js";
import { dateFields, datesOf } from "./lots.js";

/** The member in a message: the name, and the id next to it. */
const nameOf = ({ displayName, externalUserID }) =>
  displayName ? `${displayName} (${externalUserID})` : externalUserID;

/**
 * Who reads the reason of an entry: apps show nothing of further kinds.
 * @param {import("./accounts.js").Account} account
 * @returns {string}
 */
export const reasonHint = ({ name }) =>
  name === null ? "The member sees it in the ledger." : "The ledger shows it.";

/**
 * Credits points of an account, or debits them.
 * @param {"CREDIT" | "DEBIT"} type
 * @param {any} member
 * @param {import("./accounts.js").Account} account
 * @param {() => void} changed
 */
export function move(type, member, account, changed) {
  const { externalUserID } = member;
  const isCredit = type === "CREDIT";
  const { name, symbol, available, rules, text } = account;
  const word = isCredit ? "Credit" : "Debit";
  const what = name === null ? "" : ` ${name}:`;
  formDialog({
    name: `${word}${what} ${externalUserID}`,
    title: `${word}${what} ${nameOf(member)}`,
    text: isCredit ? null : `To correct a mistake. The member has ${text(available)}.`,
    action: word,
    fields: [
      {
        name: "amount",
        label: name === null ? "Points" : `Amount, ${symbol}`,
        type: "number",
        min: account.smallest,
        step: account.smallest,
        required: true,
        max: isCredit ? null : available,
      },
      {
        name: "reason",
        label: "Reason",
        required: name !== null,
        maxlength: 500,
        hint: reasonHint(account),
      },
      ...(isCredit ? dateFields(rules) : []),
    ],
    async submit({ amount, reason, ...dates }, options) {
      const left = await account.move(type, { amount, reason, ...datesOf(dates) }, options);
      notify(`${nameOf(member)} has ${text(left)} now.`);
      changed();
    },
  });
}

/**
 * The fields for email and phone.
 * @returns {any[]}
 */
export const contactFields = () => [
  { name: "email", label: "Email", inputmode: "email", spellcheck: "false", maxlength: 254 },
  { name: "phone", label: "Phone", type: "tel", maxlength: 32 },
];

export function edit(member, changed) {
  const where = path`/v1/members/${member.externalUserID}`;
  editDialog({
    title: `Edit ${nameOf(member)}`,
    fields: [
      { name: "displayName", label: "Display name", maxlength: 255 },
      ...contactFields(),
      { name: "tier", label: "Tier", required: true, maxlength: 64 },
      {
        name: "attributes",
        label: "Attributes",
        type: "textarea",
        rows: 6,
        spellcheck: "false",
        hint: "A JSON object of your own. It is stored exactly as written.",
      },
    ],
    async load() {
      const { data, text } = await get(where, { includeArchived: true }, { raw: true });
      // A PUT would restore the member.
      if (data.archivedAt !== null) {
        throw new Error(`${nameOf(data)} was removed in the meantime. Restore the member first.`);
      }
      const { displayName, email, phone, tier, version } = data;
      const attributes = rawText(text, "attributes");
      return { values: { displayName, email, phone, tier, attributes }, version };
    },
    save({ displayName, email, phone, tier, attributes }, { match }) {
      const text = attributes === undefined ? null : objectText(attributes, "The attributes");
      const body = {
        ...(displayName !== undefined && { displayName: displayName || null }),
        ...(email !== undefined && { email: email || null }),
        ...(phone !== undefined && { phone: phone || null }),
        ...(tier !== undefined && { tier }),
        ...(attributes !== undefined && { attributes: text === null ? null : new RawJson(text) }),
      };
      return put(where, body, { match });
    },
    saved: changed,
  });
}

/** Restores a removed member, with the former history. */
export function restore(member, changed) {
  formDialog({
    name: `Restore ${member.externalUserID}`,
    title: `Restore ${nameOf(member)}?`,
    text: "The member can sign in again and has the history and the points from before.",
    action: "Restore",
    fields: [],
    async submit(_, options) {
      await put(path`/v1/members/${member.externalUserID}`, {}, options);
      notify(`${nameOf(member)} is a member again.`);
      changed();
    },
  });
}

export function removeMember(member, symbol, changed) {
  const { externalUserID, wallet } = member;
  formDialog({
    name: `Remove ${externalUserID}`,
    title: `Remove ${nameOf(member)}?`,
    text: "The member is archived and signed out. Redemptions stay as they are.",
    action: "Remove",
    tone: "danger",
    fields: [
      {
        name: "retainBalance",
        type: "check",
        value: true,
        label: `Keep the ${points(wallet.balance, symbol)} in the wallet`,
        hint: "They are there again if the member is restored. Otherwise they are forfeited.",
      },
    ],
    async submit({ retainBalance }, options) {
      await remove(path`/v1/members/${externalUserID}`, { retainBalance }, options);
      notify(`${nameOf(member)} is removed.`);
      changed();
    },
  });
}
