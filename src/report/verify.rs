//! The rights that paths rest on, and what an API server says of each.
//!
//! A right is a step from an identity to a grant. It is confirmed if the server allows every request of one way to use
//! it, denied if it refuses them all.
//!
//! **Trap.** What an attacker would first have to hand out to himself is held by nobody yet: to ask about it would
//! refute paths that work.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::finding::Finding;
use super::findings::Derived;
use super::page::{Page, Tone, counted};
use crate::collect::live::{Review, Verdict};
use crate::model::Cluster;
use crate::rbac::{Caller, Identity, Power, Request, Scope};
use crate::techniques::{Position, Reason, Relation, Step};

/// Name and version of the JSON form.
const SCHEMA: &str = "beachhead.verification/1";

/// What an API server says of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// The server allows it.
    Confirmed,
    /// It was not asked, or gave no answer.
    NotAsked,
    /// The server refuses it.
    Denied,
}

impl Standing {
    /// The word for people.
    fn words(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::NotAsked => "not asked",
            Self::Denied => "denied",
        }
    }
}

/// A right that some path rests on.
#[derive(Debug)]
struct Right {
    /// None if the attacker hands it out to whom he likes.
    holder: Option<Identity>,
    power: &'static Power,
    scope: Scope,
    evidence: Vec<String>,
    /// The technique by which the attacker gets it first.
    made_by: Option<&'static str>,
    /// The ways to use it, each with all that is asked about it: a question and its words.
    ways: Vec<Vec<(Review, String)>>,
}

/// A path, by what people know it by.
#[derive(Debug)]
struct Claim {
    id: String,
    title: String,
    /// Places of its rights.
    rights: BTreeSet<usize>,
}

/// Every right that the paths of a report rest on.
#[derive(Debug, Default)]
pub struct Rights {
    all: Vec<Right>,
    findings: Vec<Claim>,
    paths: Vec<Claim>,
}

impl Rights {
    /// Returns the rights behind these paths and findings, each once, in the order in which they come up.
    pub fn new(cluster: &Cluster, paths: &[Derived], findings: &[Finding]) -> Self {
        let mut rights = Self::default();
        for finding in findings {
            let claim = Claim {
                id: finding.id.clone(),
                title: finding.title.clone(),
                rights: rights.add(cluster, &finding.steps),
            };
            rights.findings.push(claim);
        }
        for path in paths {
            let claim = Claim {
                id: path.to.to_string(),
                title: String::new(),
                rights: rights.add(cluster, &path.steps),
            };
            rights.paths.push(claim);
        }
        rights
    }

    /// Adds the rights of a path's steps, and returns their places.
    fn add(&mut self, cluster: &Cluster, steps: &[Step]) -> BTreeSet<usize> {
        let mut places = BTreeSet::new();
        for step in steps {
            let Position::Grant(power, scope) = &step.conclusion else {
                continue;
            };
            let holder = step.premises.iter().find_map(|premise| match premise {
                Position::Identity(identity) => Some(identity.clone()),
                _ => None,
            });
            let made_by = step.reason.technique().map(|technique| technique.id);
            if holder.is_none() && made_by.is_none() {
                // A wide grant covers a narrow one, by what they are.
                continue;
            }
            for scope in used(steps, step, power, scope) {
                let known = self.all.iter().position(|right| {
                    (&right.holder, right.power, &right.scope, right.made_by)
                        == (&holder, *power, scope, made_by)
                });
                places.insert(known.unwrap_or_else(|| {
                    let asked = holder.as_ref().filter(|_| made_by.is_none());
                    self.all.push(Right {
                        holder: holder.clone(),
                        power,
                        scope: scope.clone(),
                        evidence: step.evidence.iter().map(ToString::to_string).collect(),
                        made_by,
                        ways: asked.map_or_else(Vec::new, |holder| ways(cluster, holder, power, scope)),
                    });
                    self.all.len() - 1
                }));
            }
        }
        places
    }

    /// The questions to ask, each once, sorted.
    pub fn questions(&self) -> Vec<Review> {
        let questions = self.all.iter().flat_map(|right| right.ways.iter().flatten());
        let questions: BTreeSet<Review> = questions.map(|(review, _)| review.clone()).collect();
        questions.into_iter().collect()
    }

