// What every page shares: the API, the two languages, building of elements, dialogs, and how things are written.
// Text reaches the page as text only: el() sets textContent and attributes, and nothing here parses HTML.

// ---- language ----

const stored = localStorage.getItem("language");
export const language = stored === "ja" || stored === "en" ? stored
  : /^ja\b/i.test((navigator.languages && navigator.languages[0]) || navigator.language) ? "ja" : "en";
document.documentElement.lang = language;

const texts = {
  en: {
    service: "Mail security", sign_out: "Sign out", other_language: "日本語", skip: "Skip to content",
    cancel: "Cancel", close: "Close", save: "Save", why: "Why", why_hint: "It stays with the record.", more: "Show more", none: "Nothing here.",
    away: "The service cannot be reached. Try again in a moment.", ended: "You were signed out. Sign in again.", refused: "That was refused: {0}",
    loading: "One moment …", home: "My settings", desk: "Support desk", operator: "Operation", yes: "Yes", no: "No", never: "never", now: "now",
  },
  ja: {
    service: "メールの安全", sign_out: "サインアウト", other_language: "English", skip: "本文へ",
    cancel: "キャンセル", close: "閉じる", save: "保存", why: "理由", why_hint: "記録に残ります。", more: "さらに表示", none: "ありません。",
    away: "サービスに接続できません。しばらくしてからもう一度お試しください。", ended: "サインアウトしました。もう一度サインインしてください。", refused: "受け付けられませんでした: {0}",
    loading: "お待ちください…", home: "自分の設定", desk: "サポート窓口", operator: "運用", yes: "はい", no: "いいえ", never: "なし", now: "現在",
  },
};

/** Adds the page's own texts: {en: {…}, ja: {…}}. */
export function addTexts(more) {
  for (const lang of Object.keys(texts)) Object.assign(texts[lang], more[lang]);
}

/** The text `key`, with {0} {1} … filled in. A key that is missing shows itself. */
export function t(key, ...values) {
  const text = texts[language][key] ?? key;
  return text.replace(/\{(\d)\}/g, (_, n) => values[n] ?? "");
}
export const hasText = (key) => key in texts[language];

/** Puts texts where the page says data-text="key" (content) or data-label-text="key" (aria-label). */
export function fillTexts(root = document) {
  for (const node of root.querySelectorAll("[data-text]")) node.textContent = t(node.dataset.text);
  for (const node of root.querySelectorAll("[data-label-text]")) node.setAttribute("aria-label", t(node.dataset.labelText));
}

// ---- how things are written ----

const locale = language === "ja" ? "ja-JP" : "en-GB";
const numbers = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 });
const times = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" });
const days = new Intl.DateTimeFormat(locale, { dateStyle: "medium" });
const relative = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });
const regions = new Intl.DisplayNames([locale], { type: "region" });

export const number = (n) => (n == null ? "–" : numbers.format(n));
export const time = (ms) => (ms ? times.format(ms) : "–");
export const day = (ms) => (ms ? days.format(ms) : "–");
export function share(part, whole) {
  return whole > 0 ? new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 1 }).format(part / whole) : "–";
}
export function bytes(n) {
  const unit = n >= 1 << 30 ? [1 << 30, "GiB"] : n >= 1 << 20 ? [1 << 20, "MiB"] : n >= 1 << 10 ? [1 << 10, "KiB"] : [1, "B"];
  return `${number(n / unit[0])} ${unit[1]}`;
}
/** "3 hours ago", the exact time as a tooltip. */
export function ago(ms) {
  if (!ms) return el("span", {}, "–");
  const seconds = (ms - Date.now()) / 1000;
  const unit = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]].find(([, s]) => Math.abs(seconds) >= s) || ["second", 1];
  return el("time", { datetime: new Date(ms).toISOString(), title: time(ms) }, relative.format(Math.round(seconds / unit[1]), unit[0]));
}
/** A country by its ISO code, in the reader's language. */
export function country(code) {
  if (!code || !/^[A-Z]{2}$/.test(code)) return code || "–";
  try { return regions.of(code); } catch { return code; }
}

