//! What an API server answers to requests without a credential: four questions, each asked once.
//!
//! **Trap.** `/version` may be open while the API is not: servers can take such requests for some paths only. What the
//! API itself answers decides, and a refusal counts as taken only if it names the anonymous user.

use serde::Deserialize;
use serde_json::{Value, json};

use super::failure::{Failure, shortened};
use super::server::{Question, Server};
use super::{LiveError, Options, connect};
use crate::model::{AnonymousProbe, ProbeAnswer, Text};

/// Who requests without a credential are from.
const ANONYMOUS: &str = "system:anonymous";
const REVIEWS: &str = "/apis/authorization.k8s.io/v1";

/// Asks.
///
/// # Errors
/// Returns why there is no connection to ask through.
pub(super) async fn probe(options: &Options) -> Result<AnonymousProbe, LiveError> {
    let connected = connect::without_credentials(options).await?;
    let server = Server::new(connected.client, options).asking_once();
    let mut probe = AnonymousProbe::default();
    let get = |path| Question::get(path, "application/json");
    let version = ask(&server, &get("/version")).await;
    probe.add("GET /version", &version, |answer| text(&answer["gitVersion"]));

    let discovery = ask(&server, &get("/api")).await;
    probe.add("GET /api", &discovery, |answer| text(&answer["versions"]));

    let path = format!("{REVIEWS}/selfsubjectaccessreviews");
    let everything = json!({"resourceAttributes": {"verb": "*", "group": "*", "resource": "*"}});
    let access = ask(
        &server,
        &Question::post(&path, review("SelfSubjectAccessReview", &everything)),
    )
    .await;
    let is_allowed = |answer: &Value| answer["status"]["allowed"] == true;
    probe.may_do_everything = access.as_ref().is_ok_and(is_allowed);
    probe.add("POST selfsubjectaccessreviews", &access, |answer| {
        let may = if is_allowed(answer) { "may" } else { "may not" };
        format!("{may} do everything")
    });

    let path = format!("{REVIEWS}/selfsubjectrulesreviews");
    let namespace = json!({"namespace": "default"});
    let rules = ask(
        &server,
        &Question::post(&path, review("SelfSubjectRulesReview", &namespace)),
    )
    .await;
    probe.add("POST selfsubjectrulesreviews", &rules, said_rules);

    probe.accepted = accepted([&discovery, &access, &rules]);
    Ok(probe)
}

fn review(kind: &str, spec: &Value) -> Vec<u8> {
    let review = json!({"apiVersion": "authorization.k8s.io/v1", "kind": kind, "spec": spec});
    review.to_string().into_bytes()
}

async fn ask(server: &Server, question: &Question<'_>) -> Result<Value, Failure> {
    let read =
        |body: &[u8]| serde_json::from_slice(body).map_err(|_| Failure::Garbage("it is no JSON".to_owned()));
    server.ask(question, read).await
}

impl AnonymousProbe {
    fn add(&mut self, request: &str, answer: &Result<Value, Failure>, say: impl Fn(&Value) -> String) {
        let said = match answer {
            Ok(answer) => format!("answered: {}", say(answer)),
            Err(failure) => failure.to_string(),
        };
        self.answers.push(ProbeAnswer {
            request: Text::new(request),
            answer: Text::new(&shortened(&said)),
        });
    }
}

/// Whether the API takes requests without a credential; nothing if its answers do not say.
fn accepted(answers: [&Result<Value, Failure>; 3]) -> Option<bool> {
    let is_taken = |answer: &&Result<Value, Failure>| match answer {
        Ok(_) => true,
        Err(Failure::Forbidden(message)) => message.contains(ANONYMOUS),
        Err(_) => false,
    };
    let is_refused = |answer: &&Result<Value, Failure>| matches!(answer, Err(Failure::Unauthorized(_)));
    if answers.iter().any(is_taken) {
        Some(true)
    } else {
        answers.iter().all(is_refused).then_some(false)
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The rules that the server says such requests have in the namespace `default`.
fn said_rules(answer: &Value) -> String {
    #[derive(Default, Deserialize)]
    #[serde(default, rename_all = "camelCase")]
    struct Rules {
        resource_rules: Vec<Rule>,
    }
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Rule {
        verbs: Vec<String>,
        resources: Vec<String>,
    }
    let rules = Rules::deserialize(&answer["status"]).unwrap_or_default();
    let said: Vec<String> = (rules.resource_rules.iter())
        .map(|rule| format!("{} {}", rule.verbs.join(","), rule.resources.join(",")))
        .collect();
    match said.as_slice() {
        [] => "no rights on objects in the namespace default".to_owned(),
        rules => format!("may {} in the namespace default", rules.join("; ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_api_says_decides() {
        let no = || Err(Failure::Unauthorized("Unauthorized".to_owned()));
        let known = || {
            Err(Failure::Forbidden(format!(
                "User \"{ANONYMOUS}\" cannot get path"
            )))
        };
        let proxy = || Err(Failure::Forbidden("go away".to_owned()));
        assert_eq!(accepted([&no(), &no(), &no()]), Some(false));
        assert_eq!(accepted([&no(), &known(), &no()]), Some(true));
        assert_eq!(accepted([&proxy(), &proxy(), &proxy()]), None);
        assert_eq!(accepted([&no(), &proxy(), &no()]), None);
        assert_eq!(accepted([&Ok(Value::Null), &no(), &no()]), Some(true));
    }
}
