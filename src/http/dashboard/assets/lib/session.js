// The key that this tab is signed in with. It lives in the tab's session storage and nowhere else.

const SLOT = "stampcard.key";

/** The key, or null. */
export function key() {
  return sessionStorage.getItem(SLOT);
}

export function signIn(value) {
  sessionStorage.setItem(SLOT, value);
}

export function signOut() {
  sessionStorage.removeItem(SLOT);
  // What was typed is nobody else's business; see intents.js.
  sessionStorage.removeItem("stampcard.intents");
}

/** `org`, `partner`, or null if it looks like neither. */
export function kindOf(value) {
  if (value?.startsWith("partner_")) return "partner";
  return value?.startsWith("expys_") ? "org" : null;
}

/** `sandbox` or `live`. */
export function environment() {
  return key()?.split("_")[1] === "live" ? "live" : "sandbox";
}
