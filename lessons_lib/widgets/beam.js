// Beam search on a tree of a model's log-probabilities, step by step. The whole search is computed here.

import { arrowKeys, children, choice, courseWidget, dropdown, el, format, svg, table } from "./shared.js";

/** The log-probability over ((5 + length) / 6)^α, so that long sentences can win (Wu et al. 2016, equation 14). */
export function normalised(logProbability, length, penalty) {
  return logProbability / ((5 + length) / 6) ** penalty;
}

/**
 * All steps of a search with `width` beams and the length penalty α. A tree is {nodes, end, limit}, a node the list of
 * its most probable children, [piece, log-probability, node]. Each step has its `candidates`, the best 2 · width
 * extensions of all beams with their fate, and the `beams` and the `finished` translations after it.
 */
export function search(tree, width, penalty) {
  const steps = [];
  const finished = [];
  let beams = [{ node: 0, pieces: [], total: 0 }];
  for (let length = 1; length <= tree.limit; length++) {
    const last = length === tree.limit;
    const candidates = beams
      .flatMap((beam, parent) =>
        (tree.nodes[beam.node] ?? []).map(([piece, log, node]) => ({
          parent,
          piece,
          log,
          node,
          pieces: [...beam.pieces, piece],
          total: beam.total + log,
          ends: piece === tree.end,
        })),
      )
      .sort((a, b) => b.total - a.total)
      .slice(0, 2 * width);
    const open = candidates.filter((candidate) => !candidate.ends);
    candidates.forEach((candidate, rank) => {
      const over = candidate.ends || last;
      candidate.score = normalised(candidate.total, length, penalty);
      candidate.fate = (over ? rank : open.indexOf(candidate)) >= width ? "pruned" : over ? "ended" : "kept";
    });
    finished.push(...candidates.filter(({ fate }) => fate === "ended"));
    const best = Math.max(...finished.map(({ score }) => score));
    // To stop as soon as `width` have ended is not enough: a beginning that is ahead of them may still win.
    const stop = last || !open.length || (finished.length >= width && open[0].score <= best);
    beams = candidates.filter(({ fate }) => fate === "kept");
    steps.push({ candidates, beams, finished: [...finished], stop });
    if (stop) break;
  }
  const ranking = [...finished].sort((a, b) => b.score - a.score).slice(0, width);
  return { steps, ranking };
}

/** The text of some pieces: ▁ is a space, and </s> is left out. */
export function textOf(tree, pieces) {
  const shown = pieces.filter((piece) => piece !== tree.end).map((piece) => tree.pieces[piece]);
  return shown.join("").replaceAll("▁", " ").trim();
}

/**
 * The levels of the tree after `step` steps, from the root: of each step the candidates that were kept or have ended,
 * in the order of their parents. `state` is "winner", "ended", "alive", or "pruned" for what led nowhere.
 */
export function levels({ steps, ranking }, step) {
  const all = [[{ pieces: [], total: 0, at: 0, parent: null, state: "alive" }]];
  let parents = all[0];
  for (const { candidates } of steps.slice(0, step)) {
    const drawn = candidates
      .filter(({ fate }) => fate !== "pruned")
      .map((c) => ({ ...c, parent: parents[c.parent], state: "pruned" }));
    drawn.sort((a, b) => a.parent.at - b.parent.at);
    drawn.forEach((node, at) => (node.at = at));
    all.push(drawn);
    // The next step counts its parents in the order of their rank.
    parents = candidates.filter(({ fate }) => fate === "kept").map((c) => drawn.find(({ pieces }) => pieces === c.pieces));
  }
  const over = step > 0 && steps[Math.min(step, steps.length) - 1].stop;
  const mark = (node, state) => {
    for (let at = node; at; at = at.parent) at.state = state;
  };
  const ended = all.flat().filter(({ fate }) => fate === "ended");
  ended.forEach((node) => mark(node, "ended"));
  if (!over) parents.forEach((node) => mark(node, "alive"));
  else ended.filter(({ pieces }) => pieces === ranking[0].pieces).forEach((node) => mark(node, "winner"));
  return all;
}

const WIDTHS = [1, 2, 3, 4, 5].map((n) => [`${n}`, n === 1 ? "1 (greedy)" : `${n}`]);
const PENALTIES = [0, 0.6, 1, 2].map((alpha) => [`${alpha}`, `${alpha}`]);
const BUTTONS = [
  ["Start", () => 0],
  ["Back", (step) => step - 1],
  ["Step", (step) => step + 1],
  ["End", (step, last) => last],
];
const FATES = { kept: "kept", ended: "ended", pruned: "pruned" };
const quoted = (text) => `'${text || "nothing yet"}'`;
/** The last words of a text. */
const tail = (text) => {
  const words = text.split(" ");
  return words.length > 4 ? `… ${words.slice(-4).join(" ")}` : text;
};
const listed = (texts) => texts.map(quoted).join(", ");

