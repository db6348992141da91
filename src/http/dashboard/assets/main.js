// The start of the dashboard: sign-in, the frame, and the page that the address names.

import { ApiError, get, path } from "./lib/api.js";
import { remindOfLost } from "./lib/dialogs.js";
import { h, replace } from "./lib/dom.js";
import { startBanners } from "./lib/banners.js";
import { ago, when } from "./lib/format.js";
import { startLive, whenLive } from "./lib/live.js";
import * as session from "./lib/session.js";
import { frame } from "./lib/shell.js";
import { signInPage } from "./pages/signin.js";
import { errorState, loadingState, outdatedState } from "./lib/states.js";
import { startTheme } from "./lib/theme.js";
import { countWaiting } from "./lib/waiting.js";
import { sendAll } from "./lib/undo.js";
import { inboxPage } from "./pages/inbox/page.js";
import { memberPage } from "./pages/member/page.js";
import { membersPage } from "./pages/members.js";
import { offersPage } from "./pages/offers.js";
import { overviewPage } from "./pages/overview.js";
import { redemptionPage } from "./pages/redemptions/detail.js";
import { redemptionsPage } from "./pages/redemptions/page.js";

/** The scripts of pages that are seldom opened: of each, the build makes a file of its own. */
const interests = () => import("./pages/interests.js");
const partner = () => import("./pages/partner/pages.js");
const programs = () => import("./pages/programs/programs.js");
const settings = () => import("./pages/settings/settings.js");
const webhooks = () => import("./pages/webhooks.js");

/**
 * The pages by the address after `#/`. The first one with a label is the start page. What shows a
 * page is either in this script, `show`, or loaded when the page is opened, `load`.
 */
const PAGES = {
  org: [
    { path: "overview", label: "Overview", show: overviewPage },
    { path: "offers", label: "Offers", show: offersPage },
    { path: "members", label: "Members", show: membersPage },
    { path: "members/:id", show: memberPage },
    { path: "redemptions", label: "Redemptions", show: redemptionsPage },
    { path: "redemptions/:id", show: redemptionPage },
    { path: "interests", label: "Interests", load: async () => (await interests()).interestsPage },
    { path: "interests/:id", load: async () => (await interests()).interestPage },
    { path: "inbox", label: "Inbox", show: inboxPage },
    { path: "inbox/:id", show: inboxPage },
    { path: "webhooks", label: "Webhooks", load: async () => (await webhooks()).webhooksPage },
    { path: "webhooks/:id", load: async () => (await webhooks()).webhookPage },
    { path: "programs", label: "Programs", load: async () => (await programs()).programsPage },
    { path: "settings", label: "Settings", load: async () => (await settings()).settingsPage },
  ],
  partner: [
    {
      path: "organizations",
      label: "Organizations",
      icon: "programs",
      load: async () => (await partner()).partnerOrganizationsPage,
    },
    {
      path: "organizations/:id",
      load: async () => (await partner()).partnerOrganizationPage,
    },
    { path: "credits", label: "Credits", load: async () => (await partner()).partnerCreditsPage },
    {
      path: "usage",
      label: "Usage",
      icon: "overview",
      load: async () => (await partner()).partnerUsagePage,
    },
    { path: "server", label: "Server", load: async () => (await partner()).partnerServerPage },
  ],
};

/** The maximum time that a page waits for the stream to begin. */
const STREAM_MS = 1000;

const app = /** @type {HTMLElement} */ (document.getElementById("app"));
/** End the activities of the present sign-in, and of the present page. */
let signedIn = new AbortController();
let page = new AbortController();
/** Whether the frame is shown with what the present key opens. */
let isUp = false;
/**
 * The page that is shown. One with `moved` stays when the address changes to another part of it.
 */
let shown = null;

/** A link may contain a key, `/#key=…`: browsers do not send that part of an address. */
function takeKeyFromAddress() {
  const key = location.hash.startsWith("#key=") && decodeURIComponent(location.hash.slice(5));
  if (!key || !session.kindOf(key)) return false;
  // Waiting actions were meant for the previous key.
  sendAll();
  session.signIn(key);
  history.replaceState(null, "", location.pathname);
  return true;
}

async function start() {
  signedIn.abort();
  page.abort();
  signedIn = new AbortController();
  isUp = false;
  const { signal } = signedIn;
  const kind = session.kindOf(session.key());
  if (!kind) return signInPage(app, start);
  // First, so that the page need not repeat its requests for events before the stream was open.
  let liveState = "waiting";
  let showLive;
  /** @type {Promise<void>} */
  const opened = new Promise((resolve) => {
    showLive = (state) => {
      liveState = state;
      resolve();
    };
    setTimeout(resolve, STREAM_MS);
  });
  if (kind === "org") startLive(signal, (state) => showLive(state));
  let context;
  try {
    context = await contextOf(kind);
    if (kind === "org") await opened;
    // Another key is in use now.
    if (signal.aborted) return;
  } catch (/** @type {any} */ error) {
    if (signal.aborted) return;
    signedIn.abort();
    if (error.status === 401 || error.status === 403) {
      session.forget(session.key());
      return signInPage(app, start, `The key was refused: ${error.message}.`);
    }
    return replace(app, h("main", { id: "main", class: "alone" }, errorState(error, start)));
  }
  const pages = PAGES[kind];
  const place = frame(app, { kind, pages, context, leave, restart: start });
  shareWithPages(context, place);
  startBanners(place.banners, { kind, signal });
  isUp = true;
  showLive = place.showLive;
  showLive(liveState);
  const show = () => showPage(pages, place, context);
  window.addEventListener("hashchange", show, { signal });
  show();
  remindOfLost();
  if (kind === "org") countWaiting((count) => place.showCount("inbox", count), signal);
}

