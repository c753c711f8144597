import { children, svg } from "./shared.js";

const SHADES = 20; // each one path: cells by the hundred would cost a page that trains too much

/** Attention weights, at most `whole` each, as a picture without numbers: what is under a twentieth is left out. */
export function drawSmallMap(image, weights, whole = 1) {
  image.setAttribute("viewBox", `0 0 ${weights[0].length} ${weights.length}`);
  image.setAttribute("preserveAspectRatio", "none");
  const cells = Array(SHADES + 1).fill("");
  const shade = (weight) => Math.min(SHADES, Math.floor((weight / whole) * SHADES + 1e-6));
  weights.forEach((row, y) => row.forEach((weight, x) => (cells[shade(weight)] += `M${x} ${y}h1v1h-1z`)));
  children(image, SHADES, (i) => svg("path", { opacity: (i + 1) / SHADES })).forEach((path, i) => path.setAttribute("d", cells[i + 1]));
}
