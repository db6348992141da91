// Requests that must take effect once. Each intent has one Idempotency-Key, which the tab keeps
// until the result is known, so that sending it again after a lost response, or after a reload,
// takes effect once.

import { ApiError, randomId } from "./api.js";
import { key } from "./session.js";

const SLOT = "stampcard.intents";
/**
 * A server deletes idempotency records, by default after a day; a repetition after that would take
 * effect again.
 */
const HOURS_MAX = 20;
/** After a lost response, these responses say nothing about the first request. */
const BESIDE_THE_POINT = [401, 403, 429];

/**
 * @typedef {object} Intent
 * @property {string} name its subject, different from all others: "Credit ada"
 * @property {string} title the same for people
 * @property {string} key its Idempotency-Key
 * @property {Record<string, any>} answers the input of the form
 * @property {boolean} isLost whether it was sent and is not known to have arrived
 * @property {string} address the page it was on
 * @property {string} owner its owner: a hash of the credential
 * @property {number} at when it began
 */

/**
 * Returns the unsettled intent with this name, if there is one.
 * @param {string} name
 * @returns {Intent | null}
 */
export function unsettledIntent(name) {
  return unsettledIntents().find((intent) => intent.name === name) ?? null;
}

/**
 * Returns all requests of the present credential that are not known to have arrived.
 * @returns {Intent[]}
 */
export function unsettledIntents() {
  const owner = ownerOf(key());
  return kept()
    .filter((intent) => intent.owner === owner)
    .map((intent) => ({ ...intent, isLost: true }));
}

/**
 * Creates an intent. It is not stored yet.
 * @param {string} name
 * @param {Record<string, any>} answers
 * @param {string} [title]
 * @returns {Intent}
 */
export function beginIntent(name, answers, title = name) {
  return {
    name,
    title,
    key: randomId(),
    answers,
    isLost: false,
    address: location.hash,
    owner: ownerOf(key()),
    at: Date.now(),
  };
}

/**
 * Stores an intent, right before it is sent.
 * @param {Intent} intent
 */
export function keepIntent(intent) {
  keep([...kept().filter((each) => !isSame(each, intent)), intent]);
}

/**
 * Removes an intent whose result is known.
 * @param {Intent} intent
 */
export function settleIntent(intent) {
  keep(kept().filter(({ key }) => key !== intent.key));
}

/**
 * Returns what an error means for an intent: "lost" if it may have taken effect, "refused" if it
 * did not. Anything other than a response of the server means nothing: "unclear".
 * @param {Intent} intent
 * @param {unknown} error
 * @returns {"lost" | "refused" | "unclear"}
 */
export function outcomeOf(intent, error) {
  if (!(error instanceof ApiError)) return intent.isLost ? "lost" : "unclear";
  if (error.isUnknown) return "lost";
  return intent.isLost && BESIDE_THE_POINT.includes(error.status) ? "lost" : "refused";
}

/** For a tab without storage. @type {Intent[] | null} Where the tab has no storage. */
let inMemory = null;

/** @returns {Intent[]} */
function kept() {
  const oldest = Date.now() - HOURS_MAX * 3600000;
  const all = inMemory ?? parsed();
  return all.filter(({ at }) => at > oldest);
}

/** @returns {Intent[]} */
function parsed() {
  try {
    return JSON.parse(sessionStorage.getItem(SLOT) ?? "[]");
  } catch {
    return [];
  }
}

/** @param {Intent[]} intents */
function keep(intents) {
  try {
    if (intents.length > 0) sessionStorage.setItem(SLOT, JSON.stringify(intents));
    else sessionStorage.removeItem(SLOT);
    inMemory = null;
  } catch {
    inMemory = intents;
  }
}

/**
 * @param {Intent} one
 * @param {Intent} other
 */
const isSame = (one, other) => one.name === other.name && one.owner === other.owner;

/**
 * Identifies credentials without storing them. Source: FNV-1a, 32 bits.
 * @param {string | null} credential
 */
function ownerOf(credential) {
  let hash = 0x811c9dc5;
  for (const letter of credential ?? "") {
    hash = Math.imul(hash ^ letter.charCodeAt(0), 0x01000193);
  }
  return (hash >>> 0).toString(16);
}
