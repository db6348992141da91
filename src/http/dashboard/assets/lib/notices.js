// Short messages that come and go, read out by screen readers.

import { h } from "./dom.js";

const SECONDS = 6;

export function notify(text, tone = "good") {
  const place = document.getElementById("notices");
  const close = h("button", { class: "icon-button", "aria-label": "Close this message" }, "×");
  const notice = h("div", { class: `notice notice-${tone}` }, h("span", {}, text), close);
  close.addEventListener("click", () => notice.remove());
  place.append(notice);
  setTimeout(() => notice.remove(), SECONDS * 1000);
}

/** Does something and says how it went. The answer is whether it worked. */
export async function attempt(action, done) {
  try {
    const answer = await action();
    if (done) notify(typeof done === "function" ? done(answer) : done);
    return true;
  } catch (error) {
    notify(error.message, "bad");
    return false;
  }
}
