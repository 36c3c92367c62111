MATCH p = SHORTEST 2 GROUPS TRAIL ((a:A&!B {x: 1})-[r:T COST r.c]->(b) WHERE a.x < $y){1,3} (c)
WHERE EXISTS { (c)-->() } RETURN [n IN nodes(p) | n {.*}] AS x ORDER BY x SKIP 1 LIMIT 2;
