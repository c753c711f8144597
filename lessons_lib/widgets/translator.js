// The live translator: it asks an engine in a worker (ENGINE, the files of translator_engine/) and shows what it answers.

import { arrowKeys, children, choice, courseWidget, dropdown, el, format, table } from "./shared.js";

const SITE_FILE = "_static/course-translator.bin"; // what tools/build_book.py puts on the site
const MAX_CHARACTERS = 5000;
const MAX_BYTES = 400e6;
const PACE = 45; // milliseconds between two tokens on the screen; they are computed faster than one can read
const PATIENCE = 20_000; // milliseconds for a kernel to answer
const SEARCHES = [["1", "greedy"], ["2", "2 beams"], ["4", "4 beams"], ["8", "8 beams"]];
const UNITS = [["words", "words"], ["pieces", "pieces"]];

/** The mean over heads of one layer at one step: (H, S) → (S,). */
export function meanOfHeads(heads) {
  return Array.from(heads[0], (_, s) => heads.reduce((sum, head) => sum + head[s], 0) / heads.length);
}

/**
 * Attention between words from attention between pieces, as lessons_lib.translation.alignment.word_weights: a source word
 * gets the sum of its pieces, a target word the mean of its. `of` gives each piece its word; null belongs to none.
 */
export function wordWeights(weights, sourceOf, targetOf, nSource, nTarget) {
  const rows = Array.from({ length: nTarget }, () => new Array(nSource).fill(0));
  const counts = new Array(nTarget).fill(0);
  for (const word of targetOf) if (word !== null) counts[word]++;
  weights.forEach((row, t) => {
    if (targetOf[t] === null) return;
    sourceOf.forEach((word, s) => {
      if (word !== null) rows[targetOf[t]][word] += row[s] / counts[targetOf[t]];
    });
  });
  return rows;
}

/** Names and weights for one unit: {rows, columns, weights}; `steps` gives each row the token that begins it. */
export function mapOf({ source, target, records }, layer, head, unit) {
  const weights = records.map(({ looked }) => (head < 0 ? meanOfHeads(looked[layer]) : Array.from(looked[layer][head])));
  if (unit === "pieces")
    return { rows: target.pieces, columns: source.pieces, weights, steps: target.pieces.map((_, t) => t) };
  const words = wordWeights(weights, source.of, target.of, source.words.length, target.words.length);
  const rest = (row) => Math.max(0, 1 - row.reduce((a, b) => a + b, 0)); // what looks at </s>, so that nothing is hidden
  return {
    rows: target.words,
    columns: [...source.words, "</s>"],
    weights: words.map((row) => [...row, rest(row)]),
    steps: target.words.map((_, word) => target.of.indexOf(word)),
  };
}

/** What is not as the reader may think, a sentence each. */
export function warningsOf(text, { tokens, unseen }, longest) {
  const says = [];
  if (unseen?.length) {
    const named = unseen.slice(0, 8).map(({ unit, seen }) => `‘${unit}’${seen ? ` (but it knows ‘${seen}’)` : ""}`);
    const more = unseen.length > 8 ? `, and ${unseen.length - 8} more` : "";
    says.push(`Never seen in training: ${named.join(", ")}${more}. What it makes of ${unseen.length > 1 ? "them" : "it"} is a guess.`);
  }
  if (tokens > longest)
    says.push(`The text has ${tokens} tokens, but this model reads at most ${longest}: the rest was left out.`);
  if (/[.?!]\s+\S/.test(text)) says.push("It was trained on one sentence at a time, and does best with one.");
  return says;
}

/** An engine: `send` it messages, `hear` gets its answers. Where no worker may start, it runs on the page's own thread. */
function startEngine(hear) {
  const urls = [];
  const address = (text) => {
    urls.push(URL.createObjectURL(new Blob([text], { type: "text/javascript" })));
    return urls.at(-1);
  };
  let [answered, last, here] = [false, null, null];
  const onPage = () => {
    here ??= import(address(ENGINE)).then(({ serve }) => serve(hear));
    if (last) here.then((take) => take(last));
  };
  let worker;
  try {
    worker = new Worker(address(ENGINE.replace(/^export /gm, ""))); // a module may not start on a page without an origin
    worker.onmessage = ({ data }) => {
      answered = true;
      hear(data);
    };
    worker.onerror = (event) => (answered ? hear({ failed: event.message }) : onPage());
  } catch {
    onPage();
  }
  return {
    send(message) {
      last = message;
      if (here) here.then((take) => take(message));
      else worker.postMessage(message);
    },
    close() {
      worker?.terminate();
      urls.forEach((url) => URL.revokeObjectURL(url));
    },
  };
}

