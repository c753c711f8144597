// Plays the slides of a page: keys, a swipe, buttons; an overview; light and dark; and each slide set as large as fits.

const root = document.documentElement;
const slides = [...document.querySelectorAll("main > section")];
const place = document.querySelector(".place");
let at = 0;

function show(number, revealed = false) {
  at = Math.max(0, Math.min(number, slides.length - 1));
  slides.forEach((slide, i) => slide.classList.toggle("here", i === at));
  slides[at].classList.toggle("revealed", revealed);
  place.innerHTML = `${at + 1} / ${slides.length}<span class="unseen">: </span>`;
  place.lastChild.append(slides[at].querySelector(".title").textContent);
  if (location.hash !== `#${at + 1}`) history.replaceState(null, "", `#${at + 1}`);
  if (root.classList.contains("overview")) slides[at].scrollIntoView({ block: "nearest" });
}

const isRevealed = () => slides[at].classList.contains("revealed");
const hides = () => slides[at].querySelector(".next") !== null;
const next = () => (hides() && !isRevealed() ? show(at, true) : at + 1 < slides.length && show(at + 1));
const back = () => (hides() && isRevealed() ? show(at) : at > 0 && show(at - 1, true));

function overview(on = !root.classList.contains("overview")) {
  root.classList.toggle("overview", on);
  root.classList.toggle("playing", !on);
  document.querySelector("[data-do=overview]").setAttribute("aria-pressed", on);
  slides[at].scrollIntoView({ block: "center" });
}

const paint = (dark) => root.setAttribute("data-theme", dark ? "dark" : "light");
const isDark = () => root.dataset.theme === "dark";
const actions = { next, back, overview: () => overview(), theme: () => paint(!isDark()) };
const keys = {
  ArrowRight: next, ArrowDown: next, PageDown: next, " ": next, Enter: next,
  ArrowLeft: back, ArrowUp: back, PageUp: back,
  Home: () => show(0), End: () => show(slides.length - 1),
  o: () => overview(), Escape: () => overview(), t: actions.theme, f: () => root.requestFullscreen?.(),
};

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest(".widget-output, button, a")) return;
  if (!keys[event.key]) return;
  event.preventDefault();
  if (root.classList.contains("overview") && event.key === "Enter") overview(false);
  else if (event.key === " " && event.shiftKey) back();
  else keys[event.key]();
});
document.querySelector("nav").addEventListener("click", ({ target }) => actions[target.dataset.do]?.());
document.querySelector("main").addEventListener("click", ({ target }) => {
  if (!root.classList.contains("overview")) return;
  show(slides.indexOf(target.closest("section")));
  overview(false);
});
let touched = null;
addEventListener("touchstart", ({ target, touches }) => {
  touched = touches.length === 1 && !target.closest(".widget-output") ? touches[0] : null;
});
addEventListener("touchend", ({ changedTouches: [end] }) => {
  const [x, y] = touched ? [end.clientX - touched.clientX, end.clientY - touched.clientY] : [0, 0];
  if (root.classList.contains("playing") && Math.abs(x) > 40 && Math.abs(x) > 2 * Math.abs(y)) (x < 0 ? next : back)();
});
addEventListener("hashchange", () => show(parseInt(location.hash.slice(1)) - 1 || 0));

const PARTS = ":scope > :not(.logo), .body > *, :is(li, td, pre, figcaption, svg, div.math):not(.widget-output *)";

/** Whether everything on a slide stands inside its margins. */
function fits(slide) {
  const edge = slide.getBoundingClientRect();
  const rem = edge.width / 80;
  const body = slide.querySelector(".body").getBoundingClientRect();
  return [...slide.querySelectorAll(PARTS)].every((part) => {
    const box = part.getBoundingClientRect();
    const bottom = part.matches(".body > *") && body.height > 0 ? body.bottom + 1 : edge.bottom - 3 * rem;
    const isWhole = !part.matches("pre, div.math") || part.scrollWidth <= part.clientWidth;
    return isWhole && box.bottom <= bottom && box.right <= edge.right - 4 * rem;
  });
}

/** Set a slide as large as it can be, a picture rather than what is said of it. A widget that is too large is scrolled. */
function fit(slide) {
  for (let size = slide.classList.contains("figure") ? 18 : 24; size >= 10; size--) {
    slide.style.setProperty("--fit", size / 20);
    if (fits(slide)) return;
  }
}

const fitAll = () => slides.forEach(fit);

const dark = matchMedia("(prefers-color-scheme: dark)");
dark.addEventListener("change", () => paint(dark.matches));
paint(dark.matches);
root.classList.add("playing");
show(parseInt(location.hash.slice(1)) - 1 || 0);
document.fonts.ready.then(fitAll).then(() => root.classList.add("is-ready"));

let before = "";
addEventListener("beforeprint", () => {
  before = root.className;
  root.classList.remove("playing", "overview");
  paint(false);
  fitAll();
});
addEventListener("afterprint", () => {
  root.className = before;
  paint(dark.matches);
  fitAll();
});
