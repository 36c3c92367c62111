//! Consoles and programming interfaces that ask nobody who comes: what their port gives.
//!
//! **Trap.** Most images ask for a token unless told otherwise; only the argument or variable that ends it counts. And a
//! console acts as its account, which is less than to run code beside it.

use super::api_server::{image_name, option, repository, tag};
use super::pods::{ContainerView, Mark, PodView, marked};
use super::technique::techniques;
use super::version::numbers;
use super::{Certainty, Context, Evidence, Family, Position, Sink};
use crate::model::Protocol;
use crate::rbac::Identity;

techniques! { TECHNIQUES, Family::Exposure;
    /// Runs code through a service that takes it from whoever comes.
    ///
    /// Such services: Ray's dashboard, Flink's, Weave Scope, code-server and Jupyter without a password, Docker's port without
    /// TLS.
    ///
    /// # Preconditions
    ///
    /// The image is one of these, its port can be reached, and it asks for nothing: by default (the head of Ray,
    /// Flink's job manager, the app of Weave Scope) or
    /// because an argument or variable says so.
    ///
    /// What does not suffice: code-server or Jupyter with their default token; workers of Ray and Flink, probes of Weave
    /// Scope; a policy that closes the port.
    ///
    /// # Detection
    ///
    /// Connections to the port from anything but its users; processes that the image does not start.
    CONSOLE_CODE: [Port] => [Container] {
        title: "Code through an open console",
        mitre: ["T1190", "T1059"],
        microsoft: ["MS-TA9005", "MS-TA9009"],
        owasp: ["K06", "K09"],
        cis: ["5.3.2"],
        falco: ["Redirect STDOUT/STDIN to Network Connection in Container"],
        effort: 1,
        remediation: "Have the service ask for a password, and let only its users reach the port.",
        references: [
            "https://docs.ray.io/en/latest/ray-security/index.html",
            "https://nightlies.apache.org/flink/flink-docs-stable/docs/deployment/security/security-ssl/",
            "https://docs.docker.com/engine/security/protect-access/",
        ],
        derive: console_code,
    }

    /// Acts as the account of a console that asks nobody who comes.
    ///
    /// Such consoles: the Kubernetes dashboard with `--enable-skip-login`, Argo Workflows with `--auth-mode=server`, Tiller of
    /// Helm 2, `kubectl proxy` at all addresses.
    ///
    /// # Preconditions
    ///
    /// The container is one of these with that argument (Tiller needs none), and its port can be reached.
    ///
    /// What does not suffice: the dashboard without the argument, which asks for a token; `kubectl proxy` at the loopback
    /// address.
    ///
    /// # Detection
    ///
    /// Audit log: what the console's account does beyond its own.
    CONSOLE_ACCOUNT: [Port] => [Identity] {
        title: "Account of an open console",
        mitre: ["T1190", "T1078"],
        microsoft: ["MS-TA9009", "MS-TA9030"],
        owasp: ["K06", "K09"],
        cis: ["5.3.2"],
        effort: 1,
        remediation: "Have the console ask for each user's own credential, and take rights from its account.",
        references: [
            "https://kubernetes.io/docs/tasks/access-application-cluster/web-ui-dashboard/",
            "https://argo-workflows.readthedocs.io/en/latest/argo-server-auth-mode/",
            "https://kubernetes.io/docs/reference/kubectl/generated/kubectl_proxy/",
        ],
        derive: console_account,
    }

    /// Runs code in the ingress controller through its admission webhook (CVE-2025-1974).
    ///
    /// # Preconditions
    ///
    /// The image is ingress-nginx's controller before 1.11.5, or 1.12.0, and port 8443 of its pod can be reached. Its account
    /// reads the Secrets of all Ingresses.
    ///
    /// What does not suffice: later versions; a controller without its webhook's arguments.
    ///
    /// # Detection
    ///
    /// Requests to port 8443 of the controller that do not come from the API server.
    EXPLOIT_INGRESS_NGINX: [Port] => [Container] {
        title: "Code in ingress-nginx by its webhook",
        mitre: ["T1190", "T1210"],
        microsoft: ["MS-TA9005", "MS-TA9004"],
        owasp: ["K06", "K07"],
        cis: ["5.3.2"],
        effort: 2,
        remediation: "Update ingress-nginx, and let only the API server reach its webhook.",
        references: [
            "https://kubernetes.io/blog/2025/03/24/ingress-nginx-cve-2025-1974/",
            "https://nvd.nist.gov/vuln/detail/CVE-2025-1974",
        ],
        derive: exploit_ingress_nginx,
    }
}

