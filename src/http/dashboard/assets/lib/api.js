// The public API, as any other client would use it.

import { key } from "./session.js";

/** A refusal. `status` is 0 if the server could not be reached at all. */
export class ApiError extends Error {
  constructor(status, code, message, requestId) {
    super(message);
    Object.assign(this, { status, code, requestId });
  }

  /** Whether this server has no such route: one that is older than the page, or built without. */
  get isMissing() {
    return this.status === 404 && this.message === "no such route";
  }
}

export const get = (path, query) => call("GET", path, { query });
export const post = (path, body) => call("POST", path, { body });
export const put = (path, body) => call("PUT", path, { body });
export const patch = (path, body) => call("PATCH", path, { body });
export const remove = (path, query) => call("DELETE", path, { query });

/** A path whose variable segments are encoded: ``path`/v1/members/${id}` ``. */
export function path(parts, ...segments) {
  return parts.reduce((whole, part, at) => whole + encodeURIComponent(segments[at - 1]) + part);
}

/** Every row of a list, page by page, at most `max` of them. */
export async function all(where, field, query = {}, max = 1000) {
  const rows = [];
  let cursor;
  do {
    const page = await get(where, { limit: 100, ...query, cursor });
    rows.push(...page[field]);
    cursor = page.nextCursor;
  } while (cursor && rows.length < max);
  return rows;
}

async function call(method, where, { query, body }) {
  const headers = { Accept: "application/json", Authorization: `Bearer ${key() ?? ""}` };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  // So that the one retry below acts once.
  if (method === "POST") headers["Idempotency-Key"] = randomId();
  const request = {
    method,
    headers,
    cache: "no-store",
    body: body && JSON.stringify(body),
  };
  const response = await reach(where + queryOf(query), request);
  const answer = await response.json().catch(() => null);
  if (response.ok) return answer;
  const problem = answer?.error ?? answer ?? {};
  const requestId = response.headers.get("X-Request-Id");
  const message = problem.message ?? `The server answered ${response.status}.`;
  const error = new ApiError(response.status, problem.code, message, requestId);
  if (error.status === 401) document.dispatchEvent(new CustomEvent("signedout", { detail: error }));
  throw error;
}

/** Sends a request, once more if the connection broke. */
async function reach(url, request) {
  for (const isLast of [false, true]) {
    try {
      return await fetch(url, request);
    } catch (error) {
      if (isLast) throw new ApiError(0, "UNREACHABLE", "The server cannot be reached.", null);
    }
  }
}

function queryOf(query = {}) {
  const given = Object.entries(query).filter(
    ([, value]) => value !== undefined && value !== null && value !== "",
  );
  return given.length ? `?${new URLSearchParams(given)}` : "";
}

/** `crypto.randomUUID` is missing where the page is not served over HTTPS or from this machine. */
function randomId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
