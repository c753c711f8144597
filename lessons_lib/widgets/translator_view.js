import { arrowKeys, children, choice, dropdown, el, format, keyboardReaches, table } from "./shared.js";
import { isUnseen, largestFirst } from "./translator_words.js";

// The parts of the live translator that one sees, and how each is drawn. It keeps no state.

const SEARCHES = [["1", "greedy"], ["2", "2 beams"], ["4", "4 beams"], ["8", "8 beams"]]; // prettier-ignore
const UNITS = [["words", "words"], ["pieces", "pieces"]]; // prettier-ignore

/** The parts; `act` has a function for each thing that the reader can do. */
export function viewOf(root, act) {
  const box = el("textarea", { rows: 2, spellcheck: "false", autocapitalize: "off", "aria-label": "English sentence" });
  const go = el("button", { type: "submit", class: "tw-go" });
  const example = dropdown("Example", act.example);
  const method = choice("Search", SEARCHES, (value) => act.beam(Number(value)));
  const models = dropdown("Model", act.model);
  const knows = el("p", { class: "tw-knows" });
  const form = el("form", {}, el("div", { class: "cw-controls" }, models), knows, box, el("div", { class: "cw-controls" }, go, example, method));
  const bar = el("progress", { max: 1, "aria-label": "Loading the weights" });
  const message = el("p", { class: "tw-message", role: "status", "aria-live": "polite" });
  const name = (text) => el("p", { class: "tw-name" }, text);
  const english = el("ol", { class: "tw-words", "aria-label": "English" });
  const hint = "French: choose a word to see where it looked";
  const french = el("div", { class: "tw-words", role: "group", "aria-label": hint });
  const stage = el("div", { class: "tw-stage" }, name("English; </s> is its end"), english, name(hint), french);
  const layers = el("div");
  const head = dropdown("Head", (index) => act.head(index - 1));
  const unit = choice("Unit", UNITS, act.unit);
  const summary = el("p", { class: "cw-summary", "aria-live": "polite" });
  const [weightsTable, nextTable, beamTable] = [table(), table(), table("tw-beams")];
  const tables = el("div", { class: "tw-tables" }, weightsTable, nextTable);
  const controls = el("div", { class: "cw-controls" }, layers, head, unit);
  const looked = el("div", {}, controls, summary, tables, beamTable);
  const foot = el("p", { class: "tw-foot" });
  const file = el("input", { type: "file" });
  root.append(form, bar, message, stage, looked, foot, el("label", { class: "tw-file" }, "Your own model: ", file));
  bar.hidden = true;

  arrowKeys(french);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    act.go();
  });
  box.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    act.go();
  });
  file.addEventListener("change", () => {
    if (file.files[0]) act.file(file.files[0]);
    file.value = ""; // the same file may be chosen again
  });
  french.addEventListener("click", ({ target }) => {
    const button = target.closest("button");
    if (button) act.select(Number(button.dataset.at));
  });

  const write = (node, text) => {
    if (node.textContent !== text) node.textContent = text; // a screen reader says again what is written again
  };
  return {
    box, go, example, method, stage, looked, foot, head, unit, tables, beamTable,
    say: (text) => write(message, text),

    models(names, chosen) {
      models.show(chosen, names);
      models.hidden = names.length < 2;
    },

    knows(text) {
      write(knows, text);
      knows.hidden = !text;
    },

    summarise: (text) => write(summary, text),

    /** A bar while the weights come; undefined: nobody knows how much is to come. */
    progress(share) {
      bar.hidden = share === null;
      if (share === undefined || share === null) bar.removeAttribute("value");
      else bar.value = share;
    },

    french(rows, selected) {
      children(french, rows.length, () => el("button", { type: "button" })).forEach((button, t) => {
        button.textContent = rows[t];
        button.dataset.at = t;
        button.setAttribute("aria-pressed", t === selected);
        if (!french.contains(document.activeElement)) button.tabIndex = t === Math.max(selected, 0) ? 0 : -1;
      });
    },

    english({ columns, words = [] }, weights, unseen) {
      children(english, columns.length, () => el("li", {}, el("span"), el("small"))).forEach((item, s) => {
        const [word, note] = item.children;
        word.textContent = columns[s];
        item.className = isUnseen(words[s], unseen) ? "tw-unseen" : "";
        item.style.setProperty("--w", weights ? weights[s] : 0);
        note.textContent = weights ? format(weights[s]).replace(/^0/, "") : " ";
      });
      keyboardReaches(english);
    },

    layers(count, chosen) {
      if (layers.dataset.count !== String(count)) {
        const options = Array.from({ length: count }, (_, i) => [String(i), `layer ${i + 1}`]);
        layers.replaceChildren(choice("Layer", options, (value) => act.layer(Number(value))));
        layers.dataset.count = count;
      }
      layers.firstElementChild.show(String(chosen));
    },

    /** Row `at` of a map, and the likeliest tokens at that step. */
    row({ rows, columns, weights, steps }, at, { target, records }) {
      weightsTable.show(
        `'${rows[at]}' looked at`,
        ["English", { text: "weight", class: "cw-bar" }],
        largestFirst(weights[at], 5).map((s) => ({
          cells: [columns[s], { text: format(weights[at][s], 3), bar: weights[at][s] }],
        })),
      );
      const before = target.pieces.slice(0, steps[at]).join("").replaceAll("▁", " ").trim();
      nextTable.show(
        before ? `After '${before.slice(-24)}' it held likely` : "For a beginning it held likely",
        ["next piece", { text: "probability", class: "cw-bar" }],
        records[steps[at]].next.map(({ piece, probability }) => ({
          class: piece === target.pieces[steps[at]] ? "tw-taken" : "",
          cells: [piece, { text: format(probability, 3), bar: probability }],
        })),
      );
    },

    beams(ended) {
      beamTable.hidden = ended.length < 2;
      beamTable.show(
        "What the beams ended with",
        ["translation", "log-probability", "by length"],
        ended.map((one) => ({ cells: [one.text, format(one.score, 3), format(one.normalised, 3)] })),
      );
    },
  };
}
