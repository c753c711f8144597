// Drag the activations of one token, γ and β; see what LayerNorm and RMSNorm make of them. Computed in the browser.

import { arrowKeys, children, choice, courseWidget, dropdown, el, format, table } from "./shared.js";

/** Mean, spread (the root of the variance, divided by n and not n − 1) and root of the mean square of a list. */
export function moments(x) {
  const average = (of) => x.reduce((sum, number) => sum + of(number), 0) / x.length;
  const mean = average((number) => number);
  const variance = average((number) => (number - mean) ** 2);
  const square = average((number) => number ** 2);
  return { mean, variance, square, spread: Math.sqrt(variance), rms: Math.sqrt(square) };
}

/** γ · (x − mean) / √(variance + ε) + β (Ba et al. 2016, equation 4). */
export function layerNorm(x, gamma, beta, eps = 1e-5) {
  const { mean, variance } = moments(x);
  return x.map((number, i) => (gamma[i] * (number - mean)) / Math.sqrt(variance + eps) + beta[i]);
}

/** γ · x / √(mean of x² + ε): no mean taken away, no β (Zhang and Sennrich 2019, equation 4). */
export function rmsNorm(x, gamma, eps = 1e-6) {
  const { square } = moments(x);
  return x.map((number, i) => (gamma[i] * number) / Math.sqrt(square + eps));
}

/** The smallest of 1, 2, 5, 10, 20, … that holds all numbers: where the scale of their bars ends. */
export function scaleEnd(numbers) {
  const largest = Math.max(...numbers.map(Math.abs));
  let end = 1;
  for (let i = 0; end < largest; i++) end = [1, 2, 5][i % 3] * 10 ** Math.floor(i / 3);
  return end;
}

const LARGEST = 9999; // four digits fit under a bar
const KINDS = [
  ["layer", "LayerNorm"],
  ["rms", "RMSNorm"],
];
const PARAMETERS = [
  ["learned", "γ, β as learned"],
  ["plain", "γ = 1, β = 0"],
];
const short = (number) => format(number, Math.abs(number) >= 99.95 ? 0 : Math.abs(number) >= 9.995 ? 1 : 2);
const round = (number) => Math.max(-LARGEST, Math.min(LARGEST, Math.round(number * 1e4) / 1e4));
const same = (a, b) => a.every((number, i) => number === b[i]);

function build(root, model, set) {
  const kind = choice("Norm", KINDS, (value) => set({ kind: value }));
  const token = dropdown("Token", (index) => set({ token: index, edited: without("values") }));
  const parameters = choice("Gamma and beta", PARAMETERS, (value) => {
    const plain = { gamma: model.get("gamma").map(() => 1), beta: model.get("beta").map(() => 0) };
    set({ edited: { ...without("gamma", "beta"), ...(value === "plain" ? plain : {}) } });
  });
  const add = action("add 1 to all", () => edit("values", (number) => number + 1));
  const scale = action("all × 10", () => edit("values", (number) => number * 10));
  const reset = action("start again", () => set({ edited: {} }));
  const panels = {
    values: panel("values", (i, number) => edit("values", (old, j) => (i === j ? number : old))),
    after: panel("after"),
    gamma: panel("gamma", (i, number) => edit("gamma", (old, j) => (i === j ? number : old))),
    beta: panel("beta", (i, number) => edit("beta", (old, j) => (i === j ? number : old))),
  };
  const summary = el("p", { class: "cw-summary", "aria-live": "polite" });
  const numbers = table("nw-numbers");
  root.append(
    el("div", { class: "cw-controls" }, kind, token, parameters, el("span", { class: "nw-actions" }, add, scale, reset)),
    el("div", { class: "nw-panels" }, ...Object.values(panels)),
    summary,
    numbers,
  );

  function start() {
    const tokens = model.get("tokens");
    const index = model.get("token") < tokens.length ? model.get("token") : 0;
    return { ...tokens[index], index, tokens, gamma: model.get("gamma"), beta: model.get("beta") };
  }

  function without(...names) {
    return Object.fromEntries(Object.entries(model.get("edited")).filter(([name]) => !names.includes(name)));
  }

  function edit(name, change) {
    const edited = model.get("edited");
    set({ edited: { ...edited, [name]: (edited[name] ?? start()[name]).map((old, i) => round(change(old, i))) } });
  }

  return function update() {
    const begin = start();
    const now = { ...begin, ...model.get("edited") };
    const rms = model.get("kind") === "rms";
    const norm = ({ values, gamma, beta }) => (rms ? rmsNorm(values, gamma) : layerNorm(values, gamma, beta));
    const ones = now.values.map(() => 1);
    const normalised = norm({ values: now.values, gamma: ones, beta: ones.map(() => 0) });
    const after = norm(now);
    const dimensions = model.get("dimensions");
    const name = KINDS.find(([value]) => value === model.get("kind"))[1];

    kind.show(model.get("kind"));
    token.show(
      begin.index,
      begin.tokens.map((one) => one.name),
    );
    token.hidden = begin.tokens.length < 2;
    const learned = same(now.gamma, begin.gamma) && same(now.beta, begin.beta);
    const plain = now.gamma.every((g) => g === 1) && now.beta.every((b) => b === 0);
    parameters.show(learned ? "learned" : plain ? "plain" : "");
    scale.disabled = Math.max(...now.values.map(Math.abs)) * 10 > LARGEST;

    panels.values.show(`before: x of '${now.name}'`, now.values, dimensions);
    panels.after.show(`after: ${name}`, after, dimensions);
    panels.gamma.show("γ, multiplied", now.gamma, dimensions);
    panels.beta.show(rms ? "β: RMSNorm has none" : "β, added", rms ? now.beta.map(() => 0) : now.beta, dimensions, rms);

    const [x, y, z] = [now.values, normalised, after].map(moments);
    const moved = Math.max(...norm(begin).map((number, i) => Math.abs(number - after[i])));
    const text =
      (rms
        ? `RMSNorm divides by the root mean square, ${short(x.rms)}. `
        : `LayerNorm takes away the mean, ${short(x.mean)}, and divides by the spread, ${short(x.spread)}. `) +
      (Object.keys(model.get("edited")).length
        ? `Since the start the output has moved by at most ${short(moved)}.`
        : "Drag a bar, or change γ and β: the new output will be compared with this one.");
    if (summary.textContent !== text) summary.textContent = text;
    const row = (head, { mean, spread, rms }) => ({ cells: [head, short(mean), short(spread), short(rms)] });
    numbers.show(
      "In numbers",
      ["", "mean", "spread", "root mean square"],
      [row("before", x), row("normalised", y), row(rms ? "after γ" : "after γ, β", z)],
    );
  };
}

