// A new conversation from the operator: the member, the subject and the first message.

import { get, path, post } from "../../lib/api.js";
import { h, replace } from "../../lib/dom.js";
import { button, searchField } from "../../lib/parts.js";
import { draftOf, keepDraft } from "./drafts.js";
import { sender } from "./sender.js";

/** The number of members that a search suggests. */
const OFFERED = 8;

/**
 * Shows the form in a place.
 * @param {HTMLElement} place
 * @param {string | null} member the member that the address names
 * @param {{ back: Node, program: string, started: (conversation: any) => void }} parts
 * @returns {{ head: HTMLElement }}
 */
export function showStart(place, member, { back, program, started }) {
  const draft = draftRead(program);
  const title = h("input", { name: "title", maxlength: 255, oninput: () => keep() });
  const message = h("textarea", {
    name: "message",
    rows: 5,
    maxlength: 4000,
    required: true,
    oninput: () => keep(),
  });
  const whom = chooser(() => keep());
  const keep = () => {
    const texts = { member: whom.id(), title: title.value, message: message.value };
    keepDraft(program, texts.title || texts.message ? JSON.stringify(texts) : "");
  };
  const sending = sender({
    action: "Start",
    isMine: (answers) => answers.isStart === true,
    begin() {
      const externalUserID = whom.id();
      if (!externalUserID) {
        whom.ask();
        return null;
      }
      const words = { title: title.value.trim() || null, message: message.value.trim() };
      const answers = { isStart: true, externalUserID, ...words };
      return words.message ? { name: `Start a conversation with ${whom.name()}`, answers } : null;
    },
    send: ({ externalUserID, title: about, message: first }, options) =>
      post("/v1/conversations", { externalUserID, title: about, message: first }, options),
    sent(conversation) {
      keepDraft(program, "");
      if (place.contains(message)) started(conversation);
    },
    fix(isFixed) {
      title.readOnly = isFixed;
      message.readOnly = isFixed;
      whom.fix(isFixed);
    },
  });
  title.value = sending.lost?.title ?? draft.title;
  message.value = sending.lost?.message ?? draft.message;
  void whom.choose(sending.lost?.externalUserID ?? member ?? draft.member);
  const head = h(
    "header",
    { class: "thread-head", tabindex: "-1" },
    h("h2", { class: "card-title" }, "Start a conversation"),
  );
  replace(place, back, head, formOf({ whom, title, message, sending }));
  return { head };
}

function formOf({ whom, title, message, sending }) {
  return h(
    "form",
    {
      class: "form start",
      onsubmit: (/** @type {Event} */ event) => {
        event.preventDefault();
        sending.press();
      },
    },
    h("div", { class: "field" }, h("span", { class: "strong" }, "With"), whom.element),
    labelled("Subject (optional)", title),
    labelled("Message", message),
    sending.problem,
    h("div", { class: "answer-actions" }, sending.startOver, sending.button),
  );
}

let fields = 0;

/**
 * @param {string} text
 * @param {HTMLElement} input
 */
function labelled(text, input) {
  input.id = `start-${++fields}`;
  return h("div", { class: "field" }, h("label", { for: input.id }, text), input);
}

/** The unfinished draft. @param {string} program */
function draftRead(program) {
  const nothing = { member: null, title: "", message: "" };
  try {
    return { ...nothing, ...JSON.parse(draftOf(program) || "{}") };
  } catch {
    return nothing;
  }
}

/**
 * Finds a member by a search.
 * @param {() => void} changed
 */
function chooser(changed) {
  /** @type {{ externalUserID: string, displayName: string | null } | null} */
  let chosen = null;
  let isFixed = false;
  let turn = 0;
  const found = h("div", { class: "found", role: "status" });
  const search = searchField("Search members", (text) => look(text), "member");
  const element = h("div", { class: "chooser" });
  const name = () => chosen?.displayName || chosen?.externalUserID || "";
  const show = () => {
    if (!chosen) return replace(element, search, found);
    const other = button("Choose another", () => take(null), { tone: "quiet" });
    const isNamed = chosen.displayName !== null;
    replace(
      element,
      h("span", { class: "strong" }, name()),
      isNamed && h("code", { class: "hint" }, chosen.externalUserID),
      !isFixed && other,
    );
  };
  const take = (/** @type {typeof chosen} */ member) => {
    chosen = member;
    replace(found);
    show();
    if (!member) search.querySelector("input")?.focus();
    changed();
  };
  const look = async (/** @type {string} */ text) => {
    const mine = ++turn;
    if (!text) return replace(found);
    try {
      const { members } = await get("/v1/members", { search: text, limit: OFFERED });
      if (mine !== turn || chosen) return;
      const offers = members.map((/** @type {any} */ each) =>
        button(each.displayName || each.externalUserID, () => take(each), {
          title: each.externalUserID,
        }),
      );
      replace(found, offers.length > 0 ? offers : h("p", { class: "hint" }, "Nobody found"));
    } catch (error) {
      if (mine === turn) replace(found, error instanceof Error ? error.message : String(error));
    }
  };
  show();
  return {
    element,
    name,
    id: () => chosen?.externalUserID ?? null,
    ask: () => search.querySelector("input")?.focus(),
    fix(/** @type {boolean} */ isNow) {
      isFixed = isNow;
      show();
    },
    async choose(/** @type {string | null} */ id) {
      if (!id) return;
      chosen = { externalUserID: id, displayName: null };
      show();
      try {
        const member = await get(path`/v1/members/${id}`);
        if (chosen?.externalUserID === id) chosen = member;
        show();
      } catch {
        // The id stays in the field; sending shows the error.
      }
    },
  };
}
