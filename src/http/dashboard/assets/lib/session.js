// The keys that this tab holds, and the one that it uses. They are stored only in the tab's session
// storage: a closed tab forgets them.

const SLOT = "stampcard.key";
const HELD = "stampcard.keys";
/** Entries of the session storage with this prefix belong to the present sign-in. */
const OURS = "stampcard.";

/**
 * A key, and what it opens, if known.
 * @typedef {{ key: string, name: string | null, program: string | null }} Held
 */

/**
 * The key in use.
 * @returns {string | null}
 */
export function key() {
  return sessionStorage.getItem(SLOT);
}

/**
 * Every key that the tab holds, in order of addition.
 * @returns {Held[]}
 */
export function held() {
  try {
    const list = JSON.parse(sessionStorage.getItem(HELD) ?? "[]");
    return Array.isArray(list) ? list.filter((each) => kindOf(each?.key)) : [];
  } catch {
    return [];
  }
}

/** @param {Held[]} list */
function keep(list) {
  if (list.length > 0) sessionStorage.setItem(HELD, JSON.stringify(list));
  else sessionStorage.removeItem(HELD);
}

/**
 * Adds a key, and what it opens.
 * @param {string} value
 * @param {{ name?: string | null, program?: string | null }} [opens]
 */
export function hold(value, opens = {}) {
  const list = held();
  const known = list.find((each) => each.key === value);
  if (known) Object.assign(known, opens);
  else list.push({ key: value, name: opens.name ?? null, program: opens.program ?? null });
  keep(list);
}

/**
 * Uses a key from now on, and adds it.
 * @param {string} value
 */
export function signIn(value) {
  hold(value);
  sessionStorage.setItem(SLOT, value);
}

/**
 * Forgets one key.
 * @param {string | null} value
 */
export function forget(value) {
  keep(held().filter((each) => each.key !== value));
  if (key() === value) sessionStorage.removeItem(SLOT);
}

/** Forgets every key, and the input that belongs to them. */
export function signOut() {
  for (const slot of Object.keys(sessionStorage)) {
    if (slot.startsWith(OURS)) sessionStorage.removeItem(slot);
  }
}

/**
 * `org`, `partner`, or null if it looks like neither.
 * @param {string | null | undefined} value
 * @returns {"org" | "partner" | null}
 */
export function kindOf(value) {
  if (typeof value !== "string") return null;
  if (value.startsWith("partner_")) return "partner";
  return value.startsWith("expys_") ? "org" : null;
}

/**
 * `sandbox` or `live`, of the key in use, unless another one is given.
 * @param {string | null} [value]
 * @returns {"sandbox" | "live"}
 */
export function environment(value = key()) {
  return value?.split("_")[1] === "live" ? "live" : "sandbox";
}
