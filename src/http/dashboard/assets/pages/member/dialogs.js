// Actions on a member: credit and debit points, change the profile, remove and restore the member.

import { get, path, post, put, remove } from "../../lib/api.js";
import { editDialog, formDialog } from "../../lib/dialogs.js";
import { points } from "../../lib/format.js";
import { RawJson, objectText, rawText } from "../../lib/json.js";
import { notify } from "../../lib/notices.js";
import { dateFields, datesOf } from "./lots.js";

/** The member in a message: the name, and the id next to it. */
const nameOf = ({ displayName, externalUserID }) =>
  displayName ? `${displayName} (${externalUserID})` : externalUserID;

export function move(kind, member, symbol, changed) {
  const { externalUserID, wallet, rules } = member;
  const isCredit = kind === "credit";
  formDialog({
    name: `${isCredit ? "Credit" : "Debit"} ${externalUserID}`,
    title: `${isCredit ? "Credit" : "Debit"} ${nameOf(member)}`,
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
      ...(isCredit ? dateFields(rules) : []),
    ],
    async submit({ amount, reason, ...dates }, options) {
      const body = {
        externalUserID,
        amount: Number(amount),
        ...(reason && { reason }),
        ...datesOf(dates),
      };
      const { balance } = await post(`/v1/wallet/${kind}`, body, options);
      notify(`${nameOf(member)} has ${points(balance, symbol)} now.`);
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
