// What scrolls sideways, a long formula or a wide table on a phone, takes the focus, so that arrow keys scroll it too.

const WIDE = ".bd-article :is(div.math, pre, .pst-scrollable-table-container)";

// What is far from the screen is not laid out: it takes the focus in any case, until the observer has seen it from near.
// The next frame is soon enough: what an observer changes at once, Firefox may have to measure again, and complains.
const watcher = new ResizeObserver((changes) => requestAnimationFrame(() => look(changes.map(({ target }) => target))));

function look(nodes) {
  const scrolls = nodes.map((node) => node.scrollWidth > node.clientWidth && /auto|scroll/.test(getComputedStyle(node).overflowX));
  nodes.forEach((node, i) => {
    if (scrolls[i]) node.tabIndex = 0;
    else if (node !== document.activeElement) node.removeAttribute("tabindex");
  });
}

for (const node of document.querySelectorAll(WIDE)) {
  node.tabIndex = 0;
  watcher.observe(node);
}
