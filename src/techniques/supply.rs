//! What pods run, and who else can change it: scripts in ConfigMaps, images by tag.
//!
//! **Trap.** A change takes effect when the program starts again or the image is pulled again, which is for others to
//! cause; and a pull secret may be good for reading only.

use std::collections::BTreeMap;

use super::api_server::tag;
use super::pods::{ContainerView, Mark, PodView, both, marked, pods};
use super::references::{Holder, Way, references};
use super::technique::techniques;
use super::{Certainty, Context, Evidence, Family, Place, Position, Sink};
use crate::model::Text;
use crate::rbac::power;

techniques! { TECHNIQUES, Family::Supply;
    /// Rewrites a script that a container runs from a ConfigMap.
    ///
    /// # Preconditions
    ///
    /// The right to change the ConfigMap. The container mounts it, and its command names a file of the mount, or the
    /// ConfigMap has a key that is a script by its name (`.sh`, `.py` and the like) and the mount is not a file of settings.
    ///
    /// What does not suffice: a ConfigMap of settings; the right to read it.
    ///
    /// # Detection
    ///
    /// Audit log: `patch` of ConfigMaps outside deployments.
    CONFIG_MAP_SCRIPT: [Grant] => [Container, Pod] {
        title: "Script in a ConfigMap",
        mitre: ["T1059", "T1525"],
        microsoft: ["MS-TA9015"],
        owasp: ["K02", "K07"],
        cis: ["5.1.3"],
        effort: 2,
        remediation: "Put scripts into images, or set immutable: true on the ConfigMap.",
        references: ["https://kubernetes.io/docs/concepts/configuration/configmap/#configmap-immutable"],
        derive: config_map_script,
    }

    /// Replaces an image in its registry, with the credential that pods pull it with.
    ///
    /// # Preconditions
    ///
    /// The Secret is one that the pod, or its account, pulls images with, and an image of the pod is named by a tag. The
    /// credential must be good for writing too, and the image must be pulled again, which no object shows.
    ///
    /// What does not suffice: images by digest alone; a pod that pulls without a credential.
    ///
    /// # Detection
    ///
    /// The registry's log: pushes of tags that exist; pods whose image id changes without a new revision.
    IMAGE_REPLACE: [Secret] => [Pod] {
        title: "Image replaced in its registry",
        mitre: ["T1525", "T1195.002"],
        microsoft: ["MS-TA9002", "MS-TA9037"],
        owasp: ["K03", "K07"],
        effort: 4,
        remediation: "Pull with credentials that only read, and name images by digest.",
        references: [
            "https://kubernetes.io/docs/concepts/containers/images/#updating-images",
            "https://kubernetes.io/docs/tasks/configure-pod-container/pull-image-private-registry/",
        ],
        derive: image_replace,
    }
}

/// Ends of the names of files that are programs.
const SCRIPTS: &[&str] = &[".sh", ".bash", ".py", ".pl", ".rb", ".js", ".php", ".lua"];

fn config_map_script(context: &Context<'_>, sink: &mut Sink<'_>) {
    if !context.held.is_held(&power::UPDATE_CONFIG_MAPS) {
        return;
    }
    let mut grants = BTreeMap::<Place, Vec<Position>>::new();
    for pod in marked(context, Mark::VOLUMES) {
        for container in pod.containers() {
            for reference in references(&container) {
                if reference.holder != Holder::ConfigMap || reference.way != Way::Volume {
                    continue;
                }
                let place = reference.place.clone();
                let known = grants.entry(place.clone()).or_insert_with(|| {
                    context
                        .held
                        .over(&power::UPDATE_CONFIG_MAPS, &place.namespace, &place.name)
                });
                if known.is_empty() {
                    continue;
                }
                let Some(run) = script(context, &container, &place) else {
                    continue;
                };
                let (holder, certainty) = container.holder();
                let again = format!("{} runs the script again", container.container.name);
                let certainty = both(certainty, Certainty::Conditional(again.into()));
                for grant in known.iter() {
                    let evidence = [reference.proof(), run.clone()];
                    sink.step_if([grant.clone()], holder.clone(), certainty.clone(), evidence);
                }
            }
        }
    }
}

