// Where parameters, FLOPs and bytes go: the formulas of lessons_lib.sizes, in whole numbers, for a shape of your own.

import { CONFIGURATION, entryOf, gated, normNumbers, positionsLearned } from "./choices.js";
import { children, choice, courseWidget, dropdown, el, table, toggle } from "./shared.js";

const BYTES = { float64: 8, float32: 4, bfloat16: 2, float16: 2 };
const BIASED = ["alibi", "relative", "t5"]; // positions that add to the scores
const LEFT_OUT = ["token embedding", "token types", "positions", "output projection"]; // of the N of scaling laws
const [CHUNK, TILE] = [512, 64]; // positions whose logits exist at one time

const matrices = (c) => (gated(c) ? 3 : 2);
const headWidth = (c) => c.d_head || Math.floor(c.d_model / c.n_heads);
const widths = (c) => [c.n_heads * headWidth(c), (c.n_kv_heads || c.n_heads) * headWidth(c)];
const isPre = (c) => entryOf(c, "norm") === CONFIGURATION.norm.pre;
const sum = (parts) => Object.values(parts).reduce((total, count) => total + count, 0);
const present = (parts) => Object.fromEntries(Object.entries(parts).filter(([, count]) => count));

function attentionParameters(c) {
  const [width, kv] = widths(c);
  const { qkv, rest } = entryOf(c, "bias");
  const bias = qkv * (width + 2 * kv) + rest * c.d_model;
  return 2 * c.d_model * (width + kv) + bias;
}

function feedForwardParameters(c) {
  return matrices(c) * c.d_model * c.d_ff + entryOf(c, "bias").rest * ((matrices(c) - 1) * c.d_ff + c.d_model);
}

function positionParameters(c) {
  const { rows, scores } = positionsLearned(c);
  return rows * c.d_model + scores;
}

/** The learned numbers of each part (lessons_lib.sizes.parameters). */
export function parameters(c) {
  const [encoder, decoder] = [c.n_encoder_layers, c.n_decoder_layers];
  const stacks = (encoder > 0) + (decoder > 0);
  const cross = encoder && decoder;
  return present({
    "token embedding": c.vocab_size * c.d_model,
    "token types": (c.n_token_types ?? 0) * c.d_model,
    positions: stacks * positionParameters(c),
    "embedding norms": c.embedding_norm ? stacks * normNumbers(c) : 0,
    "encoder attention": encoder * attentionParameters(c),
    "encoder feed-forward": encoder * feedForwardParameters(c),
    "encoder norms": encoder * 2 * normNumbers(c),
    "decoder self-attention": decoder * attentionParameters(c),
    "decoder cross-attention": cross ? decoder * attentionParameters(c) : 0,
    "decoder feed-forward": decoder * feedForwardParameters(c),
    "decoder norms": decoder * (cross ? 3 : 2) * normNumbers(c),
    "final norms": isPre(c) ? stacks * normNumbers(c) : 0,
    pooler: c.pooler ? c.d_model * c.d_model + c.d_model : 0,
    "output projection": decoder && !c.tied ? c.vocab_size * c.d_model : 0,
  });
}

export function countParameters(c) {
  return sum(parameters(c));
}

/** FLOPs of one forward pass by part (lessons_lib.sizes.forward_flops). */
export function forwardFlops(c, batch, srcLength, tgtLength) {
  const [src, tgt, [width, kv]] = [batch * srcLength, batch * tgtLength, widths(c)];
  const [encoder, decoder] = [c.n_encoder_layers, c.n_decoder_layers];
  const cross = encoder ? decoder : 0;
  const feedForward = 2 * matrices(c) * c.d_model * c.d_ff;
  const [own, outer] = [4 * c.d_model * (width + kv), 4 * c.d_model * width];
  return present({
    "encoder projections": encoder * src * own,
    "encoder attention": encoder * src * 4 * srcLength * width,
    "encoder feed-forward": encoder * src * feedForward,
    "decoder projections": decoder * tgt * own,
    "decoder attention": decoder * tgt * 4 * tgtLength * width,
    "cross projections": cross * (tgt * outer + src * 4 * c.d_model * kv),
    "cross attention": cross * tgt * 4 * srcLength * width,
    "decoder feed-forward": decoder * tgt * feedForward,
    pooler: c.pooler ? 2 * batch * c.d_model * c.d_model : 0,
    "output projection": 2 * tgt * c.d_model * c.vocab_size,
  });
}