function summaryOf(tree, { steps, ranking }, step, width, greedy) {
  const beams = `${width} beam${width === 1 ? "" : "s"}`;
  if (!step) return `${beams}, nothing written yet. The search will take ${steps.length} steps.`;
  const { candidates, beams: kept, finished, stop } = steps[step - 1];
  const text = ({ pieces }) => textOf(tree, pieces);
  const now = candidates.filter(({ fate }) => fate === "ended");
  const said = [`Step ${step} of ${steps.length}, ${beams}`];
  if (now.length) said.push(`${now.length === 1 ? "Ended" : "Ended together"}: ${listed(now.map(text))}`);
  if (!stop) {
    said.push(`Kept: ${listed(kept.map(text))}`);
    if (finished.length >= width)
      said.push("The best beginning is still ahead of all that have ended, so the search goes on");
    return `${said.join(". ")}.`;
  }
  const [best] = ranking;
  said.push(`The search stops. Best: ${quoted(text(best))}, log-probability ${format(best.total)}`);
  if (width > 1)
    said.push(
      greedy.pieces.join() === best.pieces.join()
        ? "Greedy search finds the same"
        : `Greedy search would write ${quoted(text(greedy))}, log-probability ${format(greedy.total)}`,
    );
  return `${said.join(". ")}.`;
}

