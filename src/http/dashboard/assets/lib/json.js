// JSON as text. Parsing and serializing it would change numbers such as 9007199254740993 and 1.10,
// so data of the app is cut out, shown and sent as text.

/** A value that is sent as its text. */
export class RawJson {
  /** @param {string} text */
  constructor(text) {
    this.text = text;
  }
}

/**
 * Serializes a value; each `RawJson` in it stays as it is.
 * @param {unknown} value
 * @returns {string}
 */
export function jsonText(value) {
  if (value instanceof RawJson) return value.text;
  if (Array.isArray(value)) return `[${value.map(jsonText).join()}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value) ?? "null";
  const parts = Object.entries(value)
    .filter(([, each]) => each !== undefined)
    .map(([name, each]) => `${JSON.stringify(name)}:${jsonText(each)}`);
  return `{${parts.join()}}`;
}

/**
 * Returns the text of a value within well-formed JSON: `rawText(text, "attributes")`. Null if it is
 * missing or null.
 * @param {string} text
 * @param {...(string | number)} path names of members, and places in lists
 * @returns {string | null}
 */
export function rawText(text, ...path) {
  let at = afterSpace(text, 0);
  for (const step of path) {
    const found = childOf(text, at, step);
    if (found === null) return null;
    at = found;
  }
  const value = text.slice(at, endOfValue(text, at));
  return value === "null" ? null : value;
}

/**
 * Checks the text of a JSON object that a user typed; returns null if it is empty.
 * @param {string} text
 * @param {string} what its name at the beginning of a sentence
 * @returns {string | null}
 */
export function objectText(text, what) {
  if (text === "") return null;
  const problem = `${what} must be a JSON object, such as {"plan": "annual"}`;
  let value;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const detail = error instanceof Error ? ` (${error.message})` : "";
    throw new Error(`${problem}${detail}.`, { cause: error });
  }
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    throw new Error(`${problem}.`);
  }
  return text;
}

/**
 * Formats JSON for reading: one line per member. Only white space between the parts is changed.
 * @param {string} text
 * @returns {string}
 */
export function prettyJson(text) {
  let [pretty, depth, at] = ["", 0, 0];
  const line = () => `\n${"  ".repeat(depth)}`;
  while ((at = afterSpace(text, at)) < text.length) {
    const sign = text[at];
    if (!"{}[],:".includes(sign)) {
      const end = endOfValue(text, at);
      pretty += text.slice(at, end);
      at = end;
      continue;
    }
    at += 1;
    if (sign === ":") pretty += ": ";
    else if (sign === ",") pretty += `,${line()}`;
    else if ("}]".includes(sign)) {
      depth -= 1;
      pretty += line() + sign;
    } else {
      const next = afterSpace(text, at);
      if ("}]".includes(text[next] ?? "}")) {
        pretty += sign + (text[next] ?? "");
        at = next + 1;
      } else {
        depth += 1;
        pretty += sign + line();
      }
    }
  }
  return pretty;
}

/**
 * Returns where a member or an item of the value at a place begins. Of members with the same name
 * the last one counts, as in `JSON.parse`.
 * @param {string} text
 * @param {number} start
 * @param {string | number} step
 * @returns {number | null}
 */
function childOf(text, start, step) {
  const isObject = text[start] === "{";
  if (!isObject && text[start] !== "[") return null;
  let found = null;
  let at = afterSpace(text, start + 1);
  for (let place = 0; at < text.length && !"}]".includes(text[at]); place += 1) {
    let name = /** @type {string | number} */ (place);
    if (isObject) {
      const end = endOfString(text, at);
      name = JSON.parse(text.slice(at, end));
      at = afterSpace(text, afterSpace(text, end) + 1);
    }
    if (name === step) found = at;
    at = afterSpace(text, endOfValue(text, at));
    if (text[at] === ",") at = afterSpace(text, at + 1);
  }
  return found;
}

/**
 * @param {string} text
 * @param {number} start
 */
function endOfValue(text, start) {
  if (text[start] === '"') return endOfString(text, start);
  let depth = 0;
  for (let at = start; at < text.length; at += 1) {
    const sign = text[at];
    if (sign === '"') {
      at = endOfString(text, at) - 1;
    } else if (sign === "{" || sign === "[") {
      depth += 1;
    } else if (depth === 0 && " \t\n\r,:]}".includes(sign)) {
      return at;
    } else if ((sign === "}" || sign === "]") && --depth === 0) {
      return at + 1;
    }
  }
  return text.length;
}

/**
 * @param {string} text
 * @param {number} start where its opening quote is
 */
function endOfString(text, start) {
  for (let at = start + 1; at < text.length; at += 1) {
    if (text[at] === "\\") at += 1;
    else if (text[at] === '"') return at + 1;
  }
  return text.length;
}

/**
 * @param {string} text
 * @param {number} at
 */
function afterSpace(text, at) {
  while (at < text.length && " \t\n\r".includes(text[at])) at += 1;
  return at;
}
