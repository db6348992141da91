// What stands where data will be: while it loads, when there is none, when it cannot be had.

import { h, replace } from "./dom.js";

/** Grey lines in the place of what is coming. */
export function loadingState(lines = 4) {
  const bars = Array.from({ length: lines }, () => h("span", { class: "skeleton" }));
  return h(
    "div",
    { class: "loading", role: "status" },
    h("span", { class: "hidden" }, "Loading"),
    bars,
  );
}

/** Nothing yet, and what to do about it. */
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

/** Something went wrong; what, and a way to try again. */
export function errorState(error, retry) {
  if (error.isMissing) {
    return emptyState(
      "Not available on this server",
      "The server does not offer what this part shows. A newer version may.",
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

function titleOf(error) {
  if (error.status === 0) return "No connection";
  if (error.status === 403) return "This key may not do that";
  return error.status === 404 ? "Not found" : "That did not work";
}

/** A card of six places with nothing in them. */
function stamp() {
  return h(
    "span",
    { class: "stamps", "aria-hidden": "true" },
    Array.from({ length: 6 }, () => h("i")),
  );
}

/**
 * Fills a place with what `fetch` gives, rendered. The answer is a function that does so again,
 * quietly: what is shown stays until it is replaced, and if nothing changed, for good. Its
 * `unlessPaged` leaves a list alone of which more than the first page was asked for.
 */
export function load(place, fetch, render, lines) {
  let shown;
  let turn = 0;
  let isAsking = false;
  let isStale = false;
  const again = async (isQuiet = true) => {
    // Answers that take longer than the next event would otherwise never be shown.
    if (isQuiet && isAsking) {
      isStale = true;
      return;
    }
    const mine = ++turn;
    isAsking = true;
    isStale = false;
    if (!isQuiet) shown = undefined;
    if (shown === undefined) replace(place, loadingState(lines));
    place.setAttribute("aria-busy", "true");
    try {
      const data = await fetch();
      const text = JSON.stringify(data);
      if (mine !== turn || text === shown) return;
      shown = text;
      const content = render(data);
      // An element that brought itself up to date stays where it is, and what has the focus, too.
      if (place.childNodes.length === 1 && place.firstChild === content) return;
      replace(place, content);
    } catch (error) {
      if (mine !== turn) return;
      if (error.status === undefined) console.error(error);
      shown = undefined;
      replace(
        place,
        errorState(error, () => again(false)),
      );
    } finally {
      if (mine === turn) {
        isAsking = false;
        place.removeAttribute("aria-busy");
        if (isStale) again();
      }
    }
  };
  again.unlessPaged = () => {
    if (!place.querySelector("[data-paged]")) again();
  };
  again();
  return again;
}
