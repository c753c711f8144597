// How a Transformer is told the order: the sinusoidal pattern, similarity by distance, words that change places.

import { arrowKeys, children, choice, courseWidget, el, format, svg, table, toggle } from "./shared.js";

/** The angular speed of dimension i: sine and cosine of a pair, 2i and 2i + 1, share one. Also RoPE's, by pair. */
export function speed(dimension, width) {
  return 10000 ** (-2 * Math.floor(dimension / 2) / width);
}

/** PE[t, i]: even dimensions are sines, odd ones cosines (Vaswani et al. 2017, section 3.5). */
export function sinusoid(position, dimension, width) {
  const angle = position * speed(dimension, width);
  return dimension % 2 ? Math.cos(angle) : Math.sin(angle);
}

/** The row of the table that belongs to one position. */
export function sinusoidal(position, width) {
  return Array.from({ length: width }, (_, i) => sinusoid(position, i, width));
}

/** RoPE: dimensions i and i + d_head/2 turn together, by the position times the speed of pair i (Su et al. 2021). */
export function rotate(vector, position) {
  const half = vector.length / 2;
  return vector.map((number, i) => {
    const angle = position * speed(2 * (i % half), vector.length);
    const partner = i < half ? -vector[i + half] : vector[i - half];
    return number * Math.cos(angle) + partner * Math.sin(angle);
  });
}

export function dot(a, b) {
  return a.reduce((sum, number, i) => sum + number * b[i], 0);
}

const cosine = (a, b) => dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));

/** How alike two positions are, −1 to 1: the rows of the table, and the query and key that RoPE has turned. */
export function similarity(t, s, width, query, key) {
  return {
    sinusoidal: cosine(sinusoidal(t, width), sinusoidal(s, width)),
    rope: cosine(rotate(query, t), rotate(key, s)),
  };
}

export function softmax(scores) {
  const top = Math.max(...scores);
  const powers = scores.map((score) => Math.exp(score - top));
  const total = powers.reduce((sum, power) => sum + power, 0);
  return powers.map((power) => power / total);
}

/** Mean 0, variance 1: the layer norm in front of the head; its two vectors are part of the head's matrices. */
function normalise(vector, epsilon = 1e-5) {
  const mean = vector.reduce((sum, number) => sum + number, 0) / vector.length;
  const variance = vector.reduce((sum, number) => sum + (number - mean) ** 2, 0) / vector.length;
  return vector.map((number) => (number - mean) / Math.sqrt(variance + epsilon));
}

/** Attention weights of word `t` over all words of one head. `order[p]` is the word that stands at position p; the
    result is by word, not by position. */
export function headWeights(head, order, t, withPositions) {
  const width = head.embeddings[0].length;
  const project = (matrix, bias, x) => matrix.map((row, i) => dot(row, x) + bias[i]);
  const inputs = order.map((word, p) => {
    const place = withPositions ? sinusoidal(p, width) : null;
    return normalise(head.embeddings[word].map((number, i) => number + (place ? place[i] : 0)));
  });
  const query = project(head.query, head.query_bias, inputs[order.indexOf(t)]);
  const keys = inputs.map((input) => project(head.key, head.key_bias, input));
  const weights = softmax(keys.map((key) => dot(query, key) / Math.sqrt(query.length)));
  return order.map((_, word) => weights[order.indexOf(word)]);
}

/** 0, 1, 2 … with the two given words exchanged. */
export function exchanged(length, [a, b]) {
  return Array.from({ length }, (_, i) => (i === a ? b : i === b ? a : i));
}

const VIEWS = [
  ["pattern", "Pattern"],
  ["similarity", "Similarity"],
  ["words", "Words swapped"],
];
const CHART = { width: 640, height: 150 };

function slider(label, choose) {
  const input = el("input", { type: "range", min: 0, step: 1 });
  const value = el("output", {});
  const node = el("label", { class: "pw-slider" }, label, input, value);
  input.addEventListener("input", () => choose(Number(input.value)));
  node.show = (number, min, max, text = `${number}`.replace("-", "−")) => {
    input.min = min;
    input.max = max;
    input.value = number;
    value.textContent = text;
  };
  return node;
}

/** A diverging scale that colour-blind readers can tell apart: blue is −1, grey is 0, orange is 1. */
function colour(value) {
  const [from, to, share] = value < 0 ? [[230, 230, 230], [20, 85, 160], -value] : [[230, 230, 230], [200, 90, 0], value];
  return from.map((part, i) => Math.round(part + (to[i] - part) * share));
}

