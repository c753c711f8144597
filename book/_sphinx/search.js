// What Sphinx's search leaves to a language: how a query is cut into words (as places.py cuts a page), and what it
// finds first. A page whose number was asked for comes before the others: "exercise 5", "claim 2 padding".

var splitQuery = (query) =>
  query
    .toLowerCase()
    .replace(/œ/g, "oe")
    .replace(/æ/g, "ae")
    .replace(/ß/g, "ss")
    .normalize("NFKD")
    .replace(/\p{Mark}/gu, "")
    .split(/[^\p{Letter}\p{Number}_]+/u)
    .filter(Boolean);

var Scorer = {
  asked: splitQuery(new URLSearchParams(location.search).get("q") ?? ""),
  score([page, , , , score]) {
    const lesson = /^notebooks\/(\d\d)_/.exec(page);
    return score + (lesson && Scorer.asked.includes(`${Number(lesson[1])}`) ? 40 : 0);
  },
  objNameMatch: 11,
  objPartialMatch: 6,
  objPrio: { 0: 60, 1: 10 },
  objPrioDefault: 0,
  title: 15,
  partialTitle: 7,
  term: 5,
  partialTerm: 2,
};

// An excerpt is of a page's text, not of its menus and buttons, and begins before the first word that was asked for.
document.addEventListener("DOMContentLoaded", () => {
  Search.htmlToText = (html, anchor) => {
    const page = new DOMParser().parseFromString(html, "text/html");
    const article = page.querySelector("article.bd-article") ?? page.body;
    const part = (anchor && article.querySelector(anchor)) || article;
    part.querySelectorAll("summary, script, style, annotation, .headerlink").forEach((node) => node.remove());
    return part.textContent.replace(/\s+/g, " ").trim();
  };
  Search.makeSearchSummary = (html, asked, anchor) => {
    const text = Search.htmlToText(html, anchor);
    const isAsked = ([word]) => [...asked].some((stem) => splitQuery(word).join("").startsWith(stem));
    const found = [...text.matchAll(/[\p{Letter}\p{Number}_]+/gu)].filter(isAsked);
    const begin = Math.max((found[0]?.index ?? 0) - 100, 0);
    const end = Math.min(begin + 260, text.length);
    const summary = document.createElement("p");
    summary.className = "context";
    let at = begin;
    for (const { 0: word, index } of found.filter(({ index }) => index < end - 20)) {
      const mark = document.createElement("span");
      mark.className = "highlighted";
      mark.textContent = word;
      summary.append(text.slice(at, index), mark);
      at = index + word.length;
    }
    summary.append(text.slice(at, end));
    if (begin) summary.prepend("… ");
    if (end < text.length) summary.append(" …");
    return summary;
  };
});
