//! Tests of rbac.
