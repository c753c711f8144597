// A block of code that comes near the screen gets a button that copies it, without prompts and what they answered.
// A button for each at once would lay the whole page out anew, while a phone is still busy with the beginning of it.

const BLOCKS = ".bd-article div.highlight pre";
const TOLD = 2000; // milliseconds

const watcher = new IntersectionObserver(
  (seen) => {
    for (const { isIntersecting, target } of seen) {
      if (!isIntersecting) continue;
      watcher.unobserve(target);
      target.after(button(target));
    }
  },
  { rootMargin: "100% 0%" }
);

function button(block) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "copy-code";
  const say = (what) => {
    made.title = what;
    made.setAttribute("aria-label", what);
    made.classList.toggle("is-done", what !== "Copy");
  };
  say("Copy");
  made.addEventListener("click", async () => {
    say((await copied(block)) ? "Copied" : "Selected: copy it with the keyboard");
    setTimeout(say, TOLD, "Copy");
  });
  return made;
}

function code(block) {
  const copy = block.cloneNode(true);
  copy.querySelectorAll(".linenos, .gp, .go").forEach((one) => one.remove());
  const text = copy.textContent.trimEnd();
  return block.querySelector(".gp") ? text.replace(/\n+/g, "\n") : text; // no line where there was an answer
}

async function copied(block) {
  try {
    await navigator.clipboard.writeText(code(block));
    return true;
  } catch {
    getSelection().selectAllChildren(block); // a page that came without encryption, or a reader who said no
    return false;
  }
}

for (const block of document.querySelectorAll(BLOCKS)) watcher.observe(block);