/** The data that every page needs. Requesting it also checks the key. */
async function contextOf(kind) {
  if (kind === "partner") return { billing: await get("/partner/billing") };
  const configuration = await get("/v1/configuration");
  const key = session.key() ?? "";
  const program = await get(path`/v1/programs/${"current"}`, {}, { credential: key });
  session.hold(key, { name: program.name, program: program.id });
  return { symbol: configuration.currencySymbol, configuration, program };
}

/** The functions of the frame and the sign-in that pages may call. */
function shareWithPages(context, place) {
  Object.assign(context, {
    /** The program has been renamed. */
    setProgram(program) {
      context.program = program;
      for (const each of session.held()) {
        if (each.program === program.id) session.hold(each.key, { name: program.name });
      }
      place.showPlaces();
    },
    /** The tab's keys have changed. */
    showKeys: place.showPlaces,
    /** Everything may have changed, the program itself included. */
    restart: start,
    /** The key is not valid any more. */
    leaveProgram(message) {
      session.forget(session.key());
      signOff(message);
    },
  });
}

function showPage(pages, place, context) {
  const [path, query] = location.hash.replace(/^#\/?/, "").split("?");
  const found = match(pages, path);
  if (!found) return location.replace(`#/${pages[0].path}`);
  const section = found.page.path.split("/")[0];
  if (shown?.moved && shown.show === found.page.show && !page.signal.aborted) {
    place.show(null, section);
    return shown.moved(found.params, new URLSearchParams(query));
  }
  page.abort();
  page = new AbortController();
  const { signal } = page;
  const view = {
    root: h("div", { class: "page" }),
    params: found.params,
    query: new URLSearchParams(query),
    context,
    signal,
    live: (callback, concerns) => whenLive(callback, signal, concerns),
  };
  place.show(view.root, section);
  const { show, load } = found.page;
  shown = { show, moved: show?.(view)?.moved };
  if (show) announce(place, view);
  else void showLater(load, place, view);
  scrollTo(0, 0);
}

/** Screen readers announce a new page; on the first page they read the address bar. */
function announce(place, view) {
  if (place.hasShown) view.root.querySelector("h1")?.focus({ preventScroll: true });
  place.hasShown = true;
}

/** Shows a page once its script is there, unless another one is open by then. */
async function showLater(load, place, view) {
  replace(view.root, loadingState());
  let show;
  try {
    show = await load();
  } catch (error) {
    console.error(error);
    show = () => view.root.append(outdatedState());
  }
  if (view.signal.aborted) return;
  replace(view.root);
  show(view);
  announce(place, view);
}

/** Returns the page of an address, with the values of its variable segments. */
function match(pages, path) {
  const given = path.split("/");
  for (const page of pages) {
    const wanted = page.path.split("/");
    const fits =
      wanted.length === given.length &&
      wanted.every((part, at) => part.startsWith(":") || part === given[at]);
    if (!fits) continue;
    const params = {};
    try {
      wanted.forEach((part, at) => {
        if (part.startsWith(":")) params[part.slice(1)] = decodeURIComponent(given[at]);
      });
    } catch {
      // Not an address that this page would have written.
      return null;
    }
    return { page, params };
  }
  return null;
}

function leave(message) {
  sendAll();
  session.signOut();
  signOff(message);
}

function signOff(message) {
  isUp = false;
  signedIn.abort();
  page.abort();
  signInPage(app, start, message);
}

document.addEventListener("signedout", (event) => {
  const { detail } = /** @type {CustomEvent} */ (event);
  // Until the frame is shown, start() reports it.
  if (!(detail instanceof ApiError) || !session.key() || !isUp) return;
  // The other keys that the tab holds may still be valid.
  session.forget(session.key());
  signOff(`Signed out: ${detail.message}.`);
});
// The skip link's target is no page.
document.querySelector(".skip-link")?.addEventListener("click", (event) => {
  event.preventDefault();
  document.getElementById("main")?.focus();
});
// Updates times such as "3 min. ago".
setInterval(() => {
  for (const time of document.querySelectorAll("time")) {
    if (time.hasAttribute("data-exact")) time.title = ago(time.dateTime);
    else time.textContent = when(time.dateTime);
  }
}, 30000);
window.addEventListener("hashchange", () => {
  if (takeKeyFromAddress()) void start();
});
startTheme();
takeKeyFromAddress();
void start();
