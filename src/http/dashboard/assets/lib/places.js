// The head of the side bar: the present program, and the switch to the others whose keys the tab
// holds.

import { ApiError, get, path } from "./api.js";
import { formDialog } from "./dialogs.js";
import { h, icon, replace } from "./dom.js";
import { environment, held, hold, key, kindOf, signIn } from "./session.js";
import { sendAll } from "./undo.js";

const ENVIRONMENTS = { live: "Live data", sandbox: "Sandbox data" };

/**
 * Creates it. `show` updates it, `short` is its short form for a narrow screen.
 * @param {{ kind: string, context: any, restart: () => void }} options
 */
export function places({ kind, context, restart }) {
  const name = h("strong", { class: "place-name" });
  const list = h("ul", { class: "places", id: "places", hidden: true });
  const opener = h(
    "button",
    {
      class: "place-open",
      type: "button",
      "aria-expanded": "false",
      "aria-controls": "places",
      onclick: () => toggle(list.hidden),
    },
    name,
    icon("open"),
  );
  const toggle = (/** @type {boolean} */ isOpen) => {
    list.hidden = !isOpen;
    opener.setAttribute("aria-expanded", String(isOpen));
  };
  const short = h("span", { class: "place-short" });
  const show = () => {
    const own = kind === "partner" ? "Partner" : context.program.name;
    replace(name, own);
    replace(short, own, " ", badge(key()));
    const others = held().filter((each) => each.key !== key());
    replace(
      list,
      others.map((each) => h("li", {}, switchButton(each, restart))),
      h(
        "li",
        {},
        h(
          "button",
          { class: "place-choice", type: "button", onclick: () => addDialog(restart) },
          icon("plus"),
          "Add a key",
        ),
      ),
    );
  };
  show();
  const element = h("div", { class: "place" }, opener, badge(key()), list);
  element.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== "Escape" || list.hidden) return;
    toggle(false);
    opener.focus();
  });
  return { element, short, show };
}

/** @param {string | null} value */
function badge(value) {
  const which = environment(value);
  return h("span", { class: `environment environment-${which}` }, ENVIRONMENTS[which]);
}

/**
 * @param {import("./session.js").Held} each
 * @param {() => void} restart
 */
function switchButton(each, restart) {
  return h(
    "button",
    { class: "place-choice", type: "button", onclick: () => switchTo(each.key, restart) },
    h("span", { class: "place-choice-name" }, nameOf(each)),
    badge(each.key),
  );
}

/**
 * Returns the name of what a held key opens; the beginning of the key, if that is unknown.
 * @param {import("./session.js").Held} each
 */
export function nameOf(each) {
  if (each.name) return each.name;
  return kindOf(each.key) === "partner" ? "Partner" : `${each.key.slice(0, 19)}…`;
}

/**
 * Switches to another key. The page stays the same one, unless it is about an object of the old
 * program.
 * @param {string} value
 * @param {() => void} restart
 */
export function switchTo(value, restart) {
  // With the key that it was meant for.
  sendAll();
  signIn(value);
  const [page] = location.hash.replace(/^#\/?/, "").split(/[/?]/);
  history.replaceState(null, "", `#/${page}`);
  restart();
}

/** @param {() => void} restart */
function addDialog(restart) {
  formDialog({
    title: "Add a key",
    text: "This tab then holds both, and switches between what they open. Signing out forgets all.",
    action: "Add it",
    fields: [
      {
        name: "key",
        label: "Key",
        type: "password",
        required: true,
        spellcheck: "false",
        placeholder: "expys_sandbox_…",
      },
    ],
    async submit({ key: given }) {
      hold(given, await whatOpens(given));
      switchTo(given, restart);
    },
  });
}

/**
 * Asks what a key opens, using that key, before it is held.
 * @param {string} value
 */
async function whatOpens(value) {
  const kind = kindOf(value);
  if (!kind) throw new Error("A key begins with expys_ or with partner_.");
  const options = { credential: value };
  try {
    if (kind === "partner") {
      await get("/partner/billing", {}, options);
      return { name: "Partner" };
    }
    const { name, id } = await get(path`/v1/programs/${"current"}`, {}, options);
    return { name, program: id };
  } catch (error) {
    if (!(error instanceof ApiError) || (error.status !== 401 && error.status !== 403)) throw error;
    throw new Error(`The key was refused: ${error.message}.`);
  }
}
