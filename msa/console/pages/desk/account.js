// One account as the desk sees it: settings, history, held mail, and what was done to it.
import { ago, ask, badge, bytes, call, country, el, field, get, getAll, number, part, say, t, table, time } from "/base.js";
import { kindBadge } from "/desk/restriction.js";
import { protocolName, resultBadge } from "/sign-in-words.js";

const own = (login, rest) => `/accounts/${part(login)}${rest}`;
const HISTORY_MAX = 100;
/** A part of the page that its role may not see, or that is not to be had now, is left out. */
const orNothing = (promise, otherwise) => promise.catch(() => otherwise);

async function suspend(login, again) {
  const done = await ask({ title: t("suspend_title", login), danger: true, body: [el("p", {}, t("suspend_about"))], go: t("suspend"),
    fields: [field("why", t("why"), { kind: "textarea", hint: t("why_hint") }),
      field("hours", t("hours"), { kind: "number", min: 1, max: 8760, required: false, hint: t("hours_hint") })],
    act: (values) => call("POST", own(login, "/suspension"), { why: values.why, ...(values.hours ? { hours: Number(values.hours) } : {}) }) });
  if (!done) return;
  say(t("suspended_said", login));
  await again();
}

async function sendNotice(login) {
  const done = await ask({ title: t("send_notice"), body: [el("p", {}, t("notice_about"))], go: t("send_notice"), fields: [field("why", t("why"), { hint: t("why_hint") })],
    act: (values) => call("POST", own(login, "/notice-test"), values) });
  if (done) say(t("notice_said"));
}

function settingsFacts(s) {
  const exception = (e) => [e.country ? country(e.country) : "*", e.until_ms ? ` – ${time(e.until_ms)}` : ""].join("");
  return [[t("class"), s.class || t("none_short")], [t("overseas"), badge(s.overseas_blocked ? "brand" : "", t(s.overseas_blocked ? "on" : "off"))],
    [t("home"), s.home.length ? s.home.map(country).join(", ") : t("standard")], s.exceptions.length && [t("exceptions"), s.exceptions.map(exception).join(", ")],
    s.limits && Object.keys(s.limits).length && [t("limits"), Object.entries(s.limits).map(([rule, n]) => `${rule}: ${n}`).join(", ")],
    s.senders && s.senders.length && [t("senders"), s.senders.join(", ")], [t("consent"), t({ yes: "on", no: "off" }[s.consent] || "standard")], s.note && [t("note"), s.note]].filter(Boolean);
}

function accountCard(login, account, settings, isStanding, again) {
  const facts = [[t("created"), time(account.created_ms)], [t("password_changed"), account.password_changed_ms ? time(account.password_changed_ms) : t("none_short")], ...settingsFacts(settings)];
  return el("section", { class: "card" },
    el("header", {}, el("h2", {}, login), badge(account.disabled ? "warn" : "good", t(account.disabled ? "disabled" : "active")),
      !isStanding && el("button", { class: "bad push", type: "button", id: "suspend", onclick: () => suspend(login, again) }, t("suspend")),
      el("button", { type: "button", class: isStanding && "push", onclick: () => sendNotice(login) }, t("send_notice"))),
    el("dl", { class: "facts" }, facts.map(([name, value]) => [el("dt", {}, name), el("dd", {}, value)])));
}

async function decide(message, what, again) {
  const ways = { let_go: ["POST", "/release"], send_back: ["POST", "/return"], throw_away: ["DELETE", ""] };
  const [method, rest] = ways[what];
  const path = `/queue/${part(message.id)}${rest}`;
  const done = await ask({ title: t(`${what}_title`, message.id), danger: what !== "let_go", go: t(what), fields: [field("why", t("why"), { hint: t("why_hint") })],
    act: (values) => (method === "DELETE" ? call("DELETE", `${path}?${new URLSearchParams(values)}`) : call(method, path, values)) });
  if (!done) return;
  say(t("done"));
  await again();
}

