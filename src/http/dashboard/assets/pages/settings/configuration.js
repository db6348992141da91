// The program's configuration: its points and tiers.

import { get, put } from "../../lib/api.js";
import { editForm } from "../../lib/edits.js";
import { card } from "../../lib/parts.js";

/**
 * The card of the program's points and tiers.
 * @param {any} view
 */
export function configurationCard(view) {
  const { element } = editForm(editing(view.context), { className: "form form-narrow" });
  return card("Points and tiers", element);
}

function editing(context) {
  return {
    fields: [
      { name: "currencyName", label: "Name of the points", maxlength: 64 },
      {
        name: "currencySymbol",
        label: "Their symbol",
        maxlength: 16,
        hint: "It follows every amount.",
      },
      { name: "defaultTier", label: "Tier of a new member", maxlength: 64 },
      {
        name: "ratePerPoint",
        label: "Worth of a point in US dollars",
        type: "number",
        min: 0,
        max: 1000,
        step: "any",
      },
      {
        name: "currencyUnitsPerUSD",
        label: "Display units per US dollar",
        type: "number",
        min: 0.000001,
        max: 1000000,
        step: "any",
        hint: "Apps can show amounts in these units.",
      },
    ].map((each) => ({ ...each, required: true })),
    async load() {
      const { data, version } = await get("/v1/configuration", {}, { raw: true });
      return { values: data, version };
    },
    save: (changes, { match }) => put("/v1/configuration", bodyOf(changes), { match }),
    saved(configuration) {
      if (!configuration) return;
      context.configuration = configuration;
      context.symbol = configuration.currencySymbol;
    },
  };
}

function bodyOf({ ratePerPoint, currencyUnitsPerUSD, ...texts }) {
  return {
    ...texts,
    ...(ratePerPoint !== undefined && { ratePerPoint: Number(ratePerPoint) }),
    ...(currencyUnitsPerUSD !== undefined && { currencyUnitsPerUSD: Number(currencyUnitsPerUSD) }),
  };
}
