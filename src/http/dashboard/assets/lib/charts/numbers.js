// A chart's numbers as a table. Its rows are created when it is opened, some hundreds at a time.

import { h } from "../dom.js";

const STEP = 250;

/**
 * @typedef {import("../../../types").DrawnChart} DrawnChart
 * @typedef {ReturnType<typeof frame>} Frame
 */

/** `{ element, update(what) }`; empty while it is closed. */
export function numbers() {
  const place = h("div", {});
  const element = h("details", {}, h("summary", {}, "Show as a table"), place);
  /** @type {DrawnChart | null} */
  let what = null;
  let shown = STEP;
  /** @type {Frame | null} */
  let parts = null;
  const show = () => {
    if (!element.open || !what) return;
    parts ??= frame(place, () => {
      shown += STEP;
      show();
    });
    fill(parts, what, shown);
  };
  element.addEventListener("toggle", () => {
    if (!element.open) {
      place.replaceChildren();
      parts = null;
      shown = STEP;
    }
    show();
  });
  return {
    element,
    /** @param {DrawnChart} next */
    update(next) {
      what = next;
      show();
    },
  };
}

/**
 * @param {HTMLElement} place
 * @param {() => void} more
 */
function frame(place, more) {
  const caption = h("caption", { class: "hidden" });
  const head = h("tr");
  const body = h("tbody");
  const table = h("table", {}, caption, h("thead", {}, head), body);
  const attributes = { class: "table-frame table-tall", tabindex: "0", role: "region" };
  const scroller = h("div", attributes, table);
  const button = h("button", { class: "button button-small", type: "button", onclick: more });
  const rest = h("p", { class: "more" }, button);
  place.replaceChildren(scroller, rest);
  return { scroller, caption, head, body, button, rest };
}

/**
 * Updates the table cell by cell, so that scrolling and selection are kept.
 *
 * @param {Frame} parts
 * @param {DrawnChart} what
 * @param {number} most
 */
function fill({ scroller, caption, head, body, button, rest }, what, most) {
  scroller.setAttribute("aria-label", what.title);
  write(caption, what.title);
  const heads = [what.column, ...what.series.map(({ name, unit }) => `${name}, ${unit}`)];
  resize(head, heads.length, (at) => h("th", { scope: "col", class: at ? "number" : null }));
  heads.forEach((text, at) => write(head.children[at], text));
  const rows = Math.min(what.count, most);
  resize(body, rows, () => h("tr"));
  for (let row = 0; row < rows; row += 1) {
    const line = body.children[row];
    resize(line, heads.length, (at) =>
      at ? h("td", { class: "number" }) : h("th", { scope: "row" }),
    );
    const isOpen = row === what.openAt;
    write(line.children[0], what.nameOf(row) + (isOpen ? ` (${what.openText})` : ""));
    what.series.forEach(({ values }, at) => {
      const value = values[row];
      write(line.children[at + 1], value === null ? "–" : what.formatWhole(value));
    });
  }
  const left = what.count - rows;
  rest.hidden = left === 0;
  write(button, `Show ${Math.min(STEP, left)} more of ${what.formatWhole(left)}`);
}

/**
 * @param {Element} parent
 * @param {number} length
 * @param {(at: number) => Node} make
 */
function resize(parent, length, make) {
  while (parent.childElementCount > length) parent.lastElementChild?.remove();
  while (parent.childElementCount < length) parent.append(make(parent.childElementCount));
}

/**
 * @param {Element} element
 * @param {string} text
 */
function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
