import { el, format, svg } from "./shared.js";

// Loss and accuracy of both runs on one chart, over the steps.

const [HIGH, LEFT, RIGHT, TOP, BOTTOM] = [220, 44, 50, 8, 24];
// points of a line that are drawn; each is the mean of its neighbours
const MOST = 400;
const RUNS = ["a", "b"];

/** At most `most` points: each the mean of as many neighbours as it takes. */
export function thinned(points, most) {
  const size = Math.ceil(points.length / most);
  if (size <= 1) return points;
  const groups = Array.from({ length: Math.ceil(points.length / size) }, (_, i) => points.slice(i * size, (i + 1) * size));
  const mean = (group, at) => group.reduce((sum, point) => sum + point[at], 0) / group.length;
  return groups.map((group) => [group.at(-1)[0], mean(group, 1)]);
}

/** The smallest of 1, 2, 5, 10, … that is at least `number`. */
export function roundUp(number) {
  const power = 10 ** Math.floor(Math.log10(Math.max(number, 1e-9)));
  return [1, 2, 5, 10].map((one) => one * power).find((one) => one >= number * (1 - 1e-9));
}

/** A chart: `node`, with its `show(runs)` for one or two runs, and the `image` in it. */
export function chart() {
  const lines = Object.fromEntries(
    RUNS.flatMap((run) => ["loss", "right"].map((kind) => [kind + run, svg("polyline", { class: `pg-${kind} pg-${run}` })])),
  );
  const axes = svg("g", { class: "pg-axes" });
  const image = svg("svg", { class: "pg-chart", role: "img" });
  image.append(axes, ...Object.values(lines));
  const note = el("p", { class: "pg-note" }, "Solid, left: loss of a batch. Dashed, right: held-out examples that are right.");
  const node = el("div", {}, image, note);

  node.show = (runs) => {
    // a unit is a pixel, so that its texts are as large on a phone
    const wide = image.clientWidth;
    image.setAttribute("viewBox", `0 0 ${wide} ${HIGH}`);
    const last = roundUp(Math.max(100, ...runs.map(({ number }) => number)));
    const top = roundUp(Math.max(1, ...runs.flatMap(({ points }) => points.slice(0, 20).map(({ loss }) => loss))));
    const x = (step) => LEFT + (step / last) * (wide - LEFT - RIGHT);
    const y = (share) => HIGH - BOTTOM - Math.max(0, Math.min(1, share)) * (HIGH - TOP - BOTTOM);
    const draw = (line, points) => line.setAttribute("points", points.map(([step, share]) => `${x(step).toFixed(1)},${y(share).toFixed(1)}`).join(" "));
    RUNS.forEach((run, i) => {
      const { points = [], accuracies = [] } = runs[i] ?? {};
      draw(lines[`loss${run}`], thinned(points.map(({ number, loss }) => [number, loss / top]), MOST));
      draw(lines[`right${run}`], accuracies.map(({ number, accuracy }) => [number, accuracy]));
    });
    const text = (at, height, words, anchor) => {
      const label = svg("text", { x: at, y: height, "text-anchor": anchor });
      label.textContent = words;
      return label;
    };
    const names = runs.length < 2 ? [] : runs.flatMap(({ accuracies }, i) => accuracies.slice(-1).map(({ number, accuracy }) => text(x(number), Math.max(y(accuracy) - 5, 18), "AB"[i], "end"))); // prettier-ignore
    axes.replaceChildren(
      ...names,
      ...[0, 0.5, 1].flatMap((share) => [
        svg("line", { x1: LEFT, x2: wide - RIGHT, y1: y(share), y2: y(share) }),
        text(LEFT - 6, y(share) + 4, format(share * top, top < 10 ? 1 : 0), "end"),
        text(wide - RIGHT + 6, y(share) + 4, `${100 * share} %`, "start"),
      ]),
      ...[0, 0.5, 1].map((share) => text(x(share * last), HIGH - 6, Math.round(share * last).toLocaleString("en"), "middle")),
    );
    image.setAttribute("aria-label", `Loss and accuracy of ${runs.length > 1 ? "two runs" : "one run"} over ${last} steps`);
  };
  return { node, image };
}
