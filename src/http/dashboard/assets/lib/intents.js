// What somebody meant to do once. Each has one Idempotency-Key, which the tab keeps until it is known
// what became of it, so that sending it again after a lost answer, or after a reload, acts once.

import { ApiError, randomId } from "./api.js";
import { key } from "./session.js";

const SLOT = "stampcard.intents";
/** A server forgets its keys, by default after a day; a repetition later than that would act. */
const HOURS_MAX = 20;
/** Of the answers after a lost one, these say nothing about what the first request did. */
const BESIDE_THE_POINT = [401, 403, 429];

/**
 * @typedef {object} Intent
 * @property {string} name what it is about, told from everything else: "Credit ada"
 * @property {string} title the same for people
 * @property {string} key its Idempotency-Key
 * @property {Record<string, any>} answers what the form held
 * @property {boolean} isLost whether it was sent and is not known to have arrived
 * @property {string} address the page it was on
 * @property {string} owner whose it is: a hash of the credential
 * @property {number} at when it began
 */

/**
 * The intent of this name that is not settled, if there is one.
 * @param {string} name
 * @returns {Intent | null}
 */
export function unsettledIntent(name) {
  return unsettledIntents().find((intent) => intent.name === name) ?? null;
}

/**
 * Everything that the present credential sent and that is not known to have arrived.
 * @returns {Intent[]}
 */
export function unsettledIntents() {
  const owner = ownerOf(key());
  return kept()
    .filter((intent) => intent.owner === owner)
    .map((intent) => ({ ...intent, isLost: true }));
}

/**
 * A new intent. It is not kept yet.
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
 * Keeps an intent, right before it is sent.
 * @param {Intent} intent
 */
export function keepIntent(intent) {
  keep([...kept().filter((each) => !isSame(each, intent)), intent]);
}

/**
 * Forgets an intent: it is known what became of it.
 * @param {Intent} intent
 */
export function settleIntent(intent) {
  keep(kept().filter(({ key }) => key !== intent.key));
}

/**
 * What an error says about an intent: "lost" if it may have been done, "refused" if it was not.
 * Anything that is no answer of the server's says nothing: "unclear".
 * @param {Intent} intent
 * @param {unknown} error
 * @returns {"lost" | "refused" | "unclear"}
 */
export function outcomeOf(intent, error) {
  if (!(error instanceof ApiError)) return intent.isLost ? "lost" : "unclear";
  if (error.isUnknown) return "lost";
  return intent.isLost && BESIDE_THE_POINT.includes(error.status) ? "lost" : "refused";
}

/** @type {Intent[] | null} Where the tab has no storage. */
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
 * Tells credentials apart without holding them. Source: FNV-1a, 32 bits.
 * @param {string | null} credential
 */
function ownerOf(credential) {
  let hash = 0x811c9dc5;
  for (const letter of credential ?? "") {
    hash = Math.imul(hash ^ letter.charCodeAt(0), 0x01000193);
  }
  return (hash >>> 0).toString(16);
}
