// A conversation: its messages, from the newest back, and a form to reply.

import { get, path, post } from "../../lib/api.js";
import { h, replace } from "../../lib/dom.js";
import { link } from "../../lib/parts.js";
import { patch } from "../../lib/patch.js";
import { errorState } from "../../lib/states.js";
import { draftOf, keepDraft } from "./drafts.js";
import { FileForm } from "./file.js";
import { nameOf, subjectOf } from "./list.js";
import { MessageLog } from "./messages.js";
import { sender } from "./sender.js";

/**
 * Shows a conversation in a place.
 * @param {HTMLElement} place
 * @param {string} id
 * @param {{ form: ReturnType<typeof answerForm>, back: Node }} parts
 * @returns {{ refresh: (isOurs?: boolean) => Promise<void>, close: () => void, head: HTMLElement }}
 */
export function showThread(place, id, { form, back }) {
  const log = new MessageLog(id);
  const head = h("header", { class: "thread-head", tabindex: "-1" });
  replace(
    place,
    back,
    head,
    log.element,
    h("div", { class: "thread-below" }, log.below),
    form.element,
  );
  let isOpen = true;
  let isAsking = false;
  /**
   * A request for another update meanwhile: null, or whether a message was sent.
   * @type {boolean | null}
   */
  let next = null;
  const refresh = async (isOurs = false) => {
    if (isAsking) {
      next = next || isOurs;
      return;
    }
    isAsking = true;
    log.element.setAttribute("aria-busy", "true");
    try {
      const [conversation, found] = await Promise.all([
        get(path`/v1/conversations/${id}`),
        log.fetch(),
      ]);
      if (!isOpen) return;
      form.about(conversation);
      patch(head, headOf(conversation));
      log.name = conversation.displayName ?? null;
      log.take(found, isOurs);
    } catch (error) {
      if (isOpen && !log.isShown) {
        replace(
          log.element,
          errorState(error, () => refresh()),
        );
      }
    } finally {
      isAsking = false;
      log.element.removeAttribute("aria-busy");
    }
    const wanted = next;
    next = null;
    if (wanted !== null && isOpen) await refresh(wanted);
  };
  void refresh();
  return { refresh, head, close: () => (isOpen = false) };
}

/** @param {any} conversation */
function headOf(conversation) {
  const { externalUserID, redemptionID } = conversation;
  const name = nameOf(conversation);
  return [
    h("h2", { class: "card-title" }, subjectOf(conversation)),
    h(
      "p",
      { class: "hint" },
      link(`members/${encodeURIComponent(externalUserID)}`, name),
      name !== externalUserID && [" · ", h("code", {}, externalUserID)],
      redemptionID && [
        " · ",
        link(`redemptions/${encodeURIComponent(redemptionID)}`, "Redemption"),
      ],
    ),
  ];
}

/**
 * The reply form of a conversation. Its text stays until it is known to be sent.
 * @param {string} id
 * @param {() => void} sent
 */
export function answerForm(id, sent) {
  let name = "Message";
  const input = h("textarea", {
    rows: 3,
    maxlength: 4000,
    "aria-label": "Your answer",
    placeholder: "Write a reply…",
    oninput: () => keepDraft(id, input.value),
    onkeydown: (/** @type {KeyboardEvent} */ event) => {
      if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      sending.press();
    },
  });
  const sending = sender({
    action: "Send",
    isMine: (answers) => answers.conversation === id,
    begin() {
      const message = input.value.trim();
      return message ? { name, answers: { conversation: id, message } } : null;
    },
    send: ({ message }, options) =>
      post(path`/v1/conversations/${id}/messages`, { message, as: "agent" }, options),
    sent() {
      keepDraft(id, "");
      input.value = "";
      if (input.isConnected) input.focus();
      sent();
    },
    fix: (isFixed) => (input.readOnly = isFixed),
    explain: (error) =>
      error.status === 404
        ? "The member was removed, so there is no one to reply to."
        : error.message,
  });
  input.value = sending.lost?.message ?? draftOf(id);
  const file = new FileForm(id, sent);
  const element = h(
    "form",
    {
      class: "answer",
      onsubmit: (/** @type {Event} */ event) => {
        event.preventDefault();
        sending.press();
      },
    },
    sending.problem,
    input,
    file.element,
    h(
      "div",
      { class: "answer-actions" },
      h("span", { class: "answer-file" }, file.button, file.input),
      sending.startOver,
      sending.button,
    ),
  );
  return {
    element,
    /** Describes the conversation. @param {any} conversation */
    about(conversation) {
      name = `Message to ${nameOf(conversation)}, ${subjectOf(conversation)}`;
    },
  };
}
