// A form for an existing object. It sends only fields that were changed in it, and only if the rest
// is as it was loaded. Changes by others in the meantime are kept, or shown next to the input.

import { ApiError } from "./api.js";
import { h, replace } from "./dom.js";
import { arrange, field, read, write } from "./fields.js";
import { compare, isSame } from "./merge.js";
import { notify } from "./notices.js";
import { errorState, loadingState } from "./states.js";

/** The maximum number of times that changes by others are merged without a question. */
const ROUNDS = 4;
/** The most grey lines for fields that are loading. */
const LINES_MAX = 8;

/** @typedef {import("./merge.js").Answers} Answers */
/** @typedef {number | string | null | undefined} Version the settings version that was loaded */

/**
 * @typedef {object} Editing
 * @property {any[]} fields as `field` takes them, without values
 * @property {() => Promise<{ values: Record<string, any>, version: Version }>} load requests the
 *   present state: a value for each field, and the settings version
 * @property {(changes: Answers, options: { match: Version, values: Answers }) => Promise<any>} save
 *   sends the changes; `values` has the other fields, too
 * @property {(answer: any) => void} [saved] receives the response; null if there was nothing to
 *   send
 * @property {string} [action] the text of the button
 * @property {string | null} [text] the text above the fields
 * @property {string} [tone]
 * @property {(answers: Answers) => Promise<string | Node>} [preview] shows the effect
 */

/**
 * A form that loads its object. `element` is the form; `isDirty` returns whether a field was
 * changed. `buttons` go before its own one; `finished` is called at the end.
 * @param {Editing} editing
 * @param {{ buttons?: Node[], finished?: () => void, className?: string }} [place]
 * @returns {{ element: HTMLFormElement, isDirty: () => boolean }}
 */
export function editForm(editing, { buttons = [], finished = () => {}, className = "form" } = {}) {
  const { fields, text, action = "Save", tone = "primary" } = editing;
  const inputs = h("div", { class: className });
  const problem = h("div", { class: "form-error", role: "alert", hidden: true });
  const button = h("button", { class: `button button-${tone}`, type: "submit" }, action);
  button.disabled = true;
  const preview = editing.preview ? previewOf(editing.preview) : null;
  const element = h(
    "form",
    { class: className },
    text && h("p", { class: "dialog-text" }, text),
    inputs,
    preview?.element,
    problem,
    h("div", { class: "dialog-actions" }, buttons, button),
  );
  /** @type {Edit | null} */
  let edit = null;
  const start = async () => {
    replace(inputs, loadingState(Math.min(fields.length, LINES_MAX)));
    try {
      const { values, version } = await editing.load();
      const built = fields.map((each) => ({
        name: each.name,
        element: field(filled(each, values)),
      }));
      replace(inputs, arrange(built.map((each) => each.element)));
      edit = new Edit(element, editing, built, version);
      button.disabled = false;
      preview?.follow(element);
      if (element.closest("dialog")) element.querySelector("input, textarea, select")?.focus();
    } catch (error) {
      replace(inputs, errorState(error, start));
    }
  };
  const say = (/** @type {any[]} */ ...content) => {
    problem.hidden = content.length === 0;
    replace(problem, ...content);
    // The field to choose from has the focus, and stays visible.
    if (content.length > 0 && !edit?.open.size) problem.scrollIntoView({ block: "nearest" });
  };
  element.addEventListener("submit", async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    if (!edit || button.disabled) return;
    button.disabled = true;
    say();
    try {
      const { answer, note } = await edit.send();
      notify(note);
      editing.saved?.(answer);
      finished();
      if (element.isConnected && !element.closest("dialog")) await edit.refresh();
    } catch (error) {
      say(...explanation(error));
    } finally {
      button.disabled = false;
    }
  });
  void start();
  return { element, isDirty: () => edit !== null && edit.isDirty() };
}

/**
 * A part that shows the effect of a form while it is filled in.
 * @param {(answers: Record<string, any>) => Promise<string | Node>} preview
 */
