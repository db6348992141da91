// The list of the inbox: conversations that wait, in order, with their last message.

import { get } from "../../lib/api.js";
import { append, h } from "../../lib/dom.js";
import { timeText } from "../../lib/format.js";
import { holdSlot } from "../../lib/hold.js";
import { moreButton, pagedList } from "../../lib/paging.js";
import { searchField } from "../../lib/parts.js";
import { emptyState, load } from "../../lib/states.js";
import { isAboutWaiting } from "../../lib/waiting.js";

/** The member's name, or the id if there is none. @param {any} conversation */
export const nameOf = ({ displayName, externalUserID }) => displayName || externalUserID;

/** The subject of a conversation. @param {any} conversation */
export const subjectOf = ({ title, type }) => title || (type === "booking" ? "Booking" : "Support");

/**
 * The list with its search. `choose` marks the conversation that is open; `again` reloads;
 * `settle` reorders the rows even where a list always stays still.
 * @param {any} view
 * @returns {{ element: HTMLElement, choose: (id: string | null) => void, again: () => void,
 *   settle: () => void }}
 */
export function conversationList(view) {
  const wanted = { search: "", silent: false };
  /** @type {string | null} */
  let current = null;
  /** Whether the rows may be reordered, even under the pointer. */
  let isFree = false;
  const place = h("div", { class: "conversations" });
  const pages = pagedList(
    (page) =>
      get("/v1/conversations", {
        sort: "waiting",
        search: wanted.search,
        silent: wanted.silent || null,
        ...page,
      }),
    "conversations",
  );
  const again = load(
    place,
    async () => ({ ...(await pages.fetch()), isFree }),
    ({ rows, hasMore, isFree: mayMove }) => {
      if (mayMove) isFree = false;
      if (rows.length === 0) return nothing(wanted);
      const list = h(
        "ul",
        { "data-hold": mayMove ? null : "conversation" },
        rows.map((each) => row(each, current)),
      );
      return h("div", { "data-key": "list" }, list, moreButton(pages, hasMore, again));
    },
    6,
  );
  const change = (/** @type {Partial<typeof wanted>} */ change) => {
    Object.assign(wanted, change);
    pages.reset();
    void again(false);
  };
  view.live(
    () => again.live(),
    (/** @type {string} */ name) =>
      isAboutWaiting(name) || (wanted.silent && name === "redemption.created"),
  );
  return {
    element: h("div", { class: "inbox-list" }, controls(change), place),
    choose(id) {
      current = id;
      for (const link of place.querySelectorAll("a[data-id]")) {
        if (link.getAttribute("data-id") === id) link.setAttribute("aria-current", "true");
        else link.removeAttribute("aria-current");
      }
    },
    again: () => again(),
    settle() {
      isFree = true;
      again();
    },
  };
}

/**
 * The search, and the other filters.
 * @param {(change: { search?: string, silent?: boolean }) => void} change
 */
function controls(change) {
  const silent = h("input", {
    type: "checkbox",
    name: "silent",
    onchange: (/** @type {any} */ { target }) => change({ silent: target.checked }),
  });
  return [
    searchField("Search members", (search) => change({ search })),
    h(
      "div",
      { class: "inbox-options" },
      h("label", { class: "check" }, silent, "Also those without a message"),
      holdSlot("conversation"),
    ),
  ];
}

/** @param {{ search: string, silent: boolean }} wanted */
function nothing({ search, silent }) {
  if (search) return emptyState("Nobody found", "No member of that name has a conversation.");
  return silent
    ? emptyState("No conversations yet", "They begin with a redemption or a message.")
    : emptyState("No messages yet", "Messages from members appear here.");
}

/**
 * @param {any} each
 * @param {string | null} current
 */
function row(each, current) {
  const { id, waiting, waitingSince, lastMessage } = each;
  const since = waiting ? waitingSince : lastMessage?.createdAt;
  const link = h("a", {
    href: `#/inbox/${encodeURIComponent(id)}`,
    "data-id": id,
    "aria-current": id === current ? "true" : null,
  });
  append(link, [
    h(
      "span",
      { class: "conversation-head" },
      h("span", { class: "strong conversation-name" }, nameOf(each)),
      since && h("span", { class: "hint conversation-time", "data-key": "time" }, timeText(since)),
    ),
    h("span", { class: "hint conversation-subject" }, subjectOf(each)),
    h("span", { class: "conversation-last" }, preview(lastMessage)),
    waiting &&
      h("span", { class: "badge badge-awaiting_vendor", "data-key": "waiting" }, "Waiting"),
  ]);
  return h("li", { "data-key": id }, link);
}

/** @param {any} message */
function preview(message) {
  if (!message) return h("span", { class: "hint" }, "No messages yet");
  // A message without a text is a file.
  const words = message.text || h("em", {}, message.text === "" ? "File" : "Erased");
  return message.role === "agent" ? [h("span", { class: "hint" }, "You: "), words] : words;
}