    /// Puts the answers to [`Rights::questions`], in their order, to the paths.
    pub fn verified(&self, input: &str, server: &str, verdicts: Vec<Verdict>) -> Verification {
        let answers: BTreeMap<Review, Verdict> = self.questions().into_iter().zip(verdicts).collect();
        let rights: Vec<RightView> = self.all.iter().map(|right| right.view(&answers)).collect();
        let claim = |claim: &Claim| {
            let standings = claim.rights.iter().map(|&right| rights[right].standing);
            ClaimView {
                id: claim.id.clone(),
                title: claim.title.clone(),
                standing: standings.max(),
                rights: claim.rights.iter().copied().collect(),
            }
        };
        Verification {
            schema: SCHEMA,
            input: input.to_owned(),
            server: server.to_owned(),
            findings: self.findings.iter().map(claim).collect(),
            paths: self.paths.iter().map(claim).collect(),
            rights,
        }
    }
}

/// The scopes in which a path uses a grant: the narrow ones that a wide grant covers, where it goes on from those alone.
///
/// Who may no longer do something everywhere may still do it where it matters.
fn used<'a>(steps: &'a [Step], gives: &'a Step, power: &Power, scope: &'a Scope) -> Vec<&'a Scope> {
    let mut scopes = BTreeSet::new();
    for step in steps
        .iter()
        .filter(|step| step.premises.contains(&gives.conclusion))
    {
        match (&step.reason, &step.conclusion) {
            (Reason::Relation(Relation::Covers), Position::Grant(covered, narrow)) if *covered == power => {
                scopes.insert(narrow);
            }
            _ => {
                scopes.insert(scope);
            }
        }
    }
    if scopes.is_empty() {
        scopes.insert(scope);
    }
    scopes.into_iter().collect()
}

/// The ways to use a right, as questions about whoever has it.
fn ways(
    cluster: &Cluster,
    identity: &Identity,
    power: &'static Power,
    scope: &Scope,
) -> Vec<Vec<(Review, String)>> {
    let caller = Caller::of(identity, []);
    let groups = caller.subjects().iter().filter_map(|subject| match subject {
        Identity::Group(name) => Some(name.to_string()),
        Identity::User(_) | Identity::ServiceAccount { .. } => None,
    });
    let who = Review {
        user: caller.user().to_owned(),
        groups: groups.collect(),
        ..Review::default()
    };
    let ways = power.requests(scope, cluster).into_iter();
    ways.map(|way| {
        let asked = way.iter().map(|request| {
            let words = words(request, power.is_namespaced());
            (review(&who, request), words)
        });
        asked.collect()
    })
    .collect()
}

fn review(who: &Review, request: &Request<'_>) -> Review {
    match request {
        Request::Resource(asked) => Review {
            verb: asked.verb.to_owned(),
            group: asked.group.to_owned(),
            resource: asked.resource.to_owned(),
            subresource: asked.subresource.to_owned(),
            namespace: asked.namespace.to_owned(),
            name: asked.name.to_owned(),
            ..who.clone()
        },
        Request::Url { verb, path } => Review {
            verb: (*verb).to_owned(),
            path: (*path).to_owned(),
            ..who.clone()
        },
    }
}

/// `create pods/exec in namespace shop`.
fn words(request: &Request<'_>, namespaced: bool) -> String {
    let asked = match request {
        Request::Url { verb, path } => return format!("{verb} {path}"),
        Request::Resource(asked) => asked,
    };
    let mut text = format!("{} {}", asked.verb, asked.resource);
    for (mark, part) in [(".", asked.group), ("/", asked.subresource), (" ", asked.name)] {
        if !part.is_empty() {
            text = format!("{text}{mark}{part}");
        }
    }
    match asked.namespace {
        "" if namespaced => format!("{text} in all namespaces"),
        "" => text,
        namespace => format!("{text} in namespace {namespace}"),
    }
}

impl Right {
    fn view(&self, answers: &BTreeMap<Review, Verdict>) -> RightView {
        let (standing, reason) = self.standing(answers);
        let asked = self.ways.iter().flatten().map(|(review, words)| QuestionView {
            question: words.clone(),
            allowed: match answers.get(review) {
                Some(Verdict::Allowed) => Some(true),
                Some(Verdict::Denied(_)) => Some(false),
                Some(Verdict::Unanswered(_)) | None => None,
            },
        });
        RightView {
            identity: match &self.holder {
                Some(identity) => identity.to_string(),
                None => "the attacker".to_owned(),
            },
            may: self.power.title,
            grant: Position::Grant(self.power, self.scope.clone()).to_string(),
            standing,
            reason,
            asked: asked.collect(),
            evidence: self.evidence.clone(),
        }
    }

