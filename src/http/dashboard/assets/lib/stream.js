// The live stream of activity: server-sent events over fetch, since an EventSource can send no
// credential.

import { key } from "./session.js";

const WAIT_MS_MIN = 1000;
const WAIT_MS_MAX = 30000;

/**
 * Follows the stream until `signal` is aborted. `onEvent` gets `{ name, data }`, `onState` gets
 * `live`, `waiting` or, from a server that has no stream, `missing`.
 */
export async function follow(url, { signal, onEvent, onState }) {
  let lastId = null;
  let wait = WAIT_MS_MIN;
  while (!signal.aborted) {
    try {
      const headers = { Accept: "text/event-stream", Authorization: `Bearer ${key() ?? ""}` };
      if (lastId !== null) headers["Last-Event-ID"] = lastId;
      const response = await fetch(url, { headers, signal, cache: "no-store" });
      if ([401, 403, 404].includes(response.status)) return onState("missing");
      if (!response.ok) throw new Error(`the stream answered ${response.status}`);
      onState("live");
      // What happened before there was a stream, or between two, is not in it.
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

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/**
 * The frames of a body: `{ id, name, data }`. Comments, which keep the connection open, are left
 * out. Source: the HTML standard, section 9.2.6.
 */
async function* frames(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let buffer = "";
  let frame = fresh();
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    buffer += value;
    const lines = buffer.split(/\r\n|\n|\r/);
    buffer = lines.pop();
    for (const line of lines) {
      if (line === "") {
        if (frame.isTouched) yield { ...frame, data: frame.data.join("\n") };
        frame = fresh();
      } else if (!line.startsWith(":")) {
        read(line, frame);
      }
    }
  }
}

const fresh = () => ({ id: null, name: "message", data: [], isTouched: false });

function read(line, frame) {
  const colon = line.indexOf(":");
  const field = colon < 0 ? line : line.slice(0, colon);
  const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
  frame.isTouched = true;
  if (field === "data") frame.data.push(value);
  if (field === "event") frame.name = value;
  if (field === "id") frame.id = value;
}

function pause(milliseconds, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener(
      "abort",
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
}
