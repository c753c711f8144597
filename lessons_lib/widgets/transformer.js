// The whole Transformer, block by block: shapes, parameters, who sees whom. All arithmetic happens here, in the browser.

import { children, choice, courseWidget, dropdown, el, svg, table } from "./shared.js";

/** Layers that the family has: [encoder, decoder]. */
export function layers(c) {
  return [
    c.family === "decoder-only" ? 0 : c.n_encoder_layers,
    c.family === "encoder-only" ? 0 : c.n_decoder_layers,
  ];
}

const BOTH = "encoder-decoder";
const ENDS = { encoder: ["S", "src_length"], decoder: ["T", "tgt_length"] };

/**
 * Every block in the order in which data meets it: {id, stack, kind, title, times, frame}. `frame` is "in", "layer" or
 * "out", `times` how often the block is in the model.
 */
export function blocks(c) {
  const [e, d] = layers(c);
  return [...(e ? stack(c, "encoder", e) : []), ...(d ? stack(c, "decoder", d) : [])];
}

function stack(c, name, times) {
  const one = (frame, kind, part, title) => ({
    id: `${name} ${part}`,
    stack: name,
    kind,
    title,
    frame,
    times: frame === "layer" ? times : 1,
  });
  const sublayer = (kind, part, title) => {
    const [norm, self, add] = [
      one("layer", "norm", `${part} norm`, "norm"),
      one("layer", kind, part, title),
      one("layer", "add", `${part} add`, "add"),
    ];
    return c.norm === "pre" ? [norm, self, add] : [self, add, norm];
  };
  const decoder = name === "decoder";
  return [
    one("in", "tokens", "tokens", c.family !== BOTH ? "tokens" : decoder ? "target tokens" : "source tokens"),
    one("in", "embedding", "embedding", "embedding × √D"),
    one("in", "positions", "positions", "+ positions"),
    ...sublayer(decoder ? "masked" : "attention", "self-attention", decoder ? "masked self-attention" : "self-attention"),
    ...(decoder && c.family === BOTH ? sublayer("cross", "cross-attention", "cross-attention") : []),
    ...sublayer("feed-forward", "feed-forward", "feed-forward"),
    ...(c.norm === "pre" ? [one("out", "norm", "final norm", "final norm")] : []),
    ...(decoder ? [one("out", "logits", "logits", "logits"), one("out", "softmax", "softmax", "softmax")] : []),
  ];
}

/** What a block learns, in rows of [what, formula, number], for one layer. */
export function learned(c, block) {
  const [D, F, V] = [c.d_model, c.d_ff, c.vocab_size];
  const attention = [
    ["W_Q, W_K, W_V, W_O", "4 · D · D", 4 * D * D],
    ["their biases", "4 · D", 4 * D],
  ];
  const rows = {
    attention,
    masked: attention,
    cross: attention,
    embedding: block.stack === "encoder" || c.family !== BOTH ? [["a row a token", "V · D", V * D]] : [],
    norm: [["γ and β", "2 · D", 2 * D]],
    "feed-forward": [
      ["W₁, W₂", "2 · D · F", 2 * D * F],
      ["their biases", "F + D", F + D],
    ],
  };
  return rows[block.kind] ?? [];
}

/** Of one block in one layer. */
export function blockParameters(c, block) {
  return learned(c, block).reduce((sum, [, , count]) => sum + count, 0);
}

/** Of the whole model. */
export function allParameters(c) {
  return blocks(c).reduce((sum, block) => sum + block.times * blockParameters(c, block), 0);
}

