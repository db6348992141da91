// The inbox: conversations with members, read and answered.

import { get, path, post } from "../lib/api.js";
import { append, h, replace } from "../lib/dom.js";
import { ago, timeText } from "../lib/format.js";
import { attempt } from "../lib/notices.js";
import { backLink, memberLink, pageHead } from "../lib/parts.js";
import { emptyState, load } from "../lib/states.js";

const isMessage = (name) => name === "conversation.message_created";

export function inboxPage(view) {
  const { id } = view.params;
  const list = h("div", { class: "conversations" });
  const thread = h("section", { class: "thread card", "aria-label": "Conversation" });
  let waitingOnly = false;
  append(view.root, [
    pageHead("Inbox", "What members write, and the answers they get."),
    h(
      "div",
      { class: "controls" },
      h(
        "label",
        { class: "check" },
        h("input", {
          type: "checkbox",
          onchange({ target }) {
            waitingOnly = target.checked;
            again(false);
          },
        }),
        "Only those waiting for an answer",
      ),
    ),
    h("div", { class: `inbox${id ? " has-thread" : ""}` }, list, thread),
  ]);
  const again = load(
    list,
    () => get("/v1/conversations", { limit: 50, waiting: waitingOnly || null }),
    ({ conversations }) => conversationList(conversations, id, waitingOnly),
    6,
  );
  view.live(() => again(), isMessage);
  if (id) {
    showThread(view, thread, id, () => again());
  } else {
    replace(
      thread,
      emptyState("No conversation chosen", "Choose one on the left to read and answer it."),
    );
  }
}

function conversationList(conversations, current, waitingOnly) {
  if (conversations.length === 0) {
    return waitingOnly
      ? emptyState("Nobody is waiting", "Every message has its answer.")
      : emptyState(
          "No conversations yet",
          "They begin with a redemption or with a member's message.",
        );
  }
  return h(
    "ul",
    {},
    conversations.map((each) =>
      h(
        "li",
        {},
        h(
          "a",
          {
            href: `#/inbox/${encodeURIComponent(each.id)}`,
            "data-focus": each.id,
            "aria-current": each.id === current ? "true" : null,
          },
          h(
            "span",
            { class: "strong" },
            each.title || (each.type === "support" ? "Support" : "Booking"),
          ),
          h(
            "span",
            { class: "hint" },
            each.externalUserID,
            each.lastMessageAt && ` · ${ago(each.lastMessageAt)}`,
          ),
          each.waiting && h("span", { class: "badge badge-awaiting_vendor" }, "Waiting"),
        ),
      ),
    ),
  );
}

function showThread(view, place, id, changed) {
  const messages = h("div", {
    class: "messages",
    tabindex: "0",
    role: "log",
    "aria-label": "Messages",
  });
  const input = h("textarea", {
    rows: 3,
    maxlength: 4000,
    required: true,
    "aria-label": "Your answer",
    placeholder: "Write an answer…",
  });
  const send = h("button", { class: "button button-primary", type: "submit" }, "Send");
  const form = h("form", { class: "answer" }, input, send);
  replace(
    place,
    h("div", { class: "thread-back" }, backLink("inbox", "All conversations")),
    messages,
    form,
  );
  const where = path`/v1/conversations/${id}/messages`;
  const again = load(
    messages,
    () => get(where, { limit: 50 }),
    (page) => {
      requestAnimationFrame(() => messages.scrollTo(0, messages.scrollHeight));
      if (page.messages.length === 0)
        return emptyState("No messages yet", "The first one can be yours.");
      return h("ol", {}, page.messages.toReversed().map(messageOf));
    },
    5,
  );
  view.live(() => again(), isMessage);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const message = input.value.trim();
    if (!message) return;
    send.disabled = true;
    const isSent = await attempt(() => post(where, { message, as: "agent" }));
    send.disabled = false;
    if (!isSent) return;
    input.value = "";
    input.focus();
    again();
    changed();
  });
}

function messageOf({ authorID, role, body, createdAt }) {
  const isOurs = role === "agent";
  return h(
    "li",
    { class: `message${isOurs ? " is-ours" : ""}` },
    h("p", { class: "message-body" }, body),
    h("p", { class: "hint" }, isOurs ? "You" : memberLink(authorID), " · ", timeText(createdAt)),
  );
}
