// The frame around every page: the navigation, the environment, the state of the live stream.

import { h, icon, replace, svg } from "./dom.js";
import { places } from "./places.js";
import { environment } from "./session.js";
import { themeSwitch } from "./theme.js";

/** @type {Record<string, string>} */
const LIVE = {
  live: "Live",
  waiting: "Reconnecting",
  missing: "Every 10 s",
};

/**
 * The parameters of the frame.
 * @typedef {object} Signed
 * @property {string} kind `org` or `partner`
 * @property {{ path: string, label?: string, icon?: string }[]} pages
 * @property {any} context
 * @property {() => void} leave signs out
 * @property {() => void} restart starts over with the key that is in use then
 */

/**
 * Shows the frame. Returns functions that show a page in it, the state of the stream and the
 * program's name; `banners` is a place above every page.
 * @param {Element} app
 * @param {Signed} signed
 */
export function frame(app, { kind, pages, context, leave, restart }) {
  const live = h("span", { class: "live", id: "live", role: "status" });
  const links = pages
    .filter(({ label }) => label)
    .map(({ path, label, icon: symbol }) =>
      h(
        "a",
        { href: `#/${path}`, "data-page": path },
        icon(symbol ?? path),
        label,
        h("span", { class: "nav-count", hidden: true }),
      ),
    );
  const nav = h("nav", { class: "nav", id: "nav", "aria-label": "Pages" }, links);
  const head = places({ kind, context, restart });
  const side = h(
    "aside",
    { class: "side", id: "side", "aria-label": "Program and pages" },
    head.element,
    nav,
    h(
      "button",
      { class: "button button-quiet", type: "button", onclick: () => leave() },
      icon("leave"),
      "Sign out",
    ),
  );
  const banners = h("div", { class: "banners" });
  const shown = h("div");
  const main = h("main", { id: "main", tabindex: "-1" }, banners, shown);
  const menu = menuButton(side);
  const first = h(
    "a",
    { class: "brand", href: `#/${pages[0]?.path}` },
    mark(),
    h("span", { class: "brand-name" }, "Stampcard"),
    head.short,
  );
  const end = h("div", { class: "top-end" }, kind === "org" && live, themeSwitch());
  const top = h("header", { class: "top" }, menu.element, first, end);
  replace(app, h("div", { class: `frame is-${environment()}` }, top, side, main));
  return {
    hasShown: false,
    banners,
    showPlaces: head.show,
    /**
     * @param {Element} page
     * @param {string | undefined} current the link of the menu that belongs to it
     */
    show(page, current) {
      for (const each of links) {
        if (each.dataset.page === current) each.setAttribute("aria-current", "page");
        else each.removeAttribute("aria-current");
      }
      menu.toggle(false);
      if (page) replace(shown, page);
    },
    /**
     * Shows next to a page's name how many conversations wait, if any.
     * @param {string} path
     * @param {string} text
     */
    showCount(path, text) {
      const count = nav.querySelector(`[data-page="${path}"] .nav-count`);
      count.hidden = text === "";
      replace(count, text && [" ", text, h("span", { class: "hidden" }, " waiting")]);
    },
    /** @param {string} state */
    showLive(state) {
      live.className = `live live-${state}`;
      live.title =
        state === "missing" ? "This server has no live stream: refreshed every 10 s" : "";
      replace(live, LIVE[state]);
    },
  };
}

/**
 * The button that opens and closes the side bar on a narrow screen.
 * @param {Element} side
 */
function menuButton(side) {
  const element = h(
    "button",
    {
      class: "icon-button menu",
      type: "button",
      "aria-expanded": "false",
      "aria-controls": "side",
      "aria-label": "Menu",
      onclick: () => toggle(element.getAttribute("aria-expanded") !== "true"),
    },
    icon("menu"),
  );
  const toggle = (/** @type {boolean} */ isOpen) => {
    element.setAttribute("aria-expanded", String(isOpen));
    side.classList.toggle("is-open", isOpen);
  };
  return { element, toggle };
}

/** The brand: a card of six places, one of them stamped. */
export function mark() {
  const at = [
    [8, 9],
    [16, 9],
    [24, 9],
    [8, 19],
    [16, 19],
  ];
  return svg(
    "svg",
    { class: "mark", viewBox: "0 0 32 28", "aria-hidden": "true" },
    svg("rect", { class: "mark-card", x: 1, y: 1, width: 30, height: 26, rx: 6 }),
    at.map(([cx, cy]) => svg("circle", { class: "mark-place", cx, cy, r: 2.6 })),
    svg("circle", { class: "mark-stamp", cx: 24, cy: 19, r: 4 }),
  );
}
