// A file that is sent in a conversation: chosen, shown, and sent once, however often the button is
// pressed and whatever happens to the response.

import { ApiError, path, randomId } from "../../lib/api.js";
import { h, icon, replace } from "../../lib/dom.js";
import { FILE_TYPES, fileFault, fileText, upload } from "../../lib/files.js";
import { percent } from "../../lib/format.js";
import { notify } from "../../lib/notices.js";
import { button } from "../../lib/parts.js";

/** The form of a file, which shows it until it is sent. */
export class FileForm {
  /** The file, and the Idempotency-Key of its request. @type {{ file: File, key: string } | null} */
  chosen = null;
  isSending = false;
  /** Whether the file was sent and may have arrived. */
  isLost = false;

  /**
   * @param {string} id the conversation's
   * @param {() => void} sent
   */
  constructor(id, sent) {
    this.where = path`/v1/conversations/${id}/attachments`;
    this.sent = sent;
    /** @type {HTMLElement} */
    this.element = h("div", { class: "attached", hidden: true });
    /** @type {HTMLInputElement} */
    this.input = h("input", {
      type: "file",
      name: "file",
      accept: Object.keys(FILE_TYPES).join(","),
      hidden: true,
      "aria-label": "File",
      onchange: () => this.take(this.input.files?.[0] ?? null),
    });
    const choose = () => this.input.click();
    /** @type {HTMLButtonElement} */
    this.button = button("Attach a file", choose, { tone: "quiet", symbol: "file" });
    /** @type {HTMLProgressElement} */
    this.bar = h("progress", { max: 1, value: 0, "aria-label": "Sent" });
    /** @type {HTMLElement} */
    this.share = h("span", { class: "hint" });
  }

  /** @param {string} [problem] why the file was not taken or sent */
  show(problem = "") {
    this.element.hidden = this.chosen === null && problem === "";
    this.button.disabled = this.chosen !== null;
    replace(
      this.element,
      problem && h("div", { class: "form-error", role: "alert" }, problem),
      this.chosen && this.row(this.chosen.file),
    );
  }

  /** @param {File} file */
  row(file) {
    const actions = this.isSending
      ? [this.bar, this.share]
      : [
          button("Remove", () => this.take(null), { tone: "quiet", focus: "remove-file" }),
          button(this.isLost ? "Send again" : "Send file", () => this.send(), {
            focus: "send-file",
          }),
        ];
    return h(
      "div",
      { class: "attached-file" },
      icon("file"),
      h("span", { class: "file-name" }, file.name),
      h("span", { class: "hint" }, fileText(file)),
      h("span", { class: "attached-actions" }, actions),
    );
  }

  /** @param {File | null} file null removes the present one */
  take(file) {
    // So that the same file can be chosen again.
    this.input.value = "";
    const fault = file && fileFault(file);
    this.chosen = file && !fault ? { file, key: randomId() } : null;
    this.isLost = false;
    this.show(fault ?? "");
    if (!this.chosen) this.button.focus();
  }

  /** @param {number} share the part that was sent, from 0 to 1 */
  progress(share) {
    this.bar.value = share;
    replace(this.share, percent(share));
  }

  async send() {
    if (this.isSending || !this.chosen) return;
    const { file, key } = this.chosen;
    this.isSending = true;
    this.progress(0);
    this.show();
    let problem = "";
    try {
      const where = `${this.where}?${new URLSearchParams({ name: file.name })}`;
      await upload(where, file, { key, progress: (share) => this.progress(share) });
      this.chosen = null;
      this.isLost = false;
    } catch (error) {
      this.isLost = error instanceof ApiError && error.isUnknown;
      problem = explained(error, this.isLost);
    }
    this.isSending = false;
    this.show(problem);
    if (!problem) this.sent();
    else if (!this.element.isConnected) notify(`${file.name}: ${problem}`, "bad");
  }
}

/**
 * @param {unknown} error
 * @param {boolean} isLost
 */
function explained(error, isLost) {
  const why = error instanceof Error ? error.message : String(error);
  if (isLost) {
    return `It is not known whether the file arrived. Press again: nothing is sent twice. ${why}`;
  }
  return error instanceof ApiError && error.status === 404
    ? "The member was removed, so there is no one to send it to."
    : why;
}
