// Content in place of data: while it loads, when there is none, when the request fails.

import { h, replace } from "./dom.js";
import { patch } from "./patch.js";

/** Grey lines instead of data that is loading. */
export function loadingState(lines = 4) {
  const bars = Array.from({ length: lines }, () => h("span", { class: "skeleton" }));
  return h(
    "div",
    { class: "loading", role: "status" },
    h("span", { class: "hidden" }, "Loading"),
    bars,
  );
}

/**
 * Shown when there is no data yet, with what to do about it.
 *
 * @param {string} title
 * @param {any} text
 * @param {any} [action]
 */
export function emptyState(title, text, action) {
  return h(
    "div",
    { class: "state" },
    stamp(),
    h("p", { class: "state-title" }, title),
    h("p", {}, text),
    action,
  );
}

/**
 * Shown after an error: its text, and a button to try again.
 *
 * @param {any} error
 * @param {() => unknown} [retry]
 */
export function errorState(error, retry) {
  if (error.isMissing) {
    return emptyState(
      "Not available on this server",
      "This server does not support this part of the page. A newer version may.",
    );
  }
  return h(
    "div",
    { class: "state state-error", role: "alert" },
    h("p", { class: "state-title" }, titleOf(error)),
    h("p", {}, error.message),
    error.requestId && h("p", { class: "hint" }, "Request ", h("code", {}, error.requestId)),
    retry && h("button", { class: "button", onclick: retry }, "Try again"),
  );
}

/** Shown if the script of a page cannot be loaded, which a server of another version lacks. */
export function outdatedState() {
  return h(
    "div",
    { class: "state state-error", role: "alert" },
    h("h1", { class: "state-title", tabindex: "-1" }, "This page could not be loaded"),
    h("p", {}, "The server has a new version, or the connection was lost. Reload to go on."),
    h("button", { class: "button", onclick: () => location.reload() }, "Reload"),
  );
}

/** @param {{ status: number }} error */
function titleOf(error) {
  if (error.status === 0) return "No connection";
  if (error.status === 403) return "This key may not do that";
  return error.status === 404 ? "Not found" : "That did not work";
}

/** A card of six places, all of them empty. */
function stamp() {
  return h(
    "span",
    { class: "stamps", "aria-hidden": "true" },
    Array.from({ length: 6 }, () => h("i")),
  );
}

/**
 * Reloads and shows the content of a place.
 *
 * @typedef {object} AgainParts
 * @property {() => void} live called after events that this page did not cause
 * @typedef {((isQuiet?: boolean) => void) & AgainParts} Again
 */

/**
 * Fills a place with the rendered result of `fetch`. Returns a function that does so again: the
 * shown content stays, and is updated in place (see lib/patch.js); `again(false)` starts over. Its
 * `live` does the same after events that this page did not cause: lists with `data-hold` then leave
 * the row under the pointer as it is.
 *
 * @template Data
 * @param {Element} place
 * @param {() => Promise<Data>} fetch
 * @param {(data: Data) => any} render
 * @param {number} [lines] the number of grey lines at first
 * @returns {Again}
 */
export function load(place, fetch, render, lines) {
  /** @type {string | undefined} */
  let shown;
  let turn = 0;
  let isAsking = false;
  /**
   * A request for another update meanwhile: null, or whether only events caused it.
   *
   * @type {boolean | null}
   */
  let next = null;
  const again = async (isQuiet = true, isLive = false) => {
    // Otherwise responses that take longer than the next event would never be shown.
    if (isQuiet && isAsking) {
      next = isLive && next !== false;
      return;
    }
    const mine = ++turn;
    isAsking = true;
    next = null;
    if (!isQuiet) shown = undefined;
    if (shown === undefined) replace(place, loadingState(lines));
    place.setAttribute("aria-busy", "true");
    try {
      const data = await fetch();
      const text = JSON.stringify(data);
      if (mine !== turn || (text === shown && !place.querySelector("[data-key='stale']"))) return;
      const content = render(data);
      if (shown === undefined) replace(place, content);
      else patch(place, [content], { isLive });
      shown = text;
    } catch (/** @type {any} */ error) {
      if (mine !== turn) return;
      if (error.status === undefined) console.error(error);
      if (shown !== undefined && isPassing(error)) {
        patchNote(place, error);
      } else {
        shown = undefined;
        replace(
          place,
          errorState(error, () => again(false)),
        );
      }
    } finally {
      if (mine === turn) {
        isAsking = false;
        place.removeAttribute("aria-busy");
        if (next !== null) void again(true, next);
      }
    }
  };
  again.live = () => void again(true, true);
  void again();
  return again;
}

/**
 * Whether the same request may succeed a moment later.
 *
 * @param {{ status: number }} error
 */
const isPassing = ({ status }) => status === 0 || status === 429 || status >= 500;

/**
 * Shows below the content that it may be outdated.
 *
 * @param {Element} place
 * @param {Error} error
 */
function patchNote(place, error) {
  place.querySelector(":scope > [data-key='stale']")?.remove();
  place.append(
    h(
      "p",
      { class: "hint", "data-key": "stale", role: "status" },
      `This may be out of date. ${error.message}`,
    ),
  );
}
