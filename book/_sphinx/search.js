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

// An excerpt is of a page's text, not of the names of its buttons.
document.addEventListener("DOMContentLoaded", () => {
  const toText = Search.htmlToText;
  Search.htmlToText = (html, anchor) => toText(html.replace(/<summary\b.*?<\/summary>/gs, ""), anchor);
});
