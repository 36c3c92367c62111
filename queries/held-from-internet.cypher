// How many positions of each kind can be had from the internet, and what share that is.
// id: held-from-internet
// group: posture metrics
// severity: high
// attack: T1190
// fix: watch the share from one change to the next
CALL {
  MATCH (position)
  WHERE NOT position.name IN ['*', '~held', '~moved', '~free']
  UNWIND labels(position) AS label
  RETURN label, count(position) AS all
}
WITH collect({label: label, all: all}) AS kinds
CALL {
  MATCH ANY SHORTEST (:Internet)-->+(held)
  WHERE NOT held.name IN ['*', '~held', '~moved', '~free']
  UNWIND labels(held) AS label
  RETURN label, count(held) AS held
}
WITH label, held, [kind IN kinds WHERE kind.label = label | kind.all][0] AS all
RETURN label, held, all, round(100.0 * held / all) AS percent
ORDER BY percent DESC, label;
