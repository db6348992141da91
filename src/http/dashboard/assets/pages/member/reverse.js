// Reversing an entry of a ledger: a redemption is canceled, a credit is debited again, and a debit
// credited again.

import { get, path } from "../../lib/api.js";
import { formDialog } from "../../lib/dialogs.js";
import { dateTime } from "../../lib/format.js";
import { attempt } from "../../lib/notices.js";
import { isOver, label } from "../../lib/statuses.js";
import { isPending, later } from "../../lib/undo.js";
import { cancel } from "../redemptions/moves.js";
import { units } from "./accounts.js";
import { reasonHint } from "./dialogs.js";
import { entryText, reversalOf } from "./entries.js";

/** The API's limit for a reason, less what names the entry. */
const NOTE_MAX = 440;

/**
 * Asks whether to reverse an entry, and does so.
 * @param {any} entry
 * @param {import("./accounts.js").Ledger} ledger
 * @param {() => void} changed
 */
export async function reverse(entry, ledger, changed) {
  await attempt(async () => {
    if (entry.redemptionID) return cancelFor(entry, ledger.symbol);
    const { member, account } = await ledger.open();
    if (member.archivedAt !== null) throw new Error("Restore the member first.");
    if (isPending(`entry:${entry.id}`)) throw new Error("This entry is being reversed already.");
    moveBack(entry, member, account, changed);
  });
}

async function cancelFor({ redemptionID }, symbol) {
  const redemption = await get(path`/v1/redemptions/${redemptionID}`);
  const { status } = redemption;
  if (isOver(status)) {
    const text = `The redemption is ${label(status).toLowerCase()}, which is final.`;
    throw new Error(`${text} To return its points, credit them.`);
  }
  cancel(redemption, symbol);
}

function moveBack(entry, { externalUserID, displayName }, account, changed) {
  const { id, amount, createdAt } = entry;
  const { available, text } = account;
  const isCredit = entry.type === "CREDIT";
  const isLess = isCredit && units(available) < units(amount);
  const most = isLess ? available : amount;
  const name = displayName ?? externalUserID;
  if (units(most) <= 0n) throw new Error(`${name} has ${text(available)}: nothing can be debited.`);
  const kind = isCredit ? "credit" : "debit";
  const less = isLess ? ` The member has only ${text(available)}.` : "";
  const reason = entryText(entry);
  formDialog({
    name: `Reverse ${id}`,
    title: "Reverse this entry?",
    text:
      `The ${kind} of ${text(amount)} on ${dateTime(createdAt)}` +
      `${reason ? ` (${reason})` : ""} stays in the ledger; ` +
      `a ${isCredit ? "debit" : "credit"} follows it that names it.${less}`,
    action: "Reverse it",
    tone: "danger",
    fields: [
      {
        name: "amount",
        label: isCredit ? "Points to debit" : "Points to credit",
        type: "number",
        min: account.smallest,
        max: most,
        step: account.smallest,
        required: true,
        value: most,
      },
      {
        name: "note",
        label: "Why",
        maxlength: NOTE_MAX,
        hint: reasonHint(account),
      },
    ],
    async submit(answers) {
      const body = { amount: answers.amount, reason: reversalOf(id, answers.note) };
      const send = (options) =>
        entry.spend
          ? account.refund(entry.spend, body, options)
          : account.move(isCredit ? "DEBIT" : "CREDIT", body, options);
      later({
        name: `entry:${id}`,
        text: `${name}: ${text(body.amount)} ${isCredit ? "debited" : "credited"} again.`,
        send,
        settled: (outcome) => outcome === "sent" && changed(),
      });
    },
  });
}
