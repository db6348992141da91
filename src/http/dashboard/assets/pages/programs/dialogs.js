// Actions on a program: create, rename, archive and restore it.

import { get, patch, path, post } from "../../lib/api.js";
import { confirmDialog, editDialog, formDialog, secretDialog } from "../../lib/dialogs.js";
import { notify } from "../../lib/notices.js";
import { hold } from "../../lib/session.js";

const NAME = { name: "name", label: "Name", required: true, maxlength: 255 };

/**
 * Creates a program. This tab holds its key, so that it can be used immediately.
 * @param {any} context
 * @param {() => void} changed
 */
export function createDialog(context, changed) {
  formDialog({
    title: "New program",
    text: "It starts empty, in this organization, with its own key.",
    action: "Create the program",
    fields: [NAME],
    async submit({ name }, options) {
      const { id, name: given, apiKey } = await post("/v1/programs", { name }, options);
      hold(apiKey, { name: given, program: id });
      context.showKeys();
      changed();
      secretDialog({
        title: `The key of ${given}`,
        text:
          "It opens the new program. It is shown only once. This tab holds it too, until it is " +
          "closed: the program's name at the side switches there.",
        secret: apiKey,
      });
    },
  });
}

/**
 * Renames a program.
 * @param {any} program
 * @param {any} context
 * @param {() => void} changed
 */
export function renameDialog(program, context, changed) {
  editDialog({
    title: `Rename ${program.name}`,
    fields: [NAME],
    async load() {
      const { name, version } = await get(path`/v1/programs/${program.id}`);
      return { values: { name }, version };
    },
    save: (changes, { match }) => change({ ...program, version: match }, changes, context),
    saved: changed,
  });
}

/** Changes a program as it was shown; if it has changed since, that is reported. */
async function change(program, body, context) {
  const after = await patch(path`/v1/programs/${program.id}`, body, { match: program.version });
  if (after.id === context.program.id) context.setProgram(after);
  return after;
}

/**
 * Archives a program.
 * @param {any} program
 * @param {any} context
 * @param {() => void} changed
 */
export async function archiveDialog(program, context, changed) {
  const isOwn = program.id === context.program.id;
  if (isOwn && !(await hasAnother(program))) {
    notify(
      `${program.name} is the organization's only program in use. Only a key of another one could ` +
        "restore it, so create one first.",
      "bad",
    );
    return;
  }
  confirmDialog({
    title: `Archive ${program.name}?`,
    text:
      "Its keys and its members' tokens are refused from their next request on. Its members, " +
      "points and figures stay, and any key of another program of this organization can restore " +
      `it.${isOwn ? " You are in it now: this page then needs another key." : ""}`,
    action: "Archive it",
    async submit() {
      await change(program, { status: "ARCHIVED" }, context);
      notify(`${program.name} is archived.`);
      if (isOwn) context.leaveProgram(`${program.name} is archived.`);
      else changed();
    },
  });
}

async function hasAnother({ id }) {
  const { data } = await get("/v1/programs", { limit: 2 });
  return data.some((each) => each.id !== id);
}

/**
 * Restores an archived program, or resumes a suspended one.
 * @param {any} program
 * @param {any} context
 * @param {() => void} changed
 */
export async function restoreProgram(program, context, changed) {
  await change(program, { status: "ACTIVE" }, context);
  const keys = program.status === "ARCHIVED" ? " Its keys work again." : "";
  notify(`${program.name} is active again.${keys}`);
  changed();
}
