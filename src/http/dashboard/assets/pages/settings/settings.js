// Settings of the program: its name, its points and tiers, how points are kept, its further kinds
// of points, its legal documents,
// its servers for codes and sensitive details, its keys, and in the sandbox its clock.

import { append } from "../../lib/dom.js";
import { pageHead } from "../../lib/parts.js";
import { environment } from "../../lib/session.js";
import { configurationCard } from "./configuration.js";
import { documentsCard } from "./documents.js";
import { gatewaysCard } from "./gateways.js";
import { kindsCard } from "./kinds.js";
import { keysCard } from "./keys.js";
import { pointsCards } from "./points.js";
import { poolCard } from "./pool.js";
import { programCard } from "./program.js";
import { sandboxCards } from "./sandbox.js";
import { serverCard } from "./server.js";

/** @param {any} view */
export function settingsPage(view) {
  append(view.root, [
    pageHead("Settings", "The program, its points, its keys."),
    programCard(view),
    configurationCard(view),
    pointsCards(view),
    kindsCard(view),
    poolCard(view),
    documentsCard(),
    gatewaysCard(),
    keysCard(view),
    environment() === "sandbox" && sandboxCards(view),
    serverCard(),
  ]);
}
