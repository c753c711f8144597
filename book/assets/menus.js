// The header's menus and the way back to the top, all that this site would use of the theme's bootstrap.js, and this
// page's place in the list of pages.

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

// The theme scrolls the list to where it was on the page before; a page that one came to by another link is not in sight.
function showHere() {
  const list = document.getElementById("pst-primary-sidebar");
  const here = list?.querySelector("li.active");
  if (!here) return;
  const [around, box] = [list, here].map((node) => node.getBoundingClientRect());
  if (box.top < around.top || box.bottom > around.bottom) list.scrollTop += box.top - around.top - around.height / 2;
}

addEventListener("load", () => setTimeout(showHere)); // the theme's scripts wait in the same queue, before it
