// How many positions of each kind can be had from the internet, and what share that is.
// id: held-from-internet
// group: posture metrics
// severity: high
// attack: T1190
// fix: watch the share from one change to the next
MATCH (position)
WHERE NOT position.name IN ['*', '~held', '~moved', '~free']
UNWIND labels(position) AS label
WITH label, count(position) AS all
MATCH ANY SHORTEST (:Internet)-->+(held)
WHERE label IN labels(held) AND NOT held.name IN ['*', '~held', '~moved', '~free']
WITH label, all, count(held) AS held
RETURN label, held, all, round(100.0 * held / all) AS percent
ORDER BY percent DESC, label;