/** FLOPs of one training step (lessons_lib.sizes.training_flops). */
export function trainingFlops(c, batch, srcLength, tgtLength, fused = false) {
  const parts = forwardFlops(c, batch, srcLength, tgtLength);
  const pairs = Object.entries(parts).reduce((n, [name, count]) => n + (name.endsWith(" attention") ? count : 0), 0);
  return 3 * sum(parts) + (fused ? pairs / 2 : 0);
}

/** Bytes of a cache of keys and values (lessons_lib.sizes.cache_memory). */
export function cacheMemory(c, batch, srcLength, tgtLength, dtype) {
  const token = 2 * c.n_decoder_layers * batch * widths(c)[1] * BYTES[dtype];
  return { "cache of the target": token * tgtLength, "cache of the source": token * srcLength };
}

/** A configuration and the batch that meets it (lessons_lib.sizes.stages.Step); the methods count bytes. */
function step(c, batch, dtype, fused, plain) {
  const value = BYTES[dtype];
  const [width, kv] = widths(c);
  return {
    c,
    batch,
    value,
    plain,
    width,
    kv,
    vectors: (length, size = c.d_model) => batch * length * size * value,
    scores: (queries, keys) => batch * c.n_heads * queries * keys * value,
    fused,
    wide: Math.max(value, 4) / value, // PyTorch's function computes 16 bits in float32
    hasKernel: (isBiased, isCausal, trains) =>
      !(trains && c.attention_dropout) && (!isBiased || (!isCausal && (c.positions === "alibi" || !trains))),
    embedding: c.vocab_size * c.d_model * value,
  };
}

function standing(s) {
  const { c, value } = s;
  const half = c.max_length * c.d_model;
  const rope = 2 * c.max_length * headWidth(c);
  const numbers = { sinusoidal: half, sinusoidal_halves: half, rope, alibi: c.n_heads }[c.positions] ?? 0;
  const stacks = (c.n_encoder_layers > 0) + (c.n_decoder_layers > 0);
  return { weights: countParameters(c) * value, tables: stacks * numbers * value };
}

const normKept = (s, length) => entryOf(s.c, "norm_type").kept(s, length);

const spent = (s, length) => (!isPre(s.c) ? normKept(s, length) : 0) + s.vectors(length) * (s.c.dropout > 0);
const stage = (name, kept, gradient, forward, backward) => ({ name, kept, gradient, forward, backward });

function embeddingStage(s, name, length, isLast) {
  const { c, value } = s;
  const x = s.vectors(length);
  let kept = x * (c.dropout > 0);
  let [gradient, backward] = [positionParameters(c) * value, x + s.embedding];
  if (c.embedding_norm) [kept, gradient] = [kept + normKept(s, length), gradient + normNumbers(c) * value];
  if (c.positions === "relative" || c.positions === "t5") kept += 8 * length * length;
  if (c.n_token_types) [kept, gradient] = [kept + 8 * s.batch * length, gradient + c.n_token_types * c.d_model * value];
  if (!c.tied && c.n_decoder_layers && isLast) gradient += s.embedding;
  else if (s.plain && isLast) backward += s.embedding;
  return stage(name, kept, gradient, 2 * x, backward);
}