export function previewOf(preview) {
  const element = h("p", { class: "form-preview", role: "status" });
  let turn = 0;
  /** @param {HTMLFormElement} form */
  const show = async (form) => {
    const mine = ++turn;
    const text = await preview(read(form)).catch(() => "");
    if (mine === turn) replace(element, text);
  };
  /** @param {HTMLFormElement} form */
  const follow = (form) => {
    form.addEventListener("change", () => show(form));
    void show(form);
  };
  return { element, follow };
}

const BUDGET = "The wallet is the budget under “Kinds of points” on the page of settings.";

/** @param {any} error */
const isBudget = ({ code }) => code === "WALLET_EMPTY" || code === "wallet_empty";

/**
 * Returns the text of an error.
 * @param {any} error
 * @returns {Node[]}
 */
export function explanation(error) {
  if (error instanceof Explained) return [h("p", {}, error.content)];
  if (!(error instanceof ApiError && error.isUnknown)) {
    return [h("p", {}, error.message), isBudget(error) && h("p", { class: "hint" }, BUDGET)];
  }
  return [
    h("p", {}, "It is not known whether this arrived. Press again: nothing is done twice."),
    h("p", { class: "hint" }, error.message),
  ];
}

/** @param {any} each @param {Record<string, any>} values */
const filled = (each, values) => ({ ...each, value: values[each.name] ?? each.value });

/** A refusal with elements to show besides text. */
export class Explained extends Error {
  /** @param {(Node | string)[]} content */
  constructor(content) {
    super(content.map((each) => (typeof each === "string" ? each : each.textContent)).join(""));
    this.content = content;
  }
}

/** The loaded state, and the changes made to it. */
class Edit {
  /**
   * @param {HTMLFormElement} form
   * @param {Editing} editing
   * @param {{ name: string, element: HTMLElement }[]} built its fields
   * @param {Version} version
   */
  constructor(form, editing, built, version) {
    this.form = form;
    this.editing = editing;
    this.places = new Map(built.map(({ name, element }) => [name, element]));
    this.version = version;
    /** @type {Answers} */
    this.base = read(form);
    /**
     * The values that were sent without a response.
     * @type {Answers} What was sent without an answer.
     */
    this.lost = {};
    /** Whether part of that turned out to have arrived. */
    this.hasArrived = false;
    /** Fields to choose from. @type {Map<string, HTMLElement>} What is to be chosen yet. */
    this.open = new Map();
  }

  isDirty() {
    return !isSame(this.base, read(this.form));
  }

  /** @param {Answers} answers */
  changed(answers) {
    const names = Object.keys(answers).filter((name) => !isSame(answers[name], this.base[name]));
    return Object.fromEntries(names.map((name) => [name, answers[name]]));
  }

  /** Sends the changes. @returns {Promise<{ answer: any, note: string }>} */
  async send() {
    const waiting = this.open.values().next().value;
    if (waiting) {
      waiting.querySelector("button")?.focus();
      throw new Error("Choose which value to keep, yours or theirs.");
    }
    /** @type {Set<string>} */
    const kept = new Set();
    for (let round = 1; ; round += 1) {
      const values = read(this.form);
      const changes = this.changed(values);
      if (Object.keys(changes).length === 0) {
        const what = this.hasArrived ? "Saved." : "Nothing to save.";
        return { answer: null, note: what + alsoKept(kept) };
      }
      try {
        const answer = await this.editing.save(changes, { match: this.version, values });
        this.base = values;
        this.lost = {};
        return { answer, note: `Saved.${alsoKept(kept)}` };
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        if (error.isUnknown || error.wasLost) this.lost = { ...this.lost, ...changes };
        if (error.status !== 412 || round === ROUNDS) throw error;
        await this.takeIn(kept);
      }
    }
  }

  /** Takes in the state after a save, so that the form can be used again. */
  async refresh() {
    try {
      await this.takeIn(new Set());
    } catch {
      // The next save finds out.
    }
  }

