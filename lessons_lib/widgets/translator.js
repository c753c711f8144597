import { courseWidget, format } from "./shared.js";
import { viewOf } from "./translator_view.js";
import { engineText, siteAddress, startEngine } from "./engine_start.js";
import { fromFile, fromKernel, fromSite } from "./translator_weights.js";
import { largestFirst, mapOf, warningsOf } from "./translator_words.js";

// The live translator: it asks an engine (engine/) in a worker, and shows what it answers.

const MAX_CHARACTERS = 5000;
const PACE = 45; // milliseconds between two tokens on the screen; they are computed faster than one can read

function build(root, model, set, signal) {
  let engine = null; // started with the first weights
  let about = null; // the model that is ready
  let translation = null; // the one shown
  let fresh = false; // whether the summary says all of it: it was not read before
  let loading = false;
  let asked = { id: 0, text: "" };
  let written = []; // beginnings that wait to be shown, then the translation
  let clock = 0;

  const view = viewOf(root, {
    go() {
      if (about) translate();
      else if (!loading) load(siteAddress("") ? site : () => fromKernel(model, model.get("model"), signal));
    },
    model(index) {
      if (loading) return update(); // the other one is on its way
      [about, translation, written] = [null, null, []];
      asked.id++; // what the old one still says is no longer asked for
      if (known().sentences.includes(view.box.value)) view.box.value = model.get("models")[index].sentences[0];
      view.say("");
      set({ model: index });
      update();
    },
    example(index) {
      view.box.value = known().sentences[index];
      if (about) translate();
    },
    beam(beam) {
      set({ beam });
      if (translation) translate();
    },
    file(chosen) {
      if (!loading) load(() => fromFile(chosen));
    },
    select(selected) {
      fresh = false;
      if (translation) set({ selected });
    },
    layer: (layer) => set({ layer }),
    head: (head) => set({ head }),
    unit: (unit) => set({ unit, selected: 0 }),
  });
  const known = () => model.get("models")[Math.min(model.get("model"), model.get("models").length - 1)];
  view.box.value = known().sentences[0];
  const site = () => fromSite(siteAddress(known().file), view.progress, signal);

  async function load(bytes) {
    loading = true;
    view.progress(undefined);
    view.say("Loading the weights …");
    try {
      const [text, buffer] = await Promise.all([engineText(), bytes()]);
      if (signal.aborted) return; // the view was closed while they came
      engine ??= startEngine(text, "serve", hear);
      engine.send({ load: buffer });
    } catch (error) {
      stopLoading(`The weights could not be loaded: ${error.message}. Choose a model file below, or try again.`);
    }
  }

  function stopLoading(text) {
    loading = false;
    view.progress(null);
    view.say(text);
    update();
  }

  function translate() {
    const letters = [...view.box.value];
    const text = letters.slice(0, MAX_CHARACTERS).join("");
    if (!text.trim()) return view.say("Type an English sentence first.");
    asked = { id: asked.id + 1, text, isCut: letters.length > MAX_CHARACTERS };
    [translation, written] = [null, []];
    view.say("Translating …");
    engine.send({ translate: { id: asked.id, text, beam: model.get("beam") } });
    update();
  }

  function hear(answer) {
    if (answer.ready) {
      [about, translation] = [answer.ready, null];
      stopLoading("Ready.");
      translate();
    } else if (answer.failed) {
      if (answer.id === undefined) stopLoading(answer.failed);
      else if (answer.id === asked.id) view.say(`The translation failed: ${answer.failed}`);
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
    if (shown.done) return finish(shown.done);
    view.french(shown.beginning.split(/\s+/).filter(Boolean), -1);
    clock = setTimeout(show, PACE);
  }

  function finish(done) {
    translation = done;
    fresh = true;
    const says = warningsOf(asked.text, done, about.longest);
    if (asked.isCut) says.push(`Only the first ${MAX_CHARACTERS} characters were read.`);
    view.say(says.join(" "));
    set({ selected: 0 });
    update();
  }

  function summaryOf({ rows, columns, weights }, at, { layer, head }) {
    const top = largestFirst(weights[at], 3).filter((s) => weights[at][s] >= 0.1);
    const named = top.map((s) => `'${columns[s]}' (${format(weights[at][s])})`);
    return (
      `${fresh ? `French: ${translation.ended[0].text} ` : ""}Before it wrote '${rows[at]}', layer ${layer + 1}, ` +
      `${head < 0 ? "the mean of the heads" : `head ${head + 1}`}, ` +
      `looked most at ${named.join(", then ") || "nothing in particular"}.`
    );
  }

  function footOf() {
    const size = `${about.parameters.toLocaleString("en")} weights, ${format(about.megabytes, 1)} MB`;
    let text = `${about.name || "A model"}: ${size}`;
    if (translation) {
      const count = translation.target.pieces.length;
      view.foot.dataset.milliseconds = translation.milliseconds / count;
      text += `; ${count} tokens, ${format(translation.milliseconds / count, 1)} ms each, on your machine`;
      if (!translation.unseen) text += ". It does not say which words it has seen";
    }
    return `${text}.`;
  }

  function update() {
    const { sentences, knows } = known();
    view.models(
      model.get("models").map(({ name }) => name),
      model.get("model"),
    );
    view.knows(knows);
    view.method.show(String(model.get("beam")));
    view.example.show(sentences.indexOf(view.box.value), sentences);
    view.example.hidden = sentences.length < 2;
    view.go.textContent = about ? "Translate" : "Load and translate";
    view.stage.hidden = view.foot.hidden = !about;
    view.looked.hidden = !translation?.target.pieces.length;
    if (!about) return;
    view.foot.textContent = footOf();
    if (!translation) {
      view.english({ columns: asked.text.split(/\s+/).filter(Boolean) });
      return view.french([], -1);
    }
    const layer = model.get("layer") < 0 ? about.layers - 1 : Math.min(model.get("layer"), about.layers - 1);
    const head = Math.min(model.get("head"), about.heads - 1);
    view.layers(about.layers, layer);
    view.head.show(head + 1, ["mean of all", ...Array.from({ length: about.heads }, (_, h) => `head ${h + 1}`)]);
    view.unit.show(model.get("unit"));
    view.beams(translation.ended);
    const map = mapOf(translation, layer, head, model.get("unit"));
    const at = Math.min(model.get("selected"), map.rows.length - 1); // -1: no word was written
    view.french(map.rows, at);
    view.english(map, map.weights[at], translation.unseen);
    view.tables.hidden = at < 0;
    if (at < 0) return view.summarise("");
    view.row(map, at, translation);
    view.summarise(summaryOf(map, at, { layer, head }));
  }

  signal.addEventListener("abort", () => {
    clearTimeout(clock);
    engine?.close();
  });
  return update;
}

const TRAITS = ["models", "model", "beam", "layer", "head", "unit", "selected"];
export default courseWidget("translator-widget", "A translator that runs in this page", TRAITS, build);