/** The weights of the site, `progress(share)` on the way (share is undefined where nobody knows the size). */
async function fetchWeights(address, progress, signal) {
  const response = await fetch(address, { signal });
  if (!response.ok) throw new Error(`${response.status} ${response.statusText}`);
  const total = response.headers.has("content-encoding") ? 0 : Number(response.headers.get("content-length"));
  const [chunks, reader] = [[], response.body.getReader()];
  let size = 0;
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    chunks.push(part.value);
    size += part.value.length;
    progress(total ? size / total : undefined, size);
  }
  return new Blob(chunks).arrayBuffer();
}

/** The weights of the kernel, which answers with bytes. */
function askKernel(model) {
  return new Promise((resolve, reject) => {
    const end = (settle, value) => {
      clearTimeout(timer);
      model.off("msg:custom", take);
      settle(value);
    };
    const take = ({ failed }, [bytes] = []) => {
      if (failed) end(reject, new Error(failed));
      else end(resolve, bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
    };
    const timer = setTimeout(() => end(reject, new Error("no kernel answers; run the cell first")), PATIENCE);
    model.on("msg:custom", take);
    model.send({ ask: "weights" });
  });
}

const closing = new WeakMap(); // the element of a widget -> what to do when it goes

function build(root, model, set) {
  const box = el("textarea", { rows: 2, spellcheck: "false", autocapitalize: "off", "aria-label": "English sentence" });
  box.value = model.get("sentences")[0];
  const example = dropdown("Example", (index) => {
    box.value = model.get("sentences")[index];
    if (about) translate();
  });
  const method = choice("Search", SEARCHES, (value) => {
    set({ beam: Number(value) });
    if (translation) translate();
  });
  const go = el("button", { type: "submit", class: "tw-go" });
  const file = el("input", { type: "file" });
  const own = el("label", { class: "tw-file" }, "Your own model: ", file);
  const form = el("form", {}, box, el("div", { class: "cw-controls" }, go, example, method));
  const bar = el("progress", { max: 1, "aria-label": "Loading the weights" });
  const message = el("p", { class: "tw-message", role: "status", "aria-live": "polite" });
  const english = el("ol", { class: "tw-words", "aria-label": "English" });
  const french = el("div", { class: "tw-words", role: "group", "aria-label": "French: choose a word to see where it looked" });
  const layers = el("div");
  const head = dropdown("Head", (index) => set({ head: index - 1 }));
  const unit = choice("Unit", UNITS, (value) => set({ unit: value, selected: 0 }));
  const summary = el("p", { class: "cw-summary", "aria-live": "polite" });
  const [weightsTable, nextTable, beamTable] = [table(), table(), table("tw-beams")];
  let fresh = false; // a new translation: the summary says all of it
  const name = (text) => el("p", { class: "tw-name" }, text);
  const looked = el(
    "div",
    {},
    el("div", { class: "cw-controls" }, layers, head, unit),
    summary,
    el("div", { class: "tw-tables" }, weightsTable, nextTable),
    beamTable,
  );
  const stage = el("div", { class: "tw-stage" }, name("English; </s> is its end"), english, name("French: choose a word to see where it looked"), french);
  const foot = el("p", { class: "tw-foot" });
  root.append(form, bar, message, stage, looked, foot, own);
  bar.hidden = true;
  arrowKeys(french);

  let engine = null; // started with the first weights
  let about = null; // the model that is ready
  let translation = null; // the one shown
  let loading = false;
  let asked = { id: 0, text: "" };
  let written = []; // beginnings that wait to be shown, then the translation
  let clock = 0;
  const abort = new AbortController();

  const say = (text) => {
    if (message.textContent !== text) message.textContent = text;
  };

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (about) translate();
    else if (!loading) load(site() ? fromSite : () => askKernel(model));
  });
  box.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  });
  file.addEventListener("change", () => {
    const [chosen] = file.files;
    if (chosen && !loading) load(() => fromFile(chosen));
    file.value = ""; // the same file may be chosen again
  });
  french.addEventListener("click", ({ target }) => {
    const button = target.closest("button");
    fresh = false;
    if (button && translation) set({ selected: Number(button.dataset.at) });
  });

  /** The address of the site's weights; a notebook has none. */
  function site() {
    const { content_root } = document.documentElement.dataset; // Sphinx: the way from this page to the site's root
    return content_root === undefined ? null : new URL(content_root + SITE_FILE, document.baseURI).href;
  }

  const fromSite = () =>
    fetchWeights(site(), (share, size) => {
      if (share === undefined) bar.removeAttribute("value");
      else bar.value = share;
      bar.textContent = `${format(size / 1e6, 1)} MB`;
    }, abort.signal);

  async function fromFile(chosen) {
    if (chosen.size > MAX_BYTES) throw new Error(`${chosen.name} has ${format(chosen.size / 1e6, 0)} MB; this page reads 400`);
    return chosen.arrayBuffer();
  }

  async function load(bytes) {
    loading = true;
    bar.hidden = false;
    bar.removeAttribute("value");
    say("Loading the weights …");
    try {
      const buffer = await bytes();
      engine ??= startEngine(hear);
      engine.send({ load: buffer });
    } catch (error) {
      stopLoading(`The weights could not be loaded: ${error.message}. Choose a model file below, or try again.`);
    }
  }

  function stopLoading(text) {
    loading = false;
    bar.hidden = true;
    say(text);
    update();
  }

  function translate() {
    const text = [...box.value].slice(0, MAX_CHARACTERS).join("");
    if (!text.trim()) return say("Type an English sentence first.");
    asked = { id: asked.id + 1, text };
    [translation, written] = [null, []];
    say([...box.value].length > MAX_CHARACTERS ? `Only the first ${MAX_CHARACTERS} characters are read.` : "Translating …");
    engine.send({ translate: { id: asked.id, text, beam: model.get("beam") } });
    update();
  }

  function hear(answer) {
    if (answer.ready) {
      about = answer.ready;
      translation = null;
      stopLoading("Ready.");
      translate();
    } else if (answer.failed) {
      if (answer.id === undefined) stopLoading(answer.failed);
      else if (answer.id === asked.id) say(`The translation failed: ${answer.failed}`);
    } else if (answer.id === asked.id) {
      written.push(answer);
      if (!clock) show();
    }
  }

  /** One more token on the screen; where less motion is asked for, all that there are. */
  function show() {
    clock = 0;
    if (!written.length) return;
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const [shown] = written.splice(0, still ? written.length : Math.ceil(written.length / 24)).slice(-1);
    if (shown.done) finish(shown.done);
    else {
      const words = shown.beginning.split(/\s+/).filter(Boolean);
      showFrench(words, -1);
      clock = setTimeout(show, PACE);
    }
  }

  function finish(done) {
    translation = done;
    const says = warningsOf(asked.text, done, about.longest);
    const pieces = done.target.pieces.length;
    if ([...asked.text].length < [...box.value].length) says.push(`Only the first ${MAX_CHARACTERS} characters were read.`);
    if (!done.target.words.length) says.push("It wrote nothing: its first token was </s>.");
    say(says.join(" "));
    foot.dataset.milliseconds = done.milliseconds / pieces;
    fresh = true;
    set({ selected: 0 });
    update();
  }

  function showFrench(rows, selected) {
    const make = () => el("button", { type: "button" });
    children(french, rows.length, make).forEach((button, t) => {
      button.textContent = rows[t];
      button.dataset.at = t;
      button.setAttribute("aria-pressed", t === selected);
      if (!french.contains(document.activeElement)) button.tabIndex = t === Math.max(selected, 0) ? 0 : -1;
    });
  }

  function showEnglish(columns, weights) {
    const unseen = new Set((translation?.unseen ?? []).map((one) => one.unit));
    const make = () => el("li", {}, el("span"), el("small"));
    children(english, columns.length, make).forEach((item, s) => {
      const [word, note] = item.children;
      word.textContent = columns[s];
      const isNew = columns[s] !== "</s>" && (columns[s].match(/[\p{L}\p{N}]+|[^\s\p{L}\p{N}]/gu) ?? []).some((u) => unseen.has(u));
      item.className = isNew ? "tw-unseen" : "";
      item.style.setProperty("--w", weights ? weights[s] : 0);
      note.textContent = weights ? format(weights[s]).slice(weights[s] < 0.995 ? 1 : 0) : " ";
    });
  }

  function showLayers(count, chosen) {
    if (layers.childElementCount === 0 || layers.dataset.count !== String(count)) {
      const options = Array.from({ length: count }, (_, i) => [String(i), `layer ${i + 1}`]);
      layers.replaceChildren(choice("Layer", options, (value) => set({ layer: Number(value) })));
      layers.dataset.count = count;
    }
    layers.firstElementChild.show(String(chosen));
  }

  function showTables({ rows, columns, weights, steps }, at) {
    const order = [...columns.keys()].sort((a, b) => weights[at][b] - weights[at][a] || a - b).slice(0, 5);
    weightsTable.show(
      `'${rows[at]}' looked at`,
      ["English", { text: "weight", class: "cw-bar" }],
      order.map((s) => ({ cells: [columns[s], { text: format(weights[at][s], 3), bar: weights[at][s] }] })),
    );
    const before = translation.target.pieces.slice(0, steps[at]).join("").replaceAll("▁", " ").trim();
    nextTable.show(
      before ? `After '${before.slice(-24)}' it held likely` : "For a beginning it held likely",
      ["next piece", { text: "probability", class: "cw-bar" }],
      translation.records[steps[at]].next.map(({ piece, probability }) => ({
        class: piece === translation.target.pieces[steps[at]] ? "tw-taken" : "",
        cells: [piece, { text: format(probability, 3), bar: probability }],
      })),
    );
  }

  function summaryOf({ rows, columns, weights }, at, chosen) {
    const top = [...columns.keys()].sort((a, b) => weights[at][b] - weights[at][a]).filter((s) => weights[at][s] >= 0.1);
    const named = top.slice(0, 3).map((s) => `'${columns[s]}' (${format(weights[at][s])})`);
    const who = chosen.head < 0 ? "the mean of the heads" : `head ${chosen.head + 1}`;
    return (
      `${fresh ? `French: ${translation.ended[0].text} ` : ""}Before it wrote '${rows[at]}', layer ${chosen.layer + 1}, ${who}, ` +
      `looked most at ${named.join(", then ") || "nothing in particular"}.`
    );
  }

  function update() {
    const beam = String(model.get("beam"));
    method.show(beam);
    example.show(model.get("sentences").indexOf(box.value), model.get("sentences"));
    example.hidden = model.get("sentences").length < 2;
    go.textContent = about ? "Translate" : "Load and translate";
    stage.hidden = !about;
    looked.hidden = !translation?.target.pieces.length;
    foot.hidden = !about;
    if (!about) return;
    const per = translation && translation.milliseconds / translation.target.pieces.length;
    foot.textContent =
      `${about.name || "A model"}: ${about.parameters.toLocaleString("en")} weights, ${format(about.megabytes, 1)} MB` +
      (translation ? `; ${translation.target.pieces.length} tokens, ${format(per, 1)} ms each, on your machine` : "") +
      (translation && !translation.unseen ? ". It does not say which words it has seen" : "") +
      ".";
    if (!translation) {
      showEnglish(asked.text.split(/\s+/).filter(Boolean), null);
      return showFrench([], -1);
    }
    const chosen = {
      layer: model.get("layer") < 0 ? about.layers - 1 : Math.min(model.get("layer"), about.layers - 1),
      head: Math.min(model.get("head"), about.heads - 1),
    };
    showLayers(about.layers, chosen.layer);
    head.show(chosen.head + 1, ["mean of all", ...Array.from({ length: about.heads }, (_, h) => `head ${h + 1}`)]);
    unit.show(model.get("unit"));
    const map = mapOf(translation, chosen.layer, chosen.head, model.get("unit"));
    const at = Math.min(model.get("selected"), map.rows.length - 1);
    showFrench(map.rows, at);
    showEnglish(map.columns, map.weights[at]);
    beamTable.hidden = translation.ended.length < 2;
    beamTable.show(
      "What the beams ended with",
      ["translation", "log-probability", "by length"],
      translation.ended.map((one) => ({ cells: [one.text, format(one.score, 3), format(one.normalised, 3)] })),
    );
    weightsTable.hidden = nextTable.hidden = at < 0;
    if (at < 0) return;
    showTables(map, at);
    const text = summaryOf(map, at, chosen);
    if (summary.textContent !== text) summary.textContent = text;
  }

  closing.set(root, () => {
    abort.abort();
    clearTimeout(clock);
    engine?.close();
  });
  return update;
}

const TRAITS = ["sentences", "beam", "layer", "head", "unit", "selected"];
const widget = courseWidget("translator-widget", "A translator that runs in this page", TRAITS, build);

function render(context) {
  const close = widget.render(context);
  const root = context.el.lastElementChild;
  return () => {
    closing.get(root)();
    close();
  };
}
export default { render };
