// Watch a translator learn: a slider over the states of one training. All numbers are the training's; nothing is computed but sums.

import { across, arrowKeys, children, courseWidget, down, dropdown, el, format, keyboardReaches, svg } from "./shared.js";
import { drawSmallMap } from "./small_map.js";

const PACE = 900; // milliseconds a state, when it plays
const [WIDE, HIGH, LEFT, BELOW] = [100, 34, 2, 2]; // the chart, in its own units

/** The maps of a text of base64, a byte a weight: (L, H, T, S). */
export function unpacked(text, [layers, heads], rows, columns) {
  const bytes = [...atob(text)].map((sign) => sign.charCodeAt(0));
  const cut = (list, size) => Array.from({ length: list.length / size }, (_, i) => list.slice(i * size, (i + 1) * size));
  return cut(cut(cut(bytes, columns), rows), heads).slice(0, layers);
}

/** The mean over heads of whole numbers: (H, T, S) → (T, S). */
export function meanOfHeads(heads) {
  return heads[0].map((row, t) => row.map((_, s) => heads.reduce((sum, head) => sum + head[t][s], 0) / heads.length));
}

/** In how many rows the largest weight lies on a word that the row's word is linked to; and of how many that have a link. */
export function rightRows(weights, links) {
  const linked = weights.map((_, t) => links.filter(([, target]) => target === t).map(([source]) => source));
  const rows = weights.map((row, t) => [linked[t].length > 0, linked[t].includes(row.indexOf(Math.max(...row)))]);
  return { right: rows.filter(([, right]) => right).length, of: rows.filter(([has]) => has).length };
}

/** Which words of a text the right translation has, each as often as it has it. */
export function wordsFound(written, target) {
  const left = [...target];
  return written.map((word) => {
    const at = left.indexOf(word);
    return at >= 0 && left.splice(at, 1).length > 0;
  });
}

/** The points of a line through `values`, the largest at the top. */
function line(values) {
  const [most, gap] = [Math.max(...values) || 1, (WIDE - 2 * LEFT) / Math.max(1, values.length - 1)];
  return values.map((value, i) => [LEFT + i * gap, HIGH - BELOW - (value / most) * (HIGH - 2 * BELOW)]);
}

const wordsOf = (text) => text.split(" ").filter(Boolean);
const nameOf = (layer, head) => `layer ${layer + 1}, ${head < 0 ? "mean of the heads" : `head ${head + 1}`}`;
const steps = (number) => number.toLocaleString("en");

