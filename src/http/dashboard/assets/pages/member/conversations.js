// Conversations between a member and the operator.

import { get } from "../../lib/api.js";
import { h } from "../../lib/dom.js";
import { timeText } from "../../lib/format.js";
import { moreButton, pagedList } from "../../lib/paging.js";
import { card, link } from "../../lib/parts.js";
import { load } from "../../lib/states.js";

const SIZE = 10;

/**
 * The card of a member's conversations that have messages.
 * @param {string} externalUserID
 * @returns {{ element: HTMLElement, again: any }}
 */
export function conversationsCard(externalUserID) {
  const place = h("div");
  const ask = (page) =>
    get("/v1/conversations", { externalUserID, includeArchived: true, ...page });
  const list = pagedList(ask, "conversations", SIZE);
  const again = load(place, list.fetch, ({ rows, hasMore }) => {
    const spoken = rows.filter(({ lastMessageAt }) => lastMessageAt);
    if (spoken.length === 0 && !hasMore) return h("p", { class: "hint" }, "No messages yet.");
    return [
      h("ul", { class: "feed" }, spoken.map(conversationRow)),
      h("div", { class: "more", "data-key": "more" }, moreButton(list, hasMore, again)),
    ];
  });
  return { element: card("Conversations", place), again };
}

function conversationRow({ id, title, lastMessageAt, lastMessage, waiting }) {
  return h(
    "li",
    { "data-key": id },
    h(
      "span",
      {},
      link(`inbox/${id}`, title ?? "Support"),
      waiting &&
        h("span", { class: "badge badge-awaiting_vendor", "data-key": "waiting" }, "Waiting"),
      lastMessage?.text && h("span", { class: "feed-text", "data-key": "text" }, lastMessage.text),
      lastMessage?.text === "" && h("em", { class: "feed-text", "data-key": "text" }, "File"),
    ),
    timeText(lastMessageAt),
  );
}
