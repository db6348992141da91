// One member: the profile, the wallet and its ledger, redemptions and conversations.

import { get, path } from "../../lib/api.js";
import { append, h, replace } from "../../lib/dom.js";
import { rawText } from "../../lib/json.js";
import { kindsOfPoints } from "../../lib/kinds.js";
import { backLink } from "../../lib/parts.js";
import { patch } from "../../lib/patch.js";
import { load } from "../../lib/states.js";
import { furtherAccounts, ledgersOf } from "./accounts.js";
import { conversationsCard } from "./conversations.js";
import { furtherCard } from "./further.js";
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
  const accounts = rules.then(({ kinds }) => furtherAccounts(id, kinds.slice(1)));
  /** The member as last loaded, and whether points can be credited and debited. */
  const standing = { member: null, canMove: true };
  let further = null;
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
        const canMove = !member.archivedAt && !member.suspendedAt;
        const isNew = canMove !== standing.canMove;
        Object.assign(standing, { member, canMove });
        const { own, kinds } = await rules;
        if (lists.childElementCount === 0) {
          const ledgers = ledgersOf(id, symbol, kinds, await accounts);
          again.push(...showLists(lists, id, symbol, { ledgers, standing, changed }));
          if (kinds.length > 1) further = furtherCard(await accounts, standing, changed);
          if (further) again.push(further.again);
        } else if (isNew) {
          // Points can be moved, and entries reversed, from now on, or not any more.
          again[1]();
          further?.again();
        }
        return { ...member, rules: own };
      },
      (member) => {
        patch(head, [memberHead(member, symbol, changed)]);
        return profile(member, symbol, further?.element, changed);
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
 * The kinds of points, and how the program keeps its own. Nothing of this is known of a server of an
 * earlier version, or after an error, which the page has about the member too.
 */
async function rulesOfPoints() {
  try {
    const [kinds, { expiry }] = await Promise.all([
      kindsOfPoints(),
      get(path`/v1/programs/${"current"}`),
    ]);
    return { kinds, own: { isLots: kinds[0].inventory_mode === "LOT", expiry } };
  } catch {
    return { kinds: [], own: null };
  }
}

/** The published documents, and whether the member accepted them. */
async function documentsFor(externalUserID) {
  const { documents } = await get("/v1/terms", { externalUserID });
  return documents;
}

/** The member's lists. Returns the functions that update them. */
function showLists(lists, id, symbol, options) {
  const parts = [ledgerCard(id, options), redemptionsCard(id, symbol), conversationsCard(id)];
  const [ledger, redemptions, conversations] = parts.map(({ element }) => element);
  append(lists, [
    h("div", { class: "halves" }, ledger, h("div", { class: "stack" }, redemptions, conversations)),
  ]);
  return parts.map(({ again }) => again);
}
