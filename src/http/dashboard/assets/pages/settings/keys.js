// The program's keys: the list, creating one, and revoking one.

import { get, path, post, remove } from "../../lib/api.js";
import { confirmDialog, formDialog, secretDialog } from "../../lib/dialogs.js";
import { h } from "../../lib/dom.js";
import { dateTime, timeText } from "../../lib/format.js";
import { notify } from "../../lib/notices.js";
import { button, table } from "../../lib/parts.js";
import { forget, held, hold } from "../../lib/session.js";
import { load } from "../../lib/states.js";

/**
 * The card of the program's keys.
 * @param {any} view
 */
export function keysCard(view) {
  const place = h("div");
  const again = load(
    place,
    () => get("/v1/keys"),
    ({ keys }) => keyTable(keys, view.context, () => again()),
  );
  return h(
    "section",
    { class: "card", id: "keys" },
    h(
      "div",
      { class: "card-head" },
      h("h2", { class: "card-title" }, "Keys"),
      button("New key", () => createDialog(view.context, () => again()), { tone: "small" }),
    ),
    h(
      "p",
      { class: "hint" },
      "Anyone with a key can do everything in this program. Give each app its own, so that one can " +
        "be revoked without the others.",
    ),
    place,
  );
}

function keyTable(keys, context, changed) {
  return table(
    "Keys",
    [
      {
        label: "Key",
        cell: ({ name, keyPrefix, current }) =>
          h(
            "div",
            { class: "offer-cell" },
            h("span", { class: "strong" }, name),
            h(
              "span",
              {},
              h("code", {}, `${keyPrefix}…`),
              current && h("span", { class: "tag" }, "in use here"),
            ),
          ),
      },
      { label: "Created", isWide: true, cell: ({ createdAt }) => dateTime(createdAt) },
      {
        label: "Last used",
        cell: ({ lastUsedAt }) => (lastUsedAt ? timeText(lastUsedAt) : "never"),
      },
      {
        label: h("span", { class: "hidden" }, "Actions"),
        cell: (key) =>
          h(
            "div",
            { class: "row-actions" },
            button("Revoke", () => revokeDialog(key, context, changed), {
              tone: "small",
              "aria-label": `Revoke ${key.name}`,
              disabled: key.current,
              title: key.current ? "A key cannot revoke itself. Use another one to do it." : null,
            }),
          ),
      },
    ],
    keys,
  );
}

function createDialog(context, changed) {
  formDialog({
    title: "New key",
    action: "Create the key",
    fields: [
      {
        name: "name",
        label: "Name",
        required: true,
        maxlength: 255,
        hint: "Who or what it is for.",
      },
      {
        name: "hold",
        label: "Keep it in this tab too",
        type: "check",
        hint: "To sign in with it here without pasting it.",
      },
    ],
    async submit({ name, hold: isHeld }, options) {
      const { key, plainKey } = await post("/v1/keys", { name }, options);
      if (isHeld) {
        hold(plainKey, { name: context.program.name, program: context.program.id });
        context.showKeys();
      }
      changed();
      secretDialog({
        title: `The key ${key.name}`,
        text: "It is shown only once and cannot be shown again.",
        secret: plainKey,
      });
    },
  });
}

function revokeDialog(key, context, changed) {
  confirmDialog({
    title: `Revoke ${key.name}?`,
    text:
      `What uses it (${lastUse(key)}) is refused from its next request on, and its live streams ` +
      "end. Member tokens that were made with it work until they expire. This cannot be undone.",
    action: "Revoke it",
    name: `Revoke ${key.name} (${key.id})`,
    async submit(_, options) {
      await remove(path`/v1/keys/${key.id}`, null, options);
      forgetHeld(key);
      context.showKeys();
      notify(`${key.name} is revoked.`);
      changed();
    },
  });
}

/** The prefix of a short configured key is not shown, so it cannot identify the key. */
function forgetHeld({ keyPrefix }) {
  if (keyPrefix.endsWith("_")) return;
  for (const each of held()) if (each.key.startsWith(keyPrefix)) forget(each.key);
}

const lastUse = ({ lastUsedAt }) =>
  lastUsedAt ? `last used ${dateTime(lastUsedAt)}` : "it was never used";
