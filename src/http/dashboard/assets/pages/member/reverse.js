// Reversing an entry of a ledger: a redemption is canceled, a credit is debited again, and a debit
// credited again.

import { get, path, post } from "../../lib/api.js";
import { formDialog } from "../../lib/dialogs.js";
import { dateTime, points } from "../../lib/format.js";
import { attempt } from "../../lib/notices.js";
import { isOver, label } from "../../lib/statuses.js";
import { isPending, later } from "../../lib/undo.js";
import { cancel } from "../redemptions/moves.js";
import { entryText, reversalOf } from "./entries.js";

/** The API's limit for a reason, less what names the entry. */
const NOTE_MAX = 440;

/**
 * Asks whether to reverse an entry, and does so.
 * @param {any} entry
 * @param {string} externalUserID
 * @param {string} symbol
 * @param {() => void} changed
 */
export async function reverse(entry, externalUserID, symbol, changed) {
  await attempt(async () => {
    if (entry.redemptionID) return cancelFor(entry, symbol);
    const member = await get(path`/v1/members/${externalUserID}`, { includeArchived: true });
    if (member.archivedAt !== null) throw new Error("Restore the member first.");
    if (isPending(`entry:${entry.id}`)) throw new Error("This entry is being reversed already.");
    moveBack(entry, member, symbol, changed);
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

function moveBack(entry, { externalUserID, displayName, wallet }, symbol, changed) {
  const { id, amount, createdAt } = entry;
  const isCredit = entry.type === "CREDIT";
  const most = isCredit ? Math.min(amount, wallet.balance) : amount;
  const name = displayName ?? externalUserID;
  if (most < 1) {
    throw new Error(`${name} has ${points(wallet.balance, symbol)}: nothing can be debited.`);
  }
  const kind = isCredit ? "credit" : "debit";
  const less = most < amount ? ` The wallet holds only ${points(wallet.balance, symbol)}.` : "";
  const reason = entryText(entry);
  formDialog({
    name: `Reverse ${id}`,
    title: "Reverse this entry?",
    text:
      `The ${kind} of ${points(amount, symbol)} on ${dateTime(createdAt)}` +
      `${reason ? ` (${reason})` : ""} stays in the ledger; ` +
      `a ${isCredit ? "debit" : "credit"} follows it that names it.${less}`,
    action: "Reverse it",
    tone: "danger",
    fields: [
      {
        name: "amount",
        label: isCredit ? "Points to debit" : "Points to credit",
        type: "number",
        min: 1,
        max: most,
        step: 1,
        required: true,
        value: most,
      },
      {
        name: "note",
        label: "Why",
        maxlength: NOTE_MAX,
        hint: "The member sees it in the ledger.",
      },
    ],
    async submit(answers) {
      const back = Number(answers.amount);
      const body = { externalUserID, amount: back, reason: reversalOf(id, answers.note) };
      const where = isCredit ? "/v1/wallet/debit" : "/v1/wallet/credit";
      later({
        name: `entry:${id}`,
        text: `${name}: ${points(back, symbol)} ${isCredit ? "debited" : "credited"} again.`,
        send: (options) => post(where, body, options),
        settled: (outcome) => outcome === "sent" && changed(),
      });
    },
  });
}