/** The tensors of a block: [what, letters], in the order in which they come to be. */
export function tensors(c, block) {
  const L = ENDS[block.stack][0];
  const x = `B, ${L}, D`;
  const heads = (from) => [
    ["queries", `B, H, ${L}, d_head`],
    ["keys, values", `B, H, ${from}, d_head`],
    ["weights", `B, H, ${L}, ${from}`],
    ["heads' results", `B, H, ${L}, d_head`],
  ];
  const inner = {
    tokens: [["out", `B, ${L}`]],
    embedding: [["in", `B, ${L}`], ["table", "V, D"], ["out", x]],
    positions: [["in", x], ["table", `${L}, D`], ["out", x]],
    attention: [["in", x], ...heads("S"), ["out", x]],
    masked: [["in", x], ...heads("T"), ["out", x]],
    cross: [["in", x], ["memory", "B, S, D"], ...heads("S"), ["out", x]],
    "feed-forward": [["in", x], ["hidden", `B, ${L}, F`], ["out", x]],
    norm: [["in", x], ["out", x]],
    add: [["in", x], ["by the side", x], ["out", x]],
    logits: [["in", x], ["table", "V, D"], ["out", `B, ${L}, V`]],
    softmax: [["in", `B, ${L}, V`], ["out", `B, ${L}, V`]],
  };
  return inner[block.kind];
}

/** The numbers behind letters: "B, S, D" → [2, 7, 512]. */
export function numbers(c, letters) {
  const d_head = c.d_model / c.n_heads;
  const known = { B: c.batch, S: c.src_length, T: c.tgt_length, D: c.d_model, H: c.n_heads, d_head, F: c.d_ff, V: c.vocab_size };
  return letters.split(", ").map((letter) => known[letter]);
}

/** May position `t` of a block's output depend, in this block, on position `s`? */
export function sees(block, t, s) {
  if (block.kind === "attention" || block.kind === "cross") return true;
  return block.kind === "masked" ? s <= t : s === t;
}

/** Rows and columns of that table: the letters of their number. */
export function ends(block) {
  const L = ENDS[block.stack][0];
  return [L, block.kind === "cross" ? "S" : L];
}

const DOES = {
  tokens: "Numbers of pieces of words.",
  embedding: "Looks up a row for each token, and multiplies it by √D.",
  positions: "Adds to each vector the mark of its place.",
  attention: "Each position reads a weighted average of all positions.",
  masked: "Each position reads a weighted average of those up to itself; the future is masked.",
  cross: "The bridge: queries from the target, keys and values from the source's memory.",
  "feed-forward": "Widens each vector, cuts off what is negative, narrows it again; each position alone.",
  norm: "Brings each vector to one scale: mean 0, variance 1, then γ and β.",
  add: "Adds what the sub-layer made to what went around it: the residual path.",
  logits: "Compares each vector with the embedding of every token: a score for each.",
  softmax: "Makes probabilities of the scores; they sum to 1 at each position.",
};
const SHARED = {
  embedding: "It is the encoder's table: nothing new to learn.",
  logits: "It is the table of the embeddings: nothing new to learn.",
};

const SIZES = [
  ["batch", "B, sentences", 4096],
  ["src_length", "S, source length", 16384],
  ["tgt_length", "T, target length", 16384],
  ["d_model", "D, d_model", 32768],
  ["n_heads", "H, heads", 512],
  ["d_ff", "F, d_ff", 262144],
  ["n_encoder_layers", "encoder layers", 512],
  ["n_decoder_layers", "decoder layers", 512],
  ["vocab_size", "V, vocabulary", 2000000],
];
const FAMILIES = [
  [BOTH, "encoder–decoder"],
  ["encoder-only", "encoder only"],
  ["decoder-only", "decoder only"],
];
const NORMS = [
  ["pre", "pre-norm"],
  ["post", "post-norm"],
];
const SHOWN = 12; // positions in the table of who sees whom

const whole = (number) => number.toLocaleString("en-US");
const tuple = (c, letters) => `(${numbers(c, letters).join(", ")})`;

/** What is wrong with these sizes, or "". */
export function complaint(c) {
  for (const [name, , most] of SIZES)
    if (!Number.isInteger(c[name]) || c[name] < 1 || c[name] > most)
      return `${name}=${c[name]} is not a whole number from 1 to ${whole(most)}.`;
  if (c.d_model % c.n_heads) {
    const fits = Array.from({ length: 16 }, (_, i) => i + 1).filter((n) => c.d_model % n === 0);
    return `d_model=${c.d_model} is not divisible by n_heads=${c.n_heads}; use ${fits.join(", ")} …`;
  }
  return "";
}

