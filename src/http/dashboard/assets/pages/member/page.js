// One member: the profile, the wallet and its ledger, redemptions and conversations.

import { get, path } from "../../lib/api.js";
import { append, h, replace } from "../../lib/dom.js";
import { rawText } from "../../lib/json.js";
import { backLink } from "../../lib/parts.js";
import { patch } from "../../lib/patch.js";
import { load } from "../../lib/states.js";
import { conversationsCard } from "./conversations.js";
import { ledgerCard } from "./ledger.js";
import { memberHead, profile } from "./profile.js";
import { redemptionsCard } from "./redemptions.js";

/** @param {any} view */
export function memberPage(view) {
  const { id } = view.params;
  const { symbol } = view.context;
  const head = h("div");
  const wallet = h("div");
  const lists = h("div");
  const rules = rulesOfPoints();
  const changed = () => again.forEach((each) => each());
  replace(head, memberHead({ externalUserID: id }));
  append(view.root, [backLink("members", "Members"), head, wallet, lists]);
  const again = [
    load(
      wallet,
      async () => {
        const member = await memberOf(id, lists).catch((error) => {
          // The name of a member who is not known any more is not left on the page.
          if (error.status === 404) patch(head, [memberHead({ externalUserID: id })]);
          throw error;
        });
        if (lists.childElementCount === 0) again.push(...showLists(lists, id, symbol, changed));
        return { ...member, rules: await rules };
      },
      (member) => {
        patch(head, [memberHead(member, symbol, changed)]);
        return profile(member, symbol, changed);
      },
      6,
    ),
  ];
  view.live((events) => {
    // For an erased member the event has another id.
    const concerns = ({ name, data }) =>
      !data || name === "member.removed" || data.data?.externalUserID === id;
    if (!events.some(concerns)) return;
    again.forEach((each) => each.live());
  });
}

/** The member. An unknown one has no lists either. */
async function memberOf(id, lists) {
  try {
    const where = path`/v1/members/${id}`;
    const { data, text } = await get(where, { includeArchived: true }, { raw: true });
    lists.style.display = "";
    const documents = data.archivedAt === null ? await documentsFor(id) : [];
    // As text: a number may be larger than JavaScript's.
    return { ...data, attributes: rawText(text, "attributes"), documents };
  } catch (/** @type {any} */ error) {
    lists.style.display = error.status === 404 ? "none" : "";
    throw error;
  }
}

/**
 * How the program keeps points. Null if that is not known: a server of an earlier version, or an
 * error, which the page has about the member too.
 */
async function rulesOfPoints() {
  try {
    const [asset, program] = await Promise.all([
      get(path`/v1/assets/${"default"}`),
      get(path`/v1/programs/${"current"}`),
    ]);
    return { isLots: asset.inventory_mode === "LOT", expiry: program.expiry };
  } catch {
    return null;
  }
}

/** The published documents, and whether the member accepted them. */
async function documentsFor(externalUserID) {
  const { documents } = await get("/v1/terms", { externalUserID });
  return documents;
}

/** The member's lists. Returns the functions that update them. */
function showLists(lists, id, symbol, changed) {
  const parts = [
    ledgerCard(id, symbol, changed),
    redemptionsCard(id, symbol),
    conversationsCard(id),
  ];
  const [ledger, redemptions, conversations] = parts.map(({ element }) => element);
  append(lists, [
    h("div", { class: "halves" }, ledger, h("div", { class: "stack" }, redemptions, conversations)),
  ]);
  return parts.map(({ again }) => again);
}
