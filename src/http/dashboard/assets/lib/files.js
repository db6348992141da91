// Files that are sent in conversations: which ones the server accepts, and their upload.

import { faultHeaders } from "./faults.js";
import { ApiError, randomId, refusal } from "./api.js";
import { number } from "./format.js";
import { key } from "./session.js";

/** The accepted media types and their names. @type {Record<string, string>} */
export const FILE_TYPES = {
  "image/png": "PNG image",
  "image/jpeg": "JPEG image",
  "image/webp": "WebP image",
  "application/pdf": "PDF",
};
/** The size of the largest file, in bytes. */
export const FILE_BYTES_MAX = 1 << 20;
/** An upload that makes no progress for this time counts as one whose response was lost. */
const STALL_MS = 30000;

/**
 * A size for people: "12 kB".
 * @param {number} bytes
 * @returns {string}
 */
export function sizeText(bytes) {
  if (bytes < 1000) return `${number(bytes)} B`;
  if (bytes < 999500) return `${number(Math.round(bytes / 1000))} kB`;
  return `${number(Math.round(bytes / 100000) / 10)} MB`;
}

/**
 * Type and size of a file for people: "PDF · 12 kB".
 * @param {{ type: string, size: number }} file
 * @returns {string}
 */
export const fileText = ({ type, size }) => `${FILE_TYPES[type] ?? type} · ${sizeText(size)}`;

/**
 * Returns why the server would refuse a file, or null.
 * @param {{ name: string, type: string, size: number }} file
 * @returns {string | null}
 */
export function fileFault({ name, type, size }) {
  if (!Object.hasOwn(FILE_TYPES, type))
    return `${name} cannot be sent: choose a PNG, JPEG, WebP or PDF file.`;
  if (size === 0) return `${name} is empty.`;
  if (size > FILE_BYTES_MAX) {
    return `${name} has ${sizeText(size)}. The largest file that can be sent has 1 MiB.`;
  }
  return null;
}

/**
 * Sends a file and returns the response. `fetch` does not tell how much was sent, so this uses an
 * older interface.
 * @param {string} where the path with its query
 * @param {Blob} file
 * @param {{ key?: string, progress?: (share: number) => void }} [options] the Idempotency-Key, and a
 *   function that gets the share that was sent, from 0 to 1
 * @returns {Promise<any>}
 */
export function upload(where, file, { key: once = randomId(), progress } = {}) {
  const credential = key() ?? "";
  const request = new XMLHttpRequest();
  request.open("POST", where);
  const headers = {
    Accept: "application/json",
    Authorization: `Bearer ${credential}`,
    "Content-Type": file.type,
    "Idempotency-Key": once,
    ...faultHeaders("POST"),
  };
  for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
  return new Promise((resolve, reject) => {
    const lost = (/** @type {string} */ code, /** @type {string} */ message) => () =>
      reject(new ApiError(0, code, message, null));
    /** @type {number | undefined} */
    let stalled;
    const alive = () => {
      clearTimeout(stalled);
      stalled = setTimeout(() => request.abort(), STALL_MS);
    };
    request.upload.onprogress = ({ loaded, total }) => {
      alive();
      progress?.(total > 0 ? loaded / total : 0);
    };
    request.onload = () => {
      const { status, responseText } = request;
      if (status >= 200 && status < 300) resolve(JSON.parse(responseText));
      else reject(refusal({ status, text: responseText, credential }, header("X-Request-Id")));
    };
    const header = (/** @type {string} */ name) => request.getResponseHeader(name);
    request.onerror = lost("UNREACHABLE", "The server cannot be reached.");
    request.onabort = lost("TIMEOUT", "The server does not answer.");
    request.onloadend = () => clearTimeout(stalled);
    alive();
    request.send(file);
  });
}
