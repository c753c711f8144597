// Pick a head of a trained translator. The weights are the model's; what depends on the choice is computed here.

import { across, arrowKeys, children, choice, courseWidget, down, dropdown, el, format, keyboardReaches, svg, table } from "./shared.js";
import { drawSmallMap } from "./small_map.js";

/** The mean over heads: (H, T, S) → (T, S). */
export function meanOverHeads(heads) {
  return heads[0].map((row, t) => row.map((_, s) => heads.reduce((sum, head) => sum + head[t][s], 0) / heads.length));
}

/** Mean weight on the word `offset` places further, over the rows that have one there: −1 is the word before. */
export function shareAt(weights, offset) {
  const rows = weights.map((row, t) => row[t + offset]).filter((weight) => weight !== undefined);
  return rows.length ? rows.reduce((sum, weight) => sum + weight, 0) / rows.length : 0;
}

/** Over how many words a row is spread: exp(entropy) of the row, divided by its sum. */
export function spread(row) {
  const total = row.reduce((sum, weight) => sum + weight, 0);
  if (total <= 0) return 0;
  const parts = row.map((weight) => weight / total);
  return Math.exp(parts.reduce((sum, part) => (part > 0 ? sum - part * Math.log(part) : sum), 0));
}

/** The indices of the `count` largest weights of a row, the largest first; equal ones in their order. */
export function largest(row, count) {
  return row
    .map((_, s) => s)
    .sort((a, b) => row[b] - row[a] || a - b)
    .slice(0, count);
}

const KINDS = { encoder: "Encoder", decoder: "Decoder", cross: "Cross" };
const EXPLAINED = {
  encoder: "English words look at English words.",
  decoder: "The French word just written looks at those before it, and at itself.",
  cross: "About to write a French word, the decoder looks at the English ones.",
};
const nameOf = (layer, head) => `layer ${layer + 1}, ${head < 0 ? "mean of the heads" : `head ${head + 1}`}`;

/** What taking a head out does to BLEU: 1.24 lost → "−1.2", −0.24 lost → "+0.2". */
export function change(lost) {
  const text = format(Math.abs(lost), 1);
  return text === "0.0" ? text : `${lost > 0 ? "−" : "+"}${text}`;
}

/** The (T, S) map of a head, or of the mean of a layer's heads for head −1. */
function mapOf({ weights }, layer, head) {
  return head < 0 ? meanOverHeads(weights[layer]) : weights[layer][head];
}

function summaryOf(shown, weights, row, kind, layer, head) {
  const word = shown.rows[row];
  const top = largest(weights[row], 3).filter((s) => weights[row][s] >= 0.005);
  const named = top.map((s) => `'${shown.columns[s]}' (${format(weights[row][s])})`).join(", then ");
  const count = format(spread(weights[row]), 1);
  const verb = kind === "cross" ? "Before it writes" : "At";
  const who = head < 0 ? "the mean of the heads" : "this head";
  return (
    `${KINDS[kind]}, ${nameOf(layer, head)}. ${verb} '${word}', ${who} looks most at ${named || "nothing"}; ` +
    `spread over ${count} ${count === "1.0" ? "word" : "words"}.`
  );
}

