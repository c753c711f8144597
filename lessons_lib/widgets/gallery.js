// Published models side by side: what each is made of, in what two of them differ, and how many parameters that makes.

import { CONFIGURATION, entryOf, gated, normNumbers, positionsLearned } from "./choices.js";
import { arrowKeys, children, choice, courseWidget, down, el, svg } from "./shared.js";

const headWidth = (c) => c.d_head || Math.floor(c.d_model / c.n_heads);
const keyHeads = (c) => c.n_kv_heads || c.n_heads;
const layersOf = (c) => c.n_encoder_layers + c.n_decoder_layers;

function feedForward(c) {
  const ups = gated(c) ? 2 : 1;
  return (ups + 1) * c.d_model * c.d_ff + entryOf(c, "bias").rest * (ups * c.d_ff + c.d_model);
}

function attention(c) {
  const [query, key] = [c.n_heads * headWidth(c), keyHeads(c) * headWidth(c)];
  const { qkv, rest } = entryOf(c, "bias");
  const bias = qkv * (query + 2 * key) + rest * c.d_model;
  return 2 * c.d_model * (query + key) + bias;
}

/** One expert of a layer. */
const expert = (c, extras) => feedForward({ ...c, d_ff: extras.d_expert ?? c.d_ff });

/** Multi-head latent attention: down to the narrow vectors, a norm on each, up to the heads, and out. */
function latentAttention(c, { kv_latent: kv, q_latent: q, d_rope: rope }) {
  const heads = c.n_heads * headWidth(c);
  const queries = c.d_model * q + normNumbers(c, q) + q * (heads + c.n_heads * rope);
  return queries + c.d_model * (kv + rope) + normNumbers(c, kv) + 2 * kv * heads + heads * c.d_model;
}

/** All learned numbers (lessons_lib.sizes.gallery.total_parameters). */
export function totalParameters(c, extras = {}) {
  const [encoder, decoder, width] = [c.n_encoder_layers, c.n_decoder_layers, c.d_model];
  const [stacks, cross] = [(encoder > 0) + (decoder > 0), encoder ? decoder : 0];
  const [norm, { rows, scores }] = [normNumbers(c), positionsLearned(c)];
  const narrow = extras.d_embedding ?? width;
  const norms = c.embedding_norm ? stacks * normNumbers(c, narrow) : 0;
  const table = (c.vocab_size + (c.n_token_types ?? 0) + stacks * rows) * narrow + norms + stacks * scores;
  const layer = (attentions) => attentions * (attention(c) + norm) + norm + feedForward(c);
  const networks = ((extras.experts ?? 0) + (extras.shared_experts ?? 0)) * expert(c, extras);
  const experts = extras.experts ? networks + extras.experts * width - feedForward(c) : 0;
  const more =
    (extras.kv_latent ? latentAttention(c, extras) - attention(c) : 0) +
    (extras.qk_norm ? 2 * normNumbers(c, headWidth(c)) : 0) +
    (extras.norms_behind ? 2 * norm : 0);
  const all =
    (extras.shared_layers ? Math.min(encoder, 1) : encoder) * layer(1) +
    decoder * layer(cross ? 2 : 1) +
    (encoder + decoder - (extras.dense_layers ?? 0)) * experts +
    (encoder + decoder) * more;
  const ends =
    (entryOf(c, "norm") === CONFIGURATION.norm.pre ? stacks * norm : 0) +
    (c.pooler ? width * width + width : 0) +
    (decoder && !c.tied ? c.vocab_size * width : 0) +
    (extras.d_embedding ? narrow * width + width : 0) +
    (extras.patch ? 3 * extras.patch ** 2 * width + width : 0) +
    (extras.other ?? 0);
  return table + all + ends;
}

/** Those that one token passes by (lessons_lib.sizes.gallery.active_parameters). */
export function activeParameters(c, extras = {}) {
  const idle = (extras.experts ?? 1) - (extras.experts_used ?? 1);
  return totalParameters(c, extras) - (layersOf(c) - (extras.dense_layers ?? 0)) * idle * expert(c, extras);
}

