// How search weighs what it finds: entries of the index first (Sphinx gives them up to 100), then
// titles, then the text. Pages to look things up in come after those that explain them.
var Scorer = {
  score: ([page, , , , score]) => score - (/notation|references|claims/.test(page) ? 30 : 0),
  objNameMatch: 11,
  objPartialMatch: 6,
  objPrio: { 0: 15, 1: 5, 2: -5 },
  objPrioDefault: 0,
  title: 40,
  partialTitle: 12,
  term: 5,
  partialTerm: 2,
};
