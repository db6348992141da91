// Accounts of a member: one in the program's own points, and one in each further kind. Amounts of
// points are numbers, those of further kinds are texts with decimals.

import { get, path, post } from "../../lib/api.js";
import { decimal, number, points } from "../../lib/format.js";
import { amountText, smallest } from "../../lib/kinds.js";

/** @typedef {number | string} Amount */

/**
 * An amount of an account in its smallest units, to be compared with another one of the account.
 * All of them have the same number of decimals.
 * @param {Amount} amount
 * @returns {bigint}
 */
export const units = (amount) => BigInt(String(amount).replace(".", ""));

/**
 * @typedef {object} Account
 * @property {string} key identifies it among those of the member
 * @property {string | null} name the name of a further kind
 * @property {string} symbol
 * @property {Amount} available
 * @property {string} smallest the smallest amount
 * @property {import("./lots.js").Rules | null} rules
 * @property {(amount: any) => string} digits an amount as text
 * @property {(amount: any) => string} text the same with the symbol
 * @property {(type: "CREDIT" | "DEBIT", body: { amount: string, reason: string, expiresAt?: string |
 *   null, maturesAt?: string }, options: import("../../lib/api.js").Options) => Promise<Amount>} move
 *   credits or debits; returns what is available then
 * @property {(spend: string, body: { amount: string, reason: string }, options:
 *   import("../../lib/api.js").Options) => Promise<unknown>} [refund] returns points of a redemption
 *   of an amount
 */

/**
 * The account in the program's own points.
 * @param {any} member
 * @param {string} symbol
 * @returns {Account}
 */
export const ownAccount = ({ externalUserID, wallet, rules }, symbol) => ({
  key: "",
  name: null,
  symbol,
  available: wallet.balance,
  smallest: smallest(0),
  rules,
  digits: number,
  text: (amount) => points(amount, symbol),
  async move(type, { amount, reason, ...dates }, options) {
    const body = { externalUserID, amount: Number(amount), ...(reason && { reason }), ...dates };
    const where = type === "CREDIT" ? "/v1/wallet/credit" : "/v1/wallet/debit";
    return (await post(where, body, options)).balance;
  },
});

/**
 * An account in a further kind.
 * @param {import("../../lib/kinds.js").Kind} kind
 * @param {string} participant
 * @param {{ available: string }} balance
 * @returns {Account}
 */
const furtherAccount = (kind, participant, { available }) => ({
  key: kind.id,
  name: kind.name,
  symbol: kind.symbol,
  available,
  smallest: smallest(kind.scale),
  rules: { isLots: kind.inventory_mode === "LOT", expiry: null },
  digits: decimal,
  text: (amount) => amountText(amount, kind),
  async move(type, { amount, reason: description, expiresAt, maturesAt }, options) {
    const body = {
      program_id: "current",
      asset_id: kind.id,
      type,
      amount,
      description,
      ...(expiresAt && { expires_at: expiresAt }),
      ...(maturesAt && { matures_at: maturesAt }),
    };
    const where = path`/v1/participants/${participant}/balances/adjust`;
    return (await post(where, body, options)).balance.available;
  },
  refund: (spend, body, options) =>
    post(path`/v1/participants/${participant}/redemptions/${spend}/reverse`, body, options),
});

/**
 * @typedef {object} Further a further kind and what a member has of it
 * @property {import("../../lib/kinds.js").Kind} kind
 * @property {{ available: string, held: string, deferred: string }} balance
 * @property {Account} account
 */

/**
 * What a member has of further kinds. `list` has those that are in use or of which the member ever
 * had anything; `ask` requests a page of the ledger of one.
 * @param {string} externalUserID
 * @param {import("../../lib/kinds.js").Kind[]} kinds
 */
export function furtherAccounts(externalUserID, kinds) {
  /** @type {string | undefined} */
  let known;
  const participant = async () => {
    if (known === undefined) {
      const { data } = await get("/v1/participants", { external_id: externalUserID });
      known = data[0].id;
    }
    return known;
  };
  return {
    /** @returns {Promise<Further[]>} */
    async list() {
      if (kinds.length === 0) return [];
      const id = await participant();
      const { data } = await get(path`/v1/participants/${id}/balances`);
      return kinds.flatMap((kind) => {
        const nothing = (0).toFixed(kind.scale);
        const found = data.find(({ asset_id }) => asset_id === kind.id);
        if (!found && kind.status === "ARCHIVED") return [];
        const balance = found ?? { available: nothing, held: nothing, deferred: nothing };
        return [{ kind, balance, account: furtherAccount(kind, id, balance) }];
      });
    },
    /** @param {string} asset @param {{ limit: number, cursor?: string }} page */
    async ask(asset, page) {
      const where = path`/v1/participants/${await participant()}/statement`;
      const asked = { asset_id: asset, sort_dir: "desc", details: true, ...page };
      const { data, pagination } = await get(where, asked);
      return { transactions: data.map(entryOf), nextCursor: pagination.next_cursor };
    },
  };
}

/**
 * @typedef {object} Ledger the ledger of an account
 * @property {string} key that of the account
 * @property {string} name
 * @property {string} symbol
 * @property {(amount: any) => string} digits
 * @property {(page: { limit: number, cursor?: string }) => Promise<any>} ask requests a page, the
 *   newest entry first
 * @property {() => Promise<{ member: any, account: Account | undefined }>} open the member and the
 *   account, as they are now
 */

/**
 * The ledgers of a member, that of the program's own points first.
 * @param {string} externalUserID
 * @param {string} symbol that of the program's own points
 * @param {import("../../lib/kinds.js").Kind[]} kinds
 * @param {ReturnType<typeof furtherAccounts>} accounts
 * @returns {Ledger[]}
 */
export function ledgersOf(externalUserID, symbol, kinds, accounts) {
  const asked = { externalUserID, includeArchived: true };
  const member = () => get(path`/v1/members/${externalUserID}`, { includeArchived: true });
  const own = {
    key: "",
    name: kinds[0]?.name ?? symbol,
    symbol,
    digits: number,
    ask: (page) => get("/v1/wallet/transactions", { ...asked, details: true, ...page }),
    async open() {
      const found = await member();
      return { member: found, account: ownAccount(found, symbol) };
    },
  };
  const further = kinds.slice(1).map((kind) => ({
    key: kind.id,
    name: kind.name,
    symbol: kind.symbol,
    digits: decimal,
    ask: (page) => accounts.ask(kind.id, page),
    async open() {
      const [found, list] = await Promise.all([member(), accounts.list()]);
      return {
        member: found,
        account: list.find(({ account }) => account.key === kind.id)?.account,
      };
    },
  }));
  return [own, ...further];
}

/**
 * A row of a statement, with its details, as an entry of the wallet's ledger that also says what it
 * was.
 * @param {any} row
 */
function entryOf({ journal_entry_id: id, action_type: action, amount, details, ...row }) {
  const isDebit = amount.startsWith("-");
  const { actor, lots, redemption_id: spend } = details;
  return {
    id,
    action,
    spend,
    type: isDebit ? "DEBIT" : "CREDIT",
    amount: isDebit ? amount.slice(1) : amount,
    balanceAfter: row.running_balance,
    reason: row.description,
    createdAt: row.created_at,
    details: {
      actor: actor && { ...actor, keyPrefix: actor.key_prefix },
      lots: lots?.map(({ expires_at: expiresAt, change, ...lot }) => ({
        ...lot,
        expiresAt,
        change: action === "HOLD" && change === "moved" ? "held" : change,
      })),
    },
  };
}