/// What says that a container runs a file of a ConfigMap that it mounts.
fn script(context: &Context<'_>, container: &ContainerView<'_>, place: &Place) -> Option<Evidence> {
    let spec = container.container;
    let is_of = |volume: &crate::model::Volume| {
        let direct = volume
            .config_map
            .as_ref()
            .is_some_and(|map| map.name == place.name);
        let sources = volume.projected.iter().flat_map(|projected| &projected.sources);
        let mut maps = sources.filter_map(|source| source.config_map.as_ref());
        direct || maps.any(|map| map.name == place.name)
    };
    for (_, mount, _) in container.mounts().filter(|(_, _, volume)| is_of(volume)) {
        let path = mount.mount_path.trim_end_matches('/');
        let words = [("command", spec.command.words()), ("args", spec.args.words())];
        for (list, at, word) in words
            .into_iter()
            .flat_map(|(list, words)| words.iter().enumerate().map(move |(at, word)| (list, at, word)))
        {
            if !path.is_empty() && runs(&word.text, path, at == 0 && list == "command") {
                return Some(container.fact(format_args!("/{list}/{at}"), &word.text));
            }
        }
    }
    let map = context.cluster.config_map(&place.namespace, &place.name)?;
    let mut keys = map.data.0.keys();
    let key = keys.find(|key| SCRIPTS.iter().any(|end| key.ends_with(end)))?;
    let id = crate::model::ObjectId::new("ConfigMap", &place.namespace, &place.name);
    Some(Evidence::new(
        id,
        format!("/data/{}", super::structure::escaped(key)),
        "",
    ))
}

/// Whether a word of a command line runs a file below a path: as the program itself, or as a script by its name.
fn runs(word: &str, path: &str, is_program: bool) -> bool {
    let mut parts =
        word.split(|c: char| c.is_whitespace() || matches!(c, ';' | '&' | '|' | '(' | ')' | '"' | '\''));
    parts.any(|part| {
        let below = part
            .strip_prefix(path)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        below && (is_program && part == word || SCRIPTS.iter().any(|end| part.ends_with(end)))
    })
}

/// The Secrets that a pod's images are pulled with: its own, else its account's.
fn pull_secrets(context: &Context<'_>, pod: &PodView<'_>) -> Vec<(Text, Evidence)> {
    let own = &pod.pod.spec.image_pull_secrets;
    if !own.is_empty() {
        let named = own.iter().enumerate();
        let fact = |at: usize, name: &Text| pod.fact(format_args!("/imagePullSecrets/{at}/name"), name);
        return named
            .map(|(at, secret)| (secret.name.clone(), fact(at, &secret.name)))
            .collect();
    }
    let name = pod.pod.spec.account();
    let account = context.cluster.service_account(&pod.place.namespace, &name);
    let given = account.map(|account| &account.image_pull_secrets);
    let id = crate::model::ObjectId::new("ServiceAccount", &pod.place.namespace, &name);
    let given = given.into_iter().flatten().enumerate();
    given
        .map(|(at, secret)| {
            let fact = Evidence::new(id.clone(), format!("/imagePullSecrets/{at}/name"), &secret.name);
            (secret.name.clone(), fact)
        })
        .collect()
}

fn image_replace(context: &Context<'_>, sink: &mut Sink<'_>) {
    for pod in pods(context) {
        let secrets = pull_secrets(context, &pod);
        if secrets.is_empty() {
            continue;
        }
        let lasting: Vec<_> = pod.containers().filter(ContainerView::is_lasting).collect();
        let by_tag = lasting
            .iter()
            .find(|container| !container.container.image.contains('@'));
        let Some(container) = by_tag else { continue };
        let image = &container.container.image;
        let named = if tag(image).is_empty() {
            "no tag, so the latest"
        } else {
            "by tag"
        };
        let fact = container.fact("/image", format!("{image}: {named}"));
        for (name, pulled) in secrets {
            let place = Place::new(&pod.place.namespace, &name);
            let key = Position::SecretKey(place, ".dockerconfigjson".into());
            let writes = "the credential is good for writing to the registry, and the image is pulled again";
            let certainty = Certainty::Conditional(writes.into());
            sink.step_if([key], pod.position(), certainty, [pulled, fact.clone()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_run_by_its_path() {
        assert!(runs("/scripts/start", "/scripts", true));
        assert!(runs("exec /scripts/start.sh --now", "/scripts", false));
        assert!(!runs("/scripts-other/start.sh", "/scripts", false));
        assert!(
            !runs("--config=/scripts/app.yaml", "/scripts", false)
                && !runs("/etc/app/app.conf", "/etc/app", false)
        );
    }
}
