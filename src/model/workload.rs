//! Controllers of pods: everything that carries a pod template.
//!
//! **Trap.** A ReplicaSet made by a Deployment carries the same template; only the top controller is the
//! workload that users know. [`crate::model::Cluster::workload_of`] follows the owners.

use super::lenient::slim;
use super::storage::PersistentVolumeClaimSpec;
use super::{Meta, PodTemplate, Text};

slim! {
    /// Deployment, ReplicaSet, StatefulSet, DaemonSet, Job, CronJob or ReplicationController.
    pub struct Workload {
        #[serde(rename = "metadata")]
        meta: Meta,
        spec: WorkloadSpec,
    }

    /// The parts of `spec` that these kinds share.
    pub struct WorkloadSpec {
        replicas: Option<i32>,
        template: PodTemplate,
        /// Of a CronJob, which has no `template` of its own.
        job_template: Option<JobTemplate>,
        suspend: Option<bool>,
        service_name: Text,
        volume_claim_templates: Vec<VolumeClaimTemplate>,
    }

    /// `spec.jobTemplate` of a CronJob.
    pub struct JobTemplate { spec: JobTemplateSpec, }

    /// `spec.jobTemplate.spec`.
    pub struct JobTemplateSpec { template: PodTemplate, }

    /// `volumeClaimTemplates[]` of a StatefulSet.
    pub struct VolumeClaimTemplate {
        #[serde(rename = "metadata")]
        meta: Meta,
        spec: PersistentVolumeClaimSpec,
    }
}

impl Workload {
    /// The template of the pods, wherever the kind keeps it.
    pub fn template(&self) -> &PodTemplate {
        self.spec
            .job_template
            .as_ref()
            .map_or(&self.spec.template, |job| &job.spec.template)
    }

    /// The template of the pods, to change.
    pub fn template_mut(&mut self) -> &mut PodTemplate {
        match &mut self.spec.job_template {
            Some(job) => &mut job.spec.template,
            None => &mut self.spec.template,
        }
    }
}