function heatMap(choose) {
  const canvas = el("canvas", { "aria-hidden": "true" });
  const [row, column] = [el("i", { class: "pw-row" }), el("i", { class: "pw-column" })];
  const node = el("div", { class: "pw-map" }, canvas, row, column);
  let [length, width] = [1, 1];
  const pick = (event) => {
    const box = canvas.getBoundingClientRect();
    const part = (at, from, size, count) => Math.min(count - 1, Math.max(0, Math.floor(((at - from) / size) * count)));
    choose(part(event.clientX, box.left, box.width, length), part(event.clientY, box.top, box.height, width));
  };
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    pick(event);
  });
  canvas.addEventListener("pointermove", (event) => event.buttons && pick(event));
  node.show = (newLength, newWidth, position, dimension) => {
    if (canvas.width !== newLength || canvas.height !== newWidth || !canvas.dataset.drawn) {
      [length, width] = [newLength, newWidth];
      Object.assign(canvas, { width, height: width });
      canvas.width = length;
      const pixels = canvas.getContext("2d").createImageData(length, width);
      for (let i = 0; i < width; i++)
        for (let t = 0; t < length; t++)
          pixels.data.set([...colour(sinusoid(t, i, width)), 255], 4 * (i * length + t));
      canvas.getContext("2d").putImageData(pixels, 0, 0);
      canvas.dataset.drawn = "yes";
    }
    const percent = (index, count) => `${(100 * index) / count}%`;
    row.style.top = percent(dimension, width);
    row.style.height = percent(1, width);
    column.style.left = percent(position, length);
    column.style.width = percent(1, length);
  };
  return node;
}

/** Curves over the positions, all between −1 and 1, with a mark at one position and a dot on each curve. */
function chart() {
  const drawing = svg("svg", { viewBox: `0 0 ${CHART.width} ${CHART.height}`, "aria-hidden": "true", preserveAspectRatio: "none" });
  const node = el("div", { class: "pw-chart" }, drawing);
  node.show = (curves, marks) => {
    const length = curves[0].values.length;
    const x = (t) => ((t + 0.5) / length) * CHART.width;
    const y = (value) => CHART.height / 2 - value * (CHART.height / 2 - 8);
    const line = (name, x1, y1, x2, y2) => svg("line", { class: name, x1, y1, x2, y2 });
    drawing.replaceChildren(
      line("pw-zero", 0, y(0), CHART.width, y(0)),
      ...marks.map(({ at, name }) => line(name, x(at), 0, x(at), CHART.height)),
      ...curves.map(({ name, values }) =>
        svg("polyline", { class: name, points: values.map((value, t) => `${x(t).toFixed(1)},${y(value).toFixed(1)}`).join(" ") }),
      ),
    );
  };
  return node;
}

const legend = (...names) => el("p", { class: "pw-legend" }, ...names.map(([name, text]) => el("span", { class: name }, text)));
const signed = (number) => (number > 0 ? `+${number}` : `${number}`.replace("-", "−"));

