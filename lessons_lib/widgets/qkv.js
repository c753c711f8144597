// Attention one step at a time: embeddings, Q K V, QKᵀ, scale, softmax, ·V. The browser computes every number.

import { arrowKeys, children, choice, courseWidget, dropdown, el, format } from "./shared.js";

/** The product of two matrices, each a list of rows. */
export function product(left, right) {
  return left.map((row) => right[0].map((_, c) => row.reduce((sum, number, i) => sum + number * right[i][c], 0)));
}

/** Rows become columns. */
export function transposed(matrix) {
  return matrix[0].map((_, c) => matrix.map((row) => row[c]));
}

/** The softmax of each row. */
export function softmaxRows(scores) {
  return scores.map((row) => {
    const powers = row.map((score) => Math.exp(score - Math.max(...row)));
    const total = powers.reduce((sum, power) => sum + power, 0);
    return powers.map((power) => power / total);
  });
}

/** All that happens between the embeddings X (T, D) and the output (T, d_value); the matrices stand as in X · W. */
export function forward(x, { query, key, value }) {
  const [q, k, v] = [query, key, value].map((matrix) => product(x, matrix));
  const scores = product(q, transposed(k));
  const scaled = scores.map((row) => row.map((score) => score / Math.sqrt(q[0].length)));
  const weights = softmaxRows(scaled);
  return { x, q, k, v, scores, scaled, weights, output: product(weights, v) };
}

const STEPS = [
  ["embeddings", "X", "embeddings"],
  ["project", "Q, K, V", "queries, keys and values"],
  ["scores", "QKᵀ", "scores"],
  ["scale", "÷ √d_head", "scaled scores"],
  ["softmax", "softmax", "attention weights"],
  ["output", "· V", "output"],
];
const PARTS = [
  ["query", "Queries"],
  ["key", "Keys"],
  ["value", "Values"],
];
const LETTER = { query: "Q", key: "K", value: "V" };
const PURPOSE = { query: "what it looks for", key: "what it is found by", value: "what it hands over when found" };

const signed = (number) => (number < 0 ? `(${format(number)})` : format(number));
const sum = (left, right) => left.map((number, i) => `${signed(number)} × ${signed(right[i])}`).join(" + ");

