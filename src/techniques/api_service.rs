//! What the right to change APIServices gives: an API group that the attacker serves.
//!
//! **Trap.** Whoever serves a group makes up its objects, and controllers act on them with their own rights. The callers'
//! tokens are not passed on, so that no identity follows from being called.

use std::collections::BTreeSet;

use super::controllers::{Gives, running};
use super::new_pod::belongings;
use super::structure::namespace_fact;
use super::technique::techniques;
use super::{Certainty, Context, Family, Position, Sink};
use crate::model::Text;
use crate::rbac::power;

techniques! { TECHNIQUES, Family::Rbac;
    /// Serves an API group in place of the API server, with objects made up for the controllers that read it.
    ///
    /// Jobs, Deployments and their like that exist nowhere have the controller manager make pods in any namespace; made-up
    /// custom resources have their controllers act with their own accounts.
    ///
    /// # Preconditions
    ///
    /// The right to update or patch APIServices, of all names or of that of the group: `v1.batch`, `v1.apps`, or the group of
    /// a controller that runs in the input. The API server reaches the Service that the APIService names.
    ///
    /// What does not suffice: `create`, as those of groups that controllers read exist; `delete`, as the API server makes
    /// them anew; the name of a group that no controller reads.
    ///
    /// # Detection
    ///
    /// Audit log: `create` and `patch` of `apiservices`; APIServices of built-in groups that name a Service.
    API_SERVICE_REPLACE: [Grant] => [Identity, Credential, Secret, ConfigMap, Network] {
        title: "API group served by the attacker",
        mitre: ["T1557", "T1610"],
        microsoft: ["MS-TA9008"],
        owasp: ["K02"],
        effort: 4,
        remediation: "Leave APIServices to administrators; a component needs its own by name at most.",
        references: [
            "https://kubernetes.io/docs/tasks/extend-kubernetes/configure-aggregation-layer/",
            "https://kubernetes.io/docs/concepts/extend-kubernetes/api-extension/apiserver-aggregation/",
        ],
        derive: api_service_replace,
    }
}

/// The APIServices of the kinds from which the controller manager makes pods.
const WORKLOADS: [&str; 2] = ["v1.batch", "v1.apps"];
const SERVED: &str = "the API server reaches the Service, and the APIService is not put back";

fn api_service_replace(context: &Context<'_>, sink: &mut Sink<'_>) {
    let power = &power::UPDATE_API_SERVICES;
    let wide = context.held.everywhere(power);
    let served = || Certainty::Conditional(SERVED.into());
    let none = Text::default();
    let pods: BTreeSet<Position> = WORKLOADS
        .iter()
        .flat_map(|name| context.held.over(power, &none, &Text::new(name)))
        .collect();
    for grant in pods {
        for namespace in context.held.all_namespaces() {
            for gained in belongings(namespace) {
                sink.step_if([grant.clone()], gained, served(), [namespace_fact(namespace)]);
            }
        }
    }
    for controller in running(context) {
        if !matches!(controller.kind.gives, Gives::Account { unless } if unless.is_empty() || controller.option(unless).is_none())
        {
            continue;
        }
        let rights = controller.kind.powers.iter().flat_map(|power| power.any);
        let groups: BTreeSet<&str> = rights.map(|right| right.group).collect();
        let named = context.held.names(power);
        // The name is the version, a dot and the group.
        let named = named.filter(|(_, name, _)| {
            let group = name.split_once('.').map(|(_, group)| group);
            group.is_some_and(|group| groups.contains(group))
        });
        let grants = wide.iter().cloned().chain(named.map(|(_, _, grant)| grant));
        for grant in grants {
            let gained = Position::Identity(controller.account.clone());
            let evidence = controller.evidence.clone();
            sink.step_if([grant], gained, served(), evidence);
        }
    }
}
