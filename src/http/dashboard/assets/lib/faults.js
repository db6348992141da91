// Faults on request: in the sandbox, writes of this tab can be made to fail, to see the effects.

import { environment } from "./session.js";

const SLOT = "stampcard.fault";

/** The faults that can be requested: the value of the header, a name, and the effect. */
export const FAULTS = [
  ["429", "Too many requests", "Refused with 429. Nothing is changed."],
  ["500", "Server error", "Fails with 500. Nothing is changed."],
  ["503", "Overloaded", "Refused with 503. Nothing is changed."],
  ["500-after", "Lost answer", "The change is made, but the response is an error."],
];
export const DELAYS = [
  ["delay=1000", "1 second"],
  ["delay=5000", "5 seconds"],
  ["delay=20000", "20 seconds"],
];

/**
 * Returns the fault that this tab requests, as the value of the header, or null.
 * @returns {string | null}
 */
export function fault() {
  return environment() === "sandbox" ? sessionStorage.getItem(SLOT) : null;
}

/**
 * Requests a fault from now on, or none.
 * @param {string | null} text
 */
export function setFault(text) {
  if (text) sessionStorage.setItem(SLOT, text);
  else sessionStorage.removeItem(SLOT);
  document.dispatchEvent(new CustomEvent("serverstate"));
}

/**
 * Returns the headers that request the fault for this method. Reads have none, so that the page
 * stays usable.
 * @param {string} method
 * @returns {Record<string, string>}
 */
export function faultHeaders(method) {
  const text = method === "GET" ? null : fault();
  return text ? { "Stampcard-Fault": text } : {};
}
