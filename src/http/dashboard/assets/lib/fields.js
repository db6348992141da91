// Form fields with their labels, and reading them.

import { h } from "./dom.js";

let fields = 0;

/**
 * A field: `{ name, label, type, value, hint, options, required, … }`. `type` is that of an
 * input, or `select`, `textarea`, `checks` (several of the options) or `check` (one box).
 */
export function field({ name, label, type = "text", value, hint, options, ...rest }) {
  const id = `field-${++fields}`;
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
    note,
  );
}

/** A choice. `options` is a list of values, or of `[value, text]`. */
export function select(options, value, attributes = {}) {
  const rows = options.map((option) => (Array.isArray(option) ? option : [option, option]));
  return h(
    "select",
    attributes,
    rows.map(([each, text]) => h("option", { value: each, selected: each === value }, text)),
  );
}

/** A choice with its label before it, for the bar above a list or a chart. */
export function picker(label, options, value, onchange) {
  const input = select(options, value, { onchange: ({ target }) => onchange(target.value) });
  return h("label", { class: "picker" }, h("span", {}, label), input);
}

function checks({ name, label, options, value, note }) {
  const boxes = options.map((option) =>
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

/** What a form holds, by name: text, trimmed; true or false of a box; a list of several boxes. */
export function read(form) {
  const answers = {};
  for (const input of form.elements) {
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

/** A whole number that was typed in, or null for none. */
export const numberOrNull = (text) => (text === "" ? null : Number(text));

/** What an input of the type `datetime-local` shows for a time, and back. */
export function toLocal(time) {
  if (!time) return "";
  const date = new Date(time);
  return new Date(date - date.getTimezoneOffset() * 60000).toISOString().slice(0, 16);
}

export const fromLocal = (text) => (text === "" ? null : new Date(text).toISOString());
