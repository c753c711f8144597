// Who may look at whom, and who hears of whom after some layers. The masks are those of lessons_lib/masks.py.

import { arrowKeys, children, choice, courseWidget, down, dropdown, el, keyboardReaches, table, toggle } from "./shared.js";

const PAD = "<pad>";

const square = (length, allowed) =>
  Array.from({ length }, (_, t) => Array.from({ length }, (_, s) => allowed(t, s)));

/** Position t sees the positions up to t. */
export function causalMask(length) {
  return square(length, (t, s) => s <= t);
}

/** Nobody sees the padding: one row, which holds for every query. */
export function paddingMask(tokens, padId = PAD) {
  return tokens.map((token) => token !== padId);
}

/** Both: the positions up to t that are not padding. */
export function causalPaddingMask(tokens, padId = PAD) {
  const real = paddingMask(tokens, padId);
  return square(tokens.length, (t, s) => s <= t && real[s]);
}

/** Everybody sees the first `prefix` positions; behind them the mask is causal. */
export function prefixMask(length, prefix) {
  return square(length, (t, s) => s <= t || s < prefix);
}

/** Position t sees itself and the window − 1 positions before. */
export function slidingWindowMask(length, window) {
  return square(length, (t, s) => s <= t && s > t - window);
}

/** Who sees whom, in words: a line a query. */
export function explain(mask, queries, keys = queries) {
  const letters = (word) => [...word].length; // as Python counts them
  const width = Math.max(0, ...queries.map(letters));
  return mask
    .map((row, t) => {
      const seen = keys.filter((_, s) => row[s]).join(" ");
      return `${queries[t]}${" ".repeat(width - letters(queries[t]))} sees ${seen || "nothing"}`;
    })
    .join("\n");
}

/** The mask of a pattern for these tokens. */
export function patternMask(pattern, tokens, { prefix, window }) {
  const real = paddingMask(tokens);
  const masks = {
    none: () => square(tokens.length, () => true),
    causal: () => causalMask(tokens.length),
    padding: () => square(tokens.length, (t, s) => real[s]),
    "causal+padding": () => causalPaddingMask(tokens),
    prefix: () => prefixMask(tokens.length, prefix),
    window: () => slidingWindowMask(tokens.length, window),
  };
  return masks[pattern]();
}

/** The mask of each layer, from the first, with a mistake in it. */
export function layerMasks(mask, mistake, layers) {
  const wrong = {
    none: (allowed) => allowed,
    ahead: (allowed, t, s) => allowed || s === t + 1,
    inverted: (allowed) => !allowed,
    forgotten: (allowed, t, s, layer) => allowed || layer === 1,
  }[mistake];
  return Array.from({ length: layers }, (_, layer) =>
    mask.map((row, t) => row.map((allowed, s) => wrong(allowed, t, s, layer))),
  );
}

/**
 * After how many layers position t has heard of position s; Infinity = never, 0 = its own vector where it does not
 * attend to itself: the residual path carries that around every layer.
 */
export function layersUntil(masks) {
  const size = masks[0].length;
  let heard = square(size, (t, s) => t === s);
  const first = square(size, (t, s) => (t === s ? (masks[0][t][t] ? 1 : 0) : Infinity));
  masks.forEach((mask, layer) => {
    heard = square(size, (t, s) => heard[t][s] || mask[t].some((allowed, u) => allowed && heard[u][s]));
    heard.forEach((row, t) => row.forEach((yes, s) => yes && first[t][s] === Infinity && (first[t][s] = layer + 1)));
  });
  return first;
}

/** Whether the logits of row t, which must predict the word after t, may not hear of s: t is asked, and s is later. */
export function forbidden(pattern, tokens, prefix, t, s) {
  const asked = tokens[t] !== PAD && (pattern !== "prefix" || t >= prefix - 1);
  return asked && s > t;
}

