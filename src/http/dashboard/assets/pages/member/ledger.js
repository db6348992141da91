// The ledger of a wallet: each entry with its date and the balance after it.

import { actorText } from "../../lib/actors.js";
import { Exact, saveText, toCsv } from "../../lib/csv.js";
import { h } from "../../lib/dom.js";
import { picker } from "../../lib/fields.js";
import { exactTime, number } from "../../lib/format.js";
import { holdSlot } from "../../lib/hold.js";
import { attempt, notify } from "../../lib/notices.js";
import { button, link, table } from "../../lib/parts.js";
import { emptyState, load } from "../../lib/states.js";
import { entryText, lotLines, reversals } from "./entries.js";
import { reverse } from "./reverse.js";

const SIZE = 15;
/** The API's limit for a page. */
const PAGE_MAX = 100;
/** The number of pages of new entries after which the list starts over. */
const NEWS_MAX = 10;
/** The number of entries in a download. */
const FILE_MAX = 10000;

const isCredit = ({ type }) => type === "CREDIT";

/**
 * The card of a member's ledger.
 * @param {string} externalUserID
 * @param {{ ledgers: import("./accounts.js").Ledger[], standing: { canMove: boolean },
 *   changed: () => void }} options whether points can be credited and debited now
 * @returns {{ element: HTMLElement, again: any }}
 */
export function ledgerCard(externalUserID, { ledgers, standing, changed }) {
  const place = h("div");
  let [shown] = ledgers;
  let entries = ledger(shown.ask);
  const render = ({ rows, hasMore, canMove }) => {
    if (rows.length === 0) {
      return emptyState("No points yet", "Credits and spends will be listed here.");
    }
    const more = button("Show more", () => attempt(entries.more).then(() => again()));
    return [
      entryTable(rows, shown, canMove, (row) => reverse(row, shown, changed)),
      h("div", { class: "more", "data-key": "more" }, hasMore && more),
    ];
  };
  const again = load(
    place,
    async () => ({ ...(await entries.fetch()), canMove: standing.canMove }),
    render,
  );
  const choose = (key) => {
    shown = ledgers.find((each) => each.key === key) ?? shown;
    entries = ledger(shown.ask);
    again(false);
  };
  const download = button("CSV", () => attempt(() => save(externalUserID, shown)), {
    tone: "small",
    focus: "ledger-csv",
    "aria-label": "Download the ledger as CSV",
  });
  const kinds = ledgers.map(({ key, name }) => [key, name]);
  const head = h(
    "div",
    { class: "card-head" },
    h("h2", { class: "card-title" }, "Ledger"),
    ledgers.length > 1 && picker("Kind", kinds, shown.key, choose),
    holdSlot("entry"),
    download,
  );
  return { element: h("section", { class: "card", "data-list": "ledger" }, head, place), again };
}

/**
 * The newest entries, and as many further pages as were requested. Loaded entries stay: an entry
 * never changes, so only the entries above the newest known one are new.
 */
function ledger(ask) {
  let rows = [];
  let cursor = null;
  let isPaged = false;
  // One after the other: the end of the list must not change while a page is loaded.
  /** @type {Promise<any>} */
  let last = Promise.resolve();
  const inTurn = (work) => (last = last.then(work, work));
  const startOver = async () => {
    const page = await ask({ limit: SIZE });
    [rows, cursor, isPaged] = [page.transactions, page.nextCursor, false];
  };
  const addNews = async () => {
    const known = new Set(rows.map(({ id }) => id));
    const news = [];
    /** @type {any} */
    let page;
    for (let asked = 0; asked < NEWS_MAX && page?.nextCursor !== null; asked += 1) {
      page = await ask({ limit: page ? PAGE_MAX : SIZE, cursor: page?.nextCursor });
      const at = page.transactions.findIndex(({ id }) => known.has(id));
      news.push(...(at < 0 ? page.transactions : page.transactions.slice(0, at)));
      if (at >= 0) {
        rows = [...news, ...rows];
        return;
      }
    }
    await startOver();
  };
  return {
    fetch: () =>
      inTurn(async () => {
        await (isPaged ? addNews() : startOver());
        return { rows, hasMore: cursor !== null };
      }),
    more: () =>
      inTurn(async () => {
        if (cursor === null) return;
        const page = await ask({ limit: SIZE, cursor });
        [rows, cursor, isPaged] = [[...rows, ...page.transactions], page.nextCursor, true];
      }),
  };
}

function entryTable(rows, { symbol, digits }, canMove, start) {
  const ways = reversals(rows);
  const wayOf = ({ id }) => (canMove || ways.get(id) !== "move" ? ways.get(id) : undefined);
  /** @type {any[]} */
  const columns = [
    { label: "Entry", cell: (row) => entryCell(row, digits, wayOf(row), () => start(row)) },
    { label: `Amount, ${symbol}`, isNumber: true, cell: (row) => amountCell(row, digits) },
    { label: "Balance", isNumber: true, cell: ({ balanceAfter }) => digits(balanceAfter) },
  ];
  return table("Ledger", columns, rows, { keyOf: ({ id }) => id, hold: "entry" });
}

function entryCell(row, digits, way, start) {
  const { actor, lots } = row.details ?? {};
  return h(
    "div",
    { class: "offer-cell" },
    h("span", {}, whatFor(row)),
    h(
      "span",
      { class: "hint" },
      row.redemptionID && `${row.reason} · `,
      exactTime(row.createdAt),
      way === "reversed" && " · reversed",
      (way === "move" || way === "cancel") &&
        button("Reverse", () => start(), {
          tone: "text",
          focus: `reverse-${row.id}`,
          "aria-label": `Reverse this entry of ${digits(row.amount)}`,
        }),
    ),
    row.details && h("span", { class: "hint" }, sentence(actorText(actor))),
    lotLines(lots, undefined, digits).map((line) => h("span", { class: "hint" }, line)),
  );
}

const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1);

function whatFor(row) {
  const { redemptionID, offerTitle } = row;
  if (redemptionID) return link(`redemptions/${redemptionID}`, offerTitle ?? "A redemption");
  return entryText(row) ?? h("span", { class: "hint" }, isCredit(row) ? "Credit" : "Debit");
}

function amountCell(row, digits) {
  const tone = isCredit(row) ? "credit" : "debit";
  return h("span", { class: tone }, `${isCredit(row) ? "+" : "−"}${digits(row.amount)}`);
}

async function save(externalUserID, { ask, key, symbol, digits }) {
  const entries = [];
  /** @type {any} */
  let page;
  do {
    page = await ask({ limit: PAGE_MAX, cursor: page?.nextCursor });
    entries.push(...page.transactions);
  } while (page.nextCursor && entries.length < FILE_MAX);
  const head = ["time", "entry", "amount", "balance after", "reason", "offer", "redemption"];
  head.push("caused", "lots");
  const rows = entries.map((row) => [
    row.createdAt,
    row.id,
    new Exact(isCredit(row) ? row.amount : `-${row.amount}`),
    new Exact(row.balanceAfter),
    row.reason,
    row.offerTitle,
    row.redemptionID,
    row.details && actorText(row.details.actor),
    lotLines(row.details?.lots, Infinity, digits).join("; "),
  ]);
  const name = externalUserID.replaceAll(/[^\p{L}\p{N}_-]+/gu, "-");
  saveText(`ledger-${name}${key && `-${symbol}`}.csv`, toCsv([head, ...rows]));
  if (page.nextCursor) notify(`The file has the newest ${number(entries.length)} entries.`);
}
