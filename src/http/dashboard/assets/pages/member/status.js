// Suspending a member, and making the member active again.

import { get, patch, path } from "../../lib/api.js";
import { formDialog } from "../../lib/dialogs.js";
import { notify } from "../../lib/notices.js";
import { nameOf } from "../redemptions/names.js";

/**
 * Asks whether to suspend a member, and does so.
 * @param {any} member
 * @param {() => void} changed
 */
export function suspend(member, changed) {
  formDialog({
    name: `Suspend ${member.externalUserID}`,
    title: `Suspend ${nameOf(member)}?`,
    text:
      "Points can neither be credited nor spent until the member is active again. " +
      "The member can still sign in, and points still expire.",
    action: "Suspend",
    tone: "danger",
    fields: [],
    async submit(_, options) {
      await setStatus(member, "SUSPENDED", options);
      notify(`${nameOf(member)} is suspended.`);
      changed();
    },
  });
}

/**
 * Asks whether to make a suspended member active again, and does so.
 * @param {any} member
 * @param {() => void} changed
 */
export function activate(member, changed) {
  formDialog({
    name: `Activate ${member.externalUserID}`,
    title: `Make ${nameOf(member)} active again?`,
    text: "Points can be credited and spent again.",
    action: "Make active",
    fields: [],
    async submit(_, options) {
      await setStatus(member, "ACTIVE", options);
      notify(`${nameOf(member)} is active again.`);
      changed();
    },
  });
}

async function setStatus({ externalUserID }, status, options) {
  const { data } = await get("/v1/participants", { external_id: externalUserID });
  const [participant] = data;
  // A removed member would come back.
  if (!participant || participant.status === "CLOSED") {
    throw new Error("The member was removed in the meantime.");
  }
  await patch(path`/v1/participants/${participant.id}/status`, { status }, options);
}
