// The inbox: conversations with members, read and answered. It stays the same page for all of its
// conversations, so that the list keeps its rows and its place.

import { append, h, replace } from "../../lib/dom.js";
import { backLink, pageHead } from "../../lib/parts.js";
import { emptyState } from "../../lib/states.js";
import { conversationList } from "./list.js";
import { showStart } from "./start.js";
import { answerForm, showThread } from "./thread.js";

const NEW = "new";
const hasNoHover = matchMedia("(hover: none)");

/**
 * The form of each conversation, as it was left.
 * @param {(id: string) => void} sent
 */
function answerForms(sent) {
  /** @type {Map<string, ReturnType<typeof answerForm>>} */
  const forms = new Map();
  return (/** @type {string} */ id) => {
    const form = forms.get(id) ?? answerForm(id, () => sent(id));
    forms.set(id, form);
    return form;
  };
}

/**
 * @param {any} view
 * @returns {{ moved: (params: Record<string, string>, query: URLSearchParams) => void }}
 */
export function inboxPage(view) {
  const list = conversationList(view);
  const thread = h("section", { class: "thread card", "aria-label": "Conversation" });
  const panes = h("div", { class: "inbox" }, list.element, thread);
  /** @type {ReturnType<typeof showThread> | null} */
  let shown = null;
  /** @type {string | null} */
  let current = null;
  let listY = 0;
  const start = h(
    "a",
    { class: "button button-primary", href: `#/inbox/${NEW}` },
    "Start a conversation",
  );
  append(view.root, [pageHead("Inbox", "Messages from members, and your replies.", start), panes]);
  const formFor = answerForms((id) => {
    if (current === id) void shown?.refresh(true);
    list.again();
  });
  const back = () => h("div", { class: "thread-back" }, backLink("inbox", "All conversations"));
  const open = (/** @type {string | null} */ id, /** @type {URLSearchParams} */ query) => {
    shown?.close();
    shown = null;
    if (!current) listY = scrollY;
    current = id;
    list.choose(id);
    view.root.classList.toggle("has-thread", id !== null);
    if (id === null) {
      replace(thread, emptyState("No conversation chosen", "Choose one to read and reply."));
      return null;
    }
    if (id !== NEW) {
      shown = showThread(thread, id, { form: formFor(id), back: back() });
      return shown.head;
    }
    const started = (/** @type {any} */ conversation) => {
      list.again();
      location.replace(`#/inbox/${encodeURIComponent(conversation.id)}`);
    };
    return showStart(thread, query.get("member"), {
      back: back(),
      program: view.context.program.id,
      started,
    }).head;
  };
  view.live(
    (/** @type {any[]} */ events) => {
      const isOfThis = ({ name, data }) => name === "gap" || data?.data?.conversationID === current;
      if (events.some(isOfThis)) void shown?.refresh();
    },
    (/** @type {string} */ name) => name === "conversation.message_created",
  );
  open(view.params.id ?? null, view.query);
  return {
    moved(params, query) {
      const wasOpen = current !== null;
      const isAlone = getComputedStyle(list.element).display === "none";
      const head = open(params.id ?? null, query);
      // On a narrow screen one replaces the other.
      if (!head) scrollTo(0, wasOpen ? listY : scrollY);
      else if (getComputedStyle(list.element).display === "none") scrollTo(0, 0);
      // The rows were out of sight, so that no press was aimed at one.
      if (isAlone || hasNoHover.matches) list.settle();
      head?.focus({ preventScroll: true });
    },
  };
}