// ---- elements ----

/** el("a", {href: "/", class: "x", onclick: fn, data: {label: "y"}}, child, "text", …); null children are left out. */
export function el(name, attributes = {}, ...children) {
  return build(document.createElement(name), attributes, children);
}
/** The same for SVG. */
export function svg(name, attributes = {}, ...children) {
  return build(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
}
function build(node, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (value == null || value === false) continue;
    if (key === "data") Object.assign(node.dataset, value);
    else if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else node.setAttribute(key, value === true ? "" : value);
  }
  for (const child of children.flat(Infinity)) if (child != null && child !== false) node.append(child);
  return node;
}
export const $ = (id) => document.getElementById(id);
export const badge = (kind, text) => el("span", { class: `badge ${kind}` }, text);

/** A table that folds into cards on a phone. columns: [{label, number?, cell: (row) => node or text}]. */
export function table(columns, rows, caption) {
  if (rows.length === 0) return el("p", { class: "soft" }, t("none"));
  const head = columns.map((c) => el("th", { scope: "col", class: c.number && "number" }, c.label || el("span", { class: "only-read" }, c.spoken || "")));
  const body = rows.map((row) => el("tr", {}, columns.map((c) =>
    el("td", { class: c.number ? "number" : c.spoken && "act", data: { label: c.label || "" } }, el("span", {}, c.cell(row))))));
  return el("div", { class: "scroll", role: "region", "aria-label": caption, tabindex: "0" },
    el("table", { class: "folds" }, el("caption", { class: "only-read" }, caption), el("thead", {}, el("tr", {}, head)), el("tbody", {}, body)));
}

// ---- saying and asking ----

let sayingEnds = 0;
/** A short word at the lower edge, read aloud. */
export function say(text) {
  let node = document.querySelector(".said");
  if (!node) document.body.append(node = el("div", { class: "said", role: "status", "aria-live": "polite" }));
  node.textContent = text;
  clearTimeout(sayingEnds);
  sayingEnds = setTimeout(() => { node.textContent = ""; }, 6000);
}

let fieldNumber = 0;
/** A labelled input. kind: text, password, date, number, textarea, select (with options [[value, text]]). */
export function field(name, label, { kind = "text", hint, value = "", required = true, options = [], ...rest } = {}) {
  const id = `field-${++fieldNumber}`;
  const shared = { id, name, required, "aria-describedby": hint && `${id}-hint`, ...rest };
  const input = kind === "textarea" ? el("textarea", shared, value)
    : kind === "select" ? el("select", shared, options.map(([v, text]) => el("option", { value: v, selected: v === value }, text)))
      : el("input", { type: kind, value, ...shared });
  return el("div", { class: "field" }, el("label", { for: id }, label), input, hint && el("span", { class: "hint", id: `${id}-hint` }, hint));
}

/** A dialog with fields; the object of their values, or null if it was cancelled. `act` may do the work while the
 * dialog is open: what it throws is shown there. */
