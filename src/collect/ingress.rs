//! Ingresses of the API versions before `networking.k8s.io/v1`, read into today's shape.
//!
//! Source: <https://kubernetes.io/docs/reference/using-api/deprecation-guide/#ingress-v122>

use serde::{Deserialize, Deserializer};

use crate::model::{
    HttpPath, HttpPaths, Ingress, IngressBackend, IngressRule, IngressServiceBackend, IngressServicePort,
    IngressSpec, IngressTls, Meta, Object, PortReference, Text, TypedReference,
};

use super::piece::Head;

/// Whether an Ingress of this head has the old shape.
pub(super) fn is_old(head: &Head) -> bool {
    head.group() == "extensions" || head.version().starts_with("v1beta")
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Old {
    metadata: Option<Meta>,
    spec: Option<OldSpec>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct OldSpec {
    ingress_class_name: Option<Text>,
    backend: Option<OldBackend>,
    default_backend: Option<IngressBackend>,
    rules: Option<Vec<OldRule>>,
    tls: Option<Vec<IngressTls>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct OldRule {
    host: Option<Text>,
    http: Option<OldPaths>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct OldPaths {
    paths: Option<Vec<OldPath>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct OldPath {
    path: Option<Text>,
    path_type: Option<Text>,
    backend: Option<OldBackend>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct OldBackend {
    service_name: Option<Text>,
    service_port: Option<PortReference>,
    service: Option<IngressServiceBackend>,
    resource: Option<TypedReference>,
}

impl OldBackend {
    fn renewed(self) -> IngressBackend {
        let named = self.service_name.map(|name| IngressServiceBackend {
            name,
            port: match self.service_port.unwrap_or_default() {
                PortReference::Number(number) => IngressServicePort {
                    number: Some(number),
                    ..IngressServicePort::default()
                },
                PortReference::Name(name) => IngressServicePort { name, number: None },
            },
        });
        IngressBackend {
            service: self.service.or(named),
            resource: self.resource,
        }
    }
}

/// Reads an Ingress of the old shape.
pub(super) fn read_old<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Object, D::Error> {
    let old = Old::deserialize(deserializer)?;
    let spec = old.spec.unwrap_or_default();
    let path = |path: OldPath| HttpPath {
        path: path.path.unwrap_or_default(),
        path_type: path.path_type.unwrap_or_default(),
        backend: path.backend.unwrap_or_default().renewed(),
    };
    let rule = |rule: OldRule| IngressRule {
        host: rule.host.unwrap_or_default(),
        http: rule.http.map(|http| HttpPaths {
            paths: http.paths.unwrap_or_default().into_iter().map(path).collect(),
        }),
    };
    Ok(Object::Ingress(Box::new(Ingress {
        meta: old.metadata.unwrap_or_default(),
        spec: IngressSpec {
            ingress_class_name: spec.ingress_class_name,
            default_backend: spec.default_backend.or(spec.backend.map(OldBackend::renewed)),
            rules: spec.rules.unwrap_or_default().into_iter().map(rule).collect(),
            tls: spec.tls.unwrap_or_default(),
        },
    })))
}
