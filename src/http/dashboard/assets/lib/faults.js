// Faults on request: in the sandbox, what this tab writes can be made to fail, so that it can be
// seen what becomes of it.

import { environment } from "./session.js";

const SLOT = "stampcard.fault";

/** What can be asked for: the value of the header, a name, and what then happens. */
export const FAULTS = [
  ["429", "Too many requests", "Refused with 429. Nothing is done."],
  ["500", "Server error", "Fails with 500. Nothing is done."],
  ["503", "Overloaded", "Refused with 503. Nothing is done."],
  ["500-after", "Lost answer", "It is done, but the answer is an error."],
];
export const DELAYS = [
  ["delay=1000", "1 second"],
  ["delay=5000", "5 seconds"],
  ["delay=20000", "20 seconds"],
];

/**
 * What this tab asks for, as the header says it, or null.
 * @returns {string | null}
 */
export function fault() {
  return environment() === "sandbox" ? sessionStorage.getItem(SLOT) : null;
}

/**
 * Asks for a fault from here on, or for none.
 * @param {string | null} text
 */
export function setFault(text) {
  if (text) sessionStorage.setItem(SLOT, text);
  else sessionStorage.removeItem(SLOT);
  document.dispatchEvent(new CustomEvent("serverstate"));
}

/**
 * The headers of a request of this method that ask for it. What is only read is left alone, so that
 * the page can still be used.
 * @param {string} method
 * @returns {Record<string, string>}
 */
export function faultHeaders(method) {
  const text = method === "GET" ? null : fault();
  return text ? { "Stampcard-Fault": text } : {};
}
