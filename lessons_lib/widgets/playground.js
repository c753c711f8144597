import { checkTogether, DEFAULTS } from "./engine/training/settings.js";
import { chart } from "./playground_chart.js";
import { addressOf, fromAddress, inWords } from "./playground_knobs.js";
import { PRESETS } from "./playground_presets.js";
import { Run, toCsv } from "./playground_run.js";
import { examples, heads, knobs, norms, presetList } from "./playground_view.js";
import { courseWidget, el, format, toggle } from "./shared.js";

// The playground: two Transformers that learn in the page. Nothing is loaded before the reader asks for it.

const NAMES = ["a", "b"];
const TEXTS = { copy: "bead", reverse: "stressed", sort: "playground", agreement: "the small cats near the house slept", french: "the small black cats do not sleep" };
// times what a drawing took, until the next one
const REST = 19;
const LONGEST_REST = 2000; // milliseconds

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new Error("the address cannot be read");
  }
}

function download(name, data, type) {
  const url = URL.createObjectURL(new Blob([data], { type }));
  el("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

function build(root, model, set, signal) {
  const runs = NAMES.map(() => new Run(heard));
  let [frame, timer, calmUntil] = [0, 0, 0];
  // what is on the screen: while it trains, nothing else is drawn
  const near = new Set();
  const watcher = new IntersectionObserver((changes) => {
    for (const { target, isIntersecting } of changes) near[isIntersecting ? "add" : "delete"](target);
    if (runs.some(({ playing }) => playing)) draw();
  });

  const button = (label, act) => {
    const node = el("button", { type: "button", class: "pg-button" }, label);
    node.addEventListener("click", act);
    return node;
  };
  const preset = presetList((index) => {
    const { a, b } = PRESETS[index];
    begin({ a, b: b ?? {}, compare: b !== null });
  });
  const play = button("Train", () => (runs.some(({ playing }) => playing) ? pause() : start("play")));
  play.classList.add("pg-go");
  const step = button("One step", () => start("step"));
  const reset = button("Reset", () => begin());
  const compare = toggle((on) => {
    if (on) return begin({ compare: on });
    runs[1].clear(); // the other one stays
    set({ compare: on });
  });
  const says = el("p", { class: "pg-says" });
  const status = el("p", { class: "pg-status" });
  const message = el("p", { class: "pg-message", role: "status", "aria-live": "polite" });
  const settings = knobs((run, name, value) => begin({ [run]: { ...model.get(run), [name]: value } }));
  const drawing = chart();
  const box = el("input", { type: "text", "aria-label": "a text of your own", spellcheck: "false", autocapitalize: "off" });
  const look = button("Show", () => {
    calmUntil = 0;
    shown().forEach((run) => run.look(box.value));
  });
  const tested = NAMES.map((name) => examples(`Held out, run ${name.toUpperCase()}`));
  const looked = NAMES.map((name) => heads(`Attention, run ${name.toUpperCase()}`));
  const lengths = norms();
  const link = el("a", { href: "#" }, "Link to this setting");
  const files = el(
    "p",
    { class: "pg-files" },
    link,
    button("Model A", () => runs[0].engine && runs[0].export()),
    button("Model B", () => runs[1].engine && runs[1].export()),
    button("Numbers (CSV)", () => shown().forEach((run, i) => download(`run-${NAMES[i]}.csv`, toCsv(run), "text/csv"))),
    button("Picture (PNG)", picture),
  );
  const unread = el("span", { role: "status" });
  const own = el("form", { class: "pg-own" }, el("label", {}, "Your text: ", box), look, unread);
  own.addEventListener("submit", (event) => {
    event.preventDefault();
    look.click();
  });
  root.append(
    el("div", { class: "cw-controls" }, preset, compare),
    says,
    el("div", { class: "cw-controls" }, play, step, reset, status),
    message,
    el(
      "div",
      { class: "pg-body" },
      settings,
      el("div", { class: "pg-seen" }, drawing.node, own, el("div", { class: "pg-pair" }, ...tested), el("div", { class: "pg-pair" }, ...looked), lengths, files),
    ),
  );

  for (const node of [drawing.node, ...tested, ...looked, lengths]) watcher.observe(node);

  const shown = () => (model.get("compare") ? runs : runs.slice(0, 1));
  const changesOf = (i) => model.get(NAMES[i]);
  const settingsOf = (i) => ({ ...DEFAULTS, ...changesOf(i) });

  /** Why a run cannot be made, or null. */
  function problem() {
    for (let i = 0; i < shown().length; i++) {
      try {
        checkTogether(settingsOf(i));
      } catch (error) {
        return `${model.get("compare") ? `Run ${NAMES[i].toUpperCase()}: ` : ""}${error.message}.`;
      }
    }
    return null;
  }

  /** With these changes nothing is trained yet; the text of the box fits the task. */
  function begin(changes = {}) {
    say("");
    runs.forEach((run) => run.clear());
    set(changes);
    if (["", ...Object.values(TEXTS)].includes(box.value)) box.value = TEXTS[settingsOf(0).task]; // else it is the reader's
    update();
  }

  async function start(kind) {
    if (problem()) return update();
    say("");
    await Promise.all(
      shown().map(async (run, i) => {
        if (!run.engine || run.failed) await run.configure(settingsOf(i), box.value);
        if (run.engine && !run.failed) run[kind]();
      }),
    );
    update();
  }

  function pause(why) {
    runs.forEach((run) => run.pause(why));
  }

  function heard(kind) {
    if (kind === "exported") {
      const i = runs.findIndex((run) => run.exported);
      download(`transformer-${NAMES[i]}.safetensors`, runs[i].exported, "application/octet-stream");
      runs[i].exported = null;
    }
    if (kind === "paused" || kind === "failed" || kind === "examined") if (!runs.some(({ playing }) => playing)) say(sentence());
    if (!runs.some(({ playing }) => playing)) draw();
    else timer ||= setTimeout(draw, calmUntil - performance.now());
  }

  /** Then it rests for REST times as long: a slow phone has time for its reader. */
  function draw() {
    clearTimeout(timer);
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(() => {
      timer = 0;
      const begin = performance.now();
      update();
      setTimeout(() => (calmUntil = performance.now() + Math.min(REST * (performance.now() - begin), LONGEST_REST))); // painted
    });
  }

  function say(words, node = message) {
    // a screen reader says again what is written again
    if (node.textContent !== words) node.textContent = words;
  }

  /** How it goes, for those who do not see the chart. */
  function sentence() {
    return shown()
      .map((run, i) => {
        const name = model.get("compare") ? `Run ${NAMES[i].toUpperCase()} (${inWords(changesOf(i), DEFAULTS)})` : "The run";
        if (run.failed) return `${name} stopped: ${run.failed}.`;
        if (!run.last) return "";
        const right = run.accuracy ? `, ${run.accuracy.right} of ${run.accuracy.count} held-out examples right` : "";
        return `${name} after ${run.number.toLocaleString("en")} steps: loss ${format(run.last.loss, 3)}${right}.${run.why && ` ${run.why}`}`;
      })
      .join(" ");
  }

  function picture() {
    drawing.node.show(shown());
    const style = getComputedStyle(root);
    const copy = drawing.image.cloneNode(true);
    const { clientWidth: width, clientHeight: height } = drawing.image;
    for (const [name, value] of Object.entries({ xmlns: "http://www.w3.org/2000/svg", width, height })) copy.setAttribute(name, value);
    drawing.image.querySelectorAll("*").forEach((node, i) => {
      const { stroke, fill, strokeWidth, strokeDasharray, font } = getComputedStyle(node);
      Object.assign([...copy.querySelectorAll("*")][i].style, { stroke, fill, strokeWidth, strokeDasharray, font });
    });
    const image = new Image();
    image.onload = () => {
      const canvas = Object.assign(document.createElement("canvas"), { width: 2 * width, height: 2 * height });
      const pen = canvas.getContext("2d");
      pen.fillStyle = style.backgroundColor;
      pen.fillRect(0, 0, canvas.width, canvas.height);
      pen.drawImage(image, 0, 0, canvas.width, canvas.height);
      canvas.toBlob((blob) => download("runs.png", blob, "image/png"));
    };
    image.src = `data:image/svg+xml;utf8,${encodeURIComponent(new XMLSerializer().serializeToString(copy))}`;
  }

  /** Only when they change: a list that is written anew closes while somebody chooses from it. */
  function showSettings(address, two) {
    link.setAttribute("href", address);
    const at = PRESETS.findIndex(({ a, b }) => addressOf(a, b) === address);
    preset.show(at, PRESETS.map(({ title }) => title));
    const differs = two ? `A: ${inWords(changesOf(0), DEFAULTS)}. B: ${inWords(changesOf(1), DEFAULTS)}.` : "";
    says.textContent = at < 0 ? differs : PRESETS[at].says;
    compare.show(two, "two runs side by side");
    settings.show([settingsOf(0), settingsOf(1)], two);
  }

  function update() {
    const playing = runs.some((run) => run.playing);
    const show = (node, ...what) => (!playing || near.has(node)) && node.show(...what);
    // first: it asks how wide it is, before something changes
    show(drawing.node, shown());
    const two = model.get("compare");
    const wrong = problem();
    const address = addressOf(changesOf(0), two && changesOf(1));
    if (link.getAttribute("href") !== address) showSettings(address, two);
    play.textContent = playing ? "Pause" : "Train";
    play.disabled = step.disabled = Boolean(wrong);
    if (wrong) say(wrong);
    status.textContent = shown().filter(({ last }) => last).map((run, i) => `${two ? `${NAMES[i].toUpperCase()}: ` : ""}step ${run.number.toLocaleString("en")}, ${Math.round(run.speed).toLocaleString("en")} tokens/s, ${format(run.seconds, 1)} s`).join(" · "); // prettier-ignore
    NAMES.forEach((_, i) => {
      const there = i === 0 || two;
      tested[i].hidden = !there || !runs[i].examples.length;
      looked[i].hidden = !there || !runs[i].maps;
      if (there) show(tested[i], runs[i].examples);
      if (there) show(looked[i], runs[i].maps);
    });
    own.hidden = !runs[0].about;
    say(shown().map((run) => run.unread || run.strange).find(Boolean) ?? "", unread);
    lengths.hidden = !runs.some((run) => run.norms.length);
    show(lengths, shown());
    files.hidden = !runs[0].about;
    files.children[2].hidden = !two;
  }

  /** A setting that a class was sent; not the link to what is shown. */
  function fromLink() {
    if (!location.hash.startsWith("#play=") || location.hash === link.hash) return;
    try {
      const [, first, second] = /^#play=(.*?)(?:&with=(.*))?$/.exec(decoded(location.hash));
      const [a, b] = [fromAddress(first), fromAddress(second ?? "")];
      begin({ a, b, compare: second !== undefined });
    } catch (error) {
      say(`${error.message}; the defaults stand.`);
    }
  }

  box.value = model.get("text");
  begin();
  fromLink();
  addEventListener("hashchange", fromLink, { signal });
  document.addEventListener("visibilitychange", () => document.hidden && pause("It paused when the page was hidden."), { signal });
  signal.addEventListener("abort", () => {
    clearTimeout(timer);
    cancelAnimationFrame(frame);
    watcher.disconnect();
    runs.forEach((run) => run.close());
  });
  return update;
}

const TRAITS = ["a", "b", "compare", "text"];
export default courseWidget("playground-widget", "Train a Transformer in this page", TRAITS, build);