function build(root, model, set) {
  const kinds = Object.keys(KINDS).filter((kind) => model.get("sentences")[0][kind]);
  const kind = choice(
    "Kind of attention",
    kinds.map((one) => [one, KINDS[one]]),
    (value) => choose({ kind: value }),
  );
  const sentence = dropdown("Sentence", (index) => choose({ sentence: index }));
  const controls = el("div", { class: "cw-controls" }, kind, sentence);
  const explained = el("p", { class: "hw-note" });
  const picker = el("div", { class: "hw-picker", role: "group", "aria-label": "Choose a head" });
  const head = el("tr");
  const body = el("tbody");
  const map = el("table", { class: "hw-map" }, el("thead", {}, head), body);
  const heading = el("p", { class: "hw-note" });
  const scroll = el("div", { class: "hw-scroll" }, map);
  const summary = el("p", { class: "cw-summary", "aria-live": "polite" });
  const [weightsTable, factsTable] = [table("hw-weights"), table("hw-facts")];
  root.append(controls, explained, picker, heading, scroll, summary, el("div", { class: "hw-tables" }, weightsTable, factsTable));

  arrowKeys(picker, () => {
    const row = state().heads + 1; // the mean is a button, too
    return { ...across(), ArrowUp: -row, ArrowDown: row };
  });
  arrowKeys(body, () => ({ ...across(), ...down() }));
  picker.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button) set({ layer: Number(button.dataset.layer), head: Number(button.dataset.head) });
  });
  body.addEventListener("click", (event) => {
    const row = event.target.closest("tr");
    if (row) set({ selected: [...body.children].indexOf(row) });
  });

  /** Another kind or sentence may have fewer layers, heads or rows: all of it changes in one step. */
  function choose(change) {
    const to = { ...state(), ...change };
    const shown = model.get("sentences")[to.sentence][to.kind];
    set({
      ...change,
      layer: Math.min(to.layer, shown.weights.length - 1),
      head: Math.min(to.head, shown.weights[0].length - 1),
      selected: Math.min(to.selected, shown.rows.length - 1),
    });
  }

  /** What is chosen, kept inside what there is. */
  function state() {
    const sentences = model.get("sentences");
    const index = Math.min(model.get("sentence"), sentences.length - 1);
    const chosen = kinds.includes(model.get("kind")) ? model.get("kind") : kinds[0];
    const shown = sentences[index][chosen];
    return {
      kind: chosen,
      sentence: index,
      layer: Math.min(model.get("layer"), shown.weights.length - 1),
      head: Math.min(model.get("head"), shown.weights[0].length - 1),
      selected: Math.min(model.get("selected"), shown.rows.length - 1),
      heads: shown.weights[0].length,
    };
  }

  /** One button a head, and one for the mean, with its map in small and what is lost without it. */
  function showPicker(shown, chosen, lost) {
    const heads = shown.weights[0].length;
    const count = shown.weights.length * (heads + 1);
    picker.style.setProperty("--columns", heads + 1);
    const make = () =>
      el("button", { type: "button" }, svg("svg", { "aria-hidden": "true" }), el("span"), el("span", { class: "hw-lost" }));
    children(picker, count, make).forEach((button, i) => {
      const layer = Math.floor(i / (heads + 1));
      const at = (i % (heads + 1)) + 1 > heads ? -1 : i % (heads + 1);
      const here = layer === chosen.layer && at === chosen.head;
      const cost = at >= 0 && lost ? lost[layer][at] : undefined;
      const [image, name, note] = button.children;
      button.dataset.layer = layer;
      button.dataset.head = at;
      button.setAttribute("aria-pressed", here);
      button.setAttribute(
        "aria-label",
        nameOf(layer, at) + (cost === undefined ? "" : `, ${format(cost, 1)} BLEU lost without it`),
      );
      if (!picker.contains(document.activeElement)) button.tabIndex = here ? 0 : -1;
      name.textContent = at < 0 ? `${layer + 1}: mean` : `${layer + 1}.${at + 1}`;
      note.textContent = cost === undefined ? " " : change(cost);
      drawSmallMap(image, mapOf(shown, layer, at));
    });
  }

  function showMap(shown, weights, selected, title) {
    heading.textContent = title;
    map.setAttribute("aria-label", title);
    const corner = el("td", { "aria-hidden": "true" });
    if (!head.firstElementChild) head.append(corner);
    children(head, shown.columns.length + 1, () => el("th", { scope: "col" }, el("span"))).forEach((cell, s) => {
      if (s) cell.firstElementChild.textContent = shown.columns[s - 1];
    });
    children(body, shown.rows.length, () => el("tr")).forEach((row, t) => {
      const make = (i) => (i ? el("td") : el("th", { scope: "row" }, el("button", { type: "button" })));
      row.className = t === selected ? "hw-chosen" : "";
      children(row, shown.columns.length + 1, make).forEach((cell, s) => {
        if (s) {
          const weight = weights[t][s - 1];
          cell.style.setProperty("--w", weight);
          cell.title = `${shown.rows[t]} → ${shown.columns[s - 1]}: ${format(weight)}`;
          cell.textContent = weight >= 0.1 ? `.${Math.min(Math.round(weight * 100), 99)}` : "";
          return;
        }
        const button = cell.firstElementChild;
        button.textContent = shown.rows[t];
        button.dataset.row = t;
        button.setAttribute("aria-pressed", t === selected);
        if (!body.contains(document.activeElement)) button.tabIndex = t === selected ? 0 : -1;
      });
    });
    keyboardReaches(scroll);
  }

  function factRows({ kind: chosen, layer, head: at }, weights, lost) {
    const rows = model
      .get("facts")
      .filter((fact) => fact.kind === chosen && at >= 0)
      .map(({ text, values, baseline }) => ({
        cells: [text, format(values[layer][at]), baseline === null ? "" : format(baseline)],
      }));
    if (at >= 0 && lost) rows.unshift({ class: "hw-key", cells: ["BLEU lost without it", format(lost[layer][at], 1), ""] });
    if (chosen !== "cross") {
      const places = chosen === "encoder" ? [-1, 0, 1] : [-1, 0];
      const names = { "-1": "word before", 0: "word itself", 1: "next word" };
      for (const offset of places)
        rows.push({ cells: [`this sentence, ${names[offset]}`, format(shareAt(weights, offset)), ""] });
    }
    return rows;
  }

  return function update() {
    const chosen = state();
    const sentences = model.get("sentences");
    const shown = sentences[chosen.sentence][chosen.kind];
    const lost = model.get("lost")[chosen.kind];
    const weights = mapOf(shown, chosen.layer, chosen.head);
    kind.show(chosen.kind);
    kind.hidden = kinds.length < 2;
    sentence.show(
      chosen.sentence,
      sentences.map(({ title }) => title),
    );
    sentence.hidden = sentences.length < 2;
    explained.textContent = `${EXPLAINED[chosen.kind]} One small map a head${lost ? ", below it what BLEU loses without it" : ""}.`;
    showPicker(shown, chosen, lost);
    const title = `${KINDS[chosen.kind]}, ${nameOf(chosen.layer, chosen.head)}: a row is a word that looks`;
    showMap(shown, weights, chosen.selected, title);
    const text = summaryOf(shown, weights, chosen.selected, chosen.kind, chosen.layer, chosen.head);
    if (summary.textContent !== text) summary.textContent = text;
    const row = weights[chosen.selected];
    weightsTable.show(
      `'${shown.rows[chosen.selected]}' looks at`,
      ["word", { text: "weight", class: "cw-bar" }],
      largest(row, 5).map((s) => ({ cells: [shown.columns[s], { text: format(row[s], 3), bar: row[s] }] })),
    );
    const facts = factRows(chosen, weights, lost);
    factsTable.hidden = !facts.length;
    factsTable.show("Measured", ["", "this head", "baseline"], facts);
  };
}

const TRAITS = ["sentences", "facts", "lost", "kind", "layer", "head", "sentence", "selected"];
export default courseWidget("heads-widget", "What each head looks at", TRAITS, build);