function heldCard(messages, again) {
  const buttons = (m) => el("span", { class: "row" }, ["let_go", "send_back", "throw_away"].map((what) =>
    el("button", { class: "plain", type: "button", onclick: () => decide(m, what, again) }, t(what))));
  return el("section", { class: "card", id: "held" }, el("header", {}, el("h2", {}, t("held")), badge("warn", String(messages.length))), el("p", { class: "soft small" }, t("held_about")),
    table([
      { label: t("message"), cell: (m) => el("code", {}, m.id) },
      { label: t("arrived"), cell: (m) => ago(m.arrived_ms) },
      { label: t("sender"), cell: (m) => m.sender || "<>" },
      { label: t("recipients"), number: true, cell: (m) => number(m.recipient_count) },
      { label: t("size"), number: true, cell: (m) => bytes(m.bytes) },
      { label: t("score"), number: true, cell: (m) => number(m.score) },
      { spoken: t("what"), cell: buttons },
    ], messages, t("held")));
}

function historyCard(restrictions) {
  return el("section", { class: "card" }, el("h2", {}, t("history")), table([
    { label: t("when"), cell: (r) => el("a", { href: `#r/${r.id}` }, time(r.at_ms)) },
    { label: t("what"), cell: (r) => kindBadge(r.kind) },
    { label: t("by_rule"), cell: (r) => (r.rule ? el("code", {}, r.rule) : t("by_hand")) },
    { label: t("where"), cell: (r) => country(r.country) },
    { label: t("outcome"), cell: (r) => badge(r.standing ? "bad" : "good", t(r.standing ? "standing" : "over")) },
  ], restrictions, t("history")));
}

function signInsCard(list) {
  return el("section", { class: "card", id: "sign-ins" }, el("h2", {}, t("sign_ins")), table([
    { label: t("when"), cell: (s) => [ago(s.last_ms), s.times > 1 ? el("span", { class: "soft small" }, ` ×${number(s.times)}`) : ""] },
    { label: t("where"), cell: (s) => [country(s.country), el("span", { class: "soft small mono" }, s.address ? ` ${s.address}` : "")] },
    { label: t("how"), cell: (s) => [protocolName(s), s.program ? el("div", { class: "soft small" }, s.program) : ""] },
    { label: t("outcome"), cell: resultBadge },
  ], list, t("sign_ins")));
}

function recordCard(entries) {
  return el("section", { class: "card" }, el("h2", {}, t("record")), table([
    { label: t("when"), cell: (e) => ago(e.at_ms) },
    { label: t("who"), cell: (e) => e.actor },
    { label: t("what"), cell: (e) => el("code", {}, e.op) },
    { label: t("why"), cell: (e) => e.why || "–" },
  ], entries, t("record")));
}

/** The cards of an account. `shown`: the restriction that stands above them, if one does. */
export async function accountView(login, again, shown) {
  const [account, settings] = await Promise.all([get(own(login, "")), get(own(login, "/settings"))]);
  const [history, held, record, signIns] = await Promise.all([
    orNothing(getAll(own(login, "/restrictions"), { all: true }, "restrictions"), []),
    orNothing(get("/queue", { login, state: "held", limit: 100 }), { messages: [] }),
    orNothing(get("/audit", { target: login, limit: 20 }), { audit: [] }),
    orNothing(get(own(login, "/sign-ins"), { limit: 20 }), { sign_ins: [] })]);
  const isStanding = history.some((r) => r.standing && r.kind === "suspended");
  const before = history.filter((r) => !shown || r.id !== shown.id).reverse().slice(0, HISTORY_MAX);
  return [accountCard(login, account, settings, isStanding, again), held.messages.length > 0 && heldCard(held.messages, again),
    signIns.sign_ins.length > 0 && signInsCard(signIns.sign_ins),
    before.length > 0 && historyCard(before), record.audit.length > 0 && recordCard(record.audit)].filter(Boolean);
}
