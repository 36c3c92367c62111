//! How a server asks who comes: by its image's default, its variables, its command line, its settings in a ConfigMap.
//!
//! **Trap.** What is not known is a condition, never an assumption: a file that the input does not show may ask for a
//! password. And a password that is set asks nobody where the image does not read it.

use super::family::Family;
use super::files::{SettingsFile, kinds};
use super::server::{ContainerPlace, Environment};
use super::{Door, Variable};
use crate::model::{ServerFile, Text};

/// A mark that opens or locks: a variable or an option, with what its value must be.
struct Mark<'a> {
    name: &'a str,
    wants: Wants<'a>,
}

enum Wants<'a> {
    /// Any value that does not say no.
    Any,
    /// This one.
    Value(&'a str),
    /// One with this in it.
    Part(&'a str),
}

impl<'a> Mark<'a> {
    fn new(text: &'a str) -> Self {
        let value = text
            .split_once('=')
            .map(|(name, value)| (name, Wants::Value(value)));
        let part = || text.split_once('~').map(|(name, part)| (name, Wants::Part(part)));
        let (name, wants) = value.or_else(part).unwrap_or((text, Wants::Any));
        Self { name, wants }
    }

    fn fits(&self, value: &str) -> bool {
        match self.wants {
            Wants::Any => !says_no(value),
            Wants::Value(wanted) => value.eq_ignore_ascii_case(wanted),
            Wants::Part(wanted) => value.contains(wanted),
        }
    }

    /// The variable that has it.
    fn variable<'e>(&self, environment: &'e Environment) -> Option<&'e Variable> {
        let variable = environment.get(self.name)?;
        let fits = match (&variable.value, &self.wants) {
            (Some(value), Wants::Any) if value.withheld => true,
            (Some(value), _) => self.fits(&value.text),
            (None, wants) => matches!(wants, Wants::Any),
        };
        fits.then_some(variable)
    }

    /// The word of the command line that has it, with its pointer.
    ///
    /// An option without a value that the mark asks for (`--auth`) is set by being there.
    fn word<'w>(&self, words: &'w [(String, String)]) -> Option<(&'w str, &'w str)> {
        words.iter().enumerate().find_map(|(at, (pointer, word))| {
            let found = (pointer.as_str(), word.as_str());
            if let Some(value) = word
                .strip_prefix(self.name)
                .and_then(|rest| rest.strip_prefix('='))
            {
                return self.fits(value.trim_matches('"')).then_some(found);
            }
            if word != self.name {
                return None;
            }
            let next = words.get(at + 1).map(|(_, word)| word.as_str());
            let value = next.filter(|next| !next.starts_with('-'));
            let fits = match (&self.wants, value) {
                (Wants::Any, Some("")) => false,
                (Wants::Any, _) => true,
                (_, Some(value)) => self.fits(value),
                (_, None) => false,
            };
            fits.then_some(found)
        })
    }
}

/// Whether the value of a switch turns it off.
pub(super) fn says_no(value: &str) -> bool {
    matches!(value, "" | "false" | "no" | "0" | "off")
}

