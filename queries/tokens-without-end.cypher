// Tokens of service accounts that lie in Secrets and never expire.
// id: tokens-without-end
// group: secrets
// severity: high
// attack: T1528
// fix: delete the Secret; ask for short-lived tokens (`kubectl create token`)
MATCH (secret:Secret)-[:TOKEN_SECRET]->(:Credential)-[:IDENTITY_ASSUME]->(account:Identity)
RETURN secret.id AS secret, account.id AS account, COUNT { (account)-[:IN_GROUP*0..1]->()-[:HOLDS]->(:Grant) } AS rights
ORDER BY rights DESC, secret;