function attentionStage(s, name, queries, keys, isCausal, isCross) {
  const { c, value, width, kv } = s;
  const [x, query, key] = [s.vectors(queries), s.vectors(queries, width), s.vectors(keys, width)];
  const [weights, bias] = [s.scores(queries, keys), c.n_heads * queries * keys * value];
  const isBiased = BIASED.includes(c.positions) && !isCross;
  const rows = isCausal ? queries : s.batch;
  let kept = normKept(s, queries) + x + query + x * (c.dropout > 0);
  let forward = query + 2 * s.vectors(keys, kv) + isBiased * bias;
  let backward = x + key + width * c.d_model * value + s.vectors(keys) * isCross - spent(s, queries) + isBiased * bias;
  if (!s.fused) {
    kept += query + 2 * key + weights * (c.attention_dropout ? 3 : 2) + rows * value;
    [forward, backward] = [forward + weights, backward + weights];
  } else if (s.hasKernel(isBiased, isCausal, true)) {
    const penalty = isBiased ? weights : rows * keys * value;
    kept += s.wide * (query + 2 * key + penalty + (s.wide > 1) * query);
    kept += Math.max(value, 4) * s.batch * c.n_heads * queries;
    backward += s.wide * (query + key);
  } else {
    kept += s.wide * (query + 2 * key + weights * (c.attention_dropout ? 3 : 1));
    forward += (c.attention_dropout ? 0 : s.wide * weights) + weights / value;
    forward += isBiased * (isCausal ? bias : weights);
    backward += s.wide * weights * (c.attention_dropout ? 1 : 2);
  }
  return stage(name, kept, (attentionParameters(c) + normNumbers(c)) * value, forward, backward);
}

function feedForwardStage(s, name, length) {
  const { c, value } = s;
  const [x, hidden] = [s.vectors(length), s.vectors(length, c.d_ff)];
  const states = gated(c) ? 4 : c.activation === "relu" ? 1 : 2;
  const kept = normKept(s, length) + x + states * hidden + x * (c.dropout > 0);
  const backward = hidden * (states === 2 ? 1 : 2) + 2 * x + c.d_ff * c.d_model * value - spent(s, length);
  return stage(name, kept, (feedForwardParameters(c) + normNumbers(c)) * value, x, backward);
}

function modelStages(s, src, tgt) {
  const { c } = s;
  const stages = [];
  const final = (name, length) => {
    const two = 2 * s.vectors(length);
    if (isPre(c)) stages.push(stage(name, normKept(s, length), normNumbers(c) * s.value, two, two));
  };
  if (c.n_encoder_layers) {
    stages.push(embeddingStage(s, "encoder embedding", src, !c.n_decoder_layers));
    for (let i = 1; i <= c.n_encoder_layers; i++) {
      stages.push(attentionStage(s, `encoder layer ${i}, attention`, src, src, false, false));
      stages.push(feedForwardStage(s, `encoder layer ${i}, feed-forward`, src));
    }
    final("encoder norm", src);
  }
  if (c.n_encoder_layers && c.n_decoder_layers)
    stages.push(stage("encoder output", s.vectors(src), 0, 0, s.vectors(src)));
  if (c.n_decoder_layers) {
    stages.push(embeddingStage(s, "decoder embedding", tgt, true));
    for (let i = 1; i <= c.n_decoder_layers; i++) {
      stages.push(attentionStage(s, `decoder layer ${i}, self-attention`, tgt, tgt, true, false));
      if (c.n_encoder_layers)
        stages.push(attentionStage(s, `decoder layer ${i}, cross-attention`, tgt, src, false, true));
      stages.push(feedForwardStage(s, `decoder layer ${i}, feed-forward`, tgt));
    }
    final("decoder norm", tgt);
  }
  return stages;
}

function lossStage(s, length) {
  const [hidden, n, row] = [s.vectors(length), s.batch * length, s.c.vocab_size * s.value];
  const rows = Math.min(CHUNK, Math.ceil(n / TILE) * TILE);
  if (s.plain) {
    const logits = n * row;
    return stage("loss", hidden + logits, s.embedding, logits, Math.max(2 * logits, hidden + s.embedding));
  }
  const forward = hidden + 2 * rows * row + s.embedding;
  return stage("loss", hidden + s.embedding, s.embedding, forward, hidden + s.embedding);
}