/** Bytes of keys and values that a written token leaves behind, in 16 bits (lessons_lib.sizes.gallery.cache_numbers). */
export function cacheBytes(c, extras = {}) {
  const kept = extras.kv_latent ? extras.kv_latent + extras.d_rope : 2 * keyHeads(c) * headWidth(c);
  return 2 * c.n_decoder_layers * kept;
}

/** "encoder", "decoder", "both", or "" where nothing is known. */
export function familyOf({ config: c }) {
  return !c ? "" : !c.n_decoder_layers ? "encoder" : c.n_encoder_layers ? "both" : "decoder";
}

/** Who may look at whom, among `size` positions: [title, rows of booleans] for each attention of the family. */
export function masks(family, size, window = null) {
  const square = (allowed) => Array.from({ length: size }, (_, t) => Array.from({ length: size }, (_, s) => allowed(t, s)));
  const causal = square((t, s) => s <= t && (window === null || s > t - window));
  const full = square(() => true);
  return {
    "": [],
    encoder: [["everything", full]],
    decoder: [[window === null ? "itself and what came before" : "itself and the last few", causal]],
    both: [
      ["source at source", full],
      ["target at target", causal],
      ["target at source", full],
    ],
  }[family];
}

const count = (number) => number.toLocaleString("en-US");

/** 124439808 → "124M", 6738415616 → "6.74B". */
export function short(number) {
  const [value, unit] = number < 999.5e6 ? [number / 1e6, "M"] : [number / 1e9, "B"];
  return `${Number(value.toPrecision(3))}${unit}`;
}

const FAMILIES = { encoder: "encoder-only", decoder: "decoder-only", both: "encoder–decoder", "": "not disclosed" };
const TASKS = { encoder: "masked words", decoder: "the next token", both: "the target", "": "not disclosed" };
const POSITIONS = { sinusoidal_halves: "sinusoidal", learned: "learned table", rope: "RoPE", t5: "relative bias" };
const UNKNOWN = "not disclosed";
const PUBLISHED = "Parameters, published";

function normText(c, extras) {
  const where = extras.norms_behind ? "before and behind" : entryOf(c, "norm").title;
  return `${entryOf(c, "norm_type").title}, ${where} each part${extras.qk_norm ? "; on queries and keys" : ""}`;
}

function attentionText(c, extras) {
  if (extras.kv_latent) return "multi-head latent";
  return keyHeads(c) === c.n_heads ? "multi-head" : keyHeads(c) === 1 ? "multi-query" : "grouped-query";
}

function feedForwardText(c, { experts, experts_used: used, shared_experts: shared, d_expert: width, dense_layers: dense }) {
  if (!experts) return count(c.d_ff);
  const first = dense ? `${count(c.d_ff)} in ${dense} layers` : count(c.d_ff);
  const wide = width ? ` ${count(width)} wide` : "";
  return `${first}; ${experts} experts${wide}, ${used} used${shared ? `, and ${shared} for all` : ""}`;
}

function layerText(c, extras) {
  if (c.n_encoder_layers && c.n_decoder_layers) return `${c.n_encoder_layers} + ${c.n_decoder_layers}`;
  return extras.shared_layers ? `1, used ${layersOf(c)} times` : `${layersOf(c)}`;
}

/** What is known of a model: [label, text], the same labels for every model. */
export function facts(m) {
  const [c, extras, family] = [m.config, m.extras ?? {}, familyOf(m)];
  const published = m.published ? count(m.published) : UNKNOWN;
  const labels = { Family: FAMILIES[family], "Trained to predict": m.objective || TASKS[family] };
  const rest = (of) => ({
    "Who sees whom": of(() => masks(family, 2, extras.window ?? null).map(([title]) => title).join(", ")),
    Norm: of(() => normText(c, extras)),
    Positions: of(() => POSITIONS[c.positions] ?? c.positions),
    Activation: of(() => entryOf(c, "activation").title),
    Attention: of(() => attentionText(c, extras)),
    Window: of(() => (extras.window ? `${count(extras.window)} tokens` : "none")),
    Biases: of(() => entryOf(c, "bias").title),
    Layers: of(() => layerText(c, extras)),
    "Width d_model": of(() => count(c.d_model)),
    Heads: of(() => `${c.n_heads}, ${headWidth(c)} wide`),
    "Key/value heads": of(() => `${keyHeads(c)}`),
    "Width d_ff": of(() => feedForwardText(c, extras)),
    Vocabulary: of(() => (extras.patch ? `squares of ${extras.patch} × ${extras.patch} pixels` : count(c.vocab_size))),
    Context: of(() => count(c.max_length)),
    "KV cache a token": of(() => (c.n_decoder_layers ? `${count(cacheBytes(c, extras))} bytes` : "none")),
    Parameters: of(() => count(totalParameters(c, extras))),
    "Parameters a token uses": of(() => count(activeParameters(c, extras))),
  });
  return Object.entries({ ...labels, ...rest((text) => (c ? text() : UNKNOWN)), [PUBLISHED]: published });
}

