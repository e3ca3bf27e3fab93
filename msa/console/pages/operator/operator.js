// The operator's page: what the server does now. /status is asked every few seconds; what it said for the last minutes is kept
// here, in the browser, and drawn.
import { $, addTexts, ago, ask, badge, bytes, call, el, field, frame, get, number, say, session, share, t, table, whoAmI } from "/base.js";
import { barChart, lineChart } from "/charts.js";
import { configCard } from "/operator/config.js";
import { eventsCard } from "/operator/events.js";
import texts from "/operator/texts.js";

addTexts(texts);

const EVERY_MS = 5000, KEPT = 180; // a quarter of an hour
const samples = [];

// ---- what a status says ----

const sum = (list, path) => (list || []).reduce((all, one) => all + (path.split(".").reduce((o, k) => (o == null ? o : o[k]), one) || 0), 0);

function sampleOf(s) {
  const refusals = ["connect", "mail", "quota", "route"].reduce((n, q) => n + sum(s.policy, `questions.${q}.refused`), 0);
  return {
    at: performance.now(), sessions: sum(s.smtp, "sessions"), strangers: sum(s.smtp, "strangers"),
    accepted: sum(s.relay, "handed_over_count") + sum(s.relay, "queued_count"), refused: sum(s.relay, "refused_count") + refusals, failed: sum(s.relay, "failed_count"),
    signed_in: sum(s.auth, "exchanges.succeeded"), failures: sum(s.auth, "exchanges.failed"),
    ready: sum(s.relay, "queue.ready") + sum(s.relay, "queue.active"), waiting: sum(s.relay, "queue.waiting"), held: sum(s.relay, "queue.held"),
  };
}

/** How fast a counter grew between two samples, per minute; null where a process began anew between them. */
function ratesOf(key) {
  return samples.map((s, i) => {
    if (i === 0) return null;
    const grown = s[key] - samples[i - 1][key];
    return grown < 0 ? null : (grown * 60000) / (s.at - samples[i - 1].at);
  });
}
const levelsOf = (key) => samples.map((s) => s[key]);
const lastOf = (list) => list[list.length - 1];

// ---- the parts ----

function duration(seconds) {
  if (seconds >= 172800) return t("days_n", number(Math.floor(seconds / 86400)));
  if (seconds >= 7200) return t("hours_n", number(Math.floor(seconds / 3600)));
  return t("minutes_n", number(Math.floor(seconds / 60)));
}

const tile = (label, value, note) => el("div", { class: "tile" }, el("div", { class: "label" }, label), el("div", { class: "value" }, value), el("div", { class: "hint" }, note || "\u00a0"));

function tiles(s) {
  const now = lastOf(samples), oldest = s.relay?.[0]?.oldest_arrived_ms;
  return [
    tile(t("sessions"), number(now.sessions), t("before_auth", number(now.strangers))),
    tile(t("accepted"), number(lastOf(ratesOf("accepted"))), t("accepted_note", number(now.accepted))),
    tile(t("refused"), number(lastOf(ratesOf("refused"))), t("refused_note")),
    tile(t("failures"), number(lastOf(ratesOf("failures"))), t("failures_note", number(now.failures))),
    tile(t("queue"), number(now.ready + now.waiting + now.held), t("queue_note", number(now.held))),
    tile(t("oldest"), oldest ? ago(oldest) : "–"),
    tile(t("suspended"), number(sum(s.policy, "suspended_accounts")), t("suspended_note")),
    tile(t("disk"), bytes(sum(s.relay, "free_bytes")), t("disk_note", bytes(sum(s.relay, "used_bytes")))),
  ];
}

const card = (title, ...children) => el("section", { class: "card" }, el("h2", {}, title), children);

function charts() {
  const left = t("minutes_ago", number(Math.round((performance.now() - samples[0].at) / 60000))), right = t("now");
  return [
    card(t("mail"), lineChart(t("mail"), [{ name: t("mail_accepted"), look: "one", values: ratesOf("accepted") }, { name: t("mail_refused"), look: "two", values: ratesOf("refused") },
      { name: t("mail_failed"), look: "three", values: ratesOf("failed") }], left, right)),
    card(t("signins"), lineChart(t("signins"), [{ name: t("good"), look: "one", values: ratesOf("signed_in") }, { name: t("bad"), look: "two", values: ratesOf("failures") }], left, right)),
    card(t("depth"), lineChart(t("depth"), [{ name: t("ready"), look: "one", values: levelsOf("ready") }, { name: t("waiting"), look: "three", values: levelsOf("waiting") },
      { name: t("held"), look: "two", values: levelsOf("held") }], left, right)),
  ];
}