/** What a step shows: matrices in the order in which they are read, the line that explains it, and its arithmetic. */
function view({ words, embeddings }, matrices, valueNames, step, part) {
  const all = forward(embeddings, matrices);
  const [T, D, dHead, dValue] = [words.length, embeddings[0].length, matrices.query[0].length, matrices.value[0].length];
  const numbered = (letter, count) => Array.from({ length: count }, (_, i) => `${letter}${i + 1}`);
  const names = valueNames.length ? valueNames : numbered("v", dValue);
  const [x, q] = [numbered("x", D), numbered("q", dHead)];
  const matrix = (name, numbers, rows, columns, more) => ({ name, numbers, rows, columns, ...more });
  const X = matrix("X", embeddings, words, x);
  const S = matrix("S", all.scores, words, words);
  const A = matrix("A", all.weights, words, words, { heat: true });
  const V = matrix("V", all.v, words, names);
  const quoted = (r) => `'${words[r]}'`;
  const dot = (left, right, r, c) => `${sum(left[r], transposed(right)[c])} = ${format(product(left, right)[r][c])}`;
  switch (step) {
    case "project": {
      const letter = LETTER[part];
      const columns = part === "value" ? names : numbered(letter.toLowerCase(), dHead);
      const weight = matrix(`W_${letter}`, matrices[part], x, columns);
      const result = matrix(letter, all[letter.toLowerCase()], words, columns);
      return {
        terms: [X, weight, result],
        between: ["·", "="],
        used: (r, c) => [(i) => i === r, (_, j) => j === c],
        explain:
          `A learned matrix makes a ${part} of each word, ${PURPOSE[part]}: ` +
          `X (${T} × ${D}) · W_${letter} (${D} × ${columns.length}) = ${letter} (${T} × ${columns.length}).`,
        compute: (r, c) => `${columns[c]} of ${quoted(r)}: ${dot(embeddings, matrices[part], r, c)}`,
      };
    }
    case "scores":
      return {
        terms: [matrix("Q", all.q, words, q), matrix("Kᵀ", transposed(all.k), numbered("k", dHead), words), S],
        between: ["·", "="],
        used: (r, c) => [(i) => i === r, (_, j) => j === c],
        explain:
          `Each query meets each key in a dot product: Q (${T} × ${dHead}) · Kᵀ (${dHead} × ${T}) = ` +
          `the scores S (${T} × ${T}), a row for each word that looks, a column for each that is looked at.`,
        compute: (r, c) => `Score of ${quoted(r)} for ${quoted(c)}: ${dot(all.q, transposed(all.k), r, c)}`,
      };
    case "scale":
      return {
        terms: [S, matrix("S′", all.scaled, words, words)],
        between: [`÷ √${dHead} =`],
        used: (r, c) => [(i, j) => i === r && j === c],
        explain:
          `Every score is divided by √${dHead} = ${format(Math.sqrt(dHead))}, the root of the width of a query, ` +
          `so that wide queries do not make large scores. The shape stays ${T} × ${T}.`,
        compute: (r, c) =>
          `${quoted(r)} for ${quoted(c)}: ${format(all.scores[r][c])} ÷ ${format(Math.sqrt(dHead))} = ` +
          format(all.scaled[r][c]),
      };
    case "softmax":
      return {
        terms: [matrix("S′", all.scaled, words, words), A],
        between: ["softmax →"],
        used: (r) => [(i) => i === r],
        explain:
          "Each row becomes weights: e to the power of each number, divided by the sum of these in its row. " +
          `A is ${T} × ${T}, and every row sums to 1.`,
        compute: (r, c) =>
          `Weight of ${quoted(c)} for ${quoted(r)}: e^${signed(all.scaled[r][c])} ÷ ` +
          `(${all.scaled[r].map((score) => `e^${signed(score)}`).join(" + ")}) = ${format(all.weights[r][c])}`,
      };
    case "output":
      return {
        terms: [A, V, matrix("O", all.output, words, names)],
        between: ["·", "="],
        used: (r, c) => [(i) => i === r, (_, j) => j === c],
        explain:
          `Each word takes home the values, mixed by its weights: A (${T} × ${T}) · V (${T} × ${dValue}) = ` +
          `the output O (${T} × ${dValue}).`,
        compute: (r, c) => {
          const largest = all.output[r].indexOf(Math.max(...all.output[r]));
          return (
            `${names[c]} of ${quoted(r)}: ${dot(all.weights, all.v, r, c)}. ` +
            `The largest output of ${quoted(r)} is ${names[largest]}.`
          );
        },
      };
    default:
      return {
        terms: [X],
        between: [],
        used: () => [],
        explain: `Each word owns a row of ${D} learned numbers, its embedding: X is ${T} × ${D}, words × width.`,
        compute: (r, c) => `Number ${c + 1} of the ${D} that stand for ${quoted(r)}: ${format(embeddings[r][c])}`,
      };
  }
}

/** One matrix with the names of its rows and columns. The cells of a result are buttons; `show` fills it. */
function matrixTable() {
  const [name, head, body] = [el("caption"), el("tr"), el("tbody")];
  const operator = el("span", { class: "qw-operator" });
  const scroll = el("div", { class: "qw-matrix" }, el("table", {}, name, el("thead", {}, head), body));
  const node = el("div", { class: "qw-term" }, operator, scroll);
  node.show = ({ name: letter, numbers, rows, columns, heat }, before, isUsed, chosen) => {
    operator.textContent = before ?? "";
    operator.hidden = !before;
    operator.classList.toggle("qw-words", before?.length > 1); // on a narrow page it takes a line of its own
    const shape = `${numbers.length} × ${columns.length}`;
    name.textContent = `${letter}, ${shape}`;
    const header = (c) => (c ? el("th", { scope: "col" }, el("span")) : el("td", {}, el("span")));
    children(head, columns.length + 1, header).forEach(
      (cell, c) => (cell.firstChild.textContent = c ? columns[c - 1] : ""),
    );
    children(body, rows.length, () => el("tr")).forEach((row, r) => {
      const make = (c) => (c ? el("td", {}) : el("th", { scope: "row" }, el("span")));
      children(row, columns.length + 1, make).forEach((cell, c) => {
        if (!c) return (cell.firstChild.textContent = rows[r]);
        const number = numbers[r][c - 1];
        if (!cell.firstChild || (cell.firstChild.tagName === "BUTTON") !== Boolean(chosen))
          cell.replaceChildren(chosen ? el("button", { type: "button" }) : el("span"));
        const inner = cell.firstChild;
        inner.textContent = format(number);
        cell.classList.toggle("qw-used", isUsed(r, c - 1));
        cell.style.setProperty("--w", heat ? number : 0);
        if (!chosen) return;
        const here = r === chosen.row && c - 1 === chosen.column;
        inner.setAttribute("aria-label", `${letter}: ${rows[r]}, ${columns[c - 1]}: ${format(number)}`);
        inner.setAttribute("aria-pressed", here);
        inner.dataset.cell = `${r},${c - 1}`;
        inner.tabIndex = here ? 0 : -1;
      });
    });
    scroll.classList.toggle("qw-result", Boolean(chosen));
    scroll.classList.toggle("qw-square", rows === columns || columns.length > 4);
  };
  return node;
}

