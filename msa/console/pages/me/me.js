// The customer's own page: each part is a card that draws itself from what the API says and saves what is changed.
import { $, addTexts, ask, badge, call, country, day, el, field, fillTexts, frame, get, inWords, language, own, say, session, t, table, time, whoAmI } from "/base.js";
import { countries, flagged } from "/countries.js";
import { signInCards } from "/me/devices.js";
import { passwordCard, signInsCard } from "/me/sign-ins.js";
import texts from "/me/texts.js";
import { usageCard } from "/me/usage.js";

addTexts(texts);

let settings;


async function change(values, done) {
  settings = await call("PATCH", own("/settings"), values);
  draw();
  say(done);
}
/** For what is pressed and not sent from a dialog: the page shows what is true again. */
async function tryChange(values, done) {
  try { await change(values, done); } catch (error) { draw(); say(error.message); }
}

// ---- what stands against the account ----

function restrictionCard(r) {
  const known = { suspended: "suspended", blocked: "blocked", locked: "locked", "locked-by-owner": "owner" }[r.kind] || "suspended";
  return el("section", { class: "card bad", role: "alert" },
    el("header", {}, el("h2", {}, t("restricted")), badge("bad", t("restricted_at", time(r.at_ms)))),
    el("p", {}, t(`restricted_${known}`)),
    r.until_ms ? el("p", { class: "soft" }, t("restricted_until", time(r.until_ms))) : null);
}

// ---- the block ----

function blockCard() {
  const isOn = settings.overseas_blocked;
  const toggle = el("input", { type: "checkbox", class: "switch", role: "switch", id: "overseas", checked: isOn, "aria-describedby": "overseas-about",
    onchange: (event) => tryChange({ overseas: event.target.checked ? "block" : "allow" }, t(event.target.checked ? "turned_on" : "turned_off")) });
  const line = (what, isFree, text) => [el("dt", {}, what), el("dd", {}, badge(isFree ? "good" : "bad", t(isFree ? "works" : "blocked")), " ", text)];
  return el("section", { class: "card accent", id: "block-card" },
    el("div", { class: "setting" },
      el("div", {}, el("h2", {}, el("label", { for: "overseas" }, t("overseas"))), el("p", { class: "soft", id: "overseas-about" }, t("overseas_about"))), toggle),
    el("hr"),
    el("dl", { class: "facts" },
      line(t("sending"), !isOn, t(isOn ? "refused_abroad" : "free_abroad")),
      line(t("reading"), !isOn, t(isOn ? "reading_abroad" : "free_abroad")),
      line(t("at_home"), true, t("free_home"))),
    isOn ? null : el("p", { class: "note warn" }, t("advice")));
}

// ---- home ----

async function editHome() {
  let chosen = settings.home.filter((c) => c.length === 2);
  const list = el("div", { class: "row" });
  const show = () => list.replaceChildren(...chosen.map((code) => el("button", { type: "button", "aria-label": t("remove_exception", country(code)),
    onclick: () => { chosen = chosen.filter((c) => c !== code); show(); } }, country(code), " ×")));
  show();
  const select = field("country", t("add_country"), { kind: "select", required: false, options: [["", "–"], ...countries],
    onchange: (event) => { if (event.target.value && !chosen.includes(event.target.value)) chosen.push(event.target.value); event.target.value = ""; show(); } });
  await ask({ title: t("home_title"), body: [el("p", { class: "soft" }, t("home_about")), list], fields: [select], go: t("save"),
    act: () => inWords({ 400: t("too_many_homes") }, () => change({ home: chosen }, t("home_saved"))) });
}

function homeCard() {
  return el("section", { class: "card", id: "home-card" },
    el("header", {}, el("h2", {}, t("home_countries")), el("button", { class: "plain push", type: "button", onclick: editHome }, t("change"))),
    el("p", { class: "soft small" }, settings.home.length ? t("home_about") : t("home_default")),
    settings.home.length ? el("div", { class: "row" }, settings.home.map(flagged)) : null);
}

// ---- journeys ----

const midnight = (text) => new Date(`${text}T00:00:00`).getTime();
/** A day may have 23 hours, or 25. */
function nextMidnight(text) {
  const day_ = new Date(`${text}T00:00:00`);
  return day_.setDate(day_.getDate() + 1);
}

function exceptionOf(values) {
  const found = { country: values.country };
  if (values.from) found.from_ms = midnight(values.from);
  if (values.until) found.until_ms = nextMidnight(values.until);
  if (found.from_ms && found.until_ms && found.until_ms <= found.from_ms) throw new Error(t("bad_days"));
  return found;
}

