// The server, as far as a program's key may see it.

import { get } from "../../lib/api.js";
import { h } from "../../lib/dom.js";
import { card, facts } from "../../lib/parts.js";
import { load } from "../../lib/states.js";

/** The card of the server. */
export function serverCard() {
  const place = h("div");
  load(
    place,
    () => get("/healthz"),
    ({ version }) => [
      facts([["Version", version]]),
      h(
        "p",
        { class: "links" },
        h("a", { href: "/docs" }, "The API's documentation"),
        h("a", { href: "/openapi.json" }, "OpenAPI document"),
      ),
      h(
        "p",
        { class: "hint" },
        "Partner keys also see when the database was last verified and backed up.",
      ),
    ],
    2,
  );
  return card("Server", place);
}
