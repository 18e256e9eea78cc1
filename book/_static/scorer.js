// The site's search: a chapter comes before the pages that describe functions. Sphinx reads this as its Scorer.
Scorer = {
  // [page, title, anchor, description, score, file]; HOMES is the search page's own (tools/access.py)
  score: ([page, , , , score]) => {
    const words = (new URLSearchParams(location.search).get("q") ?? "").trim().toLowerCase();
    const home = typeof HOMES !== "undefined" && HOMES[words] === page;
    return score + (home ? 100 : 0) + (page.startsWith("notebooks/") ? 100 : page.startsWith("book/api") ? -20 : 0);
  },
  objNameMatch: 11,
  objPartialMatch: 6,
  objPrio: { 0: 15, 1: 5, 2: -5 },
  objPrioDefault: 0,
  title: 15,
  partialTitle: 7,
  term: 5,
  partialTerm: 2,
};
