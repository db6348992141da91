// What can be done to a member: points moved, the profile changed, the member removed.

import { path, post, put, remove } from "../../lib/api.js";
import { formDialog } from "../../lib/dialogs.js";
import { points } from "../../lib/format.js";
import { notify } from "../../lib/notices.js";

export function move(kind, { externalUserID, wallet }, symbol, changed) {
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

export function edit(member, changed) {
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

export function removeMember({ externalUserID, wallet }, symbol, changed) {
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
