// What happens, as it happens: a list that the server feeds (server-sent events). A browser that loses it comes again by
// itself and hears what it missed; where it is refused (too many listen) the list is asked for anew every while.
import { el, badge, number, part, share, t, time } from "/base.js";

const SHOWN = 100, AGAIN_MS = 15000;
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });

const who = (e) => (e.login ? el("a", { href: `/desk/#a/${part(e.login)}` }, e.login) : e.source);

/** By kind: how grave it is, and what is said beside its name; what is empty is left out. */
const KINDS = {
  "restriction.begun": ["bad", (e) => [who(e), e.because || e.rule]],
  "restriction.released": ["good", (e) => [who(e), e.note]],
  "rule.applied": ["warn", (e) => [el("code", {}, e.rule), t(e.mode), who(e), `${number(e.value)} / ${number(e.limit)}`]],
  "sign-ins.refused": ["warn", (e) => [t("e_sign_ins", number(e.failed), number(e.overseas))]],
  "pool.down": ["bad", (e) => [e.pool]],
  "pool.up": ["good", (e) => [e.pool]],
  "destination.refuses": ["bad", (e) => [e.pool, e.destination, t("e_refuses", share(e.refused, e.refused + e.delivered + e.deferred))]],
  "destination.recovered": ["good", (e) => [e.pool, e.destination]],
  "queue.refusing": ["bad", (e) => [e.text]],
  "queue.open": ["good", () => []],
  "service.down": ["bad", (e) => [e.service, e.text]],
  "service.up": ["good", (e) => [e.service]],
  "configuration.taken": ["good", (e) => [t("e_config", number(e.generation))]],
  "configuration.refused": ["bad", (e) => e.errors],
  "process.up": ["good", (e) => [`${e.process} ${e.number}`]],
  "process.down": ["bad", (e) => [`${e.process} ${e.number}`]],
  change: ["brand", (e) => [e.actor, e.op, e.target, e.why, e.status >= 400 && t("e_failed", e.status)]],
  gap: ["warn", () => [t("e_gap")]],
};

function line(e) {
  const [look, words] = KINDS[e.kind];
  const told = [...words(e), e.untold && t("e_untold", number(e.untold))].filter(Boolean);
  return el("li", {}, el("time", { class: "soft small", title: e.at_ms ? time(e.at_ms) : null }, e.at_ms ? clock.format(e.at_ms) : ""), badge(look, t(e.kind)),
    el("span", {}, told.flatMap((one, i) => (i ? [" · ", one] : [one]))));
}

/** The card. `heard` is called with each event. */
export function eventsCard(heard) {
  const list = el("ul", { class: "events", id: "events" });
  const empty = el("p", { class: "soft" }, t("e_none"));
  const state = badge("", t("e_connecting"));
  const show = (look, text) => { state.className = `badge push ${look}`; state.textContent = text; };
  const take = (event) => {
    const e = JSON.parse(event.data);
    empty.hidden = true;
    list.prepend(line(e));
    while (list.children.length > SHOWN) list.lastChild.remove();
    heard(e);
  };
  const listen = () => {
    list.replaceChildren();
    const source = new EventSource("/api/v1/events?recent=30");
    source.onopen = () => show("good", t("e_live"));
    source.onerror = () => {
      show("warn", t("e_away"));
      if (source.readyState === EventSource.CLOSED) setTimeout(listen, AGAIN_MS);
    };
    for (const kind of Object.keys(KINDS)) source.addEventListener(kind, take);
  };
  show("", t("e_connecting"));
  listen();
  return el("section", { class: "card" }, el("header", {}, el("h2", {}, t("events")), state), empty,
    el("div", { class: "long", role: "region", "aria-label": t("events"), tabindex: "0" }, list));
}