impl ContainerPlace<'_> {
    /// Whether the server lets in whoever reaches it.
    ///
    /// What its command line and its variables say goes before its files, those before the image's default. `secrets` are
    /// those of the namespace that the input holds.
    pub(super) fn door(
        &self,
        family: &Family,
        environment: &Environment,
        files: &[SettingsFile],
        secrets: &dyn Fn(&str) -> bool,
    ) -> Door {
        let words = self.words();
        let words = words.0.as_slice();
        let set = |name: &str| Mark::new(name).variable(environment);
        let file = |name: &str| set(&format!("{name}_FILE"));
        let password = family
            .passwords()
            .find_map(|(name, _)| set(name).or_else(|| file(name)));
        for mark in &family.unlocks {
            let only_without = mark.contains("EMPTY") || mark.contains("SKIP_USER");
            if only_without && password.is_some() {
                continue;
            }
            let mark = Mark::new(mark);
            if let Some(variable) = mark.variable(environment) {
                let shown = variable.value.as_ref().map_or("", |value| &value.text);
                let fact = self.fact(&variable.pointer, format!("{}={shown}", mark.name));
                return Door::Open(fact, None);
            }
            if let Some((pointer, word)) = mark.word(words) {
                return Door::Open(self.fact(pointer, word), None);
            }
        }
        let locked = family.locks.iter().any(|lock| {
            let mark = Mark::new(lock);
            mark.variable(environment).is_some() || mark.word(words).is_some() || file(mark.name).is_some()
        });
        if locked || self.asks_for_certificate(family, environment, &[]) {
            return Door::Locked;
        }
        if let Some(door) = self.door_of_files(family, files) {
            return door;
        }
        let fact = self.fact("/image", &self.container.image);
        if !family.is_open(&self.container.image) {
            return Self::undecided(family, files).map_or(Door::Locked, |path| {
                Door::Open(fact, Some(format!("{path} lets in without a password").into()))
            });
        }
        if let Some(variable) = password {
            if family.is_packed_open(&self.container.image) {
                return Door::Open(fact, None);
            }
            if self.container.image.contains("bitnami") {
                return Door::Locked;
            }
            let condition = format!("the image does not read {}", variable.name);
            return Door::Open(fact, Some(condition.into()));
        }
        let unread = files.iter().find(|file| file.settings.is_none());
        let doubt = unread.map(|file| format!("{} asks for no password", file.path).into());
        let doubt = doubt.or_else(|| self.doubt_of_variables(family, environment, secrets));
        Door::Open(fact, doubt.or_else(|| family.doubt.as_deref().map(Text::new)))
    }

    /// Whether the server asks for a client's certificate, by its command line, its variables or these files.
    pub(super) fn asks_for_certificate(
        &self,
        family: &Family,
        environment: &Environment,
        files: &[SettingsFile],
    ) -> bool {
        let words = self.words();
        let mut marks = family.certificates.iter().map(|mark| Mark::new(mark));
        marks.any(|mark| mark.variable(environment).is_some() || mark.word(&words.0).is_some())
            || kinds(family).any(|kind| files.iter().any(|file| file.marked(&kind.certificates).is_some()))
    }

    /// On what it depends that no variable sets a password: Secrets that the input does not hold, or what the images of
    /// Bitnami do where nobody says that they may start without one.
    fn doubt_of_variables(
        &self,
        family: &Family,
        environment: &Environment,
        secrets: &dyn Fn(&str) -> bool,
    ) -> Option<Text> {
        family.passwords().next()?;
        if family.is_packed_open(&self.container.image) {
            return None;
        }
        let mut from = self.container.env_from.iter();
        let absent = from.find_map(|from| from.secret_ref.as_ref().filter(|secret| !secrets(&secret.name)));
        if let Some(secret) = absent {
            return Some(format!("Secret {} holds no password for it", secret.name).into());
        }
        let is_allowed = || {
            let allows = [
                "ALLOW_EMPTY_PASSWORD",
                "ALLOW_NONE_AUTHENTICATION",
                "ALLOW_PLAINTEXT_LISTENER",
            ];
            allows
                .iter()
                .any(|name| Mark::new(name).variable(environment).is_some())
        };
        let is_doubtful = self.container.image.contains("bitnami") && !is_allowed();
        is_doubtful.then(|| "the image of Bitnami starts without a password of one's own".into())
    }

    /// What the files that could be read decide.
    fn door_of_files(&self, family: &Family, files: &[SettingsFile]) -> Option<Door> {
        let namespace = &self.pod.meta.namespace;
        let first = |marks: fn(&ServerFile) -> &Vec<String>| {
            kinds(family).find_map(|kind| {
                let mut found = files.iter();
                found.find_map(|file| Some((file, file.marked(marks(kind))?)))
            })
        };
        if let Some((file, setting)) = first(|kind| &kind.unlocks) {
            // Of an open family the doubt is about its default.
            let is_closed = !family.is_open(&self.container.image);
            let doubt = family.doubt.as_deref().filter(|_| is_closed).map(Text::new);
            return Some(Door::Open(file.fact(namespace, setting)?, doubt));
        }
        if let Some((file, setting)) = first(|kind| &kind.partly) {
            let condition = format!("the sender is one that {}={} means", setting.0, setting.1);
            return Some(Door::Open(file.fact(namespace, setting)?, Some(condition.into())));
        }
        let asks = first(|kind| &kind.secrets)
            .or_else(|| first(|kind| &kind.locks))
            .or_else(|| first(|kind| &kind.certificates));
        asks.map(|_| Door::Locked)
    }

    /// The path of a file that alone decides and cannot be read.
    fn undecided<'f>(family: &Family, files: &'f [SettingsFile]) -> Option<&'f str> {
        let decides = |file: &&SettingsFile| {
            let mut names = kinds(family).flat_map(|kind| &kind.decides);
            file.settings.is_none() && names.any(|name| file.path.ends_with(name))
        };
        files.iter().find(decides).map(|file| file.path.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_read_in_every_form() {
        let words = |line: &str| -> Vec<(String, String)> {
            line.split(' ')
                .map(|word| (String::new(), word.to_owned()))
                .collect()
        };
        let there = |mark: &str, line: &str| Mark::new(mark).word(&words(line)).is_some();
        assert!(there("--auth", "mongod --auth") && there("--auth", "mongod --auth --port 1"));
        assert!(!there("--auth", "mongod --authx") && !there("--auth", "mongod --auth=false"));
        assert!(there("--protected-mode=yes", "redis-server --protected-mode yes"));
        assert!(!there("--protected-mode=yes", "redis-server --protected-mode no"));
        assert!(!there("--requirepass", "redis-server --requirepass "));
        assert!(!there("--requirepass", "redis-server --requirepass=\"\""));
        assert!(there("X~SASL", "X=A:SASL_PLAIN") && !there("X~SASL", "X=PLAINTEXT"));
    }
}