async function addJourney() {
  const today = new Date(Date.now() - new Date().getTimezoneOffset() * 60000).toISOString().slice(0, 10);
  await ask({ title: t("travel_title"), go: t("add"), body: [el("p", { class: "soft" }, t("travel_hint"), " ", t("all_day"))],
    fields: [field("country", t("country"), { kind: "select", options: countries, value: "US" }),
      el("div", { class: "cards" }, field("from", t("from"), { kind: "date", required: false, value: today }), field("until", t("until"), { kind: "date", required: false }))],
    act: (values) => inWords({ 400: t("too_many_journeys") }, () => change({ exceptions_add: [exceptionOf(values)] }, t("travel_saved"))) });
}

function journeysCard() {
  const days = (e) => (e.from_ms || e.until_ms ? `${e.from_ms ? day(e.from_ms) : ""} – ${e.until_ms ? day(e.until_ms - 1) : ""}` : t("always"));
  const name = (e) => (e.country ? country(e.country) : t("any_country"));
  return el("section", { class: "card", id: "journeys-card" },
    el("header", {}, el("h2", {}, t("travel")), el("button", { class: "plain push", type: "button", onclick: addJourney }, t("add"))),
    el("p", { class: "soft small" }, t("travel_about")),
    settings.exceptions.length === 0 ? null : table([
      { label: t("country"), cell: (e) => (e.country ? flagged(e.country) : t("any_country")) },
      { label: t("days"), cell: days },
      { spoken: t("remove"), cell: (e) => el("button", { class: "plain", type: "button", "aria-label": t("remove_exception", name(e)),
        onclick: () => tryChange({ exceptions_remove: [e] }, t("travel_removed")) }, t("remove")) },
    ], settings.exceptions, t("travel")));
}

// ---- consent and language ----

function consentCard() {
  return el("section", { class: "card" }, el("div", { class: "setting" },
    el("div", {}, el("h2", {}, el("label", { for: "consent" }, t("consent"))), el("p", { class: "soft", id: "consent-about" }, t("consent_about"))),
    el("input", { type: "checkbox", class: "switch", role: "switch", id: "consent", checked: settings.consent === "yes", "aria-describedby": "consent-about",
      onchange: (event) => tryChange({ consent: event.target.checked ? "yes" : "no" }, t("consent_saved")) })));
}

function languageCard() {
  const select = field("notice_language", t("language"), { kind: "select", value: settings.notice_language || "default", hint: t("language_about", settings.notice_address || session.login),
    options: [["default", t("default_language")], ["ja", t("japanese")], ["en", t("english")]],
    onchange: (event) => tryChange({ notice_language: event.target.value }, t("language_saved")) });
  return el("section", { class: "card" }, select);
}

// ---- the page ----

const slots = {};
/** A place that a part of the page redraws by itself: other parts keep their focus and state. */
function slot(name, ...children) {
  slots[name] ??= el("div", { class: "slot" });
  slots[name].replaceChildren(...children.filter(Boolean));
  return slots[name];
}

function draw() {
  const focused = document.activeElement && document.activeElement.id;
  slot("block", blockCard());
  slot("home", homeCard());
  slot("journeys", journeysCard());
  slot("consent", consentCard());
  slot("language", languageCard());
  if (focused && $(focused)) $(focused).focus();
}

/** Parts that draw themselves and ask the API themselves; what a server does not offer is left out. */
async function drawOwn(name, make) {
  try { slot(name, await make(() => drawOwn(name, make))); } catch (error) { if (error.status !== 404) slot(name, el("p", { class: "note bad" }, error.message)); }
}
const OWN = { signIns: signInsCard, password: passwordCard, devices: signInCards, usage: usageCard };

async function begin() {
  if (!(await whoAmI()) || session.role !== "customer") { location.assign("/"); return; }
  document.title = `${t("title")} · ${t("service")}`;
  frame();
  fillTexts();
  const main = $("main");
  main.append(el("div", { class: "title" }, el("h1", {}, t("title")), el("span", { class: "soft" }, session.login)));
  const [found, standing] = await Promise.all([get(own("/settings")), get(own("/restrictions"))]);
  settings = found;
  main.append(...standing.restrictions.filter((r) => r.standing).map(restrictionCard));
  draw();
  for (const name of Object.keys(OWN)) slot(name);
  main.append(slots.block, slots.journeys, slots.home, slots.signIns, slots.password, slots.devices, slots.usage, slots.consent, slots.language);
  await Promise.all(Object.entries(OWN).map(([name, make]) => drawOwn(name, make)));
  main.setAttribute("data-ready", language);
}

begin().catch((error) => { $("main").append(el("p", { class: "note bad", role: "alert" }, error.message)); });