const PATTERNS = [
  ["none", "none: everything"],
  ["causal", "causal: nothing later"],
  ["padding", "padding: no <pad>"],
  ["causal+padding", "causal and padding"],
  ["prefix", "prefix: open start, then causal"],
  ["window", "sliding window: the last few"],
];
const MISTAKES = [
  ["none", "none"],
  ["ahead", "one column too far"],
  ["inverted", "inverted"],
  ["forgotten", "forgotten in layer 2"],
];
const LAYERS = [1, 2, 3].map((n) => [`${n}`, n === 1 ? "1 layer" : `${n} layers`]);
const MAX_PADDING = 3;

const quoted = (words) => words.map((word) => `'${word}'`).join(", ");
const plural = (count) => `${count} layer${count === 1 ? "" : "s"}`;

/** A slider. `choose` gets the number; `node.show(value, min, max)` sets it. */
function slider(label, choose) {
  const input = el("input", { type: "range", step: 1 });
  const number = el("output");
  const node = el("label", { class: "mk-slider" }, label, input, number);
  input.addEventListener("input", () => choose(Number(input.value)));
  node.show = (value, min, max) => {
    Object.assign(input, { min, max });
    input.value = value;
    number.textContent = value;
  };
  return node;
}

/** Everything that is drawn, from the traits. */
function view({ words, length, padding, side, pattern, prefix, window, mistake, layers, predicts, selected }) {
  const filling = Array(padding).fill(PAD);
  const real = words.slice(0, length);
  const tokens = side === "left" ? [...filling, ...real] : [...real, ...filling];
  const t = Math.min(selected, tokens.length - 1);
  const masks = layerMasks(patternMask(pattern, tokens, { prefix, window }), mistake, 3);
  const first = layersUntil(masks);
  const bad = (row, s) => predicts && forbidden(pattern, tokens, prefix, row, s);
  const within = (row, n, keep) => tokens.filter((_, s) => first[row][s] <= n && keep(s));
  const probe = Math.min(t + 1, tokens.length - 1);
  const early = (n) => tokens.filter((_, row) => row < probe && first[row][probe] <= n && bad(row, probe));
  return {
    tokens,
    t,
    first,
    bad,
    text: explain(masks[0], tokens),
    summary: summary(tokens, masks[0], first, t, layers, predicts, (n) => within(t, n, (s) => bad(t, s))),
    headers: ["after", `'${tokens[t]}' has heard of`, `'${tokens[probe]}' is leaked to the row of`],
    rows: [1, 2, 3].map((n) => ({
      class: n === layers ? "mk-current" : "",
      cells: [plural(n), within(t, n, () => true).join(" "), predicts ? early(n).join(" ") || "nobody" : "–"],
    })),
  };
}

function summary(tokens, mask, first, t, layers, predicts, leaked) {
  const said = [explain([mask[t]], [tokens[t]], tokens)];
  if (!mask[t].includes(true)) said.push("With −∞ for its scores its softmax is NaN; lessons_lib gives it zeros");
  const after = layers === 1 ? "" : `After ${plural(layers)} `;
  const asked = tokens[t] !== PAD;
  const found = leaked(layers);
  if (found.length)
    said.push(`${after}${after ? "a" : "A"} leak: the logits that must predict what follows depend on ${quoted(found)}`);
  else if (predicts && asked) said.push(`${after}${after ? "n" : "N"}o later word reaches its logits`);
  if (asked && tokens.some((token, s) => token === PAD && first[t][s] <= layers)) said.push("It reads padding");
  return `${said.join(". ")}.`;
}

