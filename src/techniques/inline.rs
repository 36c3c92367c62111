//! Credentials that are written in clear into containers' specs, and what they open.
//!
//! **Trap.** The same variable of two containers is two credentials: what stands beside it says what it opens.

use std::collections::{BTreeMap, BTreeSet};

use super::alike::Alike;
use super::pods::ContainerView;
use super::{Certainty, Context, Opens, Place, Position};
use crate::model::{Container, Literal, Text};

/// A credential in clear.
#[derive(Clone)]
pub(super) struct Written<'a> {
    /// Where it stands within the container: `/env/0/value`, `/args/2`.
    pub(super) pointer: String,
    /// The variable or option that holds it.
    pub(super) name: Text,
    /// The value as far as it is shown.
    pub(super) value: &'a Literal,
}

/// What a credential in clear opens.
pub(super) struct Opened<'a> {
    pub(super) written: Written<'a>,
    pub(super) credential: Position,
    pub(super) certainty: Certainty,
    /// The credential as evidence shows it.
    pub(super) shown: Text,
}

/// What is known of the credentials of all containers.
pub(super) struct Inline {
    /// The datastores that open, by the pod's position and the place within its spec.
    opens: BTreeMap<(usize, Text), BTreeSet<Place>>,
    alike: Alike,
}

impl Inline {
    /// Collects what datastores say of the passwords that their clients hold.
    pub(super) fn new(context: &Context<'_>) -> Self {
        let mut opens = BTreeMap::<_, BTreeSet<_>>::new();
        for datastore in context.datastores {
            let place = super::datastore::place(datastore);
            for password in &datastore.passwords {
                let fact = &password.fact;
                if let Some(pod) = fact.pod() {
                    let known = opens.entry((pod, fact.pointer.clone())).or_default();
                    known.insert(place.clone());
                }
            }
        }
        Self {
            opens,
            alike: Alike::new(context),
        }
    }

    /// Returns what the credentials of a container open; those that open nothing known are credentials all the same.
    pub(super) fn of<'a>(&self, container: &ContainerView<'a>) -> Vec<Opened<'a>> {
        let all = written(container.container).into_iter();
        all.flat_map(|one| self.opened(container, &one)).collect()
    }

    fn opened<'a>(&self, container: &ContainerView<'_>, one: &Written<'a>) -> Vec<Opened<'a>> {
        let pod = container.pod;
        let shown = format!("{}={}", one.name, one.value.text);
        let key = (pod.index, Text::from(container.at(&one.pointer)));
        let databases = self.opens.get(&key).into_iter().flatten();
        let beside: Vec<Opens> = databases.cloned().map(Opens::Database).collect();
        let mut found = Vec::new();
        for same in self.alike.of(one.value.alike) {
            let database = Opens::Database(same.opens.clone());
            if !beside.contains(&database) {
                let shown = format!("{shown}, the same value as {}", same.stands);
                found.push((database, same.certainty.clone(), shown));
            }
        }
        let certain = |opens| (opens, Certainty::Certain, shown.clone());
        if beside.is_empty() && found.is_empty() {
            let unknown = Opens::unknown(&pod.place, &container.container.name, &one.name);
            found.push(certain(unknown));
        }
        found.extend(beside.into_iter().map(certain));
        let opened = found.into_iter().map(|(opens, certainty, shown)| Opened {
            written: one.clone(),
            credential: Position::Credential(opens),
            certainty,
            shown: shown.into(),
        });
        opened.collect()
    }
}

/// Returns the credentials in a container's spec, variables first.
pub(super) fn written(container: &Container) -> Vec<Written<'_>> {
    let mut found = Vec::new();
    let mut add = |pointer, name, value| found.push(Written { pointer, name, value });
    for (at, variable) in container.env.iter().enumerate() {
        if let Some(value) = variable.value.as_ref().filter(|value| value.withheld) {
            add(format!("/env/{at}/value"), variable.name.clone(), value);
        }
    }
    for (list, words) in [
        ("command", container.command.words()),
        ("args", container.args.words()),
    ] {
        for (at, word) in words.iter().enumerate().filter(|(_, word)| word.withheld) {
            let before = at.checked_sub(1).and_then(|at| words.get(at));
            let option = match word.text.split_once('=') {
                Some((option, _)) if option.starts_with('-') && !option.contains(' ') => option.into(),
                _ => match before.filter(|before| before.text.starts_with('-')) {
                    Some(before) => before.text.clone(),
                    None => format!("{list}-{at}").into(),
                },
            };
            add(format!("/{list}/{at}"), option, word);
        }
    }
    found
}
