// A page on paper: in its light colours whatever the screen has, with its folded code open. Solutions stay shut.

const root = document.documentElement;
let [theme, opened] = ["", []];

addEventListener("beforeprint", () => {
  theme = root.dataset.theme;
  root.dataset.theme = "light";
  opened = [...document.querySelectorAll("details.hide:not([open])")];
  for (const fold of opened) fold.open = true;
});

addEventListener("afterprint", () => {
  root.dataset.theme = theme;
  for (const fold of opened) fold.open = false;
});
