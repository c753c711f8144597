// Click a word, see what it attends to. All arithmetic happens here, in the browser, from queries and keys.

import { arc, arrowKeys, children, choice, courseWidget, dropdown, el, format, svg, table, toggle } from "./shared.js";

/** Softmax of a list in which -Infinity means "may not attend". A list with nothing allowed gives zeros. */
export function softmax(scores) {
  const top = Math.max(...scores);
  if (top === -Infinity) return scores.map(() => 0);
  const powers = scores.map((score) => Math.exp(score - top));
  const total = powers.reduce((sum, power) => sum + power, 0);
  return powers.map((power) => power / total);
}

/** Row `t` of softmax(QKᵀ/√d_head + mask): the dot products, the scores that enter the softmax, the weights. */
export function attentionWeights(queries, keys, t, { scale = true, mask = "all" } = {}) {
  const query = queries[t];
  const divisor = scale ? Math.sqrt(query.length) : 1;
  const dots = keys.map((key) => key.reduce((sum, number, k) => sum + number * query[k], 0));
  const scores = dots.map((dot, s) => (mask === "causal" && s > t ? -Infinity : dot / divisor));
  return { dots, scores, weights: softmax(scores) };
}

/** Σ weight × value: the row that attention hands on for one word. */
export function output(weights, values) {
  return values[0].map((_, v) => weights.reduce((sum, weight, s) => sum + weight * values[s][v], 0));
}

/** Over how many words the attention is spread: exp(entropy), which is 1 when one word has it all. */
export function spread(weights) {
  return Math.exp(weights.reduce((sum, w) => (w > 0 ? sum - w * Math.log(w) : sum), 0));
}

/** Steps that information takes from word `from` to word `to` (Vaswani et al. 2017, section 4); Infinity = never. */
export function pathLength(architecture, from, to) {
  const distance = Math.abs(to - from);
  if (architecture === "attention") return Math.min(distance, 1);
  if (architecture === "cnn") return distance; // a window of 3 carries information one word further a layer
  return from <= to ? distance : Infinity; // an RNN has not yet read the words to the right
}

const VIEWS = [
  ["weights", "Attention weights"],
  ["steps", "Path length"],
];
const MASKS = [
  ["all", "no mask"],
  ["causal", "causal mask"],
];
const ARCHITECTURES = [
  ["attention", "Attention"],
  ["rnn", "RNN"],
  ["cnn", "CNN, window 3"],
];
const HEIGHT = { weights: 96, steps: 60 }; // px above the sentence

/** What the view "weights" shows: a note under each word, links, table and sentences. */
function weightsView({ words, queries, keys, values }, selected, settings) {
  const { dots, scores, weights } = attentionWeights(queries, keys, selected, settings);
  const chosen = words[selected];
  const top = words
    .map((_, s) => s)
    .sort((a, b) => weights[b] - weights[a])
    .slice(0, 3);
  const named = top.filter((s) => weights[s] >= 0.005).map((s) => `'${words[s]}' (${format(weights[s])})`);
  const count = format(spread(weights), 1);
  const row = values ? output(weights, values) : [];
  const rest = row.length > 8 ? `, … ${row.length} numbers` : "";
  return {
    notes: weights.map((weight, s) => ({ text: format(weight), weight, out: scores[s] === -Infinity })),
    links: weights.map((weight, from) => ({ from, to: selected, weight })).filter((_, s) => scores[s] > -Infinity),
    summary:
      `'${chosen}' attends most to ${named.join(", then ")}. ` +
      `Its attention is spread over ${count} ${count === "1.0" ? "word" : "words"}.`,
    caption: `Attention of '${chosen}'`,
    headers: [
      "word",
      "q · k",
      settings.scale ? `÷ √${queries[0].length}` : "not scaled",
      { text: "weight", class: "cw-bar" },
    ],
    rows: words.map((word, s) => ({
      class: s === selected ? "aw-chosen" : "",
      cells: [word, format(dots[s]), format(scores[s]), { text: format(weights[s], 3), bar: weights[s] }],
    })),
    output:
      values &&
      `Output for '${chosen}' = Σ weight × value = ` +
        `[${row
          .slice(0, 8)
          .map((number) => format(number))
          .join(", ")}${rest}]`,
  };
}

