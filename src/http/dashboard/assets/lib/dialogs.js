// Dialogs: a form, a question, a secret that is shown once. The browser keeps the focus inside.

import { h, replace } from "./dom.js";
import { editForm, explanation, previewOf } from "./edits.js";
import { arrange, field, read, write } from "./fields.js";
import {
  beginIntent,
  keepIntent,
  outcomeOf,
  settleIntent,
  unsettledIntent,
  unsettledIntents,
} from "./intents.js";
import { dismiss, notify } from "./notices.js";

let dialogs = 0;

/**
 * Opens a dialog. Escape does not discard input without a question.
 * @param {string} title
 * @param {Node[]} content
 * @param {{ isDirty?: () => boolean, onclose?: () => void, question?: string,
 *   discard?: string }} [options]
 */
function open(title, content, options = {}) {
  const { isDirty = () => false, onclose = () => {} } = options;
  const asked = options.question ?? "Discard what you typed?";
  const id = `dialog-${++dialogs}`;
  const question = h("div", { class: "dialog-question", role: "alert", hidden: true });
  const dialog = h(
    "dialog",
    { class: "dialog", "aria-labelledby": id },
    h("h2", { id }, title),
    content,
    question,
  );
  const stay = h("button", { class: "button", type: "button", onclick: () => back() }, "Go on");
  const back = () => {
    question.hidden = true;
    dialog.querySelector("input, textarea, select, button")?.focus();
  };
  const leave = () => {
    if (!isDirty()) return dialog.close();
    const discard = h(
      "button",
      { class: "button button-danger", type: "button", onclick: () => dialog.close() },
      options.discard ?? "Discard",
    );
    question.hidden = false;
    replace(question, h("p", {}, asked), stay, discard);
    stay.focus();
  };
  dialog.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== "Escape" || event.defaultPrevented) return;
    event.preventDefault();
    leave();
  });
  // The back button of a phone.
  dialog.addEventListener("cancel", (/** @type {Event} */ event) => {
    if (event.target !== dialog) return;
    event.preventDefault();
    leave();
  });
  // On another page it would be out of place, unless it has input.
  const moved = () => !isDirty() && dialog.close();
  window.addEventListener("hashchange", moved);
  const left = (/** @type {BeforeUnloadEvent} */ event) => isDirty() && event.preventDefault();
  window.addEventListener("beforeunload", left);
  dialog.addEventListener("close", () => {
    window.removeEventListener("hashchange", moved);
    window.removeEventListener("beforeunload", left);
    dialog.remove();
    onclose();
  });
  dialog.addEventListener("click", (/** @type {MouseEvent} */ event) => {
    if (event.target instanceof Element && event.target.closest('a[href^="#"]')) dialog.close();
  });
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

// After a sign-out, the dialog's data must not be read or used.
document.addEventListener("signedout", () => {
  document.querySelectorAll("dialog").forEach((dialog) => dialog.close());
});

/** @param {() => void} close */
const closeButton = (close) =>
  h("button", { class: "button", type: "button", onclick: close }, "Close");

/**
 * @typedef {object} Form
 * @property {string} title
 * @property {any} [text] a text, or its parts
 * @property {any[]} fields as `field` takes them
 * @property {string} action the text of the button
 * @property {string} [tone]
 * @property {(answers: Record<string, any>, options: { key: string, wasLost: boolean }) =>
 *   Promise<unknown>} submit
 * @property {(answers: Record<string, any>) => Promise<string | Node>} [preview] shows the effect
 * @property {string} [name] the subject of the form, if the title does not identify it
 */

/**
 * Asks for input and sends it once. `submit` receives the input, and `options` for its request: the
 * one Idempotency-Key of this intent. If it throws, the dialog stays open and shows the error. If
 * it is unknown whether the request arrived, the dialog keeps the input that was sent; sending it
 * again, also after a reload, repeats the same request.
 * @param {Form} form
 */
export function formDialog({ title, text, fields, action, tone, preview, submit, name = title }) {
  let intent = unsettledIntent(name);
  let isSending = false;
  let isOpen = true;
  const { form, inputs, problem, giveUp, button } = formOf(
    { text, fields, action, tone, preview },
    intent?.answers ?? {},
    { forget: () => forget(), close: () => dialog.close() },
  );
  const show = (/** @type {Node[]} */ content) => {
    const isLost = intent?.isLost ?? false;
    // A repetition sends the same input.
    if (intent && isLost) write(form, intent.answers);
    inputs.disabled = isLost;
    giveUp.hidden = !isLost || isSending;
    button.disabled = isSending;
    problem.hidden = content.length === 0;
    replace(problem, content);
    if (content.length > 0) problem.scrollIntoView({ block: "nearest" });
    if (isLost && isOpen) button.focus();
  };
  const forget = () => {
    if (intent) settleIntent(intent);
    intent = null;
    show([]);
  };
  const send = async () => {
    const mine = intentFor({ name, title }, intent, read(form));
    intent = mine;
    keepIntent(mine);
    isSending = true;
    show([]);
    try {
      await submit(mine.answers, { key: mine.key, wasLost: mine.isLost });
      forget();
      dismiss(reminderOf(name));
      dialog.close();
    } catch (error) {
      isSending = false;
      const outcome = outcomeOf(mine, error);
      mine.isLost = outcome === "lost";
      if (!mine.isLost) settleIntent(mine);
      if (outcome === "refused") intent = null;
      show(mine.isLost ? lostText(error) : explanation(error));
      if (!isOpen && mine.isLost) remind(mine);
      else if (!isOpen) notify(`${title}: ${messageOf(error)}`, "bad");
    }
  };
  form.addEventListener("submit", (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    if (!isSending) void send();
  });
  const begun = () => JSON.stringify(read(form));
  const dialog = open(title, [form], {
    isDirty: () => !intent?.isLost && !isSending && begun() !== atFirst,
    onclose() {
      isOpen = false;
      if (intent?.isLost && !isSending) remind(intent);
    },
  });
  const atFirst = begun();
  dismiss(reminderOf(name));
  show(intent ? lostText(null) : []);
}