    fn standing(&self, answers: &BTreeMap<Review, Verdict>) -> (Standing, String) {
        if let Some(technique) = self.made_by {
            let reason = format!("nobody has it yet: {technique} gives it");
            return (Standing::NotAsked, reason);
        }
        let verdict = |(review, _): &(Review, String)| answers.get(review);
        let allows =
            |way: &Vec<(Review, String)>| way.iter().all(|asked| verdict(asked) == Some(&Verdict::Allowed));
        if self.ways.iter().any(allows) {
            return (Standing::Confirmed, String::new());
        }
        let all = || self.ways.iter().flatten().filter_map(verdict);
        let open = all().find_map(|verdict| match verdict {
            Verdict::Unanswered(reason) => Some(reason.clone()),
            Verdict::Allowed | Verdict::Denied(_) => None,
        });
        match open {
            Some(reason) => (Standing::NotAsked, reason),
            None if self.power.has_unasked_ways() || self.ways.is_empty() => {
                let reason = "no single request stands for all the ways to use it";
                (Standing::NotAsked, reason.to_owned())
            }
            None => {
                let reasons = all().filter_map(|verdict| match verdict {
                    Verdict::Denied(reason) if !reason.is_empty() => Some(reason.clone()),
                    _ => None,
                });
                (Standing::Denied, reasons.min().unwrap_or_default())
            }
        }
    }
}

/// What an API server says of the rights that paths rest on.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Verification {
    schema: &'static str,
    input: String,
    server: String,
    /// The findings, in the order of the report.
    findings: Vec<ClaimView>,
    /// The cheapest path to each crown jewel.
    paths: Vec<ClaimView>,
    rights: Vec<RightView>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ClaimView {
    /// The finding's id, or the crown jewel's.
    id: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    title: String,
    /// The least favourable of its rights; none if it rests on no right.
    standing: Option<Standing>,
    /// Places in `rights`.
    rights: Vec<usize>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct RightView {
    identity: String,
    /// To follow "may".
    may: &'static str,
    /// The position's id.
    grant: String,
    standing: Standing,
    /// Why it was not asked or is denied, as far as that is known.
    #[serde(skip_serializing_if = "str::is_empty")]
    reason: String,
    asked: Vec<QuestionView>,
    evidence: Vec<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct QuestionView {
    question: String,
    /// None if there was no answer.
    allowed: Option<bool>,
}

impl Verification {
    /// Whether the server refuses something that a path rests on.
    pub fn has_denials(&self) -> bool {
        self.rights.iter().any(|right| right.standing == Standing::Denied)
    }

    /// The text for people.
    pub fn page(&self) -> Page {
        let mut page = Page::default();
        page.heading(format!(
            "The rights behind the paths of {}, by {}",
            self.input, self.server
        ));
        if self.rights.is_empty() {
            page.line("  none: no path rests on a right");
        }
        for right in &self.rights {
            right.add_to(&mut page);
        }
        for (title, claims) in [
            ("Findings", &self.findings),
            ("Paths to crown jewels", &self.paths),
        ] {
            if claims.is_empty() {
                continue;
            }
            page.heading(title);
            for claim in claims {
                claim.add_to(&mut page);
            }
        }
        page
    }
}

impl RightView {
    /// The questions with this answer, each once.
    fn answered(&self, allowed: bool) -> String {
        let mut texts: Vec<&str> = Vec::new();
        for asked in self.asked.iter().filter(|asked| asked.allowed == Some(allowed)) {
            if !texts.contains(&asked.question.as_str()) {
                texts.push(&asked.question);
            }
        }
        texts.join(", ")
    }

    fn add_to(&self, page: &mut Page) {
        let tone = if self.standing == Standing::Denied {
            Tone::Alarm
        } else {
            Tone::Plain
        };
        let (_, place) = self.grant.split_once('/').unwrap_or_default();
        let place = place.split_once('/').map_or("everywhere", |(_, place)| place);
        let text = format!("{} may {}: {place}", self.identity, self.may);
        page.toned(tone, format!("  {:<10}{text}", self.standing.words()));
        match self.standing {
            Standing::Confirmed => page.labelled(4, "allowed", &self.answered(true)),
            Standing::Denied => {
                page.labelled(4, "refused", &self.answered(false));
                for fact in &self.evidence {
                    page.labelled(4, "input", fact);
                }
            }
            Standing::NotAsked => {}
        }
        if !self.reason.is_empty() {
            page.labelled(4, "because", &self.reason);
        }
    }
}

impl ClaimView {
    fn add_to(&self, page: &mut Page) {
        let verdict = match self.standing {
            None => "rests on no right".to_owned(),
            Some(standing) => format!("{}, {}", standing.words(), counted(self.rights.len(), "right")),
        };
        let tone = match self.standing {
            Some(Standing::Denied) => Tone::Alarm,
            _ => Tone::Plain,
        };
        let mut text = self.id.clone();
        if !self.title.is_empty() {
            text = format!("{text}  {}", self.title);
        }
        page.toned(tone, format!("  {text}: {verdict}"));
    }
}
