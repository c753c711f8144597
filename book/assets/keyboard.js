// What scrolls sideways, a long formula or a wide table on a phone, takes the focus, so that arrow keys scroll it too.

const WIDE = ".bd-article :is(mjx-container[display], div.math, pre, .pst-scrollable-table-container)";

function update() {
  for (const node of document.querySelectorAll(WIDE)) {
    const scrolls = node.scrollWidth > node.clientWidth && /auto|scroll/.test(getComputedStyle(node).overflowX);
    if (scrolls) node.tabIndex = 0;
    else if (node.tabIndex === 0) node.removeAttribute("tabindex");
  }
}

const article = document.querySelector(".bd-article");
if (article) new ResizeObserver(update).observe(article); // a formula that is typeset changes the height
