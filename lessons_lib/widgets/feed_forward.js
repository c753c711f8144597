// One token through W₁, the activation and W₂, neuron by neuron. All arithmetic happens here, in the browser.

import { arrowKeys, children, choice, courseWidget, el, format, svg, table } from "./shared.js";

/** The error function, by a series whose terms all have one sign; beyond 6 it is 1 to the last decimal. */
export function erf(x) {
  if (Math.abs(x) > 6) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let n = 1; n < 160; n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

/** An activation by its name: ReLU, GELU (exact), SiLU, or none. */
export function activate(name, h) {
  if (name === "relu") return Math.max(0, h);
  if (name === "gelu") return 0.5 * h * (1 + erf(h / Math.SQRT2));
  if (name === "silu") return h / (1 + Math.exp(-h));
  return h;
}

const dot = (a, b) => a.reduce((sum, number, i) => sum + number * b[i], 0);
const length = (vector) => Math.sqrt(dot(vector, vector));

/** For each neuron its sum (input · key + bias), its activation, what it adds (activation × value), and how long that is. */
export function hidden(input, neurons, activation) {
  return neurons.map(({ key, bias, value }) => {
    const sum = dot(input, key) + bias;
    const active = activate(activation, sum);
    const added = value.map((number) => active * number);
    return { sum, active, added, length: length(added) };
  });
}

/** The bias of the second matrix, and what all the neurons add to it. */
export function output(states, bias) {
  return bias.map((number, d) => states.reduce((total, { added }) => total + added[d], number));
}

/** How far a vector is from the right one, as a share of the right one's length. */
export function distance(given, right) {
  return length(given.map((number, d) => number - right[d])) / length(right);
}

const ACTIVATIONS = [
  ["relu", "ReLU"],
  ["gelu", "GELU"],
  ["silu", "SiLU"],
  ["none", "none"],
];
const label = (name) => ACTIVATIONS.find(([value]) => value === name)[1];
const plural = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;

/** One path of thin bars up and down from the middle, on a field as wide as there are numbers and 2 high. */
export function bars(numbers, top) {
  return numbers.map((number, d) => `M${d + 0.5} 1V${(1 - number / top).toFixed(4)}`).join("");
}

/** The neurons that add most, with their names and notes, as many as are asked for, the strongest first. */
export function strongest(input, neurons, activation, count) {
  return hidden(input, neurons, activation)
    .map((state, i) => ({ ...state, name: neurons[i].name, note: neurons[i].note, i }))
    .sort((a, b) => b.length - a.length || a.i - b.i)
    .slice(0, count);
}

function summary(token, states, total, activation, trained, near) {
  const firing = states.filter(({ active }) => active > 0).length;
  const [{ name, note, length: most }] = states;
  const one = `the one neuron at work ${firing ? "fires" : "does not fire"}`;
  const some = `${firing} of the ${states.length} neurons at work ${firing === 1 ? "fires" : "fire"}`;
  const parts = [`For '${token.word}', ${states.length === 1 ? one : some}.`];
  if (most > 0) parts.push(`Neuron ${name} adds most${note ? `; its value pushes towards ${note}` : ""}.`);
  const used = states.length === total ? `all ${plural(total, "neuron")}` : `${states.length} of ${plural(total, "neuron")}`;
  const instead = activation === "none" ? " without activation" : ` with ${label(activation)} in place of ${label(trained)}`;
  const changed = activation === trained ? "" : instead;
  parts.push(
    `The output of ${used}${changed} is ${Math.round(100 * near)} % of its length away from that of the trained network.`,
  );
  return parts.join(" ");
}

function build(root, model, set) {
  const words = el("div", { class: "cw-words", role: "group", "aria-label": "The token that goes through" });
  const context = el("p", { class: "ff-context" });
  const activation = choice("Activation", ACTIVATIONS, (value) => set({ activation: value }));
  const widths = el("div", { class: "ff-widths" });
  const text = el("p", { class: "cw-summary", "aria-live": "polite" });
  const neurons = table("ff-neurons");
  const strips = [0, 1].map((i) => {
    const path = svg("path", { class: i ? "ff-whole" : "ff-part" });
    const field = svg("svg", { "aria-hidden": "true", preserveAspectRatio: "none" }, path);
    return { path, field, caption: el("div", { class: "ff-caption" }), node: el("div", { class: "ff-strip" }) };
  });
  for (const strip of strips) strip.node.append(strip.caption, strip.field);
  const controls = el("div", { class: "cw-controls" }, el("span", { class: "ff-label" }, "Activation"), activation);
  controls.append(el("span", { class: "ff-label" }, "Neurons"), widths);
  root.append(words, context, controls, text, neurons, ...strips.map(({ node }) => node));
  arrowKeys(words);
  words.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button) set({ selected: [...words.children].indexOf(button) });
  });
  let width = null; // made anew when the number of neurons changes

  return function update() {
    const tokens = model.get("tokens");
    const all = model.get("neurons");
    const selected = Math.min(model.get("selected"), tokens.length - 1);
    const count = Math.min(model.get("width") || all.length, all.length);
    const [name, trained, total] = ["activation", "trained", "total"].map((trait) => model.get(trait));
    const token = tokens[selected];
    const states = strongest(token.input, all, name, count);
    const given = output(states, model.get("output_bias"));

    children(words, tokens.length, (i) => el("button", { type: "button", "data-token": i })).forEach((button, i) => {
      button.textContent = tokens[i].word;
      button.setAttribute("aria-pressed", i === selected);
      button.tabIndex = i === selected ? 0 : -1;
    });
    context.textContent = token.context === token.word ? "" : token.context;
    context.hidden = !context.textContent;
    activation.show(name);
    const steps = [...new Set([all.length, Math.ceil(all.length / 2), Math.ceil(all.length / 4), 1])].sort((a, b) => a - b);
    if (width?.steps !== `${steps}`) {
      const options = steps.map((step) => [`${step}`, `${step}`]);
      width = choice("How many neurons work", options, (value) => set({ width: Number(value) }));
      width.steps = `${steps}`;
      widths.replaceChildren(width);
    }
    width.show(`${count}`);
    const near = distance(given, token.output);
    const line = summary(token, states, total, name, trained, near);
    if (text.textContent !== line) text.textContent = line;

    const most = Math.max(states[0].length, 1e-9);
    const noted = all.some(({ note }) => note);
    neurons.show(
      `What each neuron does for '${token.word}', the largest contribution first`,
      ["neuron", "x · key + b", label(name), { text: "length added", class: "cw-bar" }, ...(noted ? [{ text: "pushes towards", class: "ff-note" }] : [])],
      states.map((state) => ({
        class: state.active === 0 ? "ff-silent" : "",
        cells: [
          state.name,
          format(state.sum),
          format(state.active),
          { text: format(state.length), bar: state.length / most },
          ...(noted ? [{ text: state.note, class: "ff-note" }] : []),
        ],
      })),
    );
    const top = Math.max(...given.map(Math.abs), ...token.output.map(Math.abs), 1e-9);
    const size = given.length;
    const captions = [`Output of ${plural(count, "neuron")}, ${size} numbers`, `Output of the trained network, all ${plural(total, "neuron")}`];
    [given, token.output].forEach((numbers, i) => {
      strips[i].caption.textContent = captions[i];
      strips[i].field.setAttribute("viewBox", `0 0 ${size} 2`);
      strips[i].path.setAttribute("d", bars(numbers, top));
    });
  };
}

const TRAITS = ["tokens", "neurons", "output_bias", "total", "selected", "activation", "trained", "width"];
export default courseWidget("feed-forward-widget", "One token through a feed-forward network", TRAITS, build);