/** Bytes of a training step with AdamW (lessons_lib.sizes.training_memory): {parts, peak, moment}. */
export function trainingMemory(c, batch, src, tgt, dtype, { fused = true, plain = false } = {}) {
  const s = step(c, batch, dtype, fused, plain);
  const [stages, last] = [modelStages(s, src, tgt), lossStage(s, tgt || src)];
  const parts = standing(s);
  parts.optimizer = 2 * parts.weights;
  const held = sum(parts);
  parts.gradients = parts.weights;
  parts.activations = stages.reduce((total, { kept }) => total + kept, 0);
  parts.loss = last.kept + Math.max(last.forward, last.backward);
  let [height, peak, moment] = [0, -1, ""];
  const see = (bytes, name) => {
    if (bytes > peak || (bytes === peak && name > moment)) [peak, moment] = [bytes, name];
  };
  stages.push(last);
  for (const one of stages) see((height += one.kept) + one.forward, `forward: ${one.name}`);
  for (const one of stages.reverse()) {
    see(height + one.backward, `backward: ${one.name}`);
    height += one.gradient - one.kept;
  }
  see(height, "optimizer step");
  return { parts, peak: held + peak, moment };
}

const copies = (s, length) => (s.kv < s.width ? 2 * s.vectors(length, s.width) : 0);

function layer(s, length, cached) {
  const { c, value, width, kv } = s;
  const [x, query, hidden] = [s.vectors(length), s.vectors(length, width), s.vectors(length, c.d_ff)];
  const [weights, bias] = [s.scores(length, length), c.n_heads * length * length * value];
  const isBiased = BIASED.includes(c.positions);
  let attention = query + copies(s, length) + (cached ? 0 : 2 * s.vectors(length, kv)) + isBiased * bias;
  if (!s.fused) attention += 3 * weights;
  else if (s.hasKernel(isBiased, cached, false)) attention += query + isBiased * weights;
  else attention += bias + query + 2 * weights + weights / value;
  return 3 * x + Math.max(attention, (gated(c) ? 3 : 2) * hidden + x);
}

function reread(s, length, isCross) {
  const keys = s.vectors(length, s.width);
  if (!s.fused) return copies(s, length) || keys * isCross;
  return copies(s, length) + (s.hasKernel(BIASED.includes(s.c.positions) && !isCross, !isCross, false) ? 0 : keys);
}

/** Bytes while tokens are generated, or of one forward pass (lessons_lib.sizes.inference_memory). */
export function inferenceMemory(c, batch, src, tgt, dtype, { fused = true, prompt = 1 } = {}) {
  const s = step(c, batch, dtype, fused, false);
  let parts = standing(s);
  const still = sum(parts);
  const moments = [];
  if (src) moments.push(["reading the source", layer(s, src, false)]);
  if (tgt) {
    const cache = cacheMemory(c, batch, src, tgt, dtype);
    const held = sum(cache) + s.vectors(src);
    const logits = batch * c.vocab_size * s.value;
    moments.push(["reading the prompt", held + Math.max(layer(s, prompt, true), logits)]);
    moments.push(["the last token", held + Math.max(reread(s, tgt, false), reread(s, src, true), logits)]);
    parts = { ...parts, ...cache };
  }
  const [moment, most] = moments.reduce((best, one) => (one[1] > best[1] ? one : best));
  return { parts: { ...parts, workspace: still + most - sum(parts) }, peak: still + most, moment };
}

