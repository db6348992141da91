// Updates the page in place. Elements stay the same elements, and keep their focus, selection,
// scroll position, input and open parts.

import { adoptHandlers, append, meant, settle } from "./dom.js";
import { holdBack } from "./hold.js";

/**
 * Makes an element's children like the given ones. An old and a new child are the same one if both
 * have the same `data-key`, or neither has one and they are of one kind and in the same order. An
 * element that was passed before, and is passed again, is left as it is; of one with `data-own` the
 * children are.
 *
 * @param {Element} parent
 * @param {any[]} children as `h` takes them
 * @param {{ isLive?: boolean }} options `isLive`: caused by an event, not by the user, so the row
 *   under the pointer or with the focus in a list with `data-hold` stays as it is
 */
export function patch(parent, children, { isLive = false } = {}) {
  const fresh = document.createDocumentFragment();
  append(fresh, children);
  patchChildren(parent, fresh, isLive);
}

/**
 * The nodes of a patch are of any kind, and checked before use.
 *
 * @typedef {any} Item
 */

/**
 * @param {Item} parent
 * @param {ParentNode & Node} fresh
 * @param {boolean} isLive
 */
function patchChildren(parent, fresh, isLive) {
  const nodes = [...fresh.childNodes];
  const isList = parent.nodeType === Node.ELEMENT_NODE && parent.hasAttribute("data-hold");
  const change = {
    update: (/** @type {Item} */ row, /** @type {Item} */ node) => update(row, node, isLive),
    arrange,
    isLive,
  };
  if (!isList || !holdBack(parent, nodes, change)) arrange(parent, nodes, isLive);
}

/**
 * Makes a parent show these nodes in their order, reusing its nodes as far as possible.
 *
 * @param {Item} parent
 * @param {Item[]} nodes
 * @param {boolean} isLive
 */
function arrange(parent, nodes, isLive) {
  const take = matcher(parent);
  const wanted = nodes.map((node) => {
    const old = take(node);
    if (old && old !== meant(node)) update(old, node, isLive);
    return old ?? meant(node);
  });
  const stays = new Set(wanted);
  for (const child of [...parent.childNodes]) if (!stays.has(child)) child.remove();
  let place = parent.firstChild;
  for (const node of wanted) {
    // A node that moves down is moved itself, not all nodes after its old place.
    if (place && place !== node && place.nextSibling === node) {
      const further = place;
      place = node;
      put(parent, further, null);
    }
    if (place === node) place = place.nextSibling;
    else put(parent, node, place);
  }
}

/**
 * Puts a node before another one; its state is kept if the browser supports that.
 *
 * @param {Item} parent
 * @param {Item} node
 * @param {Item} place
 */
function put(parent, node, place) {
  if (node.isConnected && parent.moveBefore) parent.moveBefore(node, place);
  else parent.insertBefore(node, place);
  settle(node);
}

/**
 * Finds the old child of a new one, each once.
 *
 * @param {Item} parent
 */
function matcher(parent) {
  const children = [...parent.childNodes];
  const loose = children.filter((child) => keyOf(child) === null);
  const keyed = new Map(children.map((child) => [keyOf(child), child]));
  keyed.delete(null);
  const taken = new Set();
  let next = 0;
  const find = (/** @type {Item} */ node) => {
    if (meant(node).parentNode === parent) return meant(node);
    if (keyOf(node) !== null) return keyed.get(keyOf(node));
    const at = loose.findIndex((old, index) => index >= next && isAlike(old, node));
    if (at < 0) return undefined;
    next = at + 1;
    return loose[at];
  };
  return (/** @type {Item} */ node) => {
    const old = find(node);
    if (!old || taken.has(old) || (old !== meant(node) && !isAlike(old, node))) return null;
    taken.add(old);
    return old;
  };
}

/** @param {Item} node */
const keyOf = (node) => node.dataset?.key ?? null;

/**
 * Whether one can be turned into the other.
 *
 * @param {Item} old
 * @param {Item} node
 */
function isAlike(old, node) {
  if (old.nodeType !== node.nodeType || old.nodeName !== node.nodeName) return false;
  if (old.nodeType !== Node.ELEMENT_NODE) return true;
  if (old.hasAttribute("data-own") !== node.hasAttribute("data-own")) return false;
  return old.namespaceURI === node.namespaceURI && old.type === node.type;
}

/**
 * @param {Item} old
 * @param {Item} node
 * @param {boolean} isLive
 */
function update(old, node, isLive) {
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.data !== node.data) old.data = node.data;
    return;
  }
  updateAttributes(old, node);
  adoptHandlers(old, node);
  if (old.hasAttribute("data-own")) return;
  if (old.localName === "textarea") updateText(old, node.defaultValue);
  else if (old.localName === "select") updateChoice(old, node);
  else patchChildren(old, node, isLive);
}

/**
 * Changes the options of a select element, unless it may be open, as that would close it.
 *
 * @param {Item} old
 * @param {Item} node
 */
function updateChoice(old, node) {
  if (old === document.activeElement) return;
  const isTouched = old.value !== defaultOf(old);
  const chosen = old.value;
  arrange(old, [...node.childNodes], true);
  old.value = isTouched ? chosen : defaultOf(old);
}

/**
 * @param {Item} old
 * @param {Item} node
 */
function updateAttributes(old, node) {
  if (old.localName === "input" && old.defaultChecked !== node.defaultChecked) {
    const isTouched = old.checked !== old.defaultChecked;
    old.defaultChecked = node.defaultChecked;
    if (!isTouched) old.checked = node.defaultChecked;
  }
  if (old.localName === "input") updateText(old, node.getAttribute("value"));
  for (const { name } of [...old.attributes]) {
    if (!node.hasAttribute(name) && !isOfReader(old, name)) old.removeAttribute(name);
  }
  for (const { name, value } of node.attributes) {
    if (isOfReader(old, name) || old.getAttribute(name) === value) continue;
    // The page's content security policy refuses styles in attributes.
    if (name === "style") old.style.cssText = node.style.cssText;
    else old.setAttribute(name, value);
  }
}

/**
 * State that the user changes: whether something is open, and the initial value of a field, see
 * above.
 *
 * @param {Element} element
 * @param {string} name
 */
function isOfReader(element, name) {
  if (name === "open") return element.localName === "details";
  return element.localName === "input" && (name === "value" || name === "checked");
}

/**
 * Changes the initial value of a field, and its value unless the user changed it.
 *
 * @param {HTMLInputElement | HTMLTextAreaElement} field
 * @param {string | null} text
 */
function updateText(field, text) {
  const fresh = text ?? "";
  if (field.defaultValue === fresh) return;
  const isTouched = field.value !== field.defaultValue;
  field.defaultValue = fresh;
  if (!isTouched) field.value = fresh;
}

/**
 * The value of a select element before the user's choice.
 *
 * @param {HTMLSelectElement} select
 */
function defaultOf(select) {
  const options = [...select.options];
  return (options.find(({ defaultSelected }) => defaultSelected) ?? options[0])?.value;
}
