// Banners that are shown on every page: a clock that is ahead, a server that refuses writes, faults
// that were requested.

import { sandboxClock } from "./clock.js";
import { h } from "./dom.js";
import { fault, setFault } from "./faults.js";
import { dateTime, spanText } from "./format.js";
import { whenLive } from "./live.js";
import { patch } from "./patch.js";

const LOOK_MS = 60000;
/** The first request is delayed by this time, so that the page's own requests come first. */
const FIRST_MS = 1500;

/** @typedef {import("./clock.js").Clock} Clock */

/**
 * Shows them in a place and updates them until `signal` is aborted.
 * @param {Element} place
 * @param {{ kind: string, signal: AbortSignal }} options
 */
export function startBanners(place, { kind, signal }) {
  let turn = 0;
  const look = async (isFresh = true) => {
    const mine = ++turn;
    const asked = kind === "org" ? sandboxClock({ isFresh }) : null;
    const [clock, reason] = await Promise.all([asked, askWrites()]);
    if (mine !== turn || signal.aborted) return;
    const banners = [writesBanner(reason, kind), clockBanner(clock), faultBanner()];
    patch(place, [banners.filter(Boolean)]);
  };
  const timer = setInterval(() => {
    if (!document.hidden) void look();
  }, LOOK_MS);
  signal.addEventListener("abort", () => clearInterval(timer));
  document.addEventListener("serverstate", () => void look(), { signal });
  // After an interruption of the stream, and after a write that the server refused.
  if (kind === "org")
    whenLive(
      () => void look(),
      signal,
      () => false,
    );
  const first = setTimeout(() => void look(false), FIRST_MS);
  signal.addEventListener("abort", () => clearTimeout(first));
}

/** The reason why the server refuses writes; null if it does not, or if it is unknown. */
async function askWrites() {
  try {
    const response = await fetch("/readyz", { cache: "no-store" });
    // An unread body would keep its connection open.
    const { reason } = await response.json();
    return response.status === 503 ? reason : null;
  } catch {
    return null;
  }
}

/**
 * @param {string} name
 * @param {string} tone
 * @param {any[]} content
 */
function banner(name, tone, ...content) {
  return h(
    "div",
    { class: `banner banner-${tone}`, role: "status", "data-key": name, "data-banner": name },
    content,
  );
}

/**
 * @param {string | null} reason
 * @param {string} kind
 */
function writesBanner(reason, kind) {
  if (!reason) return null;
  return banner(
    "writes",
    "bad",
    h("span", {}, h("strong", {}, "The server accepts no changes: "), `${reason}.`),
    kind === "partner" && h("a", { href: "#/server" }, "See the server"),
  );
}

/** @param {Clock | null} clock */
function clockBanner(clock) {
  if (!clock || clock.aheadSeconds === 0) return null;
  return banner(
    "clock",
    "warn",
    h(
      "span",
      {},
      h("strong", {}, `This program's clock is ${spanText(clock.aheadSeconds)} ahead: `),
      `it is ${dateTime(clock.now)} there. Charts that end today do not show it.`,
    ),
    h("a", { href: "#/settings" }, "The sandbox's clock"),
  );
}

function faultBanner() {
  const asked = fault();
  if (!asked) return null;
  return banner(
    "fault",
    "warn",
    h(
      "span",
      {},
      h("strong", {}, "Changes made in this tab fail on request: "),
      h("code", {}, asked),
    ),
    h("button", { class: "button button-small", onclick: () => setFault(null) }, "Stop that"),
  );
}