function build(root, model, set) {
  const sentence = dropdown("Sentence", (index) => restart({ sentence: index }));
  const width = choice("Beams", WIDTHS, (value) => restart({ width: Number(value) }));
  const penalty = choice("Length penalty α", PENALTIES, (value) => set({ length_penalty: Number(value) }));
  const named = (text, control) => el("span", { class: "bt-named" }, el("span", { "aria-hidden": "true" }, text), control);
  const buttons = BUTTONS.map(([text]) => el("button", { type: "button" }, text));
  const bar = el("div", { class: "bt-buttons", role: "group", "aria-label": "Steps of the search" }, ...buttons);
  const choices = [named("Beams", width), named("Length penalty α", penalty)];
  const controls = el("div", { class: "cw-controls" }, sentence, ...choices, bar);
  const edges = svg("svg", { preserveAspectRatio: "none", "aria-hidden": "true" });
  const nodes = el("div", { class: "bt-nodes" });
  const inner = el("div", { class: "bt-inner" }, edges, nodes);
  const tree = el("div", { class: "bt-tree", role: "group", "aria-label": "The tree of beginnings" }, inner);
  const summary = el("p", { class: "cw-summary", "aria-live": "polite" });
  const chosen = el("p", { class: "bt-chosen", "aria-live": "polite" });
  const [candidates, ranking] = [table("bt-candidates"), table("bt-ranking")];
  root.append(controls, summary, tree, chosen, candidates, ranking);

  let selected = null; // the pieces of the chosen beginning
  let shown = []; // the nodes that are drawn, in the order of their buttons
  arrowKeys(nodes);
  buttons.forEach((button, i) =>
    button.addEventListener("click", () => {
      const { step, found } = state();
      const next = Math.max(0, Math.min(BUTTONS[i][1](step, found.steps.length), found.steps.length));
      if (next !== model.get("step")) set({ step: next });
    }),
  );
  nodes.addEventListener("click", (event) => {
    const at = [...nodes.children].indexOf(event.target.closest("button"));
    if (at < 0) return;
    selected = selected?.join() === shown[at].pieces.join() ? null : shown[at].pieces;
    update();
  });

  /** Another search: the same number of steps of it, or all of them if the last one was over. */
  function restart(change) {
    const { step, found } = state();
    selected = null;
    const over = step > 0 && step === found.steps.length;
    set({ ...change, step: over ? 1000 : step });
  }

  function state() {
    const data = model.get("sentences")[Math.min(model.get("sentence"), model.get("sentences").length - 1)];
    const found = search(data, model.get("width"), model.get("length_penalty"));
    return { data, found, step: Math.min(model.get("step"), found.steps.length) };
  }

  function showTree(data, found, step) {
    const all = levels(found, step);
    const most = Math.max(...all.map((level) => level.length));
    const x = (node, level) => ((node.at + 0.5) / level.length) * 100;
    inner.style.setProperty("--levels", all.length);
    inner.style.setProperty("--most", most);
    edges.setAttribute("viewBox", `0 0 100 ${all.length}`);
    shown = all.flat();
    const onPath = ({ pieces }) => selected && pieces.every((piece, i) => piece === selected[i]);
    const lines = all
      .map((level, depth) => level.map((node) => [node, depth && x(node.parent, all[depth - 1]), x(node, level), depth]))
      .slice(1)
      .flat();
    children(edges, lines.length, () => svg("path", {})).forEach((path, i) => {
      const [node, from, to, depth] = lines[i];
      path.setAttribute("d", `M${from} ${depth - 0.6}C${from} ${depth - 0.2} ${to} ${depth - 0.3} ${to} ${depth + 0.1}`);
      path.setAttribute("class", `bt-${node.state}${onPath(node) ? " bt-path" : ""}`);
    });
    const places = all.flatMap((level, depth) => level.map((node) => [node, x(node, level), depth, level.length]));
    const make = () => el("button", { type: "button" }, el("span"), el("span"));
    children(nodes, places.length, make).forEach((button, i) => {
      const [node, left, depth, count] = places[i];
      const piece = depth ? data.pieces[node.piece] : "<s>";
      const total = format(node.total);
      button.style.setProperty("--x", `${left}%`);
      button.style.setProperty("--y", depth);
      button.style.setProperty("--room", `${100 / count}%`);
      button.className = `bt-${node.state}${node.fate === "ended" ? " bt-end" : ""}`;
      button.firstElementChild.textContent = piece;
      button.lastElementChild.textContent = depth ? total : "";
      const text = textOf(data, node.pieces);
      const kept = { alive: "in a beam", pruned: "given up" }[node.state] ?? "on the way to an end";
      const fate = node.fate === "ended" ? "ended" : kept;
      const label = `step ${depth}, ${piece}: ${quoted(text)}, log-probability ${total}, ${fate}`;
      button.setAttribute("aria-label", depth ? label : "the start");
      button.setAttribute("aria-pressed", selected !== null && node.pieces.join() === selected.join());
      button.title = depth ? `${text} (${total})` : "the start";
      button.tabIndex = -1;
    });
    const focus = [...nodes.children].find((button) => button === document.activeElement) ?? nodes.lastElementChild;
    focus.tabIndex = 0;
    tree.scrollTop = tree.scrollHeight;
  }

  function showChosen(data, penaltyNow) {
    const node = selected && shown.find(({ pieces }) => pieces.join() === selected.join());
    chosen.hidden = !node;
    if (!node) return;
    const length = node.pieces.length;
    const next = length ? node.node : 0;
    const score = format(normalised(node.total, length, penaltyNow));
    const numbers = `log-probability ${format(node.total)}, normalised ${score}`;
    const said = [length ? `${quoted(textOf(data, node.pieces))}: ${numbers}.` : "The start."];
    if (node.fate === "ended") said.push("It has ended.");
    else if (next >= 0) {
      const probable = data.nodes[next].slice(0, 4);
      const listed = probable.map(([piece, log]) => `${data.pieces[piece]} ${format(Math.exp(log), 3)}`);
      said.push(`Next, says the model: ${listed.join(", ")}.`);
    }
    chosen.textContent = said.join(" ");
  }

  function update() {
    const { data, found, step } = state();
    const [widthNow, penaltyNow] = [model.get("width"), model.get("length_penalty")];
    const greedy = search(data, 1, penaltyNow).ranking[0];
    sentence.show(
      model.get("sentence"),
      model.get("sentences").map(({ source }) => source),
    );
    width.show(`${widthNow}`);
    penalty.show(`${penaltyNow}`);
    buttons.forEach((button, i) => button.setAttribute("aria-disabled", i < 2 ? step === 0 : step === found.steps.length));
    showTree(data, found, step);
    const said = summaryOf(data, found, step, widthNow, greedy);
    if (summary.textContent !== said) summary.textContent = said;
    showChosen(data, penaltyNow);
    const now = step ? found.steps[step - 1] : null;
    candidates.hidden = !now;
    ranking.hidden = !now?.finished.length;
    if (!now) return;
    candidates.show(
      `Step ${step}: the ${now.candidates.length} best extensions of all beams`,
      ["beginning", "next", "log P", "fate"],
      now.candidates.map((c) => ({
        class: `bt-row-${c.fate}`,
        cells: [tail(textOf(data, c.pieces.slice(0, -1))) || "<s>", data.pieces[c.piece], format(c.total), FATES[c.fate]],
      })),
    );
    const ranked = [...now.finished].sort((a, b) => b.score - a.score);
    ranking.show(
      `Ended so far, by log P / ((5 + length) / 6)^${penaltyNow}`,
      ["translation", "pieces", "log P", "score"],
      ranked.map((one, i) => ({
        class: i ? "" : "bt-best",
        cells: [textOf(data, one.pieces), `${one.pieces.length}`, format(one.total), format(one.score, 3)],
      })),
    );
  }
  return update;
}

export default courseWidget("beam-widget", "Beam search, step by step", ["sentences", "sentence", "width", "length_penalty", "step"], build);
