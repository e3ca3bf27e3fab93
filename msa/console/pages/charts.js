// Small charts as SVG: lines over time, bars by day. What they show stands in a table for those who cannot see them, too.
import { el, number, svg, t } from "/base.js";

const WIDTH = 360, HEIGHT = 150, LEFT = 40, BOTTOM = 22, TOP = 8;

/** A round number at or above n: 1, 2 or 5 times a power of ten. */
function roundUp(n) {
  const power = 10 ** Math.floor(Math.log10(Math.max(n, 1)));
  return [1, 2, 5, 10].map((m) => m * power).find((m) => m >= n);
}

function axes(top, left, right, width = WIDTH) {
  const lines = [0, 0.5, 1].map((part) => {
    const y = TOP + (HEIGHT - TOP - BOTTOM) * (1 - part);
    return [svg("line", { class: "grid", x1: LEFT, x2: width, y1: y, y2: y }), svg("text", { x: LEFT - 6, y: y + 4, "text-anchor": "end" }, number(top * part))];
  });
  return [lines, svg("text", { x: LEFT, y: HEIGHT - 4 }, left), svg("text", { x: width, y: HEIGHT - 4, "text-anchor": "end" }, right)];
}

const toY = (value, top) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / top);

/** series: [{name, look: "one" | "two" | "three", values: [numbers or null]}], all of one length; newest last. */
export function lineChart(label, series, left, right) {
  const all = series.flatMap((s) => s.values).filter((v) => v != null);
  const top = roundUp(Math.max(1, ...all));
  const toX = (i, count) => LEFT + ((WIDTH - LEFT) * i) / Math.max(count - 1, 1);
  const paths = series.map((s) => {
    const points = s.values.map((v, i) => (v == null ? null : `${toX(i, s.values.length).toFixed(1)} ${toY(v, top).toFixed(1)}`));
    const d = points.map((p, i) => p && `${i > 0 && points[i - 1] ? "L" : "M"}${p}`).filter(Boolean).join("");
    return d && svg("path", { class: s.look, d });
  });
  const last = (s) => s.values[s.values.length - 1];
  return el("figure", { class: "slot flat" },
    svg("svg", { class: "chart", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": `${label}: ${series.map((s) => `${s.name} ${number(last(s))}`).join(", ")}` }, axes(top, left, right), paths),
    el("figcaption", { class: "row small soft" }, series.map((s) => el("span", {}, svg("svg", { class: "chart key", viewBox: "0 0 20 10" }, svg("path", { class: s.look, d: "M0 5h20" })), " ", s.name, " ", number(last(s))))));
}

/** bars: [{label, parts: [numbers]}]; looks: the class of each part, from below. As wide as the page, on a screen that is. */
export function barChart(label, bars, names) {
  const width = innerWidth > 900 ? 3 * WIDTH : WIDTH;
  const looks = ["bar-one", "bar-two", "bar-three", "bar-four"];
  const sums = bars.map((b) => b.parts.reduce((a, n) => a + n, 0));
  const top = roundUp(Math.max(1, ...sums));
  const step = (width - LEFT) / Math.max(bars.length, 1);
  const shapes = bars.flatMap((b, i) => {
    let below = 0;
    return b.parts.map((n, k) => {
      const y = toY(below + n, top), height = toY(below, top) - y;
      below += n;
      return height > 0 && svg("rect", { class: looks[k % looks.length], x: LEFT + i * step + step * 0.15, y, width: step * 0.7, height }, svg("title", {}, `${b.label} ${names[k]}: ${n}`));
    });
  });
  const ends = bars.length > 0 ? [bars[0].label, bars[bars.length - 1].label] : ["", ""];
  return el("figure", { class: "slot flat" },
    svg("svg", { class: "chart", viewBox: `0 0 ${width} ${HEIGHT}`, role: "img", "aria-label": `${label}: ${sums.reduce((a, n) => a + n, 0)}` }, axes(top, ...ends, width), shapes),
    el("figcaption", { class: "row small soft" }, names.map((name, k) => el("span", {}, svg("svg", { class: "chart key", viewBox: "0 0 10 10" }, svg("rect", { class: looks[k % looks.length], width: 10, height: 10 })), " ", name || t("none")))));
}