/** What the view "steps" shows. */
function stepsView({ words }, selected, architecture) {
  const steps = ARCHITECTURES.map(([name]) => words.map((_, from) => pathLength(name, from, selected)));
  const text = (step) => (step === Infinity ? "never" : `${step}`);
  const mark = ([name]) => (name === architecture ? "aw-current" : "");
  const longest = steps.map((column) => Math.max(...column.filter(Number.isFinite)));
  const current = ARCHITECTURES.findIndex(([name]) => name === architecture);
  const link = (from) =>
    architecture === "attention" ? { from, to: selected } : { from, to: from + Math.sign(selected - from), rise: 34 };
  return {
    notes: steps[current].map((step) => ({ text: text(step), weight: 0, out: step === Infinity })),
    links: steps[current].flatMap((step, from) => (step > 0 && step < Infinity ? [link(from)] : [])),
    summary: stepsSummary(words, selected, architecture, steps[current].indexOf(longest[current])),
    caption: `Steps from each word to '${words[selected]}'`,
    headers: ["from", ...ARCHITECTURES.map((item) => ({ text: item[1], class: mark(item) }))],
    rows: [
      ...words.map((word, s) => ({
        class: s === selected ? "aw-chosen" : "",
        cells: [word, ...ARCHITECTURES.map((item, a) => ({ text: text(steps[a][s]), class: mark(item) }))],
      })),
      {
        class: "aw-longest",
        cells: ["longest path", ...ARCHITECTURES.map((item, a) => ({ text: `${longest[a]}`, class: mark(item) }))],
      },
    ],
  };
}

function stepsSummary(words, selected, architecture, farthest) {
  const [chosen, first] = [`'${words[selected]}'`, `'${words[farthest]}'`];
  if (words.length === 1) return `${chosen} is the only word: there is no path.`;
  const count = pathLength(architecture, farthest, selected);
  const times = (thing) => `${count} ${thing}${count === 1 ? "" : "s"}`;
  if (architecture === "attention") return `Attention: every other word reaches ${chosen} in 1 step.`;
  if (architecture === "cnn")
    return `CNN: ${first} reaches ${chosen} after ${times("layer")} with a window of 3 words.`;
  const left = count ? `RNN: ${first} reaches ${chosen} after ${times("step")}.` : `RNN: ${chosen} is read first.`;
  return selected < words.length - 1 ? `${left} The words to its right are read later and never reach it.` : left;
}