/** Why a shape is impossible, with the fix, or "". */
export function problem(c) {
  for (const [name] of FIELDS) {
    const least = name.endsWith("layers") ? 0 : 1;
    const value = name === "n_kv_heads" ? c.n_kv_heads || c.n_heads : name === "d_head" ? headWidth(c) || 1 : c[name];
    if (!Number.isInteger(value) || value < least || value > 1e7) return `${name} must be a whole number from ${least}.`;
  }
  if (c.n_encoder_layers + c.n_decoder_layers < 1) return "There are no layers: give the encoder or the decoder one.";
  if (!c.d_head && c.d_model % c.n_heads)
    return `d_model = ${c.d_model} is not divisible by ${c.n_heads} heads: change one of them, or give a width of a head.`;
  const kv = c.n_kv_heads || c.n_heads;
  return c.n_heads % kv ? `${c.n_heads} heads cannot share ${kv} KV heads in equal groups: use a divisor of them.` : "";
}

const count = (number) => number.toLocaleString("en-US");

/** 6738415616 → "6.74 G" with the unit behind; three digits, decimal units. */
export function short(number, unit) {
  const names = ["", "k", "M", "G", "T", "P", "E"];
  let power = 0;
  while (number >= 999.5 && power < names.length - 1) [number, power] = [number / 1000, power + 1];
  const text = power ? number.toPrecision(3) : `${number}`;
  return `${text} ${names[power]}${unit}`;
}

const percent = (share) => `${(100 * share).toFixed(1)} %`;
const bytes = (number) => `${short(number, "B")} (${(number / 2 ** 30).toPrecision(3)} GiB)`;

const FIELDS = [
  ["d_model", "width d_model"],
  ["n_encoder_layers", "encoder layers"],
  ["n_decoder_layers", "decoder layers"],
  ["n_heads", "heads"],
  ["n_kv_heads", "KV heads"],
  ["d_head", "width of a head"],
  ["d_ff", "width d_ff"],
  ["vocab_size", "vocabulary"],
  ["max_length", "context, tokens"],
];
const VIEWS = [
  ["parameters", "Parameters"],
  ["flops", "FLOPs"],
  ["training", "Training"],
  ["running", "Running"],
];
const FAMILIES = [
  ["both", "encoder–decoder"],
  ["encoder", "encoder"],
  ["decoder", "decoder"],
];
const PRECISIONS = [
  ["float32", "float32"],
  ["bfloat16", "bfloat16"],
];
const family = (c) => (!c.n_decoder_layers ? "encoder" : c.n_encoder_layers ? "both" : "decoder");

/** The same shape with the stacks of another family. */
export function asFamily(c, name) {
  const layers = Math.max(c.n_encoder_layers, c.n_decoder_layers);
  const { n_token_types, pooler, ...rest } = c;
  return {
    ...(name === "encoder" ? c : rest),
    n_encoder_layers: name === "decoder" ? 0 : c.n_encoder_layers || layers,
    n_decoder_layers: name === "encoder" ? 0 : c.n_decoder_layers || layers,
  };
}

