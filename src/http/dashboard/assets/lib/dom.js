// Builds elements by functions. Text is only added as text nodes, so that nothing needs escaping.

const SVG = "http://www.w3.org/2000/svg";
/**
 * The `on…` attributes of `h`, by the name of the event: one listener calls the present handler.
 */
const HANDLERS = Symbol("handlers");
/** The element that a stand-in represents. */
const STANDS_FOR = Symbol("stands for");

/**
 * An element: `h("p", { class: "hint" }, "text", child)`. Null and false children are left out.
 * `value` and `checked` are initial values; they do not change the user's input.
 * @param {string} tag
 * @param {Record<string, any>} attributes
 * @param {...any} children
 * @returns {any} an element of that tag
 */
export function h(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/**
 * Like `h`, for drawings.
 * @param {string} tag
 * @param {Record<string, any>} attributes
 * @param {...any} children
 * @returns {any} an element of that tag
 */
export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

/**
 * @param {any} element
 * @param {Record<string, any>} attributes
 * @param {any[]} children
 */
function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) handle(element, name.slice(2), value);
    else if (name === "value" && element.localName === "textarea") element.defaultValue = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  append(element, children);
  return element;
}

/**
 * @param {any} element
 * @param {string} type
 * @param {(event: any) => unknown} handler
 */
function handle(element, type, handler) {
  element[HANDLERS] ??= {};
  if (!(type in element[HANDLERS])) element.addEventListener(type, dispatch);
  element[HANDLERS][type] = handler;
}

/**
 * Calls the handler. A removed row that only keeps its place does nothing.
 *
 * @this {any}
 * @param {Event} event
 */
function dispatch(event) {
  const handler = this[HANDLERS][event.type];
  if (handler && !this.closest("[data-gone]")) handler.call(this, event);
}

/**
 * Makes an element behave like another one of its kind.
 *
 * @param {any} element
 * @param {any} other
 */
export function adoptHandlers(element, other) {
  const handlers = other[HANDLERS] ?? {};
  for (const type of Object.keys(element[HANDLERS] ?? {})) element[HANDLERS][type] = null;
  for (const [type, handler] of Object.entries(handlers)) handle(element, type, handler);
}

/**
 * Adds children, nested lists included. An element that is on the page already stays there until
 * its new parent is on the page, too; until then a stand-in represents it.
 * @param {ParentNode} parent
 * @param {any[]} children
 */
export function append(parent, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    parent.append(child.isConnected && !parent.isConnected ? standIn(child) : child);
  }
}

/** @param {any} element */
function standIn(element) {
  /** @type {any} */
  const comment = document.createComment("");
  comment[STANDS_FOR] = element;
  return comment;
}

/**
 * The element that a node represents, usually the node itself.
 *
 * @param {any} node
 */
export const meant = (node) => node[STANDS_FOR] ?? node;

/**
 * Replaces stand-ins below a node by their elements.
 *
 * @param {Node} node
 */
export function settle(node) {
  const walker = document.createTreeWalker(node, NodeFilter.SHOW_COMMENT);
  /** @type {any[]} */
  const found = [];
  while (walker.nextNode()) found.push(walker.currentNode);
  for (const comment of found) if (comment[STANDS_FOR]) comment.replaceWith(comment[STANDS_FOR]);
}

/**
 * Replaces the children of an element.
 * @param {Element} parent
 * @param {...any} children
 */
export function replace(parent, ...children) {
  const focused = focusKey(parent);
  const fresh = document.createDocumentFragment();
  append(fresh, children);
  parent.replaceChildren(...[...fresh.childNodes].map(meant));
  settle(parent);
  if (!focused) return;
  /** @type {HTMLElement | null} */
  const again = parent.querySelector(`[data-focus="${CSS.escape(focused)}"]`);
  again?.focus();
}

/**
 * The element with the focus, by its `data-focus`, so that an update from the server does not move
 * the focus.
 *
 * @param {Element} parent
 */
function focusKey(parent) {
  const active = document.activeElement;
  return active && parent.contains(active) ? active.getAttribute("data-focus") : null;
}

/**
 * An icon of a few strokes. Screen readers skip it and read the text next to it.
 *
 * @param {string} name
 */
export function icon(name) {
  const lines = (ICONS[name] ?? "").split("|").map((d) => svg("path", { d }));
  return svg("svg", { class: "icon", viewBox: "0 0 20 20", "aria-hidden": "true" }, lines);
}

/** @type {Record<string, string>} */
const ICONS = {
  overview: "M3 16.5h14|M5.5 13.5v-4|M10 13.5v-9|M14.5 13.5v-6",
  offers: "M3.5 4.5h13v4a1.6 1.6 0 0 0 0 3.2v4h-13v-4a1.6 1.6 0 0 0 0-3.2z|M11.5 7.5v5",
  members: "M10 9.5a3 3 0 1 0 0-6 3 3 0 0 0 0 6z|M4 16.5c.6-3 3-4.5 6-4.5s5.4 1.5 6 4.5",
  redemptions: "M3.5 4h3.5v12h-3.5z|M8.4 4h3.5v8h-3.5z|M13.2 4h3.5v5h-3.5z",
  interests: "M10 16.5l-5.6-5.7a3.6 3.6 0 0 1 5.1-5.1l.5.5.5-.5a3.6 3.6 0 0 1 5.1 5.1z",
  inbox: "M3.5 4.5h13v9h-7l-3.5 3v-3h-2.5z",
  file: "M5 3h6.5l3.5 3.5v10.5h-10z|M11.5 3v3.5h3.5",
  webhooks:
    "M6 6.5a2.5 2.5 0 1 1 4.4 1.6l2.4 4.1|M13.5 16.2a2.5 2.5 0 1 0-2-4|M8.6 9.2l-2.4 3.8a2.5 2.5 0 1 0 2.3 2.5h4.6",
  programs:
    "M3.5 3.5h5.5v5.5h-5.5z|M11 3.5h5.5v5.5h-5.5z|M3.5 11h5.5v5.5h-5.5z|M11 11h5.5v5.5h-5.5z",
  settings:
    "M3.5 6h7|M14.5 6h2|M3.5 14h2|M9.5 14h7|M12.5 8a2 2 0 1 0 0-4 2 2 0 0 0 0 4z|M7.5 16a2 2 0 1 0 0-4 2 2 0 0 0 0 4z",
  credits: "M10 16.5a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13z|M10 6.5v7|M7.5 10h5",
  server: "M3.5 4h13v5h-13z|M3.5 11h13v5h-13z|M6.5 6.5h.5|M6.5 13.5h.5",
  open: "M6 8l4 4 4-4",
  menu: "M3.5 6h13|M3.5 10h13|M3.5 14h13",
  light:
    "M10 13.2a3.2 3.2 0 1 0 0-6.4 3.2 3.2 0 0 0 0 6.4z|M10 2.5v1.5|M10 16v1.5|M2.5 10h1.5|M16 10h1.5|M4.7 4.7l1 1|M14.3 14.3l1 1|M4.7 15.3l1-1|M14.3 5.7l1-1",
  dark: "M16 11.8a6.5 6.5 0 1 1-7.8-7.8 5.2 5.2 0 0 0 7.8 7.8z",
  leave: "M8 3.5h-4.5v13h4.5|M12.5 6.5l3.5 3.5-3.5 3.5|M16 10h-8.5",
  search: "M9 14.5a5.5 5.5 0 1 0 0-11 5.5 5.5 0 0 0 0 11z|M13 13l3.5 3.5",
  plus: "M10 4v12|M4 10h12",
  back: "M12 4.5l-5.5 5.5 5.5 5.5",
};
