// What writing costs with a KV cache and without: the formulas of lessons_lib.sizes, step by step, in whole numbers.

import { children, choice, courseWidget, dropdown, el, svg, table } from "./shared.js";

const BYTES = { float32: 4, bfloat16: 2 };
const headWidth = (c) => c.d_head || Math.floor(c.d_model / c.n_heads);
const widths = (c) => [c.n_heads * headWidth(c), (c.n_kv_heads || c.n_heads) * headWidth(c)];
const matrices = (c) => (["swiglu", "geglu"].includes(c.activation) ? 3 : 2);
const big = (...numbers) => numbers.map(BigInt);

/** FLOPs of the encoder over its source (the encoder's parts of lessons_lib.sizes.forward_flops). */
export function encoderFlops(c, batch, source) {
  if (!c.n_encoder_layers) return 0n;
  const [layers, b, s, d, f, m, width, kv] = big(c.n_encoder_layers, batch, source, c.d_model, c.d_ff, matrices(c), ...widths(c));
  return layers * b * s * (4n * d * (width + kv) + 4n * s * width + 2n * m * d * f);
}

/** FLOPs of one pass of the decoder over n tokens, of which only the last is asked for its next token. */
export function passFlops(c, batch, source, n) {
  const [layers, b, t, d, f, m, width, kv, v] = big(c.n_decoder_layers, batch, n, c.d_model, c.d_ff, matrices(c), ...widths(c), c.vocab_size);
  const s = c.n_encoder_layers ? BigInt(source) : 0n;
  let layer = t * (4n * d * (width + kv) + 4n * t * width + 2n * m * d * f);
  if (s) layer += t * (4n * d * width + 4n * s * width) + s * 4n * d * kv;
  return b * (layers * layer + 2n * d * v);
}

/** FLOPs of the next token with a cache of `past` tokens (lessons_lib.sizes.generation_flops). */
export function generationFlops(c, batch, past, source) {
  const [layers, b, t, d, f, m, width, kv, v] = big(c.n_decoder_layers, batch, past + 1, c.d_model, c.d_ff, matrices(c), ...widths(c), c.vocab_size);
  let layer = 4n * d * (width + kv) + 4n * t * width + 2n * m * d * f;
  if (c.n_encoder_layers) layer += 4n * d * width + 4n * BigInt(source) * width;
  return b * (layers * layer + 2n * d * v);
}

/** FLOPs of the step that writes token `step`; the first reads source and prompt. */
export function stepFlops(c, batch, source, prompt, step, cached) {
  const first = step === 1 ? encoderFlops(c, batch, source) : 0n;
  if (cached && step > 1) return generationFlops(c, batch, prompt + step - 2, source);
  return first + passFlops(c, batch, source, prompt + step - 1);
}

/** FLOPs of the first 1, 2, … `length` steps together. */
export function runningFlops(c, batch, source, prompt, length, cached) {
  let total = 0n;
  return Array.from({ length }, (_, i) => (total += stepFlops(c, batch, source, prompt, i + 1, cached)));
}

/** Places of a text that go through each layer: in this step, and in all steps so far. */
export function places(prompt, step, cached) {
  const read = prompt + step - 1;
  if (cached) return { now: step === 1 ? prompt : 1, all: read };
  return { now: read, all: (read * (read + 1) - (prompt - 1) * prompt) / 2 };
}

/** Bytes of a cache (lessons_lib.sizes.cache_memory). */
export function cacheBytes(c, batch, source, length, precision) {
  const token = 2 * c.n_decoder_layers * batch * widths(c)[1] * BYTES[precision];
  return { target: token * length, source: c.n_encoder_layers ? token * source : 0 };
}

/** 6738415616 → "6.74 G" with the unit behind; three digits, decimal units. */
export function short(number, unit) {
  const names = ["", "k", "M", "G", "T", "P", "E", "Z", "Y"];
  let [value, power] = [Number(number), 0];
  while (value >= 999.5 && power < names.length - 1) [value, power] = [value / 1000, power + 1];
  return `${power ? value.toPrecision(3) : value} ${names[power]}${unit}`;
}

const count = (number) => number.toLocaleString("en-US");
const times = (slow, fast) => {
  const ratio = Number((slow * 1000n) / fast) / 1000;
  return ratio < 10 ? ratio.toFixed(1) : count(Math.round(ratio));
};

const FIELDS = [
  ["source", "source, tokens"],
  ["prompt", "prompt, tokens"],
  ["length", "tokens to write"],
  ["batch", "texts at once"],
];
const SIZE = 100; // of both pictures, in their own units
const STAIRS = 48; // from so many tokens on, stairs look like a line

/** The path of rows `from` … `to` of a causal matrix of n rows: row t reaches over the columns 0 … t. */
function rowsPath(from, to, n) {
  const u = SIZE / n;
  if (to <= from) return "";
  const points = [[0, from]];
  if (n <= STAIRS) for (let t = from; t < to; t++) points.push([t + 1, t], [t + 1, t + 1]);
  else points.push([from + 1, from], [to, to]);
  points.push([0, to]);
  return `M${points.map(([x, y]) => `${+(x * u).toFixed(3)} ${+(y * u).toFixed(3)}`).join("L")}Z`;
}