function build(root, model, set) {
  const view = choice("View", VIEWS, (value) => set({ view: value }));
  const sentence = dropdown("Sentence", (index) => set({ sentence: index }));
  const mask = choice("Mask", MASKS, (value) => set({ mask: value }));
  const scale = toggle((on) => set({ scale: on }));
  const architecture = choice("Architecture", ARCHITECTURES, (value) => set({ architecture: value }));
  const arcs = svg("svg", { "aria-hidden": "true" });
  const row = el("div", { class: "aw-words", role: "group", "aria-label": "Sentence: choose a word" });
  const stage = el("div", { class: "aw-stage" }, arcs, row);
  const summary = el("p", { class: "cw-summary", "aria-live": "polite" });
  const [weights, paths] = [table(), table("aw-steps")];
  const result = el("p", { class: "aw-output" });
  const controls = el("div", { class: "cw-controls" }, view, architecture, mask, scale, sentence);
  root.append(controls, stage, summary, weights, paths, result);
  arrowKeys(row);
  row.addEventListener("click", (event) => {
    const cell = event.target.closest(".aw-word");
    if (cell) set({ selected: [...row.children].indexOf(cell) });
  });

  function showWords(words, selected, notes) {
    const make = (i) =>
      el(
        "span",
        { class: "aw-word" },
        el("button", { type: "button", "data-word": i }),
        el("span", { class: "aw-note", "aria-hidden": "true" }),
      );
    children(row, words.length, make).forEach((cell, i) => {
      const [button, note] = cell.children;
      button.textContent = words[i];
      button.setAttribute("aria-pressed", i === selected);
      button.tabIndex = i === selected ? 0 : -1;
      note.textContent = notes[i].text;
      cell.style.setProperty("--w", notes[i].weight);
      cell.classList.toggle("aw-out", notes[i].out);
    });
  }

  /** Arcs above the sentence where it fits on one line; on a narrow page bars below the words take over. */
  function showLinks(links, height) {
    const cells = [...row.children];
    const wrapped = () => cells.at(-1).offsetTop > cells[0].offsetTop + 2;
    stage.className = "aw-stage";
    stage.style.setProperty("--height", `${height}px`);
    if (wrapped()) stage.classList.add("aw-tight");
    if (wrapped()) stage.classList.replace("aw-tight", "aw-wrapped");
    const middle = cells.map((cell) => cell.offsetLeft + cell.offsetWidth / 2);
    const widest = Math.max(1, ...links.map(({ from, to }) => Math.abs(middle[from] - middle[to])));
    const curves = children(arcs, links.length, () => svg("path"));
    links.forEach(({ from, to, weight, rise }, i) => {
      const side = 5 * Math.sign(to - from); // an arrow lands beside the middle, where the next one leaves
      const [x1, x2] = weight === undefined ? [middle[from] + side, middle[to] - side] : [middle[from], middle[to]];
      const shape =
        from === to
          ? arc(x1 - 8, x2 + 8, height, 22)
          : arc(x1, x2, height, rise ?? height * Math.sqrt(Math.abs(x1 - x2) / widest));
      curves[i].setAttribute("d", weight === undefined ? `${shape}M${x2 - 4} ${height - 7}l4 7 4-7` : shape);
      curves[i].style.setProperty("--w", weight ?? 0);
    });
  }

  return function update() {
    const sentences = model.get("sentences");
    const index = model.get("sentence") < sentences.length ? model.get("sentence") : 0;
    const shown = sentences[index];
    const selected = model.get("selected") < shown.words.length ? model.get("selected") : 0;
    const settings = { scale: model.get("scale"), mask: model.get("mask") };
    const steps = model.get("view") === "steps";
    const drawn = steps
      ? stepsView(shown, selected, model.get("architecture"))
      : weightsView(shown, selected, settings);

    view.show(model.get("view"));
    architecture.show(model.get("architecture"));
    mask.show(settings.mask);
    scale.show(settings.scale, `divide by √${shown.queries[0].length}`);
    sentence.show(
      index,
      sentences.map(({ words }) => words.join(" ")),
    );
    sentence.hidden = sentences.length < 2;
    mask.hidden = scale.hidden = steps;
    architecture.hidden = !steps;
    root.dataset.view = model.get("view");

    showWords(shown.words, selected, drawn.notes);
    showLinks(drawn.links, HEIGHT[model.get("view")]);
    if (summary.textContent !== drawn.summary) summary.textContent = drawn.summary;
    weights.hidden = steps;
    paths.hidden = !steps;
    (steps ? paths : weights).show(drawn.caption, drawn.headers, drawn.rows);
    weights.querySelectorAll(".cw-bar span").forEach((cell, s) => cell.setAttribute("data-weight", s));
    result.textContent = drawn.output ?? "";
    result.hidden = !drawn.output;
  };
}

const TRAITS = ["sentences", "sentence", "selected", "view", "scale", "mask", "architecture"];
export default courseWidget("attention-widget", "What each word attends to", TRAITS, build);