  /**
   * Merges the present state.
   * @param {Set<string>} kept the changes of others in it, for the message
   */
  async takeIn(kept) {
    const { values, version } = await this.editing.load();
    const theirs = answersOf(this.editing.fields, values);
    // Our own change that arrived although its response was lost is not a change by others.
    const arrived = Object.keys(this.lost).filter((name) => isSame(theirs[name], this.lost[name]));
    for (const name of arrived) this.base[name] = theirs[name];
    this.hasArrived ||= arrived.length > 0;
    const mine = read(this.form);
    const found = compare(this.base, mine, theirs);
    write(this.form, Object.fromEntries(found.theirs.map((name) => [name, theirs[name]])));
    this.base = theirs;
    this.version = version;
    this.lost = {};
    for (const name of found.theirs) kept.add(this.labelOf(name));
    if (found.theirs.length + found.both.length + arrived.length === 0) kept.add("");
    if (found.both.length === 0) return;
    for (const name of found.both) this.ask(name, mine[name], theirs[name]);
    this.open.values().next().value?.querySelector("button")?.focus();
    throw new Error(
      "Someone else has changed the same field. Nothing is saved yet: choose which value to keep.",
    );
  }

  /**
   * Shows both values of a field, to choose from.
   * @param {string} name
   * @param {any} mine
   * @param {any} theirs
   */
  ask(name, mine, theirs) {
    this.open.get(name)?.remove();
    const side = (/** @type {string} */ whose, /** @type {any} */ value) => {
      const choose = () => {
        write(this.form, { [name]: value });
        this.open.delete(name);
        /** @type {HTMLElement | null} */
        const problem = this.form.querySelector(".form-error");
        if (problem && this.open.size === 0) problem.hidden = true;
        block.querySelectorAll("button").forEach((/** @type {Element} */ each) => {
          each.setAttribute("aria-pressed", String(each === button));
        });
      };
      const button = h(
        "button",
        { class: "conflict-side", type: "button", "aria-pressed": "false", onclick: choose },
        h("span", { class: "strong" }, whose),
        h("span", { class: "conflict-value" }, this.shown(name, value)),
      );
      return button;
    };
    const title = `${this.labelOf(name)} was changed in the meantime. Which value do you want to keep?`;
    const block = h(
      "div",
      { class: "conflict", role: "group", "aria-label": title, "data-conflict": name },
      h("p", { class: "strong" }, title),
      h("div", { class: "conflict-sides" }, side("Yours", mine), side("Theirs", theirs)),
    );
    this.places.get(name)?.parentElement?.querySelector(`[data-conflict="${name}"]`)?.remove();
    this.places.get(name)?.after(block);
    block.closest("details")?.setAttribute("open", "");
    this.open.set(name, block);
  }

  /** @param {string} name @returns {string} */
  labelOf(name) {
    return this.editing.fields.find((each) => each.name === name)?.label ?? name;
  }

  /** A value as its field shows it. @param {string} name @param {any} value */
  shown(name, value) {
    const { options = [] } = this.editing.fields.find((each) => each.name === name) ?? {};
    const pair = options.find(
      (/** @type {any} */ each) => Array.isArray(each) && each[0] === value,
    );
    if (pair) return pair[1];
    if (typeof value === "boolean") return value ? "yes" : "no";
    return (Array.isArray(value) ? value.join(", ") : String(value)) || "nothing";
  }
}

/**
 * The values of fields with other values filled in.
 * @param {any[]} fields @param {Record<string, any>} values
 */
function answersOf(fields, values) {
  return read(
    h(
      "form",
      {},
      fields.map((each) => field(filled(each, values))),
    ),
  );
}

/** @param {Set<string>} kept */
function alsoKept(kept) {
  const labels = [...kept].filter(Boolean);
  if (labels.length > 0) return ` ${labels.join(", ")} changed in the meantime; that was kept.`;
  return kept.size > 0 ? " Something else changed in the meantime; that was kept." : "";
}