/** The labels in which two models differ; the published size says nothing that the shape does not say. */
export function differences(a, b) {
  const other = facts(b);
  return facts(a).flatMap(([label, text], i) => (text !== other[i][1] && label !== PUBLISHED ? [label] : []));
}

const COLUMNS = [
  ["name", "Model", (m) => m.name, (m) => m.name],
  ["year", "Year", (m) => m.year, (m) => `${m.year}`],
  ["parameters", "Parameters", (m) => size(m), (m) => (size(m) === null ? "?" : short(size(m)))],
  ["layers", "Layers", (m) => m.config && layersOf(m.config), (m) => (m.config ? layerText(m.config, {}) : "?")],
  ["width", "d_model", (m) => m.config && m.config.d_model, (m) => (m.config ? count(m.config.d_model) : "?")],
  ["context", "Context", (m) => m.config && m.config.max_length, (m) => (m.config ? count(m.config.max_length) : "?")],
];
const size = (m) => m.config && totalParameters(m.config, m.extras);

/** Indices of the models of a family, sorted by a column; what is not known comes last, either way. */
export function order(models, family, sort, descending) {
  const [, , value] = COLUMNS.find(([name]) => name === sort);
  const compare = (a, b) => (typeof a === "string" ? a.localeCompare(b, "en") : a - b) * (descending ? -1 : 1);
  return models
    .map((m, i) => [value(m), i])
    .filter(([, i]) => family === "all" || familyOf(models[i]) === family)
    .sort(([a, i], [b, j]) => (a === null) - (b === null) || (a === null ? 0 : compare(a, b)) || i - j)
    .map(([, i]) => i);
}

const CHOICES = [
  ["all", "all"],
  ["encoder", "encoder-only"],
  ["decoder", "decoder-only"],
  ["both", "encoder–decoder"],
];
const GRID = 6; // positions in the picture of a mask

function picture([title, rows]) {
  const cells = rows.flatMap((row, t) =>
    row.map((allowed, s) =>
      svg("rect", { x: s * 10 + 0.5, y: t * 10 + 0.5, width: 9, height: 9, class: allowed ? "gw-may" : "gw-not" }),
    ),
  );
  const side = 10 * rows.length;
  const drawing = svg("svg", { viewBox: `0 0 ${side} ${side}`, "aria-hidden": "true" }, ...cells);
  return el("div", {}, drawing, el("span", {}, title));
}