function build(root, model, set) {
  let wrong = "";
  const get = (name) => model.get(name);
  const pick = dropdown("Model", (index) => {
    wrong = "";
    set(fitted({ ...state(), model: index }));
  });
  const ways = choice("Picture", [["yes", "with a cache"], ["no", "without"]], (value) => set({ cached: value === "yes" }));
  const precision = choice("Precision", Object.keys(BYTES).map((name) => [name, name]), (value) => set({ precision: value }));
  const inputs = FIELDS.map(([name, text]) => {
    const input = el("input", { type: "number", min: 1, step: 1, "data-field": name });
    input.addEventListener("input", () => edit(name, input));
    return el("label", {}, text, input);
  });
  const back = el("button", { type: "button" }, "◀ back");
  const next = el("button", { type: "button" }, "next token ▶");
  const slide = el("input", { type: "range", min: 1, step: 1, "aria-label": "token being written" });
  const at = el("output");
  back.addEventListener("click", () => set({ step: Math.max(1, state().step - 1) }));
  next.addEventListener("click", () => set({ step: Math.min(state().length, state().step + 1) }));
  slide.addEventListener("input", () => set({ step: Number(slide.value) }));

  const shapes = { later: svg("path"), old: svg("path"), now: svg("path"), grid: svg("path"), kept: svg("rect"), fresh: svg("rect") };
  for (const [name, shape] of Object.entries(shapes)) shape.setAttribute("class", `cc-${name}`);
  for (const strip of [shapes.kept, shapes.fresh]) for (const [k, v] of [["y", -9], ["height", 6]]) strip.setAttribute(k, v);
  const matrix = svg("svg", { viewBox: `-1 -10 ${SIZE + 2} ${SIZE + 11}`, "aria-hidden": "true" }, ...Object.values(shapes));
  const lines = { without: svg("polyline"), cached: svg("polyline") };
  const dots = { without: svg("circle", { r: 2.4 }), cached: svg("circle", { r: 2.4 }) };
  for (const name of ["without", "cached"]) [lines[name], dots[name]].forEach((node) => node.setAttribute("class", `cc-${name}`));
  const frame = svg("path", { d: `M0 0V${SIZE}H${SIZE * 1.3}`, class: "cc-frame" });
  const curve = svg("svg", { viewBox: `-2 -4 ${SIZE * 1.3 + 6} ${SIZE + 8}`, "aria-hidden": "true" }, frame, ...Object.values(lines), ...Object.values(dots));
  const legend = (...entries) => el("p", { class: "cc-legend" }, ...entries.map(([name, text]) => el("span", { class: `cc-${name}` }, text)));
  const curveCaption = el("figcaption");
  const pictures = el(
    "div",
    { class: "cc-pictures" },
    el(
      "figure",
      {},
      el("figcaption", {}, "Attention, row by row: each token (row) looks at those before it. The strip above: their keys and values."),
      matrix,
      legend(["now", "computed in this step"], ["kept", "from the cache"], ["old", "computed before, not now"], ["later", "still to come"]),
    ),
    el("figure", {}, curveCaption, curve, legend(["without", "without a cache"], ["cached", "with a cache"])),
  );
  const said = el("p", { class: "cw-summary", "aria-live": "polite" });
  const numbers = table("cc-numbers");
  root.append(
    el("div", { class: "cw-controls" }, pick, ways, precision),
    el("div", { class: "cw-fields" }, ...inputs),
    el("div", { class: "cw-controls cc-steps" }, back, next, slide, at),
    said,
    pictures,
    numbers,
  );

  /** The traits, made to fit: a text is no longer than the model can read, a step no later than the last. */
  function fitted(s) {
    const longest = get("models")[s.model].config.max_length;
    const prompt = Math.min(s.prompt, longest - 1);
    const length = Math.min(s.length, longest - prompt);
    return { ...s, source: Math.min(s.source, longest), prompt, length, step: Math.min(s.step, length) };
  }

  function state() {
    const names = TRAITS.filter((name) => name !== "models");
    const s = Object.fromEntries(names.map((name) => [name, get(name)]));
    return fitted({ ...s, model: Math.min(s.model, get("models").length - 1) });
  }

  /** The most that a field may hold beside the others. */
  function most(name, s) {
    const longest = get("models")[s.model].config.max_length;
    return { source: longest, prompt: longest - s.length, length: longest - s.prompt, batch: 4096 }[name];
  }

  function edit(name, input) {
    const value = input.value === "" ? NaN : Number(input.value);
    const s = state();
    const top = most(name, s);
    wrong = Number.isInteger(value) && value >= 1 && value <= top ? "" : `${FIELDS.find(([f]) => f === name)[1]}: a whole number from 1 to ${count(top)}, please.`;
    if (!wrong) set(fitted({ ...s, [name]: value }));
    update();
  }

  function update() {
    const s = state();
    const models = get("models");
    const c = models[s.model].config;
    pick.show(s.model, models.map(({ name }) => name));
    ways.show(s.cached ? "yes" : "no");
    precision.show(s.precision);
    const active = root.getRootNode().activeElement;
    for (const label of inputs) {
      const input = label.lastChild;
      const name = input.dataset.field;
      input.max = most(name, s);
      if (!wrong && input !== active) input.value = s[name];
      input.setAttribute("aria-invalid", Boolean(wrong) && input === active);
      label.hidden = name === "source" && !c.n_encoder_layers;
    }
    slide.max = s.length;
    slide.value = s.step;
    at.textContent = `token ${count(s.step)} of ${count(s.length)}`;
    back.disabled = s.step === 1;
    next.disabled = s.step === s.length;
    if (wrong) return say(wrong);
    draw(s, c, models[s.model].name);
  }

  function draw(s, c, name) {
    const ran = { cached: runningFlops(c, s.batch, s.source, s.prompt, s.length, true), without: runningFlops(c, s.batch, s.source, s.prompt, s.length, false) };
    const step = { cached: stepFlops(c, s.batch, s.source, s.prompt, s.step, true), without: stepFlops(c, s.batch, s.source, s.prompt, s.step, false) };
    const place = { cached: places(s.prompt, s.step, true), without: places(s.prompt, s.step, false) };
    const [read, all] = [s.prompt + s.step - 1, s.prompt + s.length - 1];
    const fresh = s.cached ? place.cached.now : read; // rows that are computed in this step
    const [u, past] = [SIZE / all, read - fresh];
    shapes.old.setAttribute("d", rowsPath(0, past, all));
    shapes.now.setAttribute("d", rowsPath(past, read, all));
    shapes.later.setAttribute("d", rowsPath(read, all, all));
    const grid = all <= 24 ? Array.from({ length: all + 1 }, (_, i) => `M0 ${i * u}H${SIZE}M${i * u} 0V${SIZE}`).join("") : `M0 0H${SIZE}V${SIZE}H0Z`;
    shapes.grid.setAttribute("d", grid);
    for (const [shape, from, to] of [[shapes.kept, 0, past], [shapes.fresh, past, read]]) {
      shape.setAttribute("x", from * u);
      shape.setAttribute("width", (to - from) * u);
    }
    const top = Number(ran.without[s.length - 1]);
    const point = (list, i) => [((i + 1) / s.length) * SIZE * 1.3, SIZE * (1 - Number(list[i]) / top)];
    const samples = Math.min(s.length, 60);
    for (const way of ["without", "cached"]) {
      const at = Array.from({ length: samples }, (_, k) => Math.round(((k + 1) / samples) * s.length) - 1);
      lines[way].setAttribute("points", at.map((i) => point(ran[way], i).map((x) => x.toFixed(2)).join(",")).join(" "));
      const [x, y] = point(ran[way], s.step - 1);
      dots[way].setAttribute("cx", x);
      dots[way].setAttribute("cy", y);
    }
    curveCaption.textContent = `FLOPs so far, by the tokens written: 1 to ${count(s.length)}. The top is ${short(ran.without[s.length - 1], "FLOPs")}.`;
    const bytes = cacheBytes(c, s.batch, s.source, read, s.precision);
    const held = bytes.target + bytes.source;
    const so = (way) => ran[way][s.step - 1];
    numbers.show(`${name}, token ${count(s.step)} of ${count(s.length)}`, ["counted", "with a cache", "without"], [
      { cells: ["places in each layer, this step", count(place.cached.now), count(place.without.now)] },
      { cells: ["places, all steps so far", count(place.cached.all), count(place.without.all)] },
      { cells: ["FLOPs, this step", short(step.cached, ""), short(step.without, "")] },
      { cells: ["FLOPs, all steps so far", short(so("cached"), ""), short(so("without"), "")] },
      { cells: ["bytes of the cache", short(held, "B"), "0 B"] },
    ]);
    numbers.querySelectorAll("tr").forEach((row) => [...row.children].forEach((cell, i) => cell.classList.toggle("cc-chosen", i === (s.cached ? 1 : 2))));
    const kept = past ? `; the keys and values of ${count(past)} come from the cache` : "";
    const now = fresh === 1 ? "1 place goes" : `${count(fresh)} places go`;
    const source = bytes.source ? `, ${short(bytes.source, "B")} of it for the source` : "";
    const texts = s.batch === 1 ? "" : ` for ${count(s.batch)} texts`;
    say(
      `Token ${count(s.step)} of ${count(s.length)}, ${s.cached ? "with a cache" : "without a cache"}: ${now} through each layer${kept}. ` +
        `So far ${short(so("cached"), "FLOPs")} with a cache, ${short(so("without"), "FLOPs")} without: ${times(so("without"), so("cached"))} times. ` +
        `The cache holds ${short(held, "B")}${texts} in ${s.precision}${source}.`,
    );
  }

  function say(text) {
    if (said.textContent !== text) said.textContent = text;
  }

  return update;
}

const TRAITS = ["models", "model", "source", "prompt", "length", "step", "batch", "cached", "precision"];
export default courseWidget("cache-widget", "Cost of writing with and without a cache", TRAITS, build);