function build(root, model, set) {
  const view = choice("View", VIEWS, (value) => set({ view: value }));
  const position = slider("position", (value) => set({ position: value }));
  const dimension = slider("dimension", (value) => set({ dimension: value }));
  const distance = slider("distance", (value) => set({ distance: value }));
  const positions = toggle((on) => set({ with_positions: on }));
  const map = heatMap((t, i) => set({ position: t, dimension: i }));
  const wave = chart();
  const summary = el("p", { class: "cw-summary", "aria-live": "polite" });
  const numbers = table("pw-numbers");
  const axis = el("p", { class: "pw-axis" });
  const names = legend(["pw-sinusoidal", "sinusoidal: PE(t) · PE(s)"], ["pw-rope", "RoPE: turned query · turned key"]);
  const row = el("div", { class: "cw-words pw-words", role: "group", "aria-label": "Sentence: choose a word" });
  arrowKeys(row);
  row.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button) set({ selected: [...row.children].indexOf(button) });
  });
  root.append(el("div", { class: "cw-controls" }, view, position, dimension, distance, positions), map, wave, axis, names, row, summary, numbers);

  const say = (text) => {
    if (summary.textContent !== text) summary.textContent = text;
  };

  function showPattern(length, width, t, i) {
    position.show(t, 0, length - 1);
    dimension.show(i, 0, width - 1);
    map.show(length, width, t, i);
    wave.show(
      [{ name: "pw-sinusoidal", values: Array.from({ length }, (_, s) => sinusoid(s, i, width)) }],
      [{ at: t, name: "pw-mark" }],
    );
    axis.textContent = `position 0 to ${length - 1} → Above: a line for each of the ${width} dimensions, from −1 (blue) to 1 (orange). Below: the chosen one.`;
    const name = i % 2 ? "cos" : "sin";
    const repeats = (2 * Math.PI) / speed(i, width);
    say(
      `Dimension ${i} at position ${t}: ${name}(${format(t * speed(i, width))}) = ${format(sinusoid(t, i, width), 3)}. ` +
        `This dimension repeats every ${format(repeats, 1)} positions.`,
    );
    const shown = [...new Set([0, 1, 2, 3, i - (i % 2), i - (i % 2) + 1, width - 2, width - 1])].filter((n) => n < width);
    numbers.show(
      `Position ${t}, some of its ${width} numbers`,
      ["dimension", "speed", "repeats every", "value"],
      shown
        .sort((a, b) => a - b)
        .map((n) => ({
          class: n === i ? "pw-chosen" : "",
          cells: [`${n}, ${n % 2 ? "cosine" : "sine"}`, format(speed(n, width), 4), format((2 * Math.PI) / speed(n, width), 1), format(sinusoid(t, n, width), 4)],
        })),
    );
  }

  function showSimilarity(length, width, t, k, query, key) {
    const at = (s) => similarity(t, s, width, query, key);
    position.show(t, 0, length - 1);
    distance.show(k, -t, length - 1 - t, signed(k));
    const all = Array.from({ length }, (_, s) => at(s));
    wave.show(
      [
        { name: "pw-rope", values: all.map(({ rope }) => rope) },
        { name: "pw-sinusoidal", values: all.map(({ sinusoidal }) => sinusoidal) },
      ],
      [
        { at: t, name: "pw-mark" },
        { at: t + k, name: "pw-key" },
      ],
    );
    axis.textContent = `position s of the key, 0 to ${length - 1} → Height: similarity from −1 to 1. Upright lines: the query's position t (solid), the key's s (dashed).`;
    const now = all[t + k];
    say(
      `Query at ${t}, key at ${t + k}, distance ${signed(k)}: sinusoidal ${format(now.sinusoidal, 3)}, RoPE ${format(now.rope, 3)}. ` +
        "Move the position: at the same distance both stay as they are.",
    );
    const shown = [...new Set([-8, -4, -2, -1, 0, 1, 2, 4, 8, k])].filter((n) => t + n >= 0 && t + n < length);
    numbers.show(
      `Similarity (cosine) with the position ${t}`,
      ["distance s − t", "sinusoidal", "RoPE"],
      shown
        .sort((a, b) => a - b)
        .map((n) => ({
          class: n === k ? "pw-chosen" : "",
          cells: [signed(n), format(all[t + n].sinusoidal, 4), format(all[t + n].rope, 4)],
        })),
    );
  }

  function showWords(head, selected, on) {
    const { words, swap } = head;
    const orders = [exchanged(words.length, [0, 0]), exchanged(words.length, swap)];
    const texts = orders.map((order) => order.map((word) => words[word]).join(" "));
    const weights = orders.map((order) => headWeights(head, order, selected, on));
    children(row, words.length, () => el("button", { type: "button" })).forEach((button, i) => {
      button.textContent = words[i];
      button.dataset.word = i;
      button.setAttribute("aria-pressed", i === selected);
      button.tabIndex = i === selected ? 0 : -1;
    });
    positions.show(on, "add positions");
    const changes = weights[0].map((weight, i) => Math.abs(weight - weights[1][i]));
    const change = Math.max(...changes);
    const top = weights.map((list) => words[list.indexOf(Math.max(...list))]);
    const same = change < 5e-5;
    say(
      `${on ? "With" : "Without"} positions '${words[selected]}' looks most at '${top[0]}' in “${texts[0]}” and at '${top[1]}' in “${texts[1]}”. ` +
        (same ? "Every weight is the same in both: the head cannot tell them apart." : `The weight of '${words[changes.indexOf(change)]}' changes most, by ${format(change)}.`),
    );
    numbers.show(
      `Attention weights of '${words[selected]}', by word`,
      ["word", { text: texts[0], class: "cw-bar" }, { text: texts[1], class: "cw-bar" }],
      words.map((word, i) => ({
        class: i === selected ? "pw-chosen" : "",
        cells: [word, ...weights.map((list) => ({ text: format(list[i], 3), bar: list[i] }))],
      })),
    );
  }

  return function update() {
    const [length, width] = [model.get("length"), model.get("width")];
    const head = model.get("head");
    const withWords = Object.keys(head).length > 0;
    const name = model.get("view") === "words" && !withWords ? "pattern" : model.get("view");
    const t = Math.min(model.get("position"), length - 1);
    root.dataset.view = name;
    view.show(name);
    view.querySelector("[value=words]").closest("label").hidden = !withWords;
    const only = { pattern: [dimension, map], similarity: [distance, names], words: [positions, row] };
    for (const [owner, nodes] of Object.entries(only)) for (const node of nodes) node.hidden = owner !== name;
    position.hidden = wave.hidden = axis.hidden = name === "words";
    if (name === "pattern") showPattern(length, width, t, Math.min(model.get("dimension"), width - 1));
    else if (name === "similarity") {
      const k = Math.max(-t, Math.min(model.get("distance"), length - 1 - t));
      showSimilarity(length, width, t, k, model.get("query"), model.get("key"));
    } else showWords(head, Math.min(model.get("selected"), head.words.length - 1), model.get("with_positions"));
  };
}

const TRAITS = ["view", "width", "length", "position", "dimension", "distance", "query", "key", "head", "selected", "with_positions"];
export default courseWidget("positions-widget", "How a Transformer is told the order", TRAITS, build);
