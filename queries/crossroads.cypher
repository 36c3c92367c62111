// Positions that many steps lead to and that lead on to many others.
// id: crossroads
// group: choke points
// severity: medium
// attack:
// fix: guard the first: who holds it holds much, and many can
MATCH (position)
WHERE NOT position:Internet AND NOT position:Port
WITH position, COUNT { (position)<-[]-() } AS into, COUNT { (position)-[]->() } AS onward
WHERE into > 1 AND onward > 1
RETURN position.id AS position, into, onward
ORDER BY into * onward DESC, position
LIMIT 20;
