// What the program is set to.

import { get, put } from "../lib/api.js";
import { append, h, replace } from "../lib/dom.js";
import { field, read } from "../lib/fields.js";
import { notify } from "../lib/notices.js";
import { card, pageHead } from "../lib/parts.js";
import { load } from "../lib/states.js";

export function settingsPage(view) {
  const place = h("div");
  append(view.root, [pageHead("Settings", "The program's points and tiers."), card(null, place)]);
  load(
    place,
    () => get("/v1/configuration"),
    (configuration) => form(configuration, view.context),
  );
}

function form(configuration, context) {
  const problem = h("p", { class: "form-error", role: "alert", hidden: true });
  const element = h(
    "form",
    { class: "form form-narrow" },
    [
      { name: "currencyName", label: "Name of the points", maxlength: 64 },
      {
        name: "currencySymbol",
        label: "Their symbol",
        maxlength: 16,
        hint: "It follows every amount.",
      },
      { name: "defaultTier", label: "Tier of a new member", maxlength: 64 },
    ].map((each) => field({ ...each, value: configuration[each.name], required: true })),
    problem,
    h("div", {}, h("button", { class: "button button-primary", type: "submit" }, "Save")),
  );
  element.addEventListener("submit", async (event) => {
    event.preventDefault();
    problem.hidden = true;
    try {
      context.configuration = await put("/v1/configuration", read(element));
      context.symbol = context.configuration.currencySymbol;
      notify("Saved.");
    } catch (error) {
      problem.hidden = false;
      replace(problem, error.message);
    }
  });
  return element;
}