function poolsCard(pools) {
  const shareOf = (p, key) => (p.health && p.health.recipients ? share(p.health[key], p.health.recipients) : "–");
  return card(t("pools"), table([
    { label: t("pool"), cell: (p) => el("strong", {}, p.pool) },
    { label: t("source"), cell: (p) => el("span", { class: "mono" }, p.source || "–") },
    { label: t("state"), cell: (p) => badge(p.is_open ? "good" : "bad", t(p.is_open ? "open" : "closed")) },
    { label: t("links"), number: true, cell: (p) => `${number(p.link_count)} (${t("busy", number(p.busy_count))})` },
    { label: t("hosts"), number: true, cell: (p) => `${number(p.dead_host_count)} / ${number(p.host_count)}` },
    { label: t("in_queue"), number: true, cell: (p) => number(p.queue.ready + p.queue.active + p.queue.waiting + p.queue.held) },
    { label: t("answered"), number: true, cell: (p) => number(p.answered_count) },
    { label: t("refused_share"), number: true, cell: (p) => shareOf(p, "refused") },
    { label: t("deferred_share"), number: true, cell: (p) => shareOf(p, "deferred") },
    { label: t("lost"), number: true, cell: (p) => number(p.lost_count) },
  ], pools, t("pools")));
}

function processesCard(supervisor) {
  return card(t("processes"), el("p", { class: "soft small" }, t("version", supervisor.version, number(supervisor.generation)), " · ", t("started", duration(supervisor.uptime_s))), table([
    { label: t("process"), cell: (p) => `${p.role} ${p.index}` },
    { label: t("state"), cell: (p) => badge(p.state === "ready" ? "good" : "warn", p.state === "ready" ? t("serving") : p.state) },
    { label: t("up"), number: true, cell: (p) => duration(p.uptime_s) },
    { label: t("restarts"), number: true, cell: (p) => number(p.restarts) },
  ], supervisor.processes || [], t("processes")));
}

function rulesCard(rules) {
  const look = { enforce: "good", shadow: "warn" };
  return card(t("rules"), table([
    { label: t("rule"), cell: (r) => el("code", {}, r.rule) },
    { label: t("sentence"), cell: (r) => r.sentence },
    { label: t("mode"), cell: (r) => badge(look[r.mode] || "", t(r.mode)) },
    { label: t("hits"), number: true, cell: (r) => number(r.hits) },
  ], [...rules].sort((a, b) => b.hits - a.hits), t("rules")));
}

function trendCard(days) {
  const totals = {};
  for (const d of days) for (const [rule, n] of Object.entries(d.rules)) totals[rule] = (totals[rule] || 0) + n;
  const names = Object.keys(totals).sort((a, b) => totals[b] - totals[a]).slice(0, 4);
  return card(t("trend"), names.length ? barChart(t("trend"), [...days].reverse().map((d) => ({ label: d.day.slice(5), parts: names.map((n) => d.rules[n] || 0) })), names) : el("p", { class: "soft" }, t("none")));
}

async function reload() {
  const done = await ask({ title: t("reload"), body: [el("p", {}, t("reload_about"))], fields: [field("why", t("why"), { hint: t("why_hint") })], go: t("reload"),
    act: (values) => call("POST", "/reload", values) });
  if (done) say(t("reload_done"));
}

// ---- the page ----

const put = (id, ...nodes) => $(id).replaceChildren(...nodes.filter(Boolean));

function draw(s) {
  put("tiles", ...tiles(s));
  put("charts", ...charts());
  put("pools", poolsCard(s.relay?.[0]?.pools || []));
  put("processes", s.supervisor?.[0] && processesCard(s.supervisor[0]));
}

/** What changes slowly, and may not be there. */
async function drawSlow() {
  const [rules, trend] = await Promise.all([get("/rules").catch(() => null), get("/restrictions/trend", { days: 30 }).catch(() => null)]);
  put("slow", trend && trendCard(trend.days), rules && rules.rules.length > 0 && rulesCard(rules.rules));
}

async function turn() {
  try {
    const s = await get("/status");
    samples.push(sampleOf(s));
    if (samples.length > KEPT) samples.shift();
    draw(s);
    $("stopped").hidden = true;
  } catch (error) {
    $("stopped").textContent = t("stopped", error.message);
    $("stopped").hidden = false;
  }
}

async function begin() {
  if (!(await whoAmI()) || session.role !== "operator") { location.assign("/"); return; }
  const config = configCard();
  document.title = `${t("title")} · ${t("service")}`;
  frame([{ href: "/desk/", text: t("desk") }, { href: "/operator/", text: t("operator"), current: true }]);
  $("main").append(el("div", { class: "title" }, el("h1", {}, t("title")), el("button", { type: "button", id: "reload", onclick: reload }, t("reload"))),
    el("p", { class: "note bad", id: "stopped", role: "alert", hidden: true }), el("div", { class: "tiles", id: "tiles" }), el("div", { class: "cards", id: "charts" }),
    eventsCard((e) => { if (e.kind === "configuration.taken") config.refresh(); }), el("div", { class: "slot", id: "pools" }), el("div", { class: "stack", id: "slow" }), el("div", { class: "slot", id: "processes" }), config.card);
  await Promise.all([turn(), drawSlow()]);
  $("main").setAttribute("data-ready", "");
  document.addEventListener("visibilitychange", () => { if (!document.hidden) turn(); });
  setInterval(() => { if (!document.hidden) turn(); }, EVERY_MS);
}

begin().catch((error) => { $("main").append(el("p", { class: "note bad", role: "alert" }, error.message)); });