/** What a view shows: its parts, the unit, and sentences. */
function contents(c, who, { view, batch, precision, fused, plain }) {
  const length = c.max_length;
  const [src, tgt] = [c.n_encoder_layers ? length : 0, c.n_decoder_layers ? length : 0];
  const total = countParameters(c);
  const largest = (parts) => Object.entries(parts).reduce((best, one) => (one[1] > best[1] ? one : best));
  const batchText = `${count(batch)} ${batch === 1 ? "sequence" : "sequences"} of ${count(length)} tokens`;
  if (view === "parameters") {
    const parts = parameters(c);
    const [name, most] = largest(parts);
    const weights = bytes(total * BYTES[precision]);
    return {
      parts,
      header: "parameters",
      text: count,
      summary: `${who}: ${count(total)} parameters. Largest part: ${name}, ${percent(most / total)}. In ${precision} they take ${weights}.`,
    };
  }
  if (view === "flops") {
    const parts = forwardFlops(c, batch, src, tgt);
    const [all, training] = [sum(parts), trainingFlops(c, batch, src, tgt, fused)];
    const learned = Object.entries(parameters(c)).filter(([name]) => !LEFT_OUT.includes(name));
    const rule = 6 * sum(Object.fromEntries(learned)) * batch * length;
    return {
      parts,
      header: "forward FLOPs",
      text: (number) => short(number, ""),
      summary:
        `${who}, ${batchText}: ${short(all, "FLOPs")} for a forward pass, ${short(training, "FLOPs")} for a training step, ` +
        `which is ${(training / rule).toFixed(2)} times 6·N·D (N without embeddings).`,
    };
  }
  if (view === "training") {
    const { parts, peak, moment } = trainingMemory(c, batch, src, tgt, precision, { fused, plain });
    const mixed =
      precision === "float32"
        ? ""
        : ` All of it is in ${precision} here. With AdamW's states and a copy of the weights in float32, as is usual, ` +
          `weights, gradients and states take ${short(16 * total, "B")} in place of ${short(8 * total, "B")}.`;
    return {
      parts,
      header: "bytes",
      text: (number) => short(number, "B"),
      summary: `${who}, a training step with ${batchText}: ${bytes(peak)} at the fullest moment (${moment}).${mixed}`,
    };
  }
  const { parts, peak } = inferenceMemory(c, batch, src, tgt, precision, { fused });
  const cache = (parts["cache of the target"] ?? 0) + (parts["cache of the source"] ?? 0);
  const perToken = tgt ? sum(cacheMemory(c, 1, 0, 1, precision)) : 0;
  const ratio = cache / parts.weights;
  return {
    parts,
    header: "bytes",
    text: (number) => short(number, "B"),
    summary: tgt
      ? `${who}, writing ${batchText}: ${bytes(peak)}. The KV cache takes ${short(cache, "B")}, ` +
        `${ratio.toFixed(2)} times the weights; a written token, ${short(perToken, "B")}.`
      : `${who}, reading ${batchText}: ${bytes(peak)}. Without a decoder there is no KV cache.`,
  };
}

