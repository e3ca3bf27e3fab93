// App passwords, one for each device, and the second factor.
import { ask, badge, call, country, day, el, field, get, inWords, own, part, say, svg, t, table } from "/base.js";

const SCOPES = ["smtp", "imap", "pop"];

async function makeOne(again) {
  const boxes = el("fieldset", { class: "row plain" }, el("legend", { class: "soft small" }, t("scopes")),
    SCOPES.map((s) => el("label", { class: "check" }, el("input", { type: "checkbox", name: s, checked: true }), t(`scope_${s}`))));
  let made;
  const done = await ask({ title: t("make"), go: t("make"), fields: [field("name", t("device_name"), { hint: t("device_hint"), maxlength: 64 }), boxes],
    act: async (values) => { made = await inWords({ 409: t("too_many_devices"), 422: t("bad_device") },
      () => call("POST", own("/app-passwords"), { name: values.name, scopes: SCOPES.filter((s) => values[s]) })); } });
  if (!done) return;
  await ask({ title: t("made_title", made.name), body: [el("p", {}, t("made_about")), el("p", { class: "secret mono", id: "made" }, made.password)], go: t("noted") });
  await again();
}

async function removeOne(device, again) {
  const done = await ask({ title: t("remove_device", device.name), danger: true, go: t("remove"), act: () => call("DELETE", own(`/app-passwords/${part(device.id)}`)) });
  if (!done) return;
  say(t("device_gone", device.name));
  await again();
}

function onlyApps(account, again) {
  return el("div", { class: "setting" },
    el("div", {}, el("label", { for: "only-apps" }, t("only_apps")), el("p", { class: "soft small", id: "only-apps-about" }, t("only_apps_about"))),
    el("input", { type: "checkbox", class: "switch", role: "switch", id: "only-apps", checked: account.app_passwords_only, "aria-describedby": "only-apps-about", onchange: async (event) => {
      try { await call("PUT", own("/sign-in-rules"), { app_passwords_only: event.target.checked }); say(t("rules_said")); } catch (error) { say(error.message); }
      await again();
    } }));
}

function devicesCard(list, account, again) {
  return el("section", { class: "card", id: "devices" },
    el("header", {}, el("h2", {}, t("devices")), el("button", { class: "plain push", type: "button", onclick: () => makeOne(again) }, t("make"))),
    el("p", { class: "soft small" }, t("devices_about")),
    list.length === 0 ? null : table([
      { label: t("device"), cell: (d) => el("strong", {}, d.name) },
      { label: t("scopes"), cell: (d) => d.scopes.map((s) => t(`scope_${s}`)).join(", ") },
      { label: t("used"), cell: (d) => [d.used_ms ? day(d.used_ms) : t("never"), d.used_from ? ` · ${country(d.used_from)}` : ""] },
      { spoken: t("remove"), cell: (d) => el("button", { class: "plain", type: "button", "aria-label": t("remove_device", d.name), onclick: () => removeOne(d, again) }, t("remove")) },
    ], list, t("devices")),
    el("hr"), onlyApps(account, again));
}

// ---- the second factor ----

/** rows of "0" and "1": dark squares on a light ground in either scheme, as readers of such codes want it. */
function qrCode(rows) {
  const size = rows.length + 8;
  const d = rows.flatMap((row, y) => [...row].map((bit, x) => (bit === "1" ? `M${x + 4} ${y + 4}h1v1h-1z` : ""))).join("");
  return svg("svg", { class: "qr", viewBox: `0 0 ${size} ${size}`, role: "img", "aria-label": "QR", "shape-rendering": "crispEdges" },
    svg("rect", { width: size, height: size, fill: "#fff" }), svg("path", { d, fill: "#000" }));
}

const codeField = () => field("code", t("code"), { inputmode: "numeric", autocomplete: "one-time-code", maxlength: 16 });

async function switchOn(again) {
  const offer = await call("POST", own("/totp"), {});
  let codes;
  const done = await ask({ title: t("totp"), go: t("switch_on"), fields: [codeField()],
    body: [el("p", {}, t("scan")), qrCode(offer.qr), el("p", { class: "small" }, t("key"), " ", el("code", { id: "totp-key" }, offer.secret))],
    act: async (values) => { codes = (await inWords({ 422: t("wrong_code") }, () => call("PUT", own("/totp"), { code: values.code.trim() }))).recovery_codes; } });
  if (!done) return;
  await ask({ title: t("codes_title"), body: [el("p", {}, t("codes_about")), el("ul", { class: "codes mono" }, codes.map((c) => el("li", {}, c)))], go: t("codes_noted") });
  say(t("totp_said_on"));
  await again();
}

async function switchOff(again) {
  const done = await ask({ title: t("switch_off"), danger: true, go: t("switch_off"), fields: [codeField()],
    act: (values) => inWords({ 422: t("wrong_code") }, () => call("DELETE", own(`/totp?${new URLSearchParams({ code: values.code.trim() })}`))) });
  if (!done) return;
  say(t("totp_said_off"));
  await again();
}

function secondFactorCard(account, again) {
  if (account.totp == null) return null;
  return el("section", { class: "card", id: "factor" }, el("div", { class: "setting" },
    el("div", {}, el("h2", {}, t("totp"), " ", badge(account.totp ? "good" : "", t(account.totp ? "totp_on" : "totp_off"))), el("p", { class: "soft" }, t("totp_about"))),
    el("button", { type: "button", class: account.totp ? "bad" : "", onclick: () => (account.totp ? switchOff(again) : switchOn(again)) }, t(account.totp ? "switch_off" : "switch_on"))));
}

/** Both cards, of one look at the account. */
export async function signInCards(again) {
  const [{ app_passwords: list }, account] = await Promise.all([get(own("/app-passwords")), get(own(""))]);
  return el("div", { class: "stack" }, devicesCard(list, account, again), secondFactorCard(account, again));
}
