// Legal documents: their names, and a frame that shows their HTML.

import { h } from "./dom.js";

/**
 * The types of documents with their names.
 * @type {[type: string, name: string][]}
 */
export const DOCUMENTS = [
  ["TERMS_OF_SERVICE", "Terms of service"],
  ["PRIVACY_POLICY", "Privacy policy"],
];

/** The frame has the page's policy, too, which allows pictures. This one allows nothing. */
const POLICY =
  '<!doctype html><meta http-equiv="Content-Security-Policy" content="default-src \'none\'">';

/**
 * A frame with HTML that may come from anyone: it runs no scripts, sends no forms, requests nothing
 * and cannot reach the page. A browser may still open a connection that it then does not use.
 * @param {string} title
 * @param {string} html
 * @returns {HTMLIFrameElement}
 */
export const htmlFrame = (title, html) =>
  h("iframe", { class: "html-frame", title, sandbox: "", srcdoc: POLICY + html });
