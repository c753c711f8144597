// What scrolls sideways, a long formula or a wide table on a phone, takes the focus, so that arrow keys scroll it too.

const WIDE = ".bd-article :is(div.math, pre, .pst-scrollable-table-container)";

// What is far from the screen is not laid out; the observer tells of it when it comes near.
const watcher = new ResizeObserver((changes) => {
  const nodes = changes.map(({ target }) => target);
  const scrolls = nodes.map((node) => node.scrollWidth > node.clientWidth && /auto|scroll/.test(getComputedStyle(node).overflowX));
  nodes.forEach((node, i) => {
    if (scrolls[i]) node.tabIndex = 0;
    else if (node.tabIndex === 0) node.removeAttribute("tabindex");
  });
});

for (const node of document.querySelectorAll(WIDE)) watcher.observe(node);
