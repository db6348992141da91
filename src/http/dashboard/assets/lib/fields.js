// Form fields with their labels, and reading them.

import { h, replace } from "./dom.js";

let fields = 0;

/** @typedef {(string | string[])[]} Options values, some with their texts */
/** @typedef {HTMLInputElement & { type: string }} Input any element of a form */

/**
 * A field: `{ name, label, type, value, hint, options, required, … }`. `type` is that of an input,
 * or `select`, `textarea`, `checks` (several of the options) or `check` (one box). `suggestions` is
 * a promise of texts to choose from, each of which is one item of a list with commas.
 * @param {Record<string, any>} what
 * @returns {HTMLElement}
 */
export function field({ name, label, type = "text", value, hint, options, ...others }) {
  const id = `field-${++fields}`;
  const { suggestions, ...rest } = others;
  const hintId = hint ? `${id}-hint` : null;
  const attributes = { id, name, "aria-describedby": hintId, ...rest };
  const note = hint && h("p", { class: "hint", id: hintId }, hint);
  if (type === "check") {
    const box = h("input", { ...attributes, type: "checkbox", checked: Boolean(value) });
    return h("div", { class: "field" }, h("label", { class: "check", for: id }, box, label), note);
  }
  if (type === "checks") return checks({ name, label, options, value: value ?? [], note });
  let input;
  if (type === "select") {
    input = select(options, value, attributes);
  } else if (type === "textarea") {
    input = h("textarea", { rows: 3, ...attributes, value: value ?? "" });
  } else {
    input = h("input", { autocomplete: "off", ...attributes, type, value: value ?? "" });
  }
  return h(
    "div",
    { class: "field" },
    h("label", { for: id }, label, !rest.required && h("span", { class: "hint" }, " optional")),
    input,
    suggestions && suggest(input, suggestions),
    note,
  );
}

/**
 * Places the elements of fields. Those of fields with `data-more` are in a part that opens, also
 * when the browser finds something wrong in it.
 * @param {HTMLElement[]} elements
 */
export function arrange(elements) {
  const isMore = (/** @type {HTMLElement} */ each) => each.querySelector("[data-more]") !== null;
  const more = elements.filter(isMore);
  if (more.length === 0) return elements;
  const part = h(
    "details",
    { class: "form-more" },
    h("summary", {}, "More"),
    h("div", { class: "form" }, more),
  );
  // It does not bubble.
  part.addEventListener("invalid", () => (part.open = true), true);
  return [elements.filter((each) => !isMore(each)), part];
}

/**
 * Suggests texts for the last item of a list with commas.
 * @param {HTMLInputElement} input
 * @param {Promise<string[]>} suggestions
 */
function suggest(input, suggestions) {
  const list = h("datalist", { id: `${input.id}-list` });
  input.setAttribute("list", list.id);
  const fill = (/** @type {string[]} */ texts) => {
    const parts = input.value.split(",").map((part) => part.trim());
    const before = parts.slice(0, -1);
    const left = texts.filter((text) => !before.includes(text));
    replace(
      list,
      left.map((text) => h("option", { value: [...before, text].join(", ") })),
    );
  };
  void suggestions.then((texts) => {
    fill(texts);
    input.addEventListener("input", () => fill(texts));
  });
  return list;
}

/**
 * A select element.
 * @param {Options} options
 * @param {string | null | undefined} value
 * @param {Record<string, any>} [attributes]
 */
export function select(options, value, attributes = {}) {
  const rows = options.map((option) => (Array.isArray(option) ? option : [option, option]));
  return h(
    "select",
    attributes,
    rows.map(([each, text]) => h("option", { value: each, selected: each === value }, text)),
  );
}

/**
 * A select element with its label, for the bar above a list or a chart.
 * @param {string} label
 * @param {Options} options
 * @param {string} value
 * @param {(value: string) => void} onchange
 */
export function picker(label, options, value, onchange) {
  const input = select(options, value, {
    onchange: (/** @type {any} */ { target }) => onchange(target.value),
  });
  return h("label", { class: "picker" }, h("span", {}, label), input);
}

/** @param {Record<string, any>} what */
function checks({ name, label, options, value, note }) {
  const boxes = options.map((/** @type {string} */ option) =>
    h(
      "label",
      { class: "check" },
      h("input", { type: "checkbox", name, value: option, checked: value.includes(option) }),
      h("span", {}, option),
    ),
  );
  return h(
    "fieldset",
    { class: "field" },
    h("legend", {}, label),
    h("div", { class: "checks" }, boxes),
    note,
  );
}

/**
 * Fills in the fields of a form with the values that `read` returned.
 * @param {HTMLFormElement} form
 * @param {Record<string, any>} answers
 */
export function write(form, answers) {
  for (const input of inputsOf(form)) {
    if (!(input.name in answers)) continue;
    const answer = answers[input.name];
    if (input.type !== "checkbox") input.value = answer;
    else input.checked = Array.isArray(answer) ? answer.includes(input.value) : answer;
  }
}

/**
 * Returns the values of a form, by name: text, trimmed; true or false of a box; a list of several
 * boxes.
 * @param {HTMLFormElement} form
 * @returns {Record<string, any>}
 */
export function read(form) {
  /** @type {Record<string, any>} */
  const answers = {};
  for (const input of inputsOf(form)) {
    if (!input.name) continue;
    if (input.type === "checkbox") {
      const isOneOfMany = input.closest("fieldset .checks") !== null;
      if (!isOneOfMany) answers[input.name] = input.checked;
      else (answers[input.name] ??= []).push(...(input.checked ? [input.value] : []));
    } else {
      answers[input.name] = input.value.trim();
    }
  }
  return answers;
}

/**
 * @param {HTMLFormElement} form
 * @returns {Input[]}
 */
const inputsOf = (form) => /** @type {Input[]} */ ([...form.elements]);

/**
 * Parses a whole number from an input, or null for none.
 * @param {string} text
 */
export const numberOrNull = (text) => (text === "" ? null : Number(text));

/**
 * Returns a time as the value of an input of the type `datetime-local`.
 * @param {string | null | undefined} time
 */
export function toLocal(time) {
  if (!time) return "";
  const date = new Date(time);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60000).toISOString().slice(0, 16);
}

/**
 * Returns the time of such an input, or null for none.
 * @param {string} text
 */
export const fromLocal = (text) => (text === "" ? null : new Date(text).toISOString());