export function ask({ title, body = [], fields = [], go, danger = false, act }) {
  return new Promise((resolve) => {
    const wrong = el("p", { class: "note bad", role: "alert", hidden: true });
    const button = el("button", { class: danger ? "bad" : "main", type: "submit" }, go);
    const form = el("form", { method: "dialog" }, el("h2", { id: "ask-title" }, title), body, fields, wrong,
      el("div", { class: "row end" }, el("button", { type: "button", onclick: () => done(null) }, t("cancel")), button));
    const dialog = el("dialog", { "aria-labelledby": "ask-title" }, form);
    const done = (value) => { dialog.close(); dialog.remove(); resolve(value); };
    dialog.addEventListener("cancel", (event) => { event.preventDefault(); done(null); });
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const values = Object.fromEntries(new FormData(form));
      if (!act) { done(values); return; }
      button.disabled = true;
      try { done((await act(values)) ?? values); }
      catch (error) { wrong.textContent = error.message; wrong.hidden = false; button.disabled = false; }
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

// ---- the API ----

let csrfToken = "";
export let session = null;

/** What the API answers; throws an Error with the sentence for people, `status` and `problem`. */
export async function call(method, path, body) {
  const headers = { Accept: "application/json" };
  if (body) headers["Content-Type"] = "application/json";
  if (csrfToken) headers["X-CSRF-Token"] = csrfToken;
  let answer, content;
  try {
    answer = await fetch(`/api/v1${path}`, { method, headers, body: body && JSON.stringify(body) });
    content = await answer.json();
  } catch { throw new Error(t("away")); }
  if (answer.ok) return content;
  if (answer.status === 401 && session && path !== "/session") { location.assign("/?ended"); }
  const error = new Error(answer.status >= 500 ? t("away") : t("refused", content.detail || content.title || answer.status));
  error.status = answer.status;
  error.problem = content;
  throw error;
}
export const get = (path, query = {}) => {
  const given = Object.entries(query).filter(([, v]) => v !== "" && v != null);
  return call("GET", path + (given.length ? `?${new URLSearchParams(given)}` : ""));
};
/** Does `work`; a refusal of one of these statuses is said in the page's own words, {403: "…"}. */
export async function inWords(words, work) {
  try { return await work(); } catch (error) { error.message = words[error.status] || error.message; throw error; }
}
/** All pages of a list whose oldest come first, such as {key: [...], next}; its newest are what people ask for. */
export async function getAll(path, query, key) {
  const all = [];
  for (let cursor = ""; cursor != null;) {
    const page = await get(path, { ...query, limit: 1000, cursor });
    all.push(...page[key]);
    cursor = page.next;
  }
  return all;
}
/** A path's part: names may hold any byte. */
export const part = (text) => encodeURIComponent(text);

/** Who is signed in; null: nobody. */
export async function whoAmI() {
  const answer = await get("/session");
  take(answer.role === "anybody" ? null : answer);
  return session;
}
/** The path of the account that is signed in, and what stands below it. */
export const own = (rest) => `/accounts/${part(session.login)}${rest}`;
export function take(answer) {
  session = answer;
  csrfToken = answer ? answer.csrf_token || "" : "";
}
export async function signOut() {
  try { await call("DELETE", "/session"); } finally { location.assign("/"); }
}

// ---- the frame ----

const mark = () => svg("svg", { viewBox: "0 0 32 32", fill: "none", stroke: "currentColor", "stroke-width": "2.4", "stroke-linejoin": "round", "aria-hidden": "true" },
  svg("path", { d: "M16 3 28 8v8c0 7-5 11.5-12 13.5C9 27.5 4 23 4 16V8z" }), svg("path", { d: "m9.5 12.5 6.5 5 6.5-5" }));

/** The bar at the top. links: [{href, text, current}]. */
export function frame(links = []) {
  const switchLanguage = () => { localStorage.setItem("language", language === "ja" ? "en" : "ja"); location.reload(); };
  document.body.prepend(
    el("a", { class: "skip", href: "#main" }, t("skip")),
    el("header", { class: "bar" },
      el("a", { class: "name", href: "/" }, mark(), t("service")),
      links.length > 0 && el("nav", { "aria-label": t("service") }, links.map((l) => el("a", { href: l.href, "aria-current": l.current && "page" }, l.text))),
      el("span", { class: "push small soft who" }, session ? session.login || session.actor : ""),
      el("button", { class: "plain", type: "button", lang: language === "ja" ? "en" : "ja", onclick: switchLanguage }, t("other_language")),
      session && el("button", { class: "plain", type: "button", id: "sign-out", onclick: signOut }, t("sign_out"))));
}
