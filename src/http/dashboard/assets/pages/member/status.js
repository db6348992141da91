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

/**
 * Sets the status of the member that the page shows. One who was changed in the meantime is left
 * alone: a removed member would come back.
 */
async function setStatus({ externalUserID, version }, status, options) {
  const { data } = await get("/v1/participants", { external_id: externalUserID });
  const [participant] = data;
  if (!participant) throw new Error("There is no such member any more.");
  // The first request took effect.
  if (options.wasLost && participant.status === status) return;
  const where = path`/v1/participants/${participant.id}/status`;
  try {
    await patch(where, { status }, { ...options, match: version });
  } catch (/** @type {any} */ error) {
    if (error.status !== 412) throw error;
    throw new Error("The member was changed in the meantime. Close this, and look again.");
  }
}
