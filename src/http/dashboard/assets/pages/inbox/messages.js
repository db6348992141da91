// The messages of a conversation, from the newest back. The message being read keeps its place:
// earlier messages are added above it, and new ones are only announced while the reader is further
// up.

import { get, path } from "../../lib/api.js";
import { h, icon } from "../../lib/dom.js";
import { fileText } from "../../lib/files.js";
import { count, dateTime, timeText } from "../../lib/format.js";
import { notify } from "../../lib/notices.js";
import { button, link } from "../../lib/parts.js";
import { patch } from "../../lib/patch.js";
import { emptyState, loadingState } from "../../lib/states.js";

/** Messages per request. */
const PAGE = 50;
/**
 * The number of new messages that are loaded after the shown ones; after more the list starts over.
 */
const NEW_MAX = 500;
/** The distance in pixels that counts as being at an end. */
const NEAR = 48;
const DAY_MS = 86400000;

/** The shown messages of a conversation. */
export class MessageLog {
  /** Oldest first. @type {any[]} */
  messages = [];
  /** The cursor of earlier ones. @type {string | null} */
  older = null;
  /** The member's name. @type {string | null} */
  name = null;
  unread = 0;
  isShown = false;
  isOlderComing = false;

  /** @param {string} id the conversation's */
  constructor(id) {
    this.where = path`/v1/conversations/${id}/messages`;
    /** @type {HTMLElement} */
    this.element = h(
      "div",
      {
        class: "messages",
        tabindex: "0",
        role: "log",
        "aria-label": "Messages",
        onscroll: () => this.scrolled(),
      },
      loadingState(5),
    );
    /** @type {HTMLElement} */
    this.below = h("button", {
      class: "button button-held",
      type: "button",
      hidden: true,
      onclick: () => this.toEnd(),
    });
  }

  get isAtEnd() {
    const { scrollHeight, scrollTop, clientHeight } = this.element;
    return scrollHeight - scrollTop - clientHeight < NEAR;
  }

  toEnd() {
    this.element.scrollTop = this.element.scrollHeight;
    this.tell(0);
  }

  /** Shows below how many new messages have not been seen yet. @param {number} unread */
  tell(unread) {
    this.unread = unread;
    this.below.hidden = unread === 0;
    this.below.textContent = unread === 0 ? "" : count(unread, "new message");
  }

  scrolled() {
    if (!this.isShown) return;
    if (this.isAtEnd) this.tell(0);
    if (this.older && this.element.scrollTop < NEAR) void this.showOlder();
  }

  async showOlder() {
    if (this.isOlderComing || !this.older) return;
    this.isOlderComing = true;
    try {
      const page = await get(this.where, { limit: PAGE, cursor: this.older });
      const fromEnd = this.element.scrollHeight - this.element.scrollTop;
      this.messages = [...page.messages.toReversed(), ...this.messages];
      this.older = page.nextCursor;
      this.render();
      this.element.scrollTop = this.element.scrollHeight - fromEnd;
    } catch {
      // The button stays.
    } finally {
      this.isOlderComing = false;
    }
  }

  /** Requests the newest messages, up to one that is shown already. */
  async fetch() {
    const known = new Set(this.messages.map(({ id }) => id));
    const fresh = [];
    /** @type {any} */
    let page;
    let isJoined = known.size === 0;
    do {
      page = await get(this.where, { limit: PAGE, cursor: page?.nextCursor });
      fresh.push(...page.messages);
      isJoined ||= page.messages.some((/** @type {any} */ message) => known.has(message.id));
    } while (!isJoined && page.nextCursor && fresh.length < NEW_MAX);
    return { fresh: fresh.toReversed(), known, isJoined, next: page.nextCursor };
  }

  /**
   * Shows the result of `fetch`.
   * @param {Awaited<ReturnType<MessageLog["fetch"]>>} found
   * @param {boolean} isOurs whether one was just sent from here, and must be visible
   */
  take({ fresh, known, isJoined, next }, isOurs) {
    const wasAtEnd = !this.isShown || isOurs || this.isAtEnd;
    const ids = new Set(fresh.map(({ id }) => id));
    const kept = isJoined ? this.messages.filter(({ id }) => !ids.has(id)) : [];
    if (known.size === 0 || !isJoined) this.older = next;
    this.messages = [...kept, ...fresh];
    if (!this.isShown) this.element.replaceChildren();
    this.render();
    this.isShown = true;
    const arrived = fresh.filter(({ id }) => !known.has(id)).length;
    if (wasAtEnd) this.toEnd();
    else if (arrived > 0) this.tell(this.unread + arrived);
  }

  /**
   * A new address of a file, because the one that was shown may have expired; null if there is none.
   * @param {string} id the message's
   * @returns {Promise<string | null>}
   */
  async freshUrl(id) {
    /** @type {any} */
    let page;
    do {
      page = await get(this.where, { limit: PAGE, cursor: page?.nextCursor });
      const found = page.messages.find((/** @type {any} */ message) => message.id === id);
      if (found) return found.attachments[0]?.url ?? null;
    } while (page.nextCursor);
    return null;
  }

  render() {
    const earlier =
      this.older && button("Earlier messages", () => this.showOlder(), { "data-key": "earlier" });
    const all = h(
      "ol",
      { "data-key": "all" },
      this.messages.map((each) => messageOf(each, this)),
    );
    const none = emptyState("No messages yet", "The first one can be yours.");
    patch(this.element, this.messages.length > 0 ? [earlier, all] : [none]);
  }
}

/**
 * @param {any} message
 * @param {MessageLog} log
 */
function messageOf(message, log) {
  const { id, authorID, role, createdAt } = message;
  const isOurs = role === "agent";
  const isRecent = Date.now() - new Date(createdAt).getTime() < DAY_MS;
  return h(
    "li",
    { class: `message${isOurs ? " is-ours" : ""}`, "data-key": id },
    h("p", { class: "message-body" }, contentOf(message, log)),
    h(
      "p",
      { class: "hint" },
      isOurs ? "You" : link(`members/${encodeURIComponent(authorID)}`, log.name ?? authorID),
      " · ",
      dateTime(createdAt),
      isRecent && [" · ", timeText(createdAt)],
    ),
  );
}

/**
 * The text of a message, or its file.
 * @param {any} message
 * @param {MessageLog} log
 */
function contentOf({ id, body, attachments }, log) {
  const [file] = attachments;
  if (body === null || (file && !file.url)) return h("em", {}, "Erased");
  return file ? fileLink(id, file, log) : body;
}

/**
 * A link that downloads a file. Its address is requested when it is pressed, because one that was
 * shown for a while has expired.
 * @param {string} id the message's
 * @param {import("../../../types").Schema<"AttachmentResponse">} file
 * @param {MessageLog} log
 */
function fileLink(id, file, log) {
  const onclick = async (/** @type {MouseEvent} */ event) => {
    event.preventDefault();
    try {
      const url = await log.freshUrl(id);
      if (url) h("a", { href: url, download: file.name }).click();
      else notify(`${file.name} was erased.`, "bad");
    } catch (error) {
      notify(error instanceof Error ? error.message : String(error), "bad");
    }
  };
  return h(
    "a",
    { class: "file", href: file.url, download: file.name, onclick },
    icon("file"),
    h("span", { class: "file-name" }, file.name),
    h("span", { class: "hint" }, fileText(file)),
  );
}