function action(text, act) {
  const node = el("button", { type: "button", class: "nw-action" }, text);
  node.addEventListener("click", act);
  return node;
}

/** A row of bars around a line of zeros. With `change(i, number)` they are sliders: mouse, finger, arrow keys. */
function panel(name, change) {
  const heading = el("div", { class: "nw-heading" }, el("span"), el("span", { class: "nw-scale" }));
  const row = el("div", { class: "nw-bars", role: "group" });
  const node = el("div", { class: `nw-panel nw-${name}` }, heading, row);
  let [end, dragging, shown] = [1, null, []];
  const make = (i) => {
    const track = el("span", { class: "nw-track" }, el("i"));
    const parts = [track, el("span", { class: "nw-number" }), el("span", { class: "nw-dimension" })];
    if (!change) return el("div", { class: "nw-bar" }, ...parts);
    return el("button", { type: "button", class: "nw-bar", role: "slider", "aria-orientation": "vertical" }, ...parts);
  };
  const bars = () => [...row.children];
  if (change) {
    arrowKeys(row);
    row.addEventListener("pointerdown", (event) => {
      const bar = event.target.closest(".nw-bar");
      if (!bar || bar.disabled || event.button) return;
      event.preventDefault();
      bar.focus();
      bar.setPointerCapture(event.pointerId);
      dragging = bars().indexOf(bar); // the scale must not move under the finger: it is kept until the end
      follow(event);
    });
    row.addEventListener("pointermove", (event) => dragging !== null && follow(event));
    for (const over of ["pointerup", "pointercancel"])
      row.addEventListener(over, () => {
        if (dragging === null) return;
        dragging = null;
        node.show(...shown); // with the scale that fits now
      });
    row.addEventListener("keydown", (event) => {
      const i = bars().indexOf(event.target);
      const steps = { ArrowUp: 1, ArrowDown: -1, PageUp: 5, PageDown: -5 }[event.key];
      if (i < 0 || steps === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      change(i, Number(event.target.getAttribute("aria-valuenow")) + (steps * end) / 20);
    });
  }
  function follow(event) {
    const { top, height } = bars()[dragging].querySelector(".nw-track").getBoundingClientRect();
    const share = 1 - (2 * (event.clientY - top)) / height; // 1 at the top, −1 at the bottom
    change(dragging, (Math.round(100 * Math.max(-1, Math.min(1, share))) / 100) * end);
  }
  node.show = (title, numbers, dimensions, off = false) => {
    shown = [title, numbers, dimensions, off];
    if (dragging === null) end = scaleEnd(numbers);
    heading.firstElementChild.textContent = title;
    heading.lastElementChild.textContent = `scale ±${end}`;
    const help = change && !off ? ": left and right choose a bar, up and down change it" : "";
    row.setAttribute("aria-label", title + help);
    node.classList.toggle("nw-off", off);
    children(row, numbers.length, make).forEach((bar, i) => {
      const share = Math.max(-1, Math.min(1, numbers[i] / end));
      bar.style.setProperty("--low", Math.min(0, share));
      bar.style.setProperty("--high", Math.max(0, share));
      bar.querySelector(".nw-number").textContent = short(numbers[i]);
      bar.querySelector(".nw-dimension").textContent = dimensions[i];
      if (!change) return;
      bar.disabled = off;
      bar.setAttribute("aria-label", `${title}, dimension ${dimensions[i]}`);
      bar.setAttribute("aria-valuemin", -LARGEST);
      bar.setAttribute("aria-valuemax", LARGEST);
      bar.setAttribute("aria-valuenow", numbers[i]);
      bar.setAttribute("aria-valuetext", short(numbers[i]));
    });
    if (change && !bars().some((bar) => bar.tabIndex === 0 && bar.hasAttribute("tabindex")))
      bars().forEach((bar, i) => (bar.tabIndex = i ? -1 : 0)); // one stop of the Tab key for the whole row
  };
  return node;
}

const TRAITS = ["tokens", "token", "gamma", "beta", "dimensions", "kind", "edited"];
export default courseWidget("norm-widget", "What a norm does to one token", TRAITS, build);
