// Copying of texts to the clipboard.

import { notify } from "./notices.js";

/**
 * Copies a text. Without a clipboard, as where the page is served without HTTPS, it is selected
 * instead.
 * @param {string} text
 * @param {Node} element the element that shows it
 */
export async function copyText(text, element) {
  try {
    await navigator.clipboard.writeText(text);
    notify("Copied.");
  } catch {
    getSelection()?.selectAllChildren(element);
    notify("It is selected; copy it with the keyboard.");
  }
}