/// What a console gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gives {
    /// Code in its container.
    Code,
    /// The rights of its account.
    Account,
    /// Code in its container, by the flaw of an old version.
    Flaw,
}

/// What opens a console.
#[derive(Clone, Copy, Debug)]
enum Open {
    /// It is open as it comes.
    Default,
    /// It declares the port: the same image runs parts that do not serve it.
    Declared,
    /// A part of its command line.
    Within(&'static str),
    /// A word on its command line.
    Word(&'static str),
    /// An option with this value.
    Option(&'static str, &'static str),
    /// An option of any value, in versions with the flaw.
    Old(&'static str),
}

/// One kind of console.
struct Console {
    /// Last part of the image's repository, or two of them with a slash.
    images: &'static [&'static str],
    ports: &'static [u16],
    opens: &'static [Open],
    gives: Gives,
}

const CONSOLES: &[Console] = &[
    Console {
        images: &["rayproject/ray", "rayproject/ray-ml"],
        ports: &[8265],
        opens: &[Open::Within("--head"), Open::Declared],
        gives: Gives::Code,
    },
    Console {
        images: &["flink"],
        ports: &[8081],
        opens: &[Open::Within("jobmanager"), Open::Declared],
        gives: Gives::Code,
    },
    Console {
        images: &["weaveworks/scope"],
        ports: &[4040],
        opens: &[Open::Declared],
        gives: Gives::Code,
    },
    Console {
        images: &["code-server"],
        ports: &[8080],
        opens: &[Open::Option("--auth", "none")],
        gives: Gives::Code,
    },
    Console {
        images: &[
            "base-notebook",
            "datascience-notebook",
            "jupyter",
            "minimal-notebook",
            "scipy-notebook",
            "tensorflow-notebook",
        ],
        ports: &[8888],
        opens: &[
            Open::Option("--IdentityProvider.token", ""),
            Open::Option("--NotebookApp.token", ""),
            Open::Option("--ServerApp.token", ""),
        ],
        gives: Gives::Code,
    },
    Console {
        images: &["docker"],
        ports: &[2375],
        opens: &[
            Open::Option("--host", "tcp://0.0.0.0:2375"),
            Open::Option("-H", "tcp://0.0.0.0:2375"),
            Open::Option("--tls", "false"),
        ],
        gives: Gives::Code,
    },
    Console {
        images: &[
            "kubernetesui/dashboard",
            "dashboard-api",
            "kubernetes-dashboard-amd64",
        ],
        ports: &[8443, 9090, 8000],
        opens: &[Open::Word("--enable-skip-login")],
        gives: Gives::Account,
    },
    Console {
        images: &["argocli"],
        ports: &[2746],
        opens: &[Open::Option("--auth-mode", "server")],
        gives: Gives::Account,
    },
    Console {
        images: &["tiller"],
        ports: &[44134],
        opens: &[Open::Default],
        gives: Gives::Account,
    },
    Console {
        images: &["kubectl"],
        ports: &[8001],
        opens: &[Open::Option("--address", "0.0.0.0")],
        gives: Gives::Account,
    },
    Console {
        images: &["ingress-nginx/controller"],
        ports: &[8443],
        opens: &[Open::Old("--validating-webhook")],
        gives: Gives::Flaw,
    },
];

/// Whether an image's repository ends with one or two words.
fn is_image(image: &str, words: &str) -> bool {
    if !words.contains('/') {
        return image_name(image) == words;
    }
    let repository = repository(image);
    let rest = repository.strip_suffix(words);
    rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('/'))
}

/// The console of an image.
fn console(image: &str) -> Option<&'static Console> {
    let is_meant = |console: &&Console| console.images.iter().any(|words| is_image(image, words));
    CONSOLES.iter().find(is_meant)
}

