// The support desk: who is restricted, why, and what can be done. What is shown hangs on the address behind the #:
//   #r/ID     one restriction        #a/LOGIN  one account        nothing: the list alone
import { $, addTexts, ago, country, el, frame, getAll, number, session, t, whoAmI } from "/base.js";
import { accountView } from "/desk/account.js";
import { kindBadge, restrictionView } from "/desk/restriction.js";
import texts from "/desk/texts.js";

addTexts(texts);

export function links(current) {
  return [{ href: "/desk/", text: t("desk"), current: current === "desk" },
    session.role === "operator" && { href: "/operator/", text: t("operator"), current: current === "operator" }].filter(Boolean);
}

const SHOWN_MAX = 200; // who looks for one among more searches for it
let standing = [];

async function loadStanding() {
  standing = (await getAll("/restrictions", {}, "restrictions")).filter((r) => r.standing).reverse();
}

function listCard() {
  const at = location.hash;
  const rows = standing.slice(0, SHOWN_MAX).map((r) => el("li", {}, el("a", { href: `#r/${r.id}`, "aria-current": at === `#r/${r.id}` && "true" },
    el("span", { class: "row" }, el("strong", {}, r.login || r.source || "–"), kindBadge(r.kind)),
    el("span", { class: "small soft" }, ago(r.at_ms), " · ", r.rule || t("by_hand"), r.country ? ` · ${country(r.country)}` : ""))));
  return el("section", { class: "card", id: "standing" },
    el("header", {}, el("h2", {}, t("restricted_now")), el("span", { class: `badge ${rows.length ? "bad" : "good"}` }, number(standing.length))),
    rows.length ? el("ul", { class: "list" }, rows) : el("p", { class: "soft" }, t("nobody")));
}

function searchCard() {
  const input = el("input", { type: "search", id: "find", name: "login", autocomplete: "off", spellcheck: "false", placeholder: "user@example.jp" });
  return el("form", { class: "card", role: "search", onsubmit: (event) => {
    event.preventDefault();
    if (input.value.trim()) location.hash = `#a/${encodeURIComponent(input.value.trim())}`;
  } }, el("div", { class: "field" }, el("label", { for: "find" }, t("search")), input), el("button", { type: "submit" }, t("find")));
}

/** Draws what the address names; called again when something was done there. */
async function show() {
  const [kind, name] = location.hash.slice(1).split("/");
  const right = $("chosen");
  await loadStanding();
  $("list").replaceChildren(listCard());
  try {
    if (kind === "r") right.replaceChildren(...await restrictionView(decodeURIComponent(name), show));
    else if (kind === "a") right.replaceChildren(...await accountView(decodeURIComponent(name), show));
    else right.replaceChildren(el("section", { class: "card" }, el("p", { class: "soft" }, t("choose"))));
  } catch (error) {
    const text = error.status === 404 && kind === "a" ? t("not_found", decodeURIComponent(name)) : error.message;
    right.replaceChildren(el("p", { class: "note bad", role: "alert" }, text));
  }
  $("main").setAttribute("data-ready", location.hash || "#");
}

async function begin() {
  if (!(await whoAmI()) || !["support", "operator"].includes(session.role)) { location.assign("/"); return; }
  document.title = `${t("title")} · ${t("service")}`;
  frame(links("desk"));
  $("main").append(el("h1", {}, t("title")), el("div", { class: "split" },
    el("div", { class: "stack" }, searchCard(), el("div", { id: "list", class: "slot" })), el("div", { id: "chosen", class: "stack", "aria-live": "polite" })));
  addEventListener("hashchange", () => { $("main").removeAttribute("data-ready"); show(); });
  await show();
}

begin().catch((error) => { $("main").append(el("p", { class: "note bad", role: "alert" }, error.message)); });