function build(root, model, set) {
  const families = choice("Family", CHOICES, (family) => set({ family }));
  const head = el("tr");
  const body = el("tbody");
  const list = el("div", { class: "gw-list", role: "group", "aria-label": "Models" });
  const caption = el("caption", {}, "Choose a model: the last two that you chose are compared below. Headings sort.");
  list.append(el("table", {}, caption, el("thead", {}, head), body));
  const said = el("p", { class: "cw-summary", "aria-live": "polite" });
  const names = el("tr");
  const rows = el("tbody");
  const inner = el("table", {}, el("caption", {}, "≠ marks what differs"), el("thead", {}, names), rows);
  const pair = el("div", { class: "gw-pair" }, inner);
  root.append(el("div", { class: "cw-controls" }, families), list, said, pair);
  arrowKeys(body, down);

  head.append(
    ...COLUMNS.map(([name, text]) => {
      const button = el("button", { type: "button" }, text);
      button.addEventListener("click", () => {
        const same = model.get("sort") === name;
        set({ sort: name, descending: same ? !model.get("descending") : false });
      });
      return el("th", { scope: "col", class: `gw-${name}` }, button);
    }),
  );
  body.addEventListener("click", (event) => {
    const row = event.target.closest("tr");
    if (!row) return;
    const [index, [first, second]] = [Number(row.dataset.index), model.get("chosen")];
    if (index !== first && index !== second) set({ chosen: [second, index] });
  });

  function showList(models, chosen) {
    const [sort, descending] = [model.get("sort"), model.get("descending")];
    [...head.children].forEach((cell, i) => {
      const here = COLUMNS[i][0] === sort;
      if (here) cell.setAttribute("aria-sort", descending ? "descending" : "ascending");
      else cell.removeAttribute("aria-sort");
    });
    const shown = order(models, model.get("family"), sort, descending);
    const button = () => el("button", { type: "button" }, el("b"), el("span"));
    const make = () => el("tr", {}, el("th", { scope: "row" }, button()), ...COLUMNS.slice(1).map(() => el("td")));
    const active = root.getRootNode().activeElement?.closest("tr")?.dataset.index;
    children(body, shown.length, make).forEach((row, r) => {
      const m = models[shown[r]];
      const place = chosen.indexOf(shown[r]);
      const name = row.firstElementChild.firstElementChild;
      row.dataset.index = shown[r];
      row.className = place < 0 ? "" : "gw-chosen";
      name.setAttribute("aria-pressed", place >= 0);
      name.firstElementChild.textContent = place < 0 ? "" : "AB"[place];
      name.lastElementChild.textContent = m.name;
      name.tabIndex = r ? -1 : 0;
      if (active === `${shown[r]}` && body.contains(root.getRootNode().activeElement)) name.focus();
      COLUMNS.slice(1).forEach(([column, , , text], i) => {
        row.children[i + 1].textContent = text(m);
        row.children[i + 1].className = `gw-${column}`;
      });
    });
  }

  function showPair(both) {
    const header = (m, i) => el("th", { scope: "col" }, el("b", {}, "AB"[i]), ` ${m.name}, ${m.year}`);
    names.replaceChildren(el("td"), ...both.map(header));
    const pictures = (m) => {
      const drawn = masks(familyOf(m), GRID, m.extras?.window ? 3 : null).map(picture);
      return el("td", {}, el("div", { class: "gw-masks" }, ...(drawn.length ? drawn : [UNKNOWN])));
    };
    const different = differences(...both);
    const [left, right] = both.map(facts);
    const line = (label, cells, differs) => {
      const mark = el("span", { class: "gw-mark" }, differs ? "≠" : "");
      return el("tr", { class: differs ? "gw-differs" : "" }, el("th", { scope: "row" }, mark, label), ...cells);
    };
    const source = (m) => el("td", {}, el("a", { href: m.url, rel: "noopener" }, m.source), m.note ? `. ${m.note}` : "");
    rows.replaceChildren(
      line("What it changed", both.map((m) => el("td", {}, m.news)), false),
      line("Mask", both.map(pictures), false),
      ...left.map(([label, text], i) => {
        const cells = [text, right[i][1]].map((cell) => el("td", {}, cell));
        return line(label, cells, different.includes(label));
      }),
      line("Source", both.map(source), false),
    );
    const [a, b] = both.map((m) => `${m.name} (${m.year})`);
    const total = left.length - 1;
    const what = different.length ? `: ${different.join(", ")}` : "";
    const text = `${a} and ${b} differ in ${different.length} of ${total} points${what}.`;
    if (said.textContent !== text) said.textContent = text;
  }

  return function update() {
    const [models, chosen] = [model.get("models"), model.get("chosen")];
    families.show(model.get("family"));
    showList(models, chosen);
    showPair(chosen.map((i) => models[i]));
  };
}

export default courseWidget("gallery-widget", "Gallery of models", ["models", "chosen", "family", "sort", "descending"], build);
