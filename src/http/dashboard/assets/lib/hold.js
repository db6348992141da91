// Lists that stay still: while the pointer or the focus is in one, nothing in it moves. Rows that
// were added or removed meanwhile are announced, and shown on request, or when pointer and focus
// have left.
//
// A list is an element with `data-hold="name"`, whose children have a `data-key` each. "3 new" is
// shown in a `holdSlot(name)`, which has its space from the beginning, so that showing it moves
// nothing either. On a touch screen, where the next touch cannot be predicted, a list always stays
// still.

import { h, replace, settle } from "./dom.js";
import { count, number } from "./format.js";

const hasNoHover = matchMedia("(hover: none)");
/**
 * Held changes, by list.
 *
 * @type {Map<any, { arrivals: number, leavers: number, show: () => void }>}
 */
const waiting = new Map();
let isWatching = false;

/**
 * The place where lists of a name announce the changes they hold.
 * @param {string} name
 * @returns {HTMLElement}
 */
export function holdSlot(name) {
  return h("div", { class: "hold-slot", role: "status", "data-hold-slot": name, "data-own": "" });
}

/**
 * Whether a press could be on its way to an element.
 *
 * @param {Element} element
 */
const isUnderHand = (element) =>
  element.matches(":hover") || element.contains(document.activeElement);

/** @param {Element} list */
const isHeld = (list) =>
  list.isConnected && list.childElementCount > 0 && (hasNoHover.matches || isUnderHand(list));

/**
 * Takes over the new rows of a list, if nothing in it may move now; returns whether it did.
 * Remaining rows are updated; new ones after the last row are added; others wait, and removed ones
 * stay in place and do nothing any more.
 *
 * @param {any} list
 * @param {any[]} nodes its new children
 * @param {object} change
 * @param {(row: Element, node: ChildNode) => void} change.update
 * @param {(list: Element, nodes: ChildNode[], isLive: boolean) => void} change.arrange called once
 *   it may move
 * @param {boolean} change.isLive caused by an event, not by the user, so the row under the pointer
 *   stays as it is
 * @returns {boolean}
 */
export function holdBack(list, nodes, { update, arrange, isLive }) {
  if (!isHeld(list)) {
    forget(list);
    return false;
  }
  // The held changes of a page that was left are dropped.
  for (const other of waiting.keys()) if (!other.isConnected) waiting.delete(other);
  const fresh = new Map(nodes.map((node) => [keyOf(node), node]));
  const rows = new Map([...list.children].map((row) => [keyOf(row), row]));
  // If no shown row stays, all of it is new, and above.
  const last = nodes.findLastIndex((node) => rows.has(keyOf(node)));
  const end = last < 0 ? nodes.length : last + 1;
  let leavers = 0;
  let isBehind = false;
  for (const [key, row] of rows) {
    const node = fresh.get(key);
    row.toggleAttribute("data-gone", !node);
    if (!node) {
      leavers += 1;
    } else if (isLive && isUnderHand(row)) {
      isBehind = true;
    } else {
      update(row, node);
      // The row is updated; its new version has been used up.
      fresh.set(key, row);
    }
  }
  for (const node of nodes.slice(end)) {
    list.append(node);
    settle(node);
  }
  const arriving = nodes.slice(0, end).filter((node) => !rows.has(keyOf(node)));
  // A held change does not keep the nodes that it was rendered with.
  for (const node of arriving) node.remove();
  const arrivals = arriving.length;
  const wanted = [...fresh.values()];
  if (arrivals + leavers === 0 && !isBehind && isInOrder(list, wanted)) {
    forget(list);
    return true;
  }
  waiting.set(list, { arrivals, leavers, show: () => arrange(list, wanted, false) });
  watch();
  tell(list.dataset.hold);
  return true;
}

/** @param {any} node */
const keyOf = (node) => node.dataset.key;

/**
 * @param {Element} list
 * @param {Element[]} wanted
 */
const isInOrder = (list, wanted) => wanted.every((node, at) => list.children[at] === node);

/** Checks, from the first held list on, whether each still has to be held. */
function watch() {
  if (isWatching) return;
  isWatching = true;
  // The new focus is known a moment after the old one is lost.
  const look = () => setTimeout(showAll);
  for (const type of ["pointerover", "focusin", "focusout"]) document.addEventListener(type, look);
  document.documentElement.addEventListener("pointerleave", look);
}

/**
 * Shows held changes, in all lists that need not be held any more, or in those of a name.
 *
 * @param {string} [name]
 */
function showAll(name) {
  for (const [list, { show }] of [...waiting]) {
    if (list.isConnected && list.dataset.hold !== name && isHeld(list)) continue;
    forget(list);
    if (list.isConnected) show();
  }
}

/** @param {any} list */
function forget(list) {
  if (waiting.delete(list)) tell(list.dataset.hold);
}

/** @param {string} name */
function tell(name) {
  const all = [...waiting].filter(([list]) => list.dataset.hold === name).map(([, what]) => what);
  const sum = (/** @type {"arrivals" | "leavers"} */ field) =>
    all.reduce((total, what) => total + what[field], 0);
  // A removed row stays visible in its place.
  const text = sum("arrivals") ? `${number(sum("arrivals"))} new` : count(sum("leavers"), "change");
  const isSome = sum("arrivals") + sum("leavers") > 0;
  for (const slot of document.querySelectorAll(`[data-hold-slot="${CSS.escape(name)}"]`)) {
    if (!isSome) {
      slot.replaceChildren();
    } else if (slot.firstChild) {
      slot.firstChild.textContent = text;
    } else {
      const press = () => showAll(name);
      replace(
        slot,
        h("button", { class: "button button-held", type: "button", onclick: press }, text),
      );
    }
  }
}
