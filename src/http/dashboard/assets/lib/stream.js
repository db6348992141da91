// The live stream of activity: server-sent events over fetch, as an EventSource cannot send a
// credential.

import { key } from "./session.js";

const WAIT_MS_MIN = 1000;
const WAIT_MS_MAX = 30000;

/**
 * Follows the stream until `signal` is aborted. `onEvent` receives `{ name, data }`, `onState`
 * receives `live`, `waiting` or, from a server without a stream, `missing`.
 *
 * @param {string} url
 * @param {object} options
 * @param {AbortSignal} options.signal
 * @param {(event: { name: string, data: any }) => void} options.onEvent
 * @param {(state: "live" | "waiting" | "missing") => void} options.onState
 * @returns {Promise<void>}
 */
export async function follow(url, { signal, onEvent, onState }) {
  let lastId = null;
  let wait = WAIT_MS_MIN;
  while (!signal.aborted) {
    try {
      /** @type {Record<string, string>} */
      const headers = { Accept: "text/event-stream", Authorization: `Bearer ${key() ?? ""}` };
      if (lastId !== null) headers["Last-Event-ID"] = lastId;
      const response = await fetch(url, { headers, signal, cache: "no-store" });
      if ([401, 403, 404].includes(response.status)) return onState("missing");
      if (!response.ok || !response.body) {
        throw new Error(`the stream answered ${response.status}`);
      }
      onState("live");
      // Events before the first stream, or between two, are missing.
      onEvent({ name: "gap", data: null });
      for await (const frame of frames(response.body)) {
        wait = WAIT_MS_MIN;
        if (frame.id !== null) lastId = frame.id;
        if (frame.data !== "" || frame.name === "gap") {
          onEvent({ name: frame.name, data: parsed(frame.data) });
        }
      }
    } catch (error) {
      if (signal.aborted) return;
    }
    onState("waiting");
    await pause(wait, signal);
    wait = Math.min(wait * 2, WAIT_MS_MAX);
  }
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
 * Returns the frames of a body: `{ id, name, data }`. Comments, which keep the connection open, are
 * left out. The connection ends when no more frames are requested. Source: the HTML standard,
 * section 9.2.6.
 *
 * @param {ReadableStream<Uint8Array>} body
 */
export async function* frames(body) {
  const reader = body.pipeThrough(utf8()).getReader();
  let buffer = "";
  let isInsideBreak = false;
  let frame = fresh();
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      // The two characters of a line break may arrive separately.
      buffer += isInsideBreak && value.startsWith("\n") ? value.slice(1) : value;
      isInsideBreak = value.endsWith("\r");
      const lines = buffer.split(/\r\n|\n|\r/);
      buffer = lines.pop() ?? "";
      for (const line of lines) {
        if (line === "") {
          if (frame.isTouched) yield { ...frame, data: frame.data.join("\n") };
          frame = fresh();
        } else if (!line.startsWith(":")) {
          read(line, frame);
        }
      }
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

/**
 * Its type allows for bytes in shared memory, which a body never uses.
 *
 * @returns {ReadableWritablePair<string, Uint8Array>}
 */
const utf8 = () => /** @type {any} */ (new TextDecoderStream());

/** @typedef {{ id: string | null, name: string, data: string[], isTouched: boolean }} Frame */

/** @returns {Frame} */
const fresh = () => ({ id: null, name: "message", data: [], isTouched: false });

/**
 * @param {string} line
 * @param {Frame} frame
 */
function read(line, frame) {
  const colon = line.indexOf(":");
  const field = colon < 0 ? line : line.slice(0, colon);
  const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
  frame.isTouched = true;
  if (field === "data") frame.data.push(value);
  if (field === "event") frame.name = value;
  if (field === "id") frame.id = value;
}

/**
 * @param {number} milliseconds
 * @param {AbortSignal} signal
 * @returns {Promise<void>}
 */
function pause(milliseconds, signal) {
  return new Promise((resolve) => {
    const over = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", over);
      resolve();
    };
    const timer = setTimeout(over, milliseconds);
    signal.addEventListener("abort", over);
  });
}
