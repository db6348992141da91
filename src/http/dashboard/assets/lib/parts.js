// Building blocks of several pages: headings, cards, figures, tables, lists with a button for more.

import { h, icon } from "./dom.js";
import { label } from "./statuses.js";

/**
 * The head of a page.
 *
 * @param {string} title
 * @param {any} [text]
 * @param {...any} actions
 */
export function pageHead(title, text, ...actions) {
  document.title = `${title} · Stampcard`;
  return h(
    "header",
    { class: "page-head" },
    h("div", {}, h("h1", { tabindex: "-1" }, title), text && h("p", { class: "lead" }, text)),
    actions.length > 0 && h("div", { class: "actions" }, actions),
  );
}

/**
 * A surface with a heading.
 *
 * @param {any} title
 * @param {...any} content
 */
export function card(title, ...content) {
  return h("section", { class: "card" }, title && h("h2", { class: "card-title" }, title), content);
}

/**
 * Figures side by side.
 *
 * @param {{ label: string, value: any, note?: any, name?: string }[]} rows
 */
export function figures(rows) {
  return h(
    "dl",
    { class: "figures" },
    rows.map((row) =>
      h(
        "div",
        { class: "figure", "data-figure": row.name ?? row.label },
        h("dt", {}, row.label),
        h("dd", { class: "figure-value" }, row.value),
        row.note && h("dd", { class: "figure-note" }, row.note),
      ),
    ),
  );
}

/**
 * Terms with their values; rows without a value are left out.
 *
 * @param {[term: any, what: any][]} rows
 */
export function facts(rows) {
  return h(
    "dl",
    { class: "facts" },
    rows
      .filter(([, what]) => what !== null)
      .map(([term, what]) => h("div", {}, h("dt", {}, term), h("dd", {}, what))),
  );
}

/**
 * @typedef {object} ButtonLooks
 * @property {string | null} [tone]
 * @property {string | null} [focus] identifies it after an update
 * @property {string | null} [symbol] an icon before its text
 */

/**
 * @param {any} text
 * @param {(event: any) => unknown} onclick
 * @param {ButtonLooks & Record<string, any>} [looks] and other attributes
 */
export function button(text, onclick, { tone, focus, symbol, ...rest } = {}) {
  return h(
    "button",
    {
      type: "button",
      class: `button${tone ? ` button-${tone}` : ""}`,
      onclick,
      "data-focus": focus,
      ...rest,
    },
    symbol && icon(symbol),
    text,
  );
}

/**
 * The status of a redemption, an organization or a delivery.
 *
 * @param {string} status
 */
export function badge(status) {
  return h("span", { class: `badge badge-${status.toLowerCase()}` }, label(status));
}

/**
 * @typedef {object} Column
 * @property {any} label
 * @property {(row: any) => any} cell
 * @property {boolean} [isNumber]
 * @property {boolean} [isWide]
 */

/**
 * A table. A column is `{ label, cell(row), isNumber, isWide }`; wide ones are left out on a narrow
 * screen. With `keyOf` an update finds its rows again, and with `hold`, the name of a `holdSlot`,
 * they do not move under the pointer.
 *
 * @param {string} caption
 * @param {Column[]} columns
 * @param {any[]} rows
 * @param {{ keyOf?: (row: any) => string | number, hold?: string }} [options]
 */
export function table(caption, columns, rows, { keyOf, hold } = {}) {
  const classOf = (/** @type {Column} */ column) =>
    [column.isNumber && "number", column.isWide && "wide"].filter(Boolean).join(" ") || null;
  const heads = columns.map((column) =>
    h("th", { class: classOf(column), scope: "col" }, column.label),
  );
  const rowOf = (/** @type {any} */ row) => {
    const cells = columns.map((column, at) =>
      h(
        at === 0 ? "th" : "td",
        { class: classOf(column), scope: at === 0 ? "row" : null },
        column.cell(row),
      ),
    );
    return h("tr", { "data-key": keyOf?.(row) }, cells);
  };
  return h(
    "div",
    { class: "table-frame", tabindex: "0", role: "region", "aria-label": caption },
    h(
      "table",
      {},
      h("caption", { class: "hidden" }, caption),
      h("thead", {}, h("tr", {}, heads)),
      h("tbody", { "data-hold": hold }, rows.map(rowOf)),
    ),
  );
}

/**
 * A field that calls back once the typing pauses.
 *
 * @param {string} labelText
 * @param {(text: string) => unknown} oninput
 */
export function searchField(labelText, oninput, name = "search") {
  /** @type {number | undefined} */
  let timer;
  const input = h("input", {
    type: "search",
    name,
    placeholder: labelText,
    "aria-label": labelText,
    autocomplete: "off",
  });
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => oninput(input.value.trim()), 250);
  });
  return h("div", { class: "search" }, icon("search"), input);
}

/**
 * A link to a page of the dashboard.
 *
 * @param {string} to
 * @param {...any} content
 */
export const link = (to, ...content) => h("a", { href: `#/${to}` }, content);

/**
 * The link back to a list.
 *
 * @param {string} to
 * @param {string} text
 */
export const backLink = (to, text) =>
  h("p", {}, h("a", { class: "back", href: `#/${to}` }, icon("back"), text));