/**
 * Builds the parts of a form whose input is sent once.
 * @param {Pick<Form, "text" | "fields" | "action" | "tone" | "preview">} what
 * @param {Record<string, any>} answers the input when it was sent
 * @param {{ forget: () => void, close: () => void }} actions
 */
function formOf(what, answers, { forget, close }) {
  const { text, fields, action, tone = "primary" } = what;
  const preview = what.preview && previewOf(what.preview);
  const inputs = h(
    "fieldset",
    { class: "form" },
    arrange(fields.map((each) => field({ ...each, value: answers[each.name] ?? each.value }))),
  );
  const problem = h("div", { class: "form-error", role: "alert", hidden: true });
  const giveUp = h(
    "button",
    { class: "button button-quiet", type: "button", hidden: true, onclick: forget },
    "Start over",
  );
  const button = h("button", { class: `button button-${tone}`, type: "submit" }, action);
  const form = h(
    "form",
    { class: "form" },
    text && h("p", { class: "dialog-text" }, text),
    fields.length > 0 && inputs,
    preview?.element,
    problem,
    h("div", { class: "dialog-actions" }, giveUp, closeButton(close), button),
  );
  preview?.follow(form);
  return { form, inputs, problem, giveUp, button };
}

/**
 * Returns the intent to send: the earlier one, if it may have arrived or is the same, as an error
 * with it may have come after it took effect. Otherwise a new one.
 * @param {{ name: string, title: string }} what
 * @param {import("./intents.js").Intent | null} before
 * @param {Record<string, any>} answers
 */
function intentFor({ name, title }, before, answers) {
  const isSame = before && JSON.stringify(before.answers) === JSON.stringify(answers);
  return before && (before.isLost || isSame) ? before : beginIntent(name, answers, title);
}

/** @param {unknown} error */
const messageOf = (error) => (error instanceof Error ? error.message : String(error));

/** @param {unknown} error */
const lostText = (error) => [
  h("p", {}, "It is not known whether this arrived. Press again: nothing is done twice."),
  error !== null && h("p", { class: "hint" }, messageOf(error)),
];

/** @param {string} name */
const reminderOf = (name) => `lost:${name}`;

/** @param {import("./intents.js").Intent} intent */
function remind(intent) {
  const { name, title, address } = intent;
  const forget = () => {
    settleIntent(intent);
    dismiss(reminderOf(name));
  };
  notify(
    `It is not known whether “${title}” arrived. Open it again and press once more: nothing is done twice.`,
    "bad",
    {
      seconds: null,
      name: reminderOf(name),
      actions: [
        h("a", { class: "notice-action", href: address || "#/" }, "Go there"),
        h("button", { class: "notice-action", type: "button", onclick: forget }, "Forget it"),
      ],
    },
  );
}

/** Shows, after a reload, the requests of which it is unknown whether they arrived. */
export function remindOfLost() {
  unsettledIntents().forEach(remind);
}

/**
 * Changes an existing object: sends only changed fields, if the rest is as it was loaded. Otherwise
 * the changes of others are kept, or shown next to the input, to choose from.
 * @param {{ title: string } & import("./edits.js").Editing} editing
 */
export function editDialog({ title, ...editing }) {
  const { element, isDirty } = editForm(editing, {
    buttons: [closeButton(() => dialog.close())],
    finished: () => dialog.close(),
  });
  const dialog = open(title, [element], { isDirty });
}

/**
 * Shows something.
 * @param {string} title
 * @param {Node} content
 */
export function contentDialog(title, content) {
  const actions = h(
    "div",
    { class: "dialog-actions" },
    closeButton(() => dialog.close()),
  );
  const dialog = open(title, [content, actions]);
}

/**
 * Asks for confirmation of something that cannot be undone.
 * @param {{ title: string, text: string, action: string, submit: Form["submit"], name?: string }} what
 */
export function confirmDialog({ title, text, action, submit, name }) {
  formDialog({ title, text, fields: [], action, tone: "danger", submit, name });
}

/**
 * Shows a secret that cannot be shown again.
 * @param {{ title: string, text: string, secret: string }} what
 */
export function secretDialog({ title, text, secret }) {
  const output = h("output", { class: "secret" }, secret);
  const copy = h("button", { class: "button button-primary", type: "button" }, "Copy");
  let isKept = false;
  copy.addEventListener("click", async () => {
    isKept = true;
    try {
      await navigator.clipboard.writeText(secret);
      notify("Copied.");
    } catch {
      getSelection()?.selectAllChildren(output);
      notify("It is selected; copy it with the keyboard.");
    }
  });
  const close = h(
    "button",
    { class: "button", type: "button", onclick: () => dialog.close() },
    "I have saved it",
  );
  const dialog = open(
    title,
    [
      h("p", { class: "dialog-text" }, text),
      output,
      h("div", { class: "dialog-actions" }, close, copy),
    ],
    {
      isDirty: () => !isKept,
      question: "It cannot be shown again. Close it anyway?",
      discard: "Close",
    },
  );
}
