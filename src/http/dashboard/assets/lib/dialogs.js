// Dialogs: a form, a question, a secret that is shown once. The browser keeps the focus inside.

import { h, replace } from "./dom.js";
import { field, read } from "./fields.js";
import { notify } from "./notices.js";

let dialogs = 0;

function open(title, ...content) {
  const id = `dialog-${++dialogs}`;
  const dialog = h(
    "dialog",
    { class: "dialog", "aria-labelledby": id },
    h("h2", { id }, title),
    content,
  );
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/**
 * Asks for something. `submit` gets what was filled in; if it throws, the dialog stays and says
 * why.
 */
export function formDialog({ title, text, fields, action, tone = "primary", submit }) {
  const problem = h("p", { class: "form-error", role: "alert", hidden: true });
  const button = h("button", { class: `button button-${tone}`, type: "submit" }, action);
  const form = h(
    "form",
    { class: "form" },
    text && h("p", { class: "dialog-text" }, text),
    fields.map(field),
    problem,
    h(
      "div",
      { class: "dialog-actions" },
      h("button", { class: "button", type: "button", onclick: () => dialog.close() }, "Close"),
      button,
    ),
  );
  const dialog = open(title, form);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    try {
      await submit(read(form));
      dialog.close();
    } catch (error) {
      problem.hidden = false;
      replace(problem, error.message);
    } finally {
      button.disabled = false;
    }
  });
}

/** Asks whether to go on with something that cannot be undone. */
export function confirmDialog({ title, text, action, submit }) {
  formDialog({ title, text, fields: [], action, tone: "danger", submit });
}

/** Shows a secret, which nobody can look up again. */
export function secretDialog({ title, text, secret }) {
  const output = h("output", { class: "secret" }, secret);
  const copy = h("button", { class: "button button-primary", type: "button" }, "Copy");
  copy.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(secret);
      notify("Copied.");
    } catch {
      getSelection().selectAllChildren(output);
      notify("It is selected; copy it with the keyboard.");
    }
  });
  const dialog = open(
    title,
    h("p", { class: "dialog-text" }, text),
    output,
    h(
      "div",
      { class: "dialog-actions" },
      h("button", { class: "button", onclick: () => dialog.close() }, "I have kept it"),
      copy,
    ),
  );
}
