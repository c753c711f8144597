// What every widget of the course draws with. _common.py puts this text in front of each widget's own module.

/** An HTML element. Children that are strings stay text: a word of a sentence is never read as markup. */
export function el(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** An SVG element. */
export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

/** Exactly `count` children in `parent`: the ones that are there stay (focus, transitions), others come from `make(i)`. */
export function children(parent, count, make) {
  while (parent.children.length > count) parent.lastElementChild.remove();
  while (parent.children.length < count) parent.append(make(parent.children.length));
  return [...parent.children];
}

/** 1.2345 → "1.23", -0.001 → "0.00", -Infinity → "−∞": fixed decimals and a true minus sign. */
export function format(number, digits = 2) {
  if (!Number.isFinite(number)) return number > 0 ? "∞" : number < 0 ? "−∞" : "?";
  const text = Math.abs(number).toFixed(digits);
  return number < 0 && Number(text) !== 0 ? `−${text}` : text;
}

/** SVG path of an arc that leaves (x1, y) straight up, rises by `height` and lands at (x2, y). */
export function arc(x1, x2, y, height) {
  const top = y - (height * 4) / 3; // a cubic Bézier curve rises to 3/4 of its control points
  return `M${x1} ${y}C${x1} ${top} ${x2} ${top} ${x2} ${y}`;
}

/** One of several options, drawn as a bar of buttons. `choose` gets the value; `node.show(value)` marks one. */
export function choice(legend, options, choose) {
  const inputs = options.map(([value]) => el("input", { type: "radio", name: "choice", value }));
  const labels = options.map(([, text], i) => el("label", {}, inputs[i], el("span", {}, text)));
  // A form of its own scopes the name of the radio buttons: no other choice on the page is in the same group.
  const node = el("form", { class: "cw-choice" }, el("fieldset", {}, el("legend", {}, legend), ...labels));
  node.addEventListener("submit", (event) => event.preventDefault());
  node.addEventListener("change", (event) => choose(event.target.value));
  node.show = (value) => inputs.forEach((input) => (input.checked = input.value === value));
  return node;
}

/** A check box. `choose` gets true or false; `node.show(on, text)` sets it and its label. */
export function toggle(choose) {
  const input = el("input", { type: "checkbox" });
  const label = el("span");
  const node = el("label", { class: "cw-toggle" }, input, label);
  input.addEventListener("change", () => choose(input.checked));
  node.show = (on, text) => {
    input.checked = on;
    label.textContent = text;
  };
  return node;
}

/** What scrolls, the keyboard must reach. It is asked before the next picture, which needs the layout anyway. */
export const keyboardReaches = (node) =>
  requestAnimationFrame(() => (node.tabIndex = node.scrollHeight > node.clientHeight || node.scrollWidth > node.clientWidth ? 0 : -1));

/** A drop-down list. `choose` gets the index; `node.show(index, texts)` fills it. */
export function dropdown(label, choose) {
  const select = el("select");
  const node = el("label", { class: "cw-select" }, label, select);
  select.addEventListener("change", () => choose(select.selectedIndex));
  node.show = (index, texts) => {
    children(select, texts.length, () => el("option")).forEach((option, i) => (option.textContent = texts[i]));
    select.selectedIndex = index;
  };
  return node;
}

/**
 * A table that keeps its cells from one drawing to the next, so that bars slide. `node.show(caption, headers, rows)`:
 * a row is {class, cells}, a cell is a text or {text, class, bar}, the bar from 0 to 1; the first cell heads the row.
 */
export function table(name = "") {
  const parts = { caption: el("caption"), head: el("tr"), body: el("tbody") };
  const inner = el("table", {}, parts.caption, el("thead", {}, parts.head), parts.body);
  const node = el("div", { class: `cw-scroll ${name}`, role: "group" }, inner);
  node.show = (caption, headers, rows) => {
    node.setAttribute("aria-label", caption);
    parts.caption.textContent = caption;
    const header = (i) => (headers[i] ? el("th", { scope: "col" }) : el("td")); // an empty one is no header
    children(parts.head, headers.length, header).forEach((cell, i) => put(cell, headers[i]));
    children(parts.body, rows.length, () => el("tr")).forEach((row, r) => {
      row.className = rows[r].class ?? "";
      const cells = rows[r].cells;
      const make = (i) => (i ? el("td", {}, el("span"), el("i")) : el("th", { scope: "row" }, el("span")));
      children(row, cells.length, make).forEach((cell, i) => put(cell, cells[i]));
    });
    keyboardReaches(node);
  };
  return node;
}

function put(cell, content) {
  const { text, class: name = "", bar } = typeof content === "string" ? { text: content } : content;
  (cell.querySelector("span") ?? cell).textContent = text;
  cell.className = bar === undefined ? name : `cw-bar ${name}`;
  cell.style.setProperty("--w", bar ?? 0);
}

export const across = () => ({ ArrowLeft: -1, ArrowRight: 1 });
export const down = () => ({ ArrowUp: -1, ArrowDown: 1 });

/** One stop of the Tab key for a group of buttons: Home, End and arrows move inside it, by `steps()` buttons each. */
export function arrowKeys(group, steps = across) {
  group.addEventListener("keydown", (event) => {
    const buttons = [...group.querySelectorAll("button")];
    const at = buttons.indexOf(event.target);
    const next = { Home: 0, End: buttons.length - 1 }[event.key] ?? at + steps()[event.key];
    if (at < 0 || Number.isNaN(next) || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    (buttons[next] ?? event.target).focus();
  });
  group.addEventListener("focusin", (event) => {
    for (const button of group.querySelectorAll("button")) button.tabIndex = button === event.target ? 0 : -1;
  });
}

/**
 * An anywidget module. `build(root, model, set, signal)` draws once and returns `update()`, which runs at the start, when one
 * of `traits` changes (here or in Python) and when the width changes. `set({trait: value})` writes to the model.
 * `signal` is aborted when the widget goes.
 */
export function courseWidget(name, label, traits, build) {
  function render({ model, el: host }) {
    const root = el("div", { class: `course-widget ${name}`, role: "group", "aria-label": label });
    // JupyterLab's shortcuts ("d d" deletes a cell) spare a focused element that carries this attribute, and only that.
    root.addEventListener("focusin", ({ target }) => target.setAttribute("data-lm-suppress-shortcuts", ""));
    const gone = new AbortController();
    const set = (values) => {
      for (const [trait, value] of Object.entries(values)) model.set(trait, value);
      model.save_changes();
    };
    const update = build(root, model, set, gone.signal);
    let frame = 0;
    const resize = new ResizeObserver(() => {
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(update);
    });
    for (const trait of traits) model.on(`change:${trait}`, update);
    host.append(root);
    update();
    resize.observe(root);
    return () => {
      gone.abort();
      cancelAnimationFrame(frame);
      resize.disconnect();
      for (const trait of traits) model.off(`change:${trait}`, update);
      root.remove();
    };
  }
  return { render };
}
