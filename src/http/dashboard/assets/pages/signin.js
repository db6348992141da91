// The sign-in: a key, which is checked before it is stored.

import { h, replace } from "../lib/dom.js";
import { mark } from "../lib/shell.js";
import { nameOf, switchTo } from "../lib/places.js";
import { environment, held, kindOf, signIn } from "../lib/session.js";
import { themeSwitch } from "../lib/theme.js";

/** Asks for a key and calls `start` once there is one. */
export function signInPage(app, start, message) {
  document.title = "Sign in · Stampcard";
  const problem = h("p", { class: "form-error", role: "alert", hidden: !message }, message);
  const input = h("input", {
    id: "key",
    name: "key",
    type: "password",
    required: true,
    autocomplete: "off",
    spellcheck: "false",
    placeholder: "expys_sandbox_…",
    "aria-describedby": "key-hint",
  });
  const form = h(
    "form",
    { class: "form" },
    h(
      "div",
      { class: "field" },
      h("label", { for: "key" }, "Key"),
      input,
      h(
        "p",
        { class: "hint", id: "key-hint" },
        "An Org-API-Key opens its program, a partner key the organizations of its environment. ",
        "The server printed both at its first start. This tab forgets it when it is closed.",
      ),
    ),
    problem,
    h("button", { class: "button button-primary button-wide", type: "submit" }, "Sign in"),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const key = input.value.trim();
    if (kindOf(key)) {
      signIn(key);
      start();
      return;
    }
    problem.hidden = false;
    replace(problem, "A key begins with expys_ or with partner_.");
    input.focus();
  });
  replace(
    app,
    h(
      "main",
      { id: "main", class: "sign-in", tabindex: "-1" },
      h("div", { class: "sign-in-top" }, themeSwitch()),
      h(
        "div",
        { class: "sign-in-card" },
        h(
          "div",
          { class: "sign-in-head" },
          mark(),
          h("h1", {}, "Stampcard"),
          h("p", { class: "lead" }, "Members, points and what they are spent on."),
        ),
        form,
        others(start),
      ),
    ),
  );
  input.focus();
}

/** The programs of the other keys that this tab holds. */
function others(start) {
  const list = held();
  if (list.length === 0) return null;
  return h(
    "div",
    { class: "sign-in-held" },
    h("p", { class: "hint" }, "This tab also holds:"),
    list.map((each) =>
      h(
        "button",
        { class: "button button-wide", type: "button", onclick: () => switchTo(each.key, start) },
        `${nameOf(each)} (${environment(each.key)})`,
      ),
    ),
  );
}
