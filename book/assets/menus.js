// The header's menus and the way back to the top: all that this site would use of the theme's bootstrap.js.

const menus = [...document.querySelectorAll("details.dropdown")];
const up = document.getElementById("pst-back-to-top");
let before = 0;

addEventListener("click", ({ target }) => {
  for (const menu of menus) if (!menu.contains(target) || target.closest(".dropdown-item")) menu.open = false;
});

addEventListener("keydown", ({ key, target }) => {
  if (key !== "Escape") return;
  for (const menu of menus) {
    if (menu.contains(target)) menu.querySelector("summary").focus();
    menu.open = false;
  }
});

if (up) {
  up.addEventListener("click", () => scrollTo(0, 0));
  addEventListener("scroll", () => {
    up.style.display = scrollY < before && scrollY > innerHeight ? "block" : "none";
    before = scrollY;
  });
}