/** One sentence for each block of what the reader sees. */
export function summary(c, block) {
  const total = allParameters(c);
  const [own, all] = [blockParameters(c, block), block.times * blockParameters(c, block)];
  const out = tensors(c, block).at(-1)[1];
  const where = block.frame === "layer" ? `, in each of ${c[`n_${block.stack}_layers`]} layers` : "";
  const share = (100 * all) / total;
  const percent = share >= 1 ? Math.round(share) : share.toFixed(2);
  const cost = own
    ? `${whole(own)} parameters${block.times > 1 ? ` a layer, ${whole(all)} together` : ""}: ` +
      `${percent} % of the model's ${whole(total)}.`
    : `Nothing to learn; the model has ${whole(total)} parameters.`;
  const name = block.title[0].toUpperCase() + block.title.slice(1);
  return `${name} (${block.stack}${where}). Out: (${out}) = ${tuple(c, out)}. ${cost} ${whom(block)}`;
}

function whom(block) {
  if (block.kind === "cross") return "Every target position sees every source position.";
  if (block.kind === "attention") return "Every position sees every position.";
  return block.kind === "masked"
    ? "Every position sees itself and those before it."
    : "Every position sees itself alone.";
}

function build(root, model, set) {
  const family = choice("Family", FAMILIES, (value) => set({ family: value }));
  const norm = choice("Where the norm stands", NORMS, (value) => set({ norm: value }));
  const preset = dropdown("Sizes", (index) => {
    const chosen = model.get("presets")[index];
    if (chosen) set(chosen.sizes);
  });
  const fields = SIZES.map(([name, label, most]) => {
    const input = el("input", { type: "number", min: 1, max: most, name });
    input.addEventListener("change", change);
    return el("label", {}, el("span", {}, label), input);
  });
  const input = (i) => fields[i].lastElementChild;
  const wrong = el("p", { class: "tw-wrong", role: "alert" });
  const lines = svg("svg", { "aria-hidden": "true" });
  const columns = Object.fromEntries(
    ["encoder", "decoder"].map((name) => {
      const frames = Object.fromEntries(["in", "layer", "out"].map((frame) => [frame, el("div", { class: `tw-${frame}` })]));
      const label = el("p", { class: "tw-times" });
      const node = el("div", { class: "tw-column", role: "group", "aria-label": name }, ...Object.values(frames));
      return [name, { node, frames, label }];
    }),
  );
  const diagram = el("div", { class: "tw-diagram" }, columns.encoder.node, columns.decoder.node, lines);
  const words = el("p", { class: "cw-summary tw-summary", "aria-live": "polite" });
  const does = el("p", { class: "tw-does" });
  const [shapes, learns] = [table("tw-shapes"), table("tw-learns")];
  const grid = el("div", { class: "tw-grid", "aria-hidden": "true" });
  const seen = el("div", { class: "tw-seen" }, el("p", { class: "tw-caption" }), grid);
  const details = el("div", { class: "tw-details" }, does, shapes, learns);
  root.append(
    el("div", { class: "cw-controls" }, family, norm, preset),
    el("form", { class: "tw-sizes" }, ...fields),
    wrong,
    el("div", { class: "tw-stage" }, diagram, el("div", { class: "tw-side" }, words, details), seen),
  );
  root.querySelector(".tw-sizes").addEventListener("submit", (event) => event.preventDefault());
  diagram.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button) set({ selected: button.dataset.block });
  });
  diagram.addEventListener("keydown", walk);

  function config() {
    const names = ["family", "norm", ...SIZES.map(([name]) => name)];
    return Object.fromEntries(names.map((name) => [name, model.get(name)]));
  }

  /** A size was typed: take all of them if they fit together, else say why not and keep what is drawn. */
  function change() {
    const typed = Object.fromEntries(SIZES.map(([name], i) => [name, input(i).valueAsNumber]));
    wrong.textContent = complaint(typed);
    if (!wrong.textContent) set(typed);
  }

  /** Up and down along the data, left and right to the other stack. */
  function walk(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const all = [...diagram.querySelectorAll("button")];
    const at = all.indexOf(event.target);
    const other = event.key === "ArrowLeft" ? columns.encoder : columns.decoder;
    const near = () => {
      const y = event.target.getBoundingClientRect().top;
      const off = (button) => Math.abs(button.getBoundingClientRect().top - y);
      return [...other.node.querySelectorAll("button")].sort((a, b) => off(a) - off(b))[0];
    };
    const moves = { ArrowUp: () => all[at - 1], ArrowDown: () => all[at + 1], Home: () => all[0], End: () => all.at(-1) };
    const move = moves[event.key] ?? (/^Arrow(Left|Right)$/.test(event.key) && !other.node.contains(event.target) ? near : null);
    if (at < 0 || !(event.key in moves || event.key.startsWith("Arrow"))) return;
    event.preventDefault();
    const next = move?.();
    if (!next) return;
    set({ selected: next.dataset.block });
    next.focus();
  }

  function showBlocks(all, chosen) {
    for (const [name, { node, frames, label }] of Object.entries(columns)) {
      const mine = all.filter((block) => block.stack === name);
      node.hidden = mine.length === 0;
      for (const [frame, box] of Object.entries(frames)) {
        const inside = mine.filter((block) => block.frame === frame);
        label.remove();
        const buttons = children(box, inside.length, () => el("button", { type: "button" }));
        buttons.forEach((button, i) => {
          const { id, kind, title } = inside[i];
          button.dataset.block = id;
          button.dataset.kind = kind;
          button.textContent = title;
          button.setAttribute("aria-pressed", id === chosen.id);
          button.tabIndex = id === chosen.id ? 0 : -1;
        });
      }
      label.textContent = mine.length ? `${name} layer, ${mine.find(({ frame }) => frame === "layer").times} ×` : "";
      frames.layer.before(label);
    }
  }

  /** The paths that go around a sub-layer, and the bridge from the encoder's end to cross-attention. */
  function showLines(all) {
    const origin = diagram.getBoundingClientRect();
    const place = (id) => {
      const box = diagram.querySelector(`[data-block="${id}"]`).getBoundingClientRect();
      return { left: box.left - origin.left, right: box.right - origin.left, top: box.top - origin.top, height: box.height };
    };
    const drawn = all.flatMap((block, i) => {
      if (block.kind !== "add") return [];
      const from = all[i - 2].id === block.id.replace(" add", " norm") ? i - 2 : i - 1; // pre-norm: around the norm too
      const first = place(all[from].id);
      const end = place(block.id);
      const left = block.stack === "encoder";
      const [x, out, sign] = left ? [end.left, end.left - 11, 1] : [end.right, end.right + 11, -1];
      const middle = (first.left + first.right) / 2;
      const y = first.top - 4;
      const to = end.top + end.height / 2;
      return [[`M${middle} ${y}H${out}V${to}H${x}`, `M${x - 5 * sign} ${to - 4}l${5 * sign} 4l${-5 * sign} 4`]];
    });
    const bridge = all.find(({ kind }) => kind === "cross");
    if (bridge) {
      const last = place(all.filter((block) => block.stack === "encoder").at(-1).id);
      const end = place(bridge.id);
      const y = last.top + last.height / 2;
      const to = end.top + end.height / 2;
      const middle = end.left - 14;
      drawn.push([`M${last.right} ${y}H${middle}V${to}H${end.left}`, `M${end.left - 6} ${to - 5}l6 5l-6 5`]);
    }
    children(lines, drawn.length, () => svg("path")).forEach((path, i) => {
      path.setAttribute("d", drawn[i].join(""));
      path.classList.toggle("tw-bridge", Boolean(bridge) && i === drawn.length - 1);
    });
  }

  function showDetails(c, block) {
    does.textContent = `${DOES[block.kind]} ${(!learned(c, block).length && SHARED[block.kind]) || ""}`;
    shapes.show(
      "Shapes",
      ["tensor", "letters", "here"],
      tensors(c, block).map(([name, letters]) => ({ cells: [name, `(${letters})`, tuple(c, letters)] })),
    );
    const own = blockParameters(c, block);
    const all = own * block.times;
    learns.hidden = own === 0;
    learns.show(
      "Parameters",
      ["learned", "formula", "number"],
      [
        ...learned(c, block).map(([name, formula, count]) => ({ cells: [name, formula, whole(count)] })),
        ...(block.times > 1 ? [{ cells: [`${block.times} layers`, `${block.times} × ${whole(own)}`, whole(all)] }] : []),
        { class: "tw-total", cells: ["whole model", "", whole(allParameters(c))] },
      ],
    );
  }

  function showWhom(c, block) {
    const [rows, cols] = ends(block).map((letter) => numbers(c, letter)[0]);
    const names = { S: model.get("src_words"), T: model.get("tgt_words") };
    const lists = ends(block).map((letter, i) => (names[letter].length === [rows, cols][i] ? names[letter] : null));
    const [R, C] = [Math.min(rows, SHOWN), Math.min(cols, SHOWN)];
    const label = (list, i) => (list ? list[i] : `${i + 1}`);
    const pairs = { masked: (rows * (rows + 1)) / 2, attention: rows * cols, cross: rows * cols }[block.kind] ?? rows;
    const part = R < rows || C < cols ? `; the first ${R} × ${C} of ${rows} × ${cols}` : "";
    seen.firstElementChild.textContent = `Who sees whom: ${whole(pairs)} of ${whole(rows * cols)} pairs${part}`;
    grid.style.setProperty("--columns", C);
    grid.classList.toggle("tw-worded", Boolean(lists[1]));
    const texts = [["", ...Array.from({ length: C }, (_, s) => label(lists[1], s))]];
    for (let t = 0; t < R; t++) texts.push([label(lists[0], t), ...Array.from({ length: C }, (_, s) => sees(block, t, s))]);
    const cells = children(grid, (R + 1) * (C + 1), () => el("div", {}, el("span")));
    texts.flat().forEach((content, i) => {
      const cell = cells[i];
      const mark = typeof content === "boolean";
      cell.className = mark ? (content ? "tw-yes" : "tw-no") : i <= C ? "tw-top" : "tw-left";
      cell.firstElementChild.textContent = mark ? "" : content;
    });
  }

  let written = "";
  return function update() {
    const c = config();
    const all = blocks(c);
    const chosen =
      all.find(({ id }) => id === model.get("selected")) ?? all.find(({ kind }) => kind === "attention" || kind === "masked");
    family.show(c.family);
    norm.show(c.norm);
    const presets = model.get("presets");
    const match = presets.findIndex(({ sizes }) => Object.entries(sizes).every(([name, size]) => c[name] === size));
    preset.hidden = presets.length === 0;
    preset.show(match < 0 ? presets.length : match, [...presets.map(({ name }) => name), "your own"]);
    const [e, d] = layers(c);
    const off = { src_length: !e, n_encoder_layers: !e, tgt_length: !d, n_decoder_layers: !d };
    SIZES.forEach(([name], i) => (fields[i].hidden = off[name] ?? false));
    if (JSON.stringify(c) !== written) {
      // Not when only the width changed: what is being typed, and what is wrong with it, stay.
      written = JSON.stringify(c);
      SIZES.forEach(([name], i) => (input(i).value = c[name]));
      wrong.textContent = "";
    }
    diagram.dataset.family = c.family;
    showBlocks(all, chosen);
    const text = summary(c, chosen);
    if (words.textContent !== text) words.textContent = text;
    showDetails(c, chosen);
    showWhom(c, chosen);
    showLines(all);
  };
}

const TRAITS = ["family", "norm", "selected", "presets", "src_words", "tgt_words", ...SIZES.map(([name]) => name)];
export default courseWidget("transformer-widget", "The whole Transformer", TRAITS, build);
