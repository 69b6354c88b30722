// Wires the page: the agent's data, the view that the address asks for, the header, keys and theme.

import { show } from "./core/dom.js";
import { coalesced, drawings } from "./core/frame.js";
import { listen } from "./core/keys.js";
import { VIEWS, link, parse } from "./core/router.js";
import { Store } from "./core/store.js";
import { followTheme } from "./core/theme.js";
import { followVisibility } from "./core/visibility.js";
import { Header } from "./parts/header.js";
import { Help } from "./parts/help.js";
import { Login } from "./parts/login.js";
import { events } from "./views/events.js";
import { fleet } from "./views/fleet.js";
import { gpu } from "./views/gpu.js";
import { health } from "./views/health.js";
import { overview } from "./views/overview.js";
import { processes } from "./views/processes.js";
import { topology } from "./views/topology.js";

const MAKE = { overview, gpu, processes, events, topology, health, fleet };

/** The age is told anew this often. */
const TICK = 500;

const root = document.getElementById("app");
const main = document.getElementById("main");
const announcer = document.getElementById("announcer");

let route = parse(location.hash);
let store = null;
let login = null;
let view = null;
let said = null;
let wantsSearch = false;

const draw = coalesced(() => {
  header.update(store, route);
  login.update();
  const denied = store.connection.kind === "denied" && route.view !== "fleet";
  show(login.element, denied);
  show(view.element, !denied);
  root.classList.toggle("is-stale", store.isStale());
  if (!denied) view.update();
  document.title = `${view.title} · gpulse`;
  announce();
});

const help = new Help();
const toggleTheme = followTheme(() => view?.recolour?.());
const header = new Header({ onTheme: () => { toggleTheme(); draw(); }, onHelp: () => help.toggle() });

/** Says to screen readers what changed and matters: GPUs that are not ok, and a connection that broke. */
function announce() {
  const sick = store.gpus().filter(({ state }) => state !== "ok");
  const text = store.connection.kind === "waiting" ? "The connection to the agent is lost."
    : sick.length > 0 ? `Not ok: ${sick.map(({ index, state }) => `GPU ${index} is ${state}`).join(", ")}.` : "";
  if (text !== said) {
    said = text;
    announcer.textContent = text;
  }
}

function connect(base) {
  store?.stop();
  store = new Store(base, draw);
  login?.element.remove();
  login = new Login(store, () => { connect(store.base); open(); });
  main.prepend(login.element);
  store.start();
}

function open() {
  view?.leave();
  view?.element.remove();
  const linkTo = (base, name, options = {}) => link(name, { ...options, base });
  view = MAKE[route.view]({
    store, route, changed: draw, linkTo,
    link: (name, options) => linkTo(store.base, name, options),
    go: (fragment) => { location.hash = fragment; },
  });
  main.append(view.element);
  if (!view.element.hidden && wantsSearch) view.search?.focus();
  draw();
}

function navigate() {
  const before = route;
  route = parse(location.hash);
  const isElsewhere = route.agent !== store.base;
  if (isElsewhere) connect(route.agent);
  if (!isElsewhere && before.view === route.view && view.move) {
    view.move(route);
    draw();
    return;
  }
  open();
  if (before.view !== route.view && !wantsSearch) {
    // As after a page load: reading begins at the top.
    main.focus({ preventScroll: true });
    scrollTo(0, 0);
  }
  wantsSearch = false;
}

function toSearch() {
  // At once, or what is typed next would be taken for keys.
  if (view.search) {
    view.search.focus();
    return;
  }
  wantsSearch = true;
  location.hash = link("processes", { base: store.base });
}

root.prepend(header.element);
root.append(help.element);
connect(route.agent);
open();
addEventListener("hashchange", navigate);
document.querySelector(".skip").addEventListener("click", (event) => {
  // The fragment names the view; it cannot name a place of the page as well.
  event.preventDefault();
  main.focus();
});
setInterval(draw, TICK);
followVisibility({ away: () => store.rest(), back: () => { store.wake(); draw(); } });
listen({
  ...Object.fromEntries(VIEWS.map((name, place) => [String(place + 1), () => { location.hash = link(name, { base: store.base }); }])),
  "/": toSearch,
  "?": () => help.toggle(),
  t: () => { toggleTheme(); draw(); },
  Escape: () => {
    if (help.element.open || route.view !== "gpu") return false;
    location.hash = link("overview", { base: store.base });
    return true;
  },
});

// For tests and the curious: how long drawing took, and what was drawn last.
globalThis.gpulse = { drawings, store: () => store };