/// Whether an image is a console's.
pub(super) fn is_known(image: &str) -> bool {
    console(image).is_some()
}

impl Open {
    /// What says that a container is open, if it is.
    fn of(self, container: &ContainerView<'_>, ports: &[u16]) -> Option<Evidence> {
        let image = &container.container.image;
        match self {
            Self::Default => Some(container.fact("/image", image)),
            Self::Declared => {
                let mut declared = container.container.ports.iter();
                let at = declared.position(|port| ports.contains(&port.container_port))?;
                let port = container.container.ports[at].container_port.to_string();
                Some(container.fact(format_args!("/ports/{at}/containerPort"), port))
            }
            Self::Within(part) => {
                let spec = container.container;
                let lists = [("command", spec.command.words()), ("args", spec.args.words())];
                lists.into_iter().find_map(|(list, words)| {
                    let at = words.iter().position(|word| word.text.contains(part))?;
                    Some(container.fact(format_args!("/{list}/{at}"), &words[at].text))
                })
            }
            Self::Word(word) => {
                let (pointer, value) = option(container, word)?;
                (value != "false").then(|| container.fact(&pointer, word))
            }
            Self::Option(name, wanted) => {
                let (pointer, value) = option(container, name)?;
                let value = value.trim_matches(['"', '\'']);
                (value == wanted).then(|| container.fact(&pointer, format!("{name}={value}")))
            }
            Self::Old(name) => {
                option(container, name)?;
                let version = numbers(tag(image))?;
                let is_old = version < (1, 11, 5) || version == (1, 12, 0);
                is_old.then(|| container.fact("/image", image))
            }
        }
    }
}

/// Calls `see` for every open console with its ports and what says so.
fn consoles(
    context: &Context<'_>,
    mut see: impl FnMut(&PodView<'_>, &ContainerView<'_>, &Console, Evidence),
) {
    for pod in marked(context, Mark::CONSOLE) {
        for container in pod.containers().filter(ContainerView::is_lasting) {
            let image = &container.container.image;
            let Some(console) = console(image) else { continue };
            if let Some(fact) = console
                .opens
                .iter()
                .find_map(|open| open.of(&container, console.ports))
            {
                see(&pod, &container, console, fact);
            }
        }
    }
}

/// The ports of open consoles, by pod.
pub(super) fn ports(context: &Context<'_>) -> Vec<(usize, u16)> {
    let mut found = Vec::new();
    consoles(context, |pod, _, console, _| {
        found.extend(console.ports.iter().map(|&port| (pod.index, port)));
    });
    found
}

fn found(context: &Context<'_>, sink: &mut Sink<'_>, wanted: Gives) {
    consoles(context, |pod, container, console, fact| {
        if console.gives != wanted {
            return;
        }
        let gained = if wanted == Gives::Account {
            let account = pod.pod.spec.account();
            Position::Identity(Identity::service_account(&pod.place.namespace, account))
        } else {
            container.position()
        };
        for &port in console.ports {
            let port = Position::Port(pod.place.clone(), port, Protocol::Tcp);
            sink.step_if([port], gained.clone(), Certainty::Certain, [fact.clone()]);
        }
    });
}

fn console_code(context: &Context<'_>, sink: &mut Sink<'_>) {
    found(context, sink, Gives::Code);
}

fn console_account(context: &Context<'_>, sink: &mut Sink<'_>) {
    found(context, sink, Gives::Account);
}

fn exploit_ingress_nginx(context: &Context<'_>, sink: &mut Sink<'_>) {
    found(context, sink, Gives::Flaw);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_known_by_their_last_words() {
        assert!(is_image("docker.io/rayproject/ray:2.9", "rayproject/ray"));
        assert!(is_image(
            "registry.k8s.io/ingress-nginx/controller:v1.11.4@sha256:0",
            "ingress-nginx/controller"
        ));
        assert!(!is_image("docker.io/xrayproject/ray", "rayproject/ray"));
        assert!(!is_image("flink-operator", "flink") && is_image("flink", "flink"));
    }
}