function build(root, model, set) {
  const pick = dropdown("Model", (index) => {
    wrong = "";
    set({ model: index, config: { ...model.get("models")[index].config } });
  });
  const views = choice("What to count", VIEWS, (view) => set({ view }));
  const families = choice("Family", FAMILIES, (name) => change(asFamily(model.get("config"), name)));
  const precision = choice("Precision", PRECISIONS, (value) => set({ precision: value }));
  const tied = toggle((on) => change({ ...model.get("config"), tied: on }));
  const gate = toggle((on) => change({ ...model.get("config"), activation: on ? "swiglu" : "gelu" }));
  const fused = toggle((on) => set({ fused: on }));
  const plain = toggle((on) => set({ plain: on }));
  const inputs = [...FIELDS, ["batch", "batch, sequences"]].map(([name, text]) => {
    const input = el("input", { type: "number", min: name.endsWith("layers") ? 0 : 1, step: 1, "data-field": name });
    input.addEventListener("input", () => edit(name, input));
    return el("label", {}, text, input);
  });
  const fields = el("div", { class: "cw-fields" }, ...inputs);
  const rest = el("p", { class: "sz-rest" });
  const summary = el("p", { class: "cw-summary", "aria-live": "polite" });
  const bar = el("div", { class: "sz-bar", "aria-hidden": "true" });
  const parts = table("sz-parts");
  const shape = el("div", { class: "cw-controls" }, pick, families, precision);
  const options = el("div", { class: "cw-controls sz-options" }, tied, gate, fused, plain);
  root.append(shape, fields, options, rest, el("div", { class: "cw-controls" }, views), summary, bar, parts);
  let wrong = ""; // of a number being typed, which the model does not get

  function change(config) {
    wrong = problem(config);
    if (!wrong) set({ config });
    update(); // also where the model had this shape already, and says nothing
  }

  function edit(name, input) {
    const value = input.value === "" ? NaN : Number(input.value);
    const old = model.get("config");
    if (name === "batch") {
      wrong = Number.isInteger(value) && value > 0 && value <= 1e6 ? "" : "batch must be a whole number from 1.";
      if (!wrong) set({ batch: value });
      update();
      return;
    }
    // Numbers typed into other fields while the shape was impossible count now.
    const typed = { ...old, [name]: value };
    for (const label of inputs.slice(0, FIELDS.length)) {
      const field = label.lastChild;
      const key = field.dataset.field;
      if (key !== "d_head" && key !== name && field.value !== "") typed[key] = Number(field.value);
    }
    if (name === "n_heads" && (old.n_kv_heads ?? old.n_heads) === old.n_heads) typed.n_kv_heads = null;
    if (name !== "d_head") typed.d_head = old.d_head ?? null;
    if (typed.n_kv_heads === typed.n_heads) typed.n_kv_heads = null;
    change(typed);
  }

  function update() {
    const models = model.get("models");
    const index = Math.min(model.get("model"), models.length - 1);
    const c = model.get("config");
    const known = c.vocab_size !== undefined;
    const state = Object.fromEntries(["view", "batch", "precision", "fused", "plain"].map((name) => [name, model.get(name)]));
    pick.show(
      index,
      models.map(({ name }) => name),
    );
    for (const node of [families, precision, fields, options, views, bar, parts, rest]) node.hidden = !known;
    if (!known) {
      say(`${models[index].name}: ${models[index].note || "its shape is not known."}`);
      return;
    }
    views.show(state.view);
    families.show(family(c));
    precision.show(state.precision);
    tied.show(c.tied, "tied embeddings");
    gate.show(gated(c), "gated feed-forward");
    fused.show(state.fused, "fused attention");
    plain.show(state.plain, "all logits at once");
    tied.hidden = !c.n_decoder_layers;
    fused.hidden = state.view === "parameters";
    plain.hidden = state.view !== "training";
    const shown = { ...c, n_kv_heads: c.n_kv_heads || c.n_heads, d_head: headWidth(c), batch: state.batch };
    const active = root.getRootNode().activeElement;
    for (const label of inputs) {
      const input = label.lastChild;
      if (!wrong && input !== active) input.value = shown[input.dataset.field];
      input.setAttribute("aria-invalid", Boolean(wrong) && input === active);
    }
    const biases = { all: "biases", qkv: "biases on Q, K and V", none: "no biases" };
    const positions = c.positions === "none" ? "no positions" : `${c.positions.replace("_halves", "")} positions`;
    rest.textContent = `Also: ${c.norm}-norm, ${entryOf(c, "norm_type").title}, ${c.activation}, ${positions}, ${biases[c.bias]}.`;
    root.classList.toggle("sz-wrong", Boolean(wrong));
    if (wrong) {
      say(wrong);
      return;
    }
    const changed = Object.entries(models[index].config ?? {}).some(([name, value]) => (c[name] ?? null) !== (value ?? null));
    const drawn = contents(c, changed ? `${models[index].name}, changed` : models[index].name, state);
    const total = sum(drawn.parts);
    const entries = Object.entries(drawn.parts).filter(([, number]) => number);
    children(bar, entries.length, () => el("span")).forEach((segment, i) => {
      segment.className = `sz-${i % 12}`;
      segment.style.flexGrow = entries[i][1] / total;
    });
    parts.show(
      state.view === "training" ? "Each part at its largest; not all of them are there at the same time" : "By part",
      ["part", drawn.header, { text: "share", class: "cw-bar" }],
      entries.map(([name, number], i) => ({
        class: `sz-${i % 12}`,
        cells: [name, drawn.text(number), { text: percent(number / total), bar: number / total }],
      })),
    );
    parts.querySelectorAll("tbody tr").forEach((row, i) => row.setAttribute("data-count", entries[i][1]));
    say(drawn.summary);
  }

  function say(text) {
    if (summary.textContent !== text) summary.textContent = text;
  }

  return update;
}

const TRAITS = ["models", "model", "config", "batch", "precision", "view", "fused", "plain"];
export default courseWidget("sizes-widget", "Sizes of a model", TRAITS, build);
