import { arrowKeys, children, dropdown, el, format, keyboardReaches, svg, table } from "./shared.js";
import { KNOBS } from "./playground_knobs.js";
import { drawSmallMap } from "./small_map.js";

// The parts of the playground that one sees, and how each is drawn. It keeps no state.

const SIDES = { encoder: "encoder", decoder: "decoder", cross: "cross-attention" };

/** The knobs: a row each, a list for each run. `turn(run, name, value)` hears what was chosen. */
export function knobs(turn) {
  const rows = new Map();
  const group = ({ group: title, knobs: all }) => {
    const lines = all.map((knob) => {
      const selects = ["a", "b"].map((run) => {
        const select = el("select", { class: `pg-${run}`, "aria-label": `${knob.label}, run ${run.toUpperCase()}` });
        select.append(...knob.options.map(([, text]) => el("option", {}, text)));
        select.addEventListener("change", () => turn(run, knob.name, knob.options[select.selectedIndex][0]));
        return select;
      });
      rows.set(knob.name, { knob, selects });
      return el("div", { class: "pg-knob" }, el("span", {}, knob.label), ...selects);
    });
    return el("details", { open: "" }, el("summary", {}, title), ...lines);
  };
  const letters = el("div", { class: "pg-knob", "aria-hidden": "true" }, ...["", "A", "B"].map((text) => el("span", {}, text)));
  const node = el("div", { class: "pg-knobs" }, letters, ...KNOBS.map(group));
  node.show = (settings, compare) => {
    letters.hidden = !compare;
    node.classList.toggle("pg-two", compare);
    for (const [name, { knob, selects }] of rows)
      selects.forEach((select, i) => {
        const at = knob.options.findIndex(([value]) => value === settings[i][name]);
        select.selectedIndex = at;
        select.hidden = i > 0 && !compare;
        select.classList.toggle("pg-differs", compare && settings[0][name] !== settings[1][name]);
      });
  };
  return node;
}

/** Held-out examples of a run, what is wrong marked; with a cross in the text, not by colour alone. */
export function examples(title) {
  const list = el("ol", {});
  const node = el("div", { class: "pg-examples" }, el("p", { class: "pg-name" }, title), list);
  let drawn = null;
  node.show = (lines) => {
    if (lines === drawn) return;
    drawn = lines;
    children(list, lines.length, () => el("li", {}, el("span"), el("span", { class: "pg-said" }), el("span", { class: "pg-due" }))).forEach(
      (item, i) => {
        const { source, target, said } = lines[i];
        const [due, written] = [target.split(" "), said ? said.split(" ") : []];
        item.children[0].textContent = `${source} → `;
        children(item.children[1], Math.max(due.length, written.length), () => el("span")).forEach((word, at) => {
          const right = due[at] === written[at];
          word.textContent = `${written[at] ?? "∅"} `;
          word.className = right ? "" : "pg-wrong";
          word.title = right ? "" : `should be ${due[at] ?? "the end"}`;
        });
        item.children[2].textContent = said === target ? "✓" : `✗ should be ${target}`;
      },
    );
  };
  return node;
}

/** Every head of a run on one text, small; the chosen one is drawn large below. */
export function heads(title) {
  const picture = el("div", { class: "pg-heads", role: "group", "aria-label": `${title}: choose a head` });
  const [head, body] = [el("tr", {}, el("td")), el("tbody")];
  const scroll = el("div", { class: "pg-scroll", role: "group" }, el("table", { class: "pg-map" }, el("thead", {}, head), body));
  const heading = el("p", { class: "pg-name" });
  const answer = el("p", { class: "pg-answer" });
  const node = el("div", {}, el("p", { class: "pg-name" }, title), answer, picture, heading, scroll);
  let [drawn, all, chosen] = [null, [], "cross 0 0"];
  arrowKeys(picture);
  picture.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    chosen = button.dataset.head;
    drawLarge();
  });
  node.show = (maps) => {
    if (!maps || maps === drawn) return;
    drawn = maps;
    answer.textContent = `${maps.source.slice(0, -1).join(" ")} → ${maps.said.join(" ") || "∅"}`; // without the </s>
    all = Object.keys(SIDES).flatMap((side) => maps[side].flatMap((layer, l) => layer.map((weights, h) => ({ side, weights, id: `${side} ${l} ${h}`, name: `${SIDES[side]}, layer ${l + 1}, head ${h + 1}`, short: `${side[0]}${l + 1}.${h + 1}` })))); // prettier-ignore
    children(picture, all.length, () => el("button", { type: "button" }, svg("svg", { "aria-hidden": "true" }), el("span"))).forEach((button, i) => {
      button.dataset.head = all[i].id;
      button.setAttribute("aria-label", all[i].name);
      button.lastElementChild.textContent = all[i].short;
      drawSmallMap(button.firstElementChild, all[i].weights);
    });
    drawLarge();
  };

  function drawLarge() {
    // without an encoder nothing crosses
    const { side, weights, id, name } = all.find((one) => one.id === chosen) ?? all.at(-1);
    for (const button of picture.children) {
      const is = button.dataset.head === id;
      button.setAttribute("aria-pressed", is);
      if (!picture.contains(document.activeElement)) button.tabIndex = is ? 0 : -1;
    }
    heading.textContent = `${name}: a row looks at columns, in hundredths`;
    scroll.setAttribute("aria-label", heading.textContent);
    const rows = drawn[side === "encoder" ? "source" : "target"];
    const columns = drawn[side === "decoder" ? "target" : "source"];
    children(head, columns.length + 1, () => el("th", { scope: "col" })).forEach((cell, i) => (cell.textContent = columns[i - 1] ?? ""));
    children(body, rows.length, () => el("tr", {}, el("th", { scope: "row" }))).forEach((line, t) =>
      children(line, columns.length + 1, () => el("td")).forEach((cell, i) => (i ? weigh(cell, weights[t][i - 1]) : (cell.textContent = rows[t]))),
    );
    keyboardReaches(scroll);
  }
  return node;
}

function weigh(cell, weight) {
  const hundredths = Math.round(100 * weight);
  cell.textContent = hundredths >= 10 ? hundredths : "";
  cell.style.setProperty("--w", weight.toFixed(3));
}

/** How long the gradient of each part was in the last step. */
export function norms() {
  const node = table("pg-norms");
  const put = node.show;
  node.show = (runs) => {
    const most = Math.max(1e-9, ...runs.flatMap((run) => run.norms.map(({ norm }) => norm)));
    const parts = [...new Set(runs.flatMap((run) => run.norms.map(({ part }) => part)))];
    const bar = (run, part) => {
      const norm = run.norms.find((one) => one.part === part)?.norm;
      return norm === undefined ? { text: "", bar: 0 } : { text: format(norm, 3), bar: norm / most };
    };
    put(
      "Length of the gradient, part by part",
      ["part", ...runs.map((_, i) => ({ text: runs.length > 1 ? `run ${"AB"[i]}` : "length", class: "cw-bar" }))],
      parts.map((part) => ({ cells: [part, ...runs.map((run) => bar(run, part))] })),
    );
  };
  return node;
}

/** A list of presets; `choose` gets the index. */
export const presetList = (choose) => dropdown("Try", choose);
