// A formula that is copied becomes its TeX between dollars, as one would type it; as rich text it stays MathML.

addEventListener("copy", (event) => {
  const selection = getSelection();
  if (!event.clipboardData || selection.isCollapsed) return;
  const range = selection.getRangeAt(0).cloneRange();
  const formula = (node) => (node.closest ? node : node.parentElement)?.closest("math");
  const [first, last] = [formula(range.startContainer), formula(range.endContainer)];
  if (first) range.setStartBefore(first); // half of a formula is none
  if (last) range.setEndAfter(last);
  const part = document.createElement("div");
  part.append(range.cloneContents());
  const formulas = part.querySelectorAll("math");
  if (!formulas.length) return;
  event.clipboardData.setData("text/html", part.innerHTML);
  for (const one of formulas) {
    const mark = one.getAttribute("display") === "block" ? "$$" : "$";
    one.replaceWith(mark + one.querySelector("annotation").textContent + mark);
  }
  document.body.append(part); // laid out, so that paragraphs are lines
  event.clipboardData.setData("text/plain", part.innerText);
  part.remove();
  event.preventDefault();
});
