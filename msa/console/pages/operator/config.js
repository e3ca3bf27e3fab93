// The configuration in force: asked for when somebody wants to see it.
import { el, field, get, number, t, table } from "/base.js";

const bare = (text) => text.replace(/^"((?:[^"\\]|\\.)*)"$/, (_, inner) => inner.replace(/\\(.)/g, "$1"));
const fileName = (path) => path.slice(path.lastIndexOf("/") + 1);

export function configCard() {
  const place = el("div", { class: "slot" }), words = el("p", { class: "soft small" }, t("config_about"));
  const form = el("div", { class: "row low", hidden: true });
  const button = el("button", { class: "plain push", type: "button", id: "config-show", "aria-expanded": "false" }, t("config_show"));
  let settings = [];

  const filter = field("filter", t("config_filter"), { required: false, oninput: () => draw() });
  const all = el("input", { type: "checkbox", id: "config-all", onchange: () => load() });
  form.append(filter, el("label", { class: "check" }, all, t("config_all")));

  function draw() {
    const wanted = filter.querySelector("input").value.toLowerCase();
    const rows = settings.filter((s) => `${s.block} ${s.key} ${s.value}`.toLowerCase().includes(wanted));
    place.replaceChildren(table([
      { label: t("config_in"), cell: (s) => (s.block ? s.block.replaceAll('"', "") : "–") },
      { label: t("config_key"), cell: (s) => el("code", {}, s.key) },
      { label: t("config_value"), cell: (s) => el("code", {}, bare(s.value)) },
      { label: t("config_said_by"), cell: (s) => (s.file ? el("span", { class: "mono small", title: s.file }, `${fileName(s.file)}:${s.line}`) : el("span", { class: "soft" }, t("config_default"))) },
    ], rows, t("config")));
  }
  async function load() {
    try {
      const answer = await get("/config", { all: all.checked });
      settings = answer.settings;
      words.textContent = t("config_of", answer.file, number(answer.generation));
      draw();
    } catch (error) { place.replaceChildren(el("p", { class: "note bad" }, error.message)); }
  }
  const isOpen = () => !form.hidden;
  button.addEventListener("click", () => {
    form.hidden = isOpen();
    button.textContent = t(isOpen() ? "config_hide" : "config_show");
    button.setAttribute("aria-expanded", String(isOpen()));
    if (isOpen()) load(); else place.replaceChildren();
  });
  return { card: el("section", { class: "card", id: "config" }, el("header", {}, el("h2", {}, t("config")), button), words, form, place),
    refresh: () => { if (isOpen()) load(); } };
}
