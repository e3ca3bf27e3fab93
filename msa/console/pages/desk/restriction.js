// One restriction: its grounds as a timeline and on a map, what was told, and the way out of it.
import { ago, ask, badge, call, country, el, field, hasText, part, say, t, time } from "/base.js";
import { worldMap } from "/map.js";
import { accountView } from "/desk/account.js";

export function kindBadge(kind) {
  const look = { suspended: "bad", "locked-by-owner": "bad", locked: "warn", overseas: "warn", held: "warn" }[kind] || "";
  return badge(look, hasText(`kind_${kind}`) ? t(`kind_${kind}`) : kind);
}

/** "RU 2026-05-31T15:00Z, JP 2026-05-31T15:00Z" as [{code, at}], oldest first; what is written otherwise as {text}. */
function groundsOf(text) {
  return (text || "").split(/,\s*/).filter(Boolean).map((one) => {
    const found = /^([A-Z]{2}) (\d{4}-\d\d-\d\dT[\d:]+Z)$/.exec(one);
    return found ? { code: found[1], at: Date.parse(found[2]) } : { text: one };
  }).reverse();
}

function timeline(r, grounds) {
  const items = grounds.map((g) => el("li", { class: "bad" }, g.code ? [el("strong", {}, country(g.code)), " ", el("span", { class: "soft small" }, time(g.at))] : g.text));
  items.push(el("li", { class: "bad" }, kindBadge(r.kind), " ", el("span", { class: "soft small" }, time(r.at_ms)), r.source ? [" ", el("span", { class: "mono small" }, r.source)] : null));
  if (r.released_ms) items.push(el("li", { class: "good" }, t("released", time(r.released_ms), r.released_by || "–"), r.release_note ? el("div", { class: "soft" }, r.release_note) : null));
  return el("ol", { class: "timeline" }, items);
}

function mapOf(grounds, r) {
  const codes = grounds.filter((g) => g.code).map((g) => g.code);
  if (codes.length === 0 && r.country) codes.push(r.country);
  if (codes.length === 0) return null;
  const counts = codes.reduce((sum, c) => ({ ...sum, [c]: (sum[c] || 0) + 1 }), {});
  const most = Math.max(...Object.values(counts));
  return el("figure", { class: "slot flat" }, worldMap(Object.entries(counts).map(([code, n]) => ({ code, kind: "place", weight: n / most, label: country(code) })),
    `${t("map")}: ${Object.keys(counts).map(country).join(", ")}`));
}

export async function release(r, again) {
  const done = await ask({ title: t("release_title", r.login || r.source), body: [el("p", {}, t("release_about"))],
    fields: [field("why", t("why"), { kind: "textarea", hint: t("why_hint") })], go: t("yes_release"),
    act: (values) => call("POST", `/restrictions/${part(r.id)}/release`, values) });
  if (!done) return;
  say(t("released_said", r.login || r.source));
  await again();
}

function whyCard(r, again) {
  const grounds = groundsOf(r.grounds);
  const facts = [[t("rule"), r.rule ? el("code", {}, r.rule) : t("by_hand")], [t("because"), r.because], [t("since"), el("span", {}, ago(r.at_ms), " · ", time(r.at_ms))],
    r.times > 1 && [t("times"), `${r.times} (${t("last")} ${time(r.last_ms)})`], [t("source"), r.source && el("span", { class: "mono" }, r.source, r.country ? ` · ${country(r.country)}` : "")],
    r.until_ms && [t("until"), time(r.until_ms)], [t("told"), r.told && el("q", {}, r.told)], [t("note"), r.note]].filter((f) => f && f[1]);
  return el("section", { class: "card bad" },
    el("header", {}, el("h2", {}, r.login ? el("a", { href: `#a/${part(r.login)}` }, r.login) : r.source), kindBadge(r.kind), badge(r.standing ? "bad" : "good", t(r.standing ? "standing" : "over")),
      r.standing && el("button", { class: "main push", type: "button", id: "release", onclick: () => release(r, again) }, t("release"))),
    el("dl", { class: "facts" }, facts.map(([name, value]) => [el("dt", {}, name), el("dd", {}, value)])),
    el("hr"), el("h3", {}, t("grounds")), el("div", { class: "cards" }, timeline(r, grounds), mapOf(grounds, r)));
}

export async function restrictionView(id, again) {
  const r = await call("GET", `/restrictions/${part(id)}`);
  const rest = r.login ? await accountView(r.login, again, r).catch(() => []) : [];
  return [whyCard(r, again), ...rest];
}
