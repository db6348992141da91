// Redemptions: the filters, and either a board or a list.

import { all } from "../../lib/api.js";
import { append, h, replace } from "../../lib/dom.js";
import { picker } from "../../lib/fields.js";
import { button, pageHead, searchField } from "../../lib/parts.js";
import { STATUSES, choices } from "../../lib/statuses.js";
import { addressOf, askedFor, isNarrowed, orderOf, unfiltered } from "./asked.js";
import { showBoard } from "./board.js";
import { showList } from "./list.js";

/** The number of offers to choose from. */
const OFFERS_MAX = 1000;

/**
 * The page.
 * @param {any} view
 */
export function redemptionsPage(view) {
  const asked = askedFor(view.query);
  const place = h("div");
  const controls = h("div", { class: "controls redemption-controls" });
  const views = h("nav", { class: "switch", "aria-label": "How redemptions are shown" });
  const lead =
    asked.view === "list"
      ? "Found by member, offer, code, date and status."
      : "Each one moves to the right, until it is completed or canceled.";
  append(view.root, [pageHead("Redemptions", lead, views), controls, place]);
  let again = () => {};
  const change = (part) => {
    Object.assign(asked, part);
    history.replaceState(null, "", addressOf(asked));
    replace(views, viewLinks(asked));
    again();
    clear.hidden = !isNarrowed(asked);
    orders.value = orderOf(asked, asked.view === "board" ? "SUBMITTED" : asked.status);
  };
  const clear = button("Clear filters", () => {
    change(unfiltered());
    fill();
  });
  const order = picker(
    "Order",
    [
      ["oldest", "Oldest first"],
      ["newest", "Newest first"],
    ],
    "",
    (to) => change({ order: to }),
  );
  const orders = order.querySelector("select");
  const fill = () => {
    const [more, ...first] = fieldsOf(asked, change).reverse();
    replace(controls, first.reverse(), order, clear, more);
    clear.hidden = !isNarrowed(asked);
    orders.value = orderOf(asked, asked.view === "board" ? "SUBMITTED" : asked.status);
  };
  fill();
  replace(views, viewLinks(asked));
  again = (asked.view === "list" ? showList : showBoard)(place, view, asked);
}

/** The links to the two views. */
function viewLinks(asked) {
  return [
    ["board", "Board"],
    ["list", "List"],
  ].map(([name, text]) =>
    h(
      "a",
      {
        href: addressOf({ ...asked, view: name }),
        "aria-current": asked.view === name ? "page" : null,
      },
      text,
    ),
  );
}

function fieldsOf(asked, change) {
  const search = searchField("Search by member, offer or code", (text) => change({ search: text }));
  search.querySelector("input").value = asked.search;
  /** @type {[string, string][]} */
  const statuses = [["", "All"], ...choices(STATUSES)];
  return [
    search,
    offerField(asked, change),
    asked.view === "list" &&
      picker("Status", statuses, asked.status, (status) => change({ status, order: "" })),
    h(
      "details",
      { class: "redemption-more", open: Boolean(asked.member || asked.from || asked.to) },
      h("summary", {}, "Member and dates"),
      h(
        "div",
        {},
        memberField(asked, change),
        dayField("Redeemed from", "from", asked, change),
        dayField("to", "to", asked, change),
      ),
    ),
  ];
}

/** The select element for an offer; until the offers are loaded, it has only the chosen one. */
function offerField(asked, change) {
  /** @type {[string, string][]} */
  const first = [["", "All"]];
  const field = picker(
    "Offer",
    asked.offer ? [...first, [asked.offer, "Chosen offer"]] : first,
    asked.offer,
    (offer) => change({ offer }),
  );
  void all("/v1/offers", "data", {}, OFFERS_MAX).then(
    (offers) => {
      const known = offers.map(({ id, title }) => [id, title]);
      const isKnown = !asked.offer || known.some(([id]) => id === asked.offer);
      const options = [
        ...first,
        ...known,
        ...(isKnown ? [] : [[asked.offer, "An archived offer"]]),
      ];
      const select = field.querySelector("select");
      replace(
        select,
        options.map(([id, title]) => h("option", { value: id }, title)),
      );
      select.value = asked.offer;
    },
    // Without them, the list below shows the error.
    () => {},
  );
  return field;
}

function memberField(asked, change) {
  const onchange = ({ target }) => change({ member: target.value.trim() });
  const attributes = { name: "member", placeholder: "any id", autocomplete: "off", onchange };
  return h(
    "label",
    { class: "picker" },
    h("span", {}, "Member"),
    h("input", { class: "short", value: asked.member, ...attributes }),
  );
}

function dayField(text, name, asked, change) {
  const onchange = ({ target }) => change({ [name]: target.value });
  return h(
    "label",
    { class: "picker" },
    h("span", {}, text),
    h("input", { type: "date", name, value: asked[name], onchange }),
  );
}
