// A client of the public API, without privileges of its own.

import { faultHeaders } from "./faults.js";
import { jsonText } from "./json.js";
import { key } from "./session.js";

/** A write without a response after this time counts as one whose response was lost. */
const WRITE_MS = 30000;

/**
 * @typedef {object} Options
 * @property {string} [key] the Idempotency-Key of the intent; a POST without it gets a new one
 * @property {boolean} [wasLost] whether the same request was sent before and its response was lost
 * @property {number | string | null | undefined} [match] the settings version that the resource must have
 * @property {boolean} [create] whether the resource must not exist yet
 * @property {boolean} [keepalive] whether it is sent even if the page is left
 * @property {boolean} [raw] whether to return the text and the version, too: `Answer`
 * @property {string} [credential] sent instead of the tab's credential
 */

/**
 * @typedef {object} Answer
 * @property {any} data the body
 * @property {string} text the body as received
 * @property {string | null} version the settings version, for `match`
 */

/** A refusal. `status` is 0 if the server could not be reached, or its response was lost. */
export class ApiError extends Error {
  /**
   * @param {number} status
   * @param {string | undefined} code
   * @param {string} message
   * @param {string | null} requestId
   */
  constructor(status, code, message, requestId) {
    super(message);
    this.status = status;
    this.code = code;
    this.requestId = requestId;
    /** Whether the same request had been sent before, and its response was lost. */
    this.wasLost = false;
  }

  /** Whether this server has no such route: an older version, or one built without it. */
  get isMissing() {
    return this.status === 404 && this.message === "no such route";
  }

  /** Whether the request may have taken effect. */
  get isUnknown() {
    return this.status === 0 || this.status === 408 || this.status >= 500;
  }
}

/** @type {import("../../types").Ask<"get">} */
export const get = (path, query, options) => call("GET", path, { query }, options);

/** @type {import("../../types").Send<"post">} */
export const post = (path, body, options) => call("POST", path, { body }, options);

/** @type {import("../../types").Send<"put">} */
export const put = (path, body, options) => call("PUT", path, { body }, options);

/** @type {import("../../types").Send<"patch">} */
export const patch = (path, body, options) => call("PATCH", path, { body }, options);

/** @type {import("../../types").Ask<"delete">} */
export const remove = (path, query, options) => call("DELETE", path, { query }, options);

/**
 * A path whose variable segments are encoded: ``path`/v1/members/${id}` ``. The type check reads it
 * as `path("/v1/members/{}", id)`, which names the operation.
 *
 * @template {string | TemplateStringsArray} Parts
 * @param {Parts} parts
 * @param {...(string | number)} segments
 * @returns {Parts extends string ? Parts : any}
 */
export function path(parts, ...segments) {
  const texts = /** @type {string[]} */ (/** @type {unknown} */ (parts));
  const whole = texts.reduce(
    (before, part, at) => before + encodeURIComponent(segments[at - 1]) + part,
  );
  return /** @type {any} */ (whole);
}

/**
 * Returns every row of a list, page by page, at most `max` of them.
 *
 * @type {import("../../types").All}
 */
export const all = async (where, field, query, max = 1000) => {
  /** @type {any[]} */
  const rows = [];
  /** @type {string | null | undefined} */
  let cursor;
  do {
    /** @type {any} */
    const page = await call("GET", where, { query: { limit: 100, ...query, cursor } });
    rows.push(...page[field]);
    cursor = page.nextCursor;
  } while (cursor && rows.length < max);
  return /** @type {any} */ (rows);
};

/**
 * @param {string} method
 * @param {string} where
 * @param {{ query?: object | null, body?: unknown }} what
 * @param {Options} [options]
 */
async function call(method, where, { query, body }, options = {}) {
  const credential = options.credential ?? key() ?? "";
  /** @type {RequestInit} */
  const request = {
    method,
    headers: headersOf(method, body, credential, options),
    cache: "no-store",
    keepalive: options.keepalive ?? false,
    body: body === undefined ? undefined : jsonText(body),
  };
  const { response, text, isSecond } = await reach(where + queryOf(query ?? {}), request);
  if (response.ok) {
    const answer = parsed(text);
    return options.raw ? { data: answer, text, version: versionOf(response) } : answer;
  }
  const wasLost = isSecond || Boolean(options.wasLost);
  // Not found: the first request deleted it.
  if (method === "DELETE" && response.status === 404 && wasLost) return null;
  const { status } = response;
  const error = refusal({ status, text, credential }, response.headers.get("X-Request-Id"));
  error.wasLost = wasLost;
  throw error;
}

/**
 * The error of a response. If the tab's credential is no longer accepted, the page signs out.
 * @param {{ status: number, text: string, credential: string }} response the credential is that of
 *   its request
 * @param {string | null} requestId
 * @returns {ApiError}
 */
export function refusal({ status, text, credential }, requestId) {
  const answer = parsed(text);
  const problem = answer?.error ?? answer ?? {};
  const message = problem.message ?? `The server answered ${status}.`;
  const error = new ApiError(status, problem.code, message, requestId);
  if (status === 401 && credential === key()) {
    document.dispatchEvent(new CustomEvent("signedout", { detail: error }));
  }
  return error;
}

/**
 * @param {string} method
 * @param {unknown} body
 * @param {string} credential
 * @param {Options} options
 */
function headersOf(method, body, credential, options) {
  /** @type {Record<string, string>} */
  const headers = {
    Accept: "application/json",
    Authorization: `Bearer ${credential}`,
    ...faultHeaders(method),
  };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  // Without the intent's key a new one, so that the one retry below takes effect once.
  if (method === "POST") headers["Idempotency-Key"] = options.key ?? randomId();
  if (options.match !== undefined && options.match !== null) {
    headers["If-Match"] = `"${options.match}"`;
  }
  if (options.create) headers["If-None-Match"] = "*";
  return headers;
}

/**
 * Sends a request and reads its response; retries once if the connection broke.
 * @param {string} url
 * @param {RequestInit} request
 */
async function reach(url, request) {
  for (const isSecond of [false, true]) {
    const signal = request.method === "GET" ? undefined : AbortSignal.timeout(WRITE_MS);
    try {
      const response = await fetch(url, { ...request, signal });
      return { response, text: await response.text(), isSecond };
    } catch (error) {
      if (signal?.aborted) throw new ApiError(0, "TIMEOUT", "The server does not answer.", null);
      if (isSecond) throw new ApiError(0, "UNREACHABLE", "The server cannot be reached.", null);
    }
  }
  throw new Error("a loop that returns or throws came to its end");
}

/** @param {string} text */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/**
 * Returns the settings version in an `ETag`. Tags of figures have another form.
 * @param {Response} response
 */
function versionOf(response) {
  return response.headers.get("ETag")?.match(/^"(\d+)"$/)?.[1] ?? null;
}

/** @param {object} query */
function queryOf(query) {
  const given = Object.entries(query).filter(
    ([, value]) => value !== undefined && value !== null && value !== "",
  );
  return given.length ? `?${new URLSearchParams(given)}` : "";
}

/**
 * Returns a unique name. `crypto.randomUUID` is missing unless the page is served over HTTPS or
 * from this machine.
 * @returns {string}
 */
export function randomId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