function build(root, model, set) {
  const pattern = dropdown("Mask", (index) => set({ pattern: PATTERNS[index][0] }));
  const mistake = dropdown("Mistake", (index) => set({ mistake: MISTAKES[index][0] }));
  const layers = choice("Layers", LAYERS, (value) => set({ layers: Number(value) }));
  const length = slider("words", (value) => set({ length: value }));
  const padding = slider("padding", (value) => set({ padding: value }));
  const prefix = slider("prefix", (value) => set({ prefix: value }));
  const window = slider("window", (value) => set({ window: value }));
  const left = toggle((on) => set({ side: on ? "left" : "right" }));
  const predicts = toggle((on) => set({ predicts: on }));
  const head = el("tr");
  const body = el("tbody");
  const caption = el("caption");
  const matrix = el("div", { class: "mk-matrix" }, el("table", {}, caption, el("thead", {}, head), body));
  const said = el("p", { class: "cw-summary", "aria-live": "polite" });
  const reach = table("mk-reach");
  const text = el("pre");
  const all = el("details", {}, el("summary", {}, "All rows in words"), text);
  root.append(
    el("div", { class: "cw-controls" }, pattern, mistake, layers),
    el("div", { class: "cw-controls mk-lengths" }, length, padding, left, prefix, window, predicts),
    matrix,
    said,
    reach,
    all,
  );
  arrowKeys(body, down);
  body.addEventListener("click", (event) => {
    const row = event.target.closest("tr");
    if (row) set({ selected: [...body.children].indexOf(row) });
  });

  function showMatrix({ tokens, t, first, bad }, depth) {
    caption.textContent = "Rows look at columns. The number: after how many layers the row has heard of the column.";
    const make = (i) => (i ? el("th", { scope: "col" }, el("span")) : el("td"));
    children(head, tokens.length + 1, make).forEach((cell, i) => {
      if (!i) return;
      cell.firstElementChild.textContent = tokens[i - 1];
      cell.className = tokens[i - 1] === PAD ? "mk-pad" : "";
    });
    children(body, tokens.length, (i) =>
      el("tr", {}, el("th", { scope: "row" }, el("button", { type: "button", "data-row": i }))),
    ).forEach((row, r) => {
      const cells = children(row, tokens.length + 1, () => el("td", {}));
      const button = cells[0].firstElementChild;
      button.textContent = tokens[r];
      button.setAttribute("aria-pressed", r === t);
      button.tabIndex = r === t ? 0 : -1;
      row.className = [r === t ? "mk-chosen" : "", tokens[r] === PAD ? "mk-pad" : ""].join(" ").trim();
      cells.slice(1).forEach((cell, s) => {
        const reached = first[r][s] <= depth;
        cell.textContent = reached ? `${first[r][s]}` : "";
        cell.className = reached ? `mk-${first[r][s]}${bad(r, s) ? " mk-leak" : ""}` : "";
      });
    });
    keyboardReaches(matrix);
  }

  return function update() {
    const names = TRAITS.filter((name) => name !== "words");
    const state = { words: model.get("words"), ...Object.fromEntries(names.map((name) => [name, model.get(name)])) };
    const drawn = view(state);
    pattern.show(
      PATTERNS.findIndex(([name]) => name === state.pattern),
      PATTERNS.map((item) => item[1]),
    );
    mistake.show(
      MISTAKES.findIndex(([name]) => name === state.mistake),
      MISTAKES.map((item) => item[1]),
    );
    layers.show(`${state.layers}`);
    length.show(Math.min(state.length, state.words.length), 1, state.words.length);
    padding.show(state.padding, 0, MAX_PADDING);
    prefix.show(state.prefix, 0, drawn.tokens.length);
    window.show(state.window, 1, drawn.tokens.length);
    left.show(state.side === "left", "padding on the left");
    predicts.show(state.predicts, "each row must predict the next word");
    left.hidden = !state.padding;
    prefix.hidden = state.pattern !== "prefix";
    window.hidden = state.pattern !== "window";
    showMatrix(drawn, state.layers);
    if (said.textContent !== drawn.summary) said.textContent = drawn.summary;
    reach.show(`What reaches the row of '${drawn.tokens[drawn.t]}', and who hears too early`, drawn.headers, drawn.rows);
    text.textContent = drawn.text;
  };
}

const TRAITS = [
  "words",
  "length",
  "padding",
  "side",
  "pattern",
  "prefix",
  "window",
  "mistake",
  "layers",
  "predicts",
  "selected",
];
export default courseWidget("mask-widget", "Who may look at whom", TRAITS, build);
