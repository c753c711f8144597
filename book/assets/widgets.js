// Shows the widgets of a page: takes their models from the script that came before and hosts each anywidget module
// (https://anywidget.dev/en/afm/). No kernel answers: a widget does its work here.

const VIEW = "application/vnd.jupyter.widget-view+json";
const modules = new Map(); // source text -> promise of the module: one evaluation for all models that share it

function load(source) {
  if (!modules.has(source)) {
    const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
    modules.set(source, import(url).finally(() => URL.revokeObjectURL(url)));
  }
  return modules.get(source);
}

function withBuffers({ state, buffers = [] }) {
  for (const { path, data } of buffers) {
    const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
    const owner = path.slice(0, -1).reduce((value, key) => value[key], state);
    owner[path.at(-1)] = new DataView(bytes.buffer);
  }
  return state;
}

class Model {
  #state;
  #listeners = [];
  constructor(saved) {
    this.#state = withBuffers(saved);
    this.ready = this.#start();
  }
  async #start() {
    const module = await load(this.#state._esm);
    let widget = module.default ?? module;
    if (typeof widget === "function") widget = await widget();
    await widget.initialize?.({ model: this, signal: new AbortController().signal });
    return widget;
  }
  get(name) {
    return this.#state[name];
  }
  set(name, value) {
    if (this.#state[name] === value) return;
    this.#state[name] = value;
    this.#emit(`change:${name}`, value);
    this.#emit("change");
  }
  on(name, callback) {
    this.#listeners.push({ name, callback });
  }
  off(name, callback) {
    const goes = (one) => (!name || one.name === name) && (!callback || one.callback === callback);
    this.#listeners = this.#listeners.filter((one) => !goes(one));
  }
  #emit(name, value) {
    for (const one of [...this.#listeners]) if (one.name === name) one.callback(this, value);
  }
  save_changes() {} // nobody to tell: every view of the model already heard
  send() {}
}

async function show(place, model) {
  const el = document.createElement("div");
  el.className = "widget-output-view";
  const style = model.get("_css");
  if (style) el.appendChild(document.createElement("style")).textContent = style;
  const inner = el.appendChild(document.createElement("div"));
  place.append(el);
  const widget = await model.ready;
  await widget.render?.({ model, el: inner, signal: new AbortController().signal });
  place.classList.add("is-drawn"); // the stylesheet hides the text that stood in
}

function explain(place, error) {
  place.querySelector(".widget-output-view")?.remove();
  const note = place.appendChild(document.createElement("p"));
  note.className = "widget-output-error";
  note.setAttribute("role", "status");
  note.textContent = `This widget could not be drawn: ${error.message}`;
}

const models = new Map();
const saved = globalThis.courseWidgets ?? {}; // model id -> its state and buffers, as a notebook keeps them

/** Draw what the script in a place asks for. */
function draw(place) {
  try {
    const id = JSON.parse(place.querySelector(`script[type="${VIEW}"]`).textContent).model_id;
    if (!saved[id]?.state?._esm) throw new Error(`the page holds no state for ${id}`);
    if (!models.has(id)) models.set(id, new Model(saved[id]));
    show(place, models.get(id)).catch((error) => explain(place, error));
  } catch (error) {
    explain(place, error);
  }
}

// A widget is drawn when it comes near, half a screen away; on a slide that is not shown, or for paper, at once.
const waiting = new Set();
const watcher = new IntersectionObserver((seen) => seen.filter((one) => one.isIntersecting).forEach((one) => now(one.target)), { rootMargin: "50%" });

function now(place) {
  watcher.unobserve(place);
  if (waiting.delete(place)) draw(place);
}

for (const script of document.querySelectorAll(`script[type="${VIEW}"]`)) {
  const place = script.parentElement;
  waiting.add(place);
  if (place.checkVisibility()) watcher.observe(place);
  else now(place);
}
addEventListener("beforeprint", () => waiting.forEach(now));
