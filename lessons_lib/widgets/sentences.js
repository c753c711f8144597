// Browse what a translator wrote. Scores, differences and where it should have looked are computed here.

import { arrowKeys, children, choice, courseWidget, down, dropdown, el, format } from "./shared.js";

const MAX_ORDER = 4;
const CHARACTERS = 6;
const BETA = 2;

export const wordsOf = (text) => text.split(/\s+/).filter(Boolean);

/** The text split as sacreBLEU's 13a does: punctuation stands alone, case is kept. */
export function split13a(text) {
  const marked = [
    [/<skipped>/g, ""],
    [/-\n/g, ""],
    [/\n/g, " "],
    [/&quot;/g, '"'],
    [/&amp;/g, "&"],
    [/&lt;/g, "<"],
    [/&gt;/g, ">"],
  ].reduce((line, [from, to]) => line.replace(from, to), text.trimEnd());
  return wordsOf(
    ` ${marked} `
      .replace(/([{-~[-` -&(-+:-@/])/gu, " $1 ")
      .replace(/([^0-9])([.,])/gu, "$1 $2 ")
      .replace(/([.,])([^0-9])/gu, " $1 $2")
      .replace(/([0-9])(-)/gu, "$1 $2 "),
  );
}

/** How often each run of `order` items occurs. */
function counts(items, order) {
  const found = new Map();
  for (let i = 0; i + order <= items.length; i++) {
    const run = items.slice(i, i + order).join("\u0000");
    found.set(run, (found.get(run) ?? 0) + 1);
  }
  return found;
}

/** [runs of one, runs of the other, runs that both have, each at most as often as in the other]. */
function overlap(items, others, order) {
  const [mine, theirs] = [counts(items, order), counts(others, order)];
  let matched = 0;
  for (const [run, count] of mine) matched += Math.min(count, theirs.get(run) ?? 0);
  const runs = (list) => Math.max(list.length - order + 1, 0);
  return [runs(items), runs(others), matched];
}

/** BLEU of one sentence, 0 to 100, as sacreBLEU's sentence_bleu: orders that it is too short for are left out. */
export function sentenceBleu(hypothesis, reference) {
  const [words, wanted] = [split13a(hypothesis), split13a(reference)];
  let [logs, orders, smooth, any] = [0, 0, 1, false];
  for (let order = 1; order <= MAX_ORDER; order++) {
    const [total, , matched] = overlap(words, wanted, order);
    if (total === 0) break;
    orders = order;
    any ||= matched > 0;
    if (matched === 0) smooth *= 2;
    logs += Math.log((matched || 1 / smooth) / total);
  }
  if (!any) return 0;
  const penalty = words.length >= wanted.length ? 1 : Math.exp(1 - wanted.length / words.length);
  return 100 * penalty * Math.exp(logs / orders);
}

/** chrF of one sentence, 0 to 100, as sacreBLEU's sentence_chrf: runs of 1 to 6 characters, recall counts double. */
export function sentenceChrf(hypothesis, reference) {
  const [mine, wanted] = [hypothesis, reference].map((text) => [...text.replace(/\s+/gu, "")]);
  let [precision, recall, orders] = [0, 0, 0];
  for (let order = 1; order <= CHARACTERS; order++) {
    const [found, due, matched] = overlap(mine, wanted, order);
    if (found === 0 || due === 0) continue;
    precision += matched / found;
    recall += matched / due;
    orders += 1;
  }
  if (precision + recall === 0) return 0;
  const weight = BETA ** 2;
  return (100 * (1 + weight) * (precision / orders) * (recall / orders)) / ((weight * precision + recall) / orders);
}

/** For each word the reference word that it is, or −1: one longest common subsequence of the two. */
export function matchWords(words, reference) {
  const best = Array.from({ length: words.length + 1 }, () => new Array(reference.length + 1).fill(0));
  for (let i = words.length - 1; i >= 0; i--)
    for (let j = reference.length - 1; j >= 0; j--)
      best[i][j] = words[i] === reference[j] ? best[i + 1][j + 1] + 1 : Math.max(best[i + 1][j], best[i][j + 1]);
  const found = words.map(() => -1);
  for (let [i, j] = [0, 0]; i < words.length && j < reference.length; ) {
    if (words[i] === reference[j]) found[i++] = j++;
    else if (best[i + 1][j] >= best[i][j + 1]) i++;
    else j++;
  }
  return found;
}

/**
 * For each word the reference word in whose place it stands, or −1: the same word, or, where as many words stand for as
 * many others between two that are the same, the one at the same place among them.
 */
export function placesOf(match, length) {
  const places = [...match];
  let [start, from] = [0, 0]; // of a gap, in the translation and in the reference
  for (let i = 0; i <= match.length; i++) {
    const place = i < match.length ? match[i] : length;
    if (place < 0) continue;
    if (i - start === place - from) for (let k = 0; start + k < i; k++) places[start + k] = from + k;
    [start, from] = [i + 1, place + 1];
  }
  return places;
}

/** Links from a line of the Pharaoh format, "0-0 1?2": [[source word, sure, target word], …]. */
export function readLinks(line) {
  return [...line.matchAll(/(\d+)([-?])(\d+)/g)].map(([, source, mark, target]) => [Number(source), mark === "-", Number(target)]);
}

/** Weights in percent from lines such as "3 97 0". */
export const readWeights = (lines) => lines.map((line) => line.split(" ").map(Number));

/** The source words that a word should have looked at: [[word, sure], …], known where it is a word of the reference. */
export function goldFor(place, links) {
  return links.filter(([, , target]) => target === place).map(([source, sure]) => [source, sure]);
}

const SYSTEMS = { greedy: "Greedy", beam: "Beam" };
const SORTS = {
  given: "as in the test",
  worst: "worst first",
  best: "best first",
  gain: "most gained by the beam",
  loss: "most lost by the beam",
};
const fold = (text) =>
  text
    .normalize("NFD")
    .replace(/\p{M}/gu, "")
    .toLowerCase();

/** Every sentence with its weights and links as numbers, and its four scores. */
function scored(sentences) {
  return sentences.map((one) => ({
    ...one,
    links: readLinks(one.links),
    attention: Object.fromEntries(Object.entries(one.attention).map(([name, lines]) => [name, readWeights(lines)])),
    bleu: { greedy: sentenceBleu(one.greedy, one.reference), beam: sentenceBleu(one.beam, one.reference) },
    chrf: { greedy: sentenceChrf(one.greedy, one.reference), beam: sentenceChrf(one.beam, one.reference) },
  }));
}

/** The indices of the sentences to be listed, in order. */
export function listed(all, { split, tag, sort, score, search, system }) {
  const wanted = fold(search.trim());
  const shown = all
    .map((_, i) => i)
    .filter((i) => !split || all[i].split === split)
    .filter((i) => !tag || all[i].tags[system].includes(tag))
    .filter((i) => !wanted || ["source", "reference", "greedy", "beam"].some((k) => fold(all[i][k]).includes(wanted)));
  const [value, gain] = [(i) => all[i][score][system], (i) => all[i][score].beam - all[i][score].greedy];
  const key = { worst: value, best: (i) => -value(i), gain: (i) => -gain(i), loss: gain }[sort];
  return key ? shown.sort((a, b) => key(a) - key(b) || a - b) : shown;
}

function build(root, model, set) {
  let [known, all, order, seen] = [null, [], [], ""];
  const pick = (label, trait, values, texts) => {
    const node = dropdown(label, (index) => narrow({ [trait]: values()[index] }));
    node.update = () => node.show(Math.max(values().indexOf(model.get(trait)), 0), texts());
    return node;
  };
  const splits = () => ["", ...new Set(all.map((one) => one.split).filter(Boolean))];
  const tags = () => ["", ...new Set(all.flatMap((one) => one.tags[model.get("system")]))].sort();
  const split = pick("Test", "split", splits, () => splits().map((name) => name.replaceAll("_", " ") || "all"));
  const tag = pick("Error", "tag", tags, () => tags().map((name) => name || "any, or none"));
  const sort = pick("Order", "sort", () => Object.keys(SORTS), () => Object.values(SORTS));
  const system = choice("Search of", Object.entries(SYSTEMS), (value) => set({ system: value, ...kept(value) }));
  const score = choice("Score", [["bleu", "BLEU"], ["chrf", "chrF"]], (value) => set({ score: value }));
  const field = el("input", { type: "search", placeholder: "a word" });
  field.addEventListener("input", () => narrow({ search: field.value }));
  const search = el("label", { class: "cw-select sb-search" }, "Find", field);
  const controls = el("div", { class: "cw-controls" }, system, score, split, tag, sort, search);
  const status = el("p", { class: "sb-status", "aria-live": "polite" });
  const list = el("div", { class: "sb-list", role: "group", "aria-label": "Sentences" });
  const rows = Object.fromEntries(
    ["source", "reference", "greedy", "beam"].map((name) => [name, el("div", { class: "sb-words", role: "group" })]),
  );
  const lines = Object.entries(rows).map(([name, words]) => {
    const scores = el("span", { class: "sb-scores" });
    words.scores = scores;
    return el("div", { class: `sb-line sb-${name}` }, el("span", { class: "sb-name" }, SYSTEMS[name] ?? name), words, scores);
  });
  const summary = el("p", { class: "cw-summary", "aria-live": "polite" });
  const legend = el("p", { class: "sb-legend" });
  const key = (name, text) => el("span", {}, el("b", { class: `sb-key ${name}`, "aria-hidden": "true" }, "word"), ` ${text}`);
  legend.append(
    key("sb-off", "not in the reference"),
    key("sb-lost", "of the reference, not written"),
    key("sb-gold", "the gold link"),
    key("sb-heat", "looked at"),
  );
  root.append(controls, status, list, el("div", { class: "sb-lines" }, ...lines), summary, legend);

  arrowKeys(list, down);
  list.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button) set({ sentence: Number(button.dataset.sentence), selected: 0 });
  });
  for (const name of Object.keys(SYSTEMS)) {
    arrowKeys(rows[name]);
    rows[name].addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (button) set({ system: name, selected: Number(button.dataset.word), ...tagKept(name) });
    });
  }

  const settings = () =>
    Object.fromEntries(["split", "tag", "sort", "score", "search", "system"].map((name) => [name, model.get(name)]));

  /** Another filter or order: the sentence that is shown stays if it is still in the list, else the first one comes. */
  function narrow(change) {
    const left = listed(all, { ...settings(), ...change });
    const stays = left.includes(model.get("sentence")) || !left.length;
    set({ ...change, ...(stays ? {} : { sentence: left[0], selected: 0 }) });
  }

  /** Another search may have written fewer words, and may have no error of the kind that is chosen. */
  function kept(name) {
    const count = wordsOf(all[model.get("sentence")][name]).length;
    return { selected: Math.max(Math.min(model.get("selected"), count - 1), 0), ...tagKept(name) };
  }
  const tagKept = (name) =>
    all.some((one) => one.tags[name].includes(model.get("tag"))) || !model.get("tag") ? {} : { tag: "" };

  function showList(chosen, by, which) {
    const make = () => el("button", { type: "button" }, el("span", { class: "sb-score" }), el("span"), el("span", { class: "sb-tags" }));
    children(list, order.length, make).forEach((button, place) => {
      const one = all[order[place]];
      const [number, text, kinds] = button.children;
      const here = order[place] === chosen;
      button.dataset.sentence = order[place];
      button.setAttribute("aria-pressed", here);
      if (!list.contains(document.activeElement)) button.tabIndex = here || (place === 0 && !order.includes(chosen)) ? 0 : -1;
      number.textContent = format(one[by][which], 0);
      number.style.setProperty("--w", one[by][which] / 100);
      text.textContent = one.source;
      kinds.textContent = one.tags[which].join(", ");
    });
    const now = `${chosen} of ${order}`;
    const shown = list.querySelector("[aria-pressed=true]");
    if (shown && seen !== now) list.scrollTop = Math.min(list.scrollTop, shown.offsetTop); // what is chosen can be seen
    if (shown && seen !== now)
      list.scrollTop = Math.max(list.scrollTop, shown.offsetTop + shown.offsetHeight - list.clientHeight);
    seen = now;
    const mean = (name) => format(order.reduce((sum, i) => sum + all[i][by][name], 0) / order.length, 1);
    const title = { bleu: "BLEU", chrf: "chrF" }[by];
    const text = order.length
      ? `${order.length} of ${all.length} sentences. Mean ${title} of a sentence: ${mean("greedy")} greedy, ${mean("beam")} beam.`
      : `None of the ${all.length} sentences is like that.`;
    if (status.textContent !== text) status.textContent = text;
  }

  function showWords(row, words, tagName, change) {
    children(row, words.length, () => el(tagName, tagName === "button" ? { type: "button" } : {})).forEach((node, i) => {
      node.textContent = words[i];
      change(node, i);
    });
  }

  function showSentence(one, which, selected) {
    const words = Object.fromEntries(Object.keys(rows).map((name) => [name, wordsOf(one[name])]));
    const match = Object.fromEntries(Object.keys(SYSTEMS).map((name) => [name, matchWords(words[name], words.reference)]));
    const table = one.attention[which] ?? (one.greedy === one.beam ? one.attention.greedy : undefined) ?? [];
    const weights = table[selected];
    const place = placesOf(match[which], words.reference.length)[selected] ?? -1;
    const gold = place < 0 ? [] : goldFor(place, one.links);
    showWords(rows.source, words.source, "span", (node, s) => {
      const link = gold.find(([source]) => source === s);
      node.style.setProperty("--w", (weights?.[s] ?? 0) / 100);
      node.className = link ? (link[1] ? "sb-gold" : "sb-gold sb-possible") : "";
      node.dataset.weight = weights?.[s] ?? "";
    });
    showWords(rows.reference, words.reference, "span", (node, t) => {
      node.className = match[which].includes(t) ? "" : "sb-lost";
    });
    for (const name of Object.keys(SYSTEMS)) {
      const chosen = name === which;
      rows[name].setAttribute("aria-label", `${SYSTEMS[name]}: choose a word to see where it looked`);
      rows[name].parentElement.classList.toggle("sb-current", chosen);
      showWords(rows[name], words[name], "button", (node, t) => {
        const off = match[name][t] < 0;
        node.dataset.word = t;
        node.className = off ? "sb-off" : "";
        node.setAttribute("aria-pressed", chosen && t === selected);
        node.setAttribute("aria-label", off ? `${words[name][t]}, not in the reference` : words[name][t]);
        if (!rows[name].contains(document.activeElement)) node.tabIndex = t === (chosen ? selected : 0) ? 0 : -1;
      });
      rows[name].scores.textContent = `BLEU ${format(one.bleu[name], 1)}, chrF ${format(one.chrf[name], 1)}`;
    }
    const text = sentenceSummary(one, words, which, selected, weights, place, gold);
    if (summary.textContent !== text) summary.textContent = text;
  }

  function sentenceSummary(one, words, which, selected, weights, place, gold) {
    if (!words[which].length) return `${SYSTEMS[which]} wrote nothing.`;
    const word = `'${words[which][selected]}'`;
    const errors = one.tags[which].length ? ` Errors: ${one.tags[which].join(", ")}.` : "";
    const due = place < 0 ? "no word" : `'${words.reference[place]}'`;
    const whether = due === word ? "" : ` The reference has ${due} in its place.`;
    if (!weights) return `${SYSTEMS[which]} wrote ${word}; what it looked at is not known.${whether}${errors}`;
    const top = weights
      .map((weight, s) => [weight, s])
      .sort((a, b) => b[0] - a[0] || a[1] - b[1])
      .slice(0, 3)
      .filter(([weight]) => weight > 0);
    const looked = top.map(([weight, s]) => `'${words.source[s]}' (${weight} %)`).join(", then ");
    const linked = gold.map(([s, sure]) => `'${words.source[s]}'${sure ? "" : " (possible)"}`).join(" and ");
    const right = gold.length
      ? ` Gold: ${linked}. ${gold.some(([s]) => s === top[0]?.[1]) ? "That is where it looked most." : "It looked elsewhere."}`
      : "";
    return `Before ${word}, ${which === "beam" ? "the beam" : "greedy search"} looked most at ${looked || "no word"}.${whether}${right}${errors}`;
  }

  return function update() {
    if (known !== model.get("sentences")) {
      known = model.get("sentences");
      all = scored(known);
    }
    const now = settings();
    order = listed(all, now);
    const chosen = Math.min(model.get("sentence"), all.length - 1);
    const count = wordsOf(all[chosen][now.system]).length;
    for (const node of [split, tag, sort]) node.update();
    split.hidden = splits().length < 3;
    tag.hidden = tags().length < 2;
    search.hidden = all.length < 2;
    system.show(now.system);
    score.show(now.score);
    if (field.value !== now.search) field.value = now.search;
    showList(chosen, now.score, now.system);
    showSentence(all[chosen], now.system, Math.max(Math.min(model.get("selected"), count - 1), 0));
  };
}

const TRAITS = ["sentences", "sentence", "system", "selected", "split", "tag", "sort", "score", "search"];
export default courseWidget("sentence-browser", "Translations of the test sets", TRAITS, build);
