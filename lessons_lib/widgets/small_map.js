import { children, svg } from "./shared.js";

/** Attention weights, at most `whole` each, as a picture without numbers: what is under a twentieth is left out. */
export function drawSmallMap(image, weights, whole = 1) {
  image.setAttribute("viewBox", `0 0 ${weights[0].length} ${weights.length}`);
  image.setAttribute("preserveAspectRatio", "none");
  const cells = weights
    .flatMap((row, y) => row.map((weight, x) => [x, y, weight / whole]))
    .filter(([, , share]) => share >= 0.05);
  children(image, cells.length, () => svg("rect", { width: 1, height: 1 })).forEach((rect, i) => {
    const [x, y, share] = cells[i];
    rect.setAttribute("x", x);
    rect.setAttribute("y", y);
    rect.setAttribute("opacity", share);
  });
}
