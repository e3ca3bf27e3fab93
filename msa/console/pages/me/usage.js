// How much was sent, and how much may be.
import { bytes, el, get, language, number, own, svg, t } from "/base.js";

function windowName(ms) {
  const [unit, unitMs] = [["day", 86400000], ["hour", 3600000]].find(([, n]) => ms % n === 0) || ["minute", 60000];
  return new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay: "long" }).format(ms / unitMs);
}

function meter(u) {
  const part_ = Math.min(1, u.limit > 0 ? u.used / u.limit : 1);
  const show = u.counts === "kilobytes" ? (n) => bytes(n * 1024) : number;
  const label = `${t(`counts_${u.counts}`)} ${t("within", windowName(u.within_ms))}`;
  return el("div", {}, el("div", { class: "row" }, el("span", {}, label), el("span", { class: "push soft" }, t("used_of", show(u.used), show(u.limit)))),
    el("div", { class: "meter", role: "img", "aria-label": `${label}: ${t("used_of", show(u.used), show(u.limit))}` },
      svg("svg", { viewBox: "0 0 100 1", preserveAspectRatio: "none", "aria-hidden": "true" }, svg("rect", { class: part_ > 0.9 ? "bar-two" : "bar-one", width: 100 * part_, height: 1 }))));
}

/** Of several limits on one count and window only the narrowest says something. */
function narrowest(list) {
  const best = new Map();
  for (const u of list.filter((one) => ["messages", "recipients", "kilobytes"].includes(one.counts))) {
    const key = `${u.counts} ${u.within_ms}`;
    if (!best.has(key) || best.get(key).limit > u.limit) best.set(key, u);
  }
  return [...best.values()].sort((a, b) => a.counts.localeCompare(b.counts) || a.within_ms - b.within_ms);
}

export async function usageCard() {
  const { usage } = await get(own("/usage"));
  const list = narrowest(usage);
  return list.length === 0 ? null : el("section", { class: "card", id: "usage" }, el("h2", {}, t("usage")), el("p", { class: "soft small" }, t("usage_about")), list.map(meter));
}
