// Tables as files for a spreadsheet.

import { h } from "./dom.js";

/** The beginnings of texts that a spreadsheet would run, as in src/cli/tables.rs. */
const RUN =
  /^(?=[\t\r]|[\s"']*[=+\-@＝＋－＠])|(?<=[;\t\r\n])(?=[^\S\t\r\n"']*[ "']*[=+\-@＝＋－＠])/g;

/** @typedef {string | number | Exact | null | undefined} Cell */

/** A number with all its digits: JavaScript's would not have those of a large amount. */
export class Exact {
  /** @param {string | number} digits */
  constructor(digits) {
    this.digits = String(digits);
    if (!/^-?\d+(\.\d+)?$/.test(this.digits)) throw new Error(`${digits} is no number`);
  }

  toString() {
    return this.digits;
  }
}

/**
 * Returns rows of cells as CSV. Texts that a spreadsheet would take for a formula are marked as
 * text; numbers stay numbers.
 * @param {Cell[][]} rows
 * @returns {string}
 */
export function toCsv(rows) {
  return rows.map((row) => row.map(cell).join(",")).join("\r\n");
}

/** @param {Cell} value */
function cell(value) {
  const text = typeof value === "string" ? value.replace(RUN, "'") : String(value ?? "");
  return /[",;\t\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/**
 * Downloads a text as a file.
 * @param {string} name
 * @param {string} text
 */
export function saveText(name, text) {
  const url = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }));
  save(name, url);
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

/**
 * Downloads the contents of an address as a file.
 * @param {string} name
 * @param {string} url
 */
export function save(name, url) {
  const anchor = h("a", { href: url, download: name });
  document.body.append(anchor);
  anchor.click();
  anchor.remove();
}