function build(root, model, set) {
  const sentence = dropdown("Sentence", (index) => set({ sentence: index }));
  const part = choice("Matrix", PARTS, (value) => set({ part: value }));
  const row = el("div", { class: "qw-steps", role: "group", "aria-label": "Steps of attention" });
  const [back, next] = [-1, 1].map((by) => el("button", { type: "button", class: "qw-go", "data-go": by }));
  back.textContent = "← Back";
  next.textContent = "Next →";
  const flow = el("div", { class: "qw-flow" });
  const [explain, arithmetic] = [el("p", { class: "cw-summary" }), el("p", { class: "qw-arithmetic" })];
  const said = el("div", { "aria-live": "polite" }, explain, arithmetic);
  const controls = el("div", { class: "cw-controls" }, back, next, part, sentence);
  root.append(row, controls, said, flow);

  const at = () => STEPS.findIndex(([name]) => name === model.get("step"));
  const go = (to) => STEPS[to] && to !== at() && set({ step: STEPS[to][0] });
  const choose = (event) => {
    const button = event.target.closest("button");
    if (button) go([...row.children].indexOf(button));
  };
  arrowKeys(row);
  row.addEventListener("focusin", choose); // the arrows go to a step, they do not only point at it
  row.addEventListener("click", choose);
  controls.addEventListener("click", (event) => {
    const button = event.target.closest("[data-go]");
    if (button) go(at() + Number(button.dataset.go));
  });

  const place = (button) => button.dataset.cell.split(",").map(Number);
  const pick = (event) => {
    const button = event.target.closest("[data-cell]");
    if (!button) return;
    const [r, c] = place(button);
    if (r !== model.get("row") || c !== model.get("column")) set({ row: r, column: c });
  };
  flow.addEventListener("click", pick);
  flow.addEventListener("focusin", pick);
  flow.addEventListener("keydown", (event) => {
    const move = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    if (!move || !event.target.dataset.cell || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const [r, c] = place(event.target);
    flow.querySelector(`[data-cell="${r + move[0]},${c + move[1]}"]`)?.focus();
  });

  return function update() {
    const sentences = model.get("sentences");
    const index = model.get("sentence") < sentences.length ? model.get("sentence") : 0;
    const [step, shownPart] = [model.get("step"), model.get("part")];
    const shown = view(sentences[index], model.get("matrices"), model.get("value_names"), step, shownPart);
    const result = shown.terms.at(-1);
    const chosen = {
      row: Math.min(model.get("row"), result.rows.length - 1),
      column: Math.min(model.get("column"), result.columns.length - 1),
    };

    children(row, STEPS.length, () => el("button", { type: "button" })).forEach((button, i) => {
      const [name, label, long] = STEPS[i];
      button.textContent = label;
      button.setAttribute("aria-label", `Step ${i + 1}: ${long}`);
      button.setAttribute("data-step", name);
      if (name === step) button.setAttribute("aria-current", "step");
      else button.removeAttribute("aria-current");
      button.tabIndex = name === step ? 0 : -1;
    });
    back.setAttribute("aria-disabled", at() === 0);
    next.setAttribute("aria-disabled", at() === STEPS.length - 1);
    part.show(shownPart);
    part.hidden = step !== "project";
    sentence.show(
      index,
      sentences.map(({ words }) => words.join(" ")),
    );
    sentence.hidden = sentences.length < 2;

    const used = shown.used(chosen.row, chosen.column);
    children(flow, shown.terms.length, matrixTable).forEach((node, i) => {
      const last = i === shown.terms.length - 1;
      node.show(shown.terms[i], shown.between[i - 1], (!last && used[i]) || (() => false), last ? chosen : null);
    });
    const texts = [`Step ${at() + 1} of ${STEPS.length}. ${shown.explain}`, shown.compute(chosen.row, chosen.column)];
    [explain, arithmetic].forEach((node, i) => node.textContent !== texts[i] && (node.textContent = texts[i]));
  };
}

const TRAITS = ["sentences", "matrices", "value_names", "sentence", "step", "part", "row", "column"];
export default courseWidget("qkv-widget", "Attention step by step", TRAITS, build);
