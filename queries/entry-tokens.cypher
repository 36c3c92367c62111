// Exposed applications that carry a token for the API server, and how many rights it has.
// id: entry-tokens
// group: entry points
// severity: medium
// attack: T1190 T1528
// fix: set automountServiceAccountToken: false for what the internet reaches
MATCH (:Internet)-[:EXPLOIT_PUBLIC_APP]->(entry)-[:HAS_CONTAINER*0..1]->(container)
      -[:TOKEN_MOUNT]->(:Credential)-[:IDENTITY_ASSUME]->(account:Identity)
RETURN DISTINCT container.id AS container, account.id AS account,
       COUNT { (account)-[:IN_GROUP*0..1]->()-[:HOLDS]->(:Grant) } AS rights
ORDER BY rights DESC, container, account;