function build(root, model, set) {
  let clock = 0;
  const play = el("button", { type: "button", class: "gw-play" });
  const slide = el("input", { type: "range", min: 0, step: 1, "aria-label": "state of the training" });
  const place = el("output", { class: "gw-step" });
  const sentence = dropdown("Sentence", (index) => set({ sentence: index }));
  const chart = svg("svg", { class: "gw-chart", viewBox: `0 0 ${WIDE} ${HIGH}`, preserveAspectRatio: "none", "aria-hidden": "true" });
  const lines = ["loss", "bleu", "aer"].map((name) => svg("polyline", { class: `gw-${name}` }));
  const mark = svg("line", { y1: 0, y2: HIGH, class: "gw-mark" });
  chart.append(...lines, mark);
  const keys = el("p", { class: "gw-keys" }, ...["loss", "bleu", "aer"].map((name) => el("span", { class: `gw-${name}` })));
  const [source, written, right] = ["English", "It writes", "Right"].map((name) => [el("dt", {}, name), el("dd")]);
  const picker = el("div", { class: "gw-picker", role: "group", "aria-label": "Choose a head" });
  const heading = el("p", { class: "gw-note" });
  const [head, body] = [el("tr"), el("tbody")];
  const map = el("table", { class: "gw-map" }, el("thead", {}, head), body);
  const scroll = el("div", { class: "gw-scroll", role: "group" }, map);
  const summary = el("p", { class: "cw-summary" });
  root.append(
    el("div", { class: "cw-controls" }, play, slide, place, sentence),
    chart,
    keys,
    el("dl", { class: "gw-texts" }, ...source, ...written, ...right),
    picker,
    heading,
    scroll,
    summary,
  );

  const last = () => model.get("states").length - 1;
  const go = (at) => set({ at: Math.max(0, Math.min(last(), at)) });
  slide.addEventListener("input", () => {
    const at = slide.valueAsNumber; // before it is drawn anew
    pause();
    go(at);
  });
  play.addEventListener("click", () => {
    if (clock) return pause();
    if (model.get("at") >= last()) go(0);
    clock = setTimeout(next, PACE);
    update();
  });
  arrowKeys(picker, () => {
    const heads = model.get("shape")[1] + 1;
    return { ...across(), ...Object.fromEntries(Object.entries(down()).map(([key, by]) => [key, by * heads])) };
  });
  picker.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button) set({ layer: Number(button.dataset.layer), head: Number(button.dataset.head) });
  });

  function pause() {
    clearTimeout(clock);
    clock = 0;
    update();
  }

  function next() {
    if (!root.isConnected) return;
    clock = model.get("at") + 1 < last() ? setTimeout(next, PACE) : 0;
    go(model.get("at") + 1);
  }

  function showChart(states, at) {
    ["loss", "bleu", "aer"].forEach((name, i) => {
      lines[i].setAttribute("points", line(states.map((state) => state[name])).join(" "));
    });
    const [[x]] = line(states.map(() => 1)).slice(at);
    mark.setAttribute("x1", x);
    mark.setAttribute("x2", x);
    const { loss, bleu, aer } = states[at];
    [`loss ${format(loss)}`, `BLEU ${format(bleu, 1)}`, `alignment error ${format(aer)}`].forEach((text, i) => {
      keys.children[i].textContent = text;
    });
  }

  function showTexts(pair, text) {
    source[1].textContent = pair.source.join(" ");
    right[1].textContent = pair.target.join(" ");
    const words = wordsOf(text);
    const found = wordsFound(words, pair.target);
    children(written[1], words.length, () => el("span")).forEach((node, i) => {
      node.textContent = `${words[i]} `;
      node.className = found[i] ? "gw-found" : "";
    });
    return { found: found.filter(Boolean).length, of: words.length };
  }

  function showPicker(weights, layer, chosen) {
    const heads = weights[0].length;
    picker.style.setProperty("--columns", heads + 1);
    const make = () => el("button", { type: "button" }, svg("svg", { "aria-hidden": "true" }), el("span"));
    children(picker, weights.length * (heads + 1), make).forEach((button, i) => {
      const l = Math.floor(i / (heads + 1));
      const h = i % (heads + 1) === heads ? -1 : i % (heads + 1);
      const here = l === layer && h === chosen;
      Object.assign(button.dataset, { layer: l, head: h });
      button.setAttribute("aria-pressed", here);
      button.setAttribute("aria-label", nameOf(l, h));
      if (!picker.contains(document.activeElement)) button.tabIndex = here ? 0 : -1;
      button.lastElementChild.textContent = h < 0 ? "mean" : `${l + 1}.${h + 1}`;
      drawSmallMap(button.firstElementChild, h < 0 ? meanOfHeads(weights[l]) : weights[l][h], 100);
    });
  }

  function showMap({ source: columns, target: rows, links }, weights, title) {
    heading.textContent = `${title}. A row is a French word about to be written; framed are the English words that it translates.`;
    scroll.setAttribute("aria-label", title);
    children(head, columns.length + 1, (i) => (i ? el("th", { scope: "col" }, el("span")) : el("td"))).forEach((cell, s) => {
      if (s) cell.firstElementChild.textContent = columns[s - 1];
    });
    const make = (i) => (i ? el("td") : el("th", { scope: "row" }));
    children(body, rows.length, () => el("tr")).forEach((row, t) => {
      children(row, columns.length + 1, make).forEach((cell, s) => {
        if (!s) return void (cell.textContent = rows[t]);
        const weight = Math.round(weights[t][s - 1]);
        cell.style.setProperty("--w", weight / 100);
        cell.textContent = weight >= 10 ? weight : "";
        cell.className = links.some(([from, to]) => from === s - 1 && to === t) ? "gw-link" : "";
      });
    });
    keyboardReaches(scroll);
  }

  function update() {
    const states = model.get("states");
    const pairs = model.get("sentences");
    const at = Math.min(model.get("at"), states.length - 1);
    const chosen = Math.min(model.get("sentence"), pairs.length - 1);
    const [state, pair] = [states[at], pairs[chosen]];
    const all = unpacked(state.weights[chosen], model.get("shape"), pair.target.length, pair.source.length);
    const layer = Math.min(model.get("layer"), all.length - 1);
    const one = Math.min(model.get("head"), all[0].length - 1);
    const weights = one < 0 ? meanOfHeads(all[layer]) : all[layer][one];
    slide.max = states.length - 1;
    slide.value = at;
    slide.setAttribute("aria-valuetext", `step ${steps(state.step)}`);
    place.textContent = `step ${steps(state.step)} of ${steps(states.at(-1).step)}`;
    play.textContent = clock ? "Pause" : "Play";
    sentence.show(chosen, pairs.map(({ source: words }) => words.join(" ")));
    sentence.hidden = pairs.length < 2;
    showChart(states, at);
    const words = showTexts(pair, state.texts[chosen]);
    showPicker(all, layer, one);
    showMap(pair, weights, `Cross-attention, ${nameOf(layer, one)}, in hundredths`);
    const rows = rightRows(weights, pair.links);
    summary.setAttribute("aria-live", clock ? "off" : "polite"); // who plays it would hear every state
    summary.textContent =
      `After ${steps(state.step)} steps it writes ${state.texts[chosen] ? `'${state.texts[chosen]}'` : "nothing"}: ` +
      `${words.found} of ${words.of} words are in the right translation. In ${rows.right} of ${rows.of} rows ` +
      `${one < 0 ? "the mean of the heads" : "this head"} looks most at a word that is translated there.`;
  }
  return update;
}

const TRAITS = ["sentences", "states", "shape", "at", "sentence", "layer", "head"];
export default courseWidget("growth-widget", "Watch a translator learn", TRAITS, build);
