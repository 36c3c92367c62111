//! From a kubeconfig, or the account of the pod that this runs in, to a client.
//!
//! **Trap.** The client would repeat requests by itself; that is switched off, because `server` does it within its
//! bounds and sees every answer.

use std::time::Duration;

use kube::config::{AuthInfo, Config, KubeConfigOptions, Kubeconfig, KubeconfigError};

use super::failure::{of_auth, words};
use super::{LiveError, Options};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

/// A client and what it talks to.
pub(super) struct Connected {
    pub(super) client: kube::Client,
    /// The address of the API server.
    pub(super) server: String,
}

/// Makes the client; no request is sent, but a credential plugin may run.
pub(super) async fn connect(options: &Options) -> Result<Connected, LiveError> {
    client(config(options).await?, options)
}

/// Makes a client of the same server that sends no credential of any kind.
pub(super) async fn without_credentials(options: &Options) -> Result<Connected, LiveError> {
    let mut config = config(options).await?;
    config.auth_info = AuthInfo::default();
    config.headers.clear();
    let nobody = Options {
        impersonate: None,
        ..options.clone()
    };
    client(config, &nobody)
}

/// Takes the token of a file as it is now if there is space around it, which the client would send.
fn trim_token(user: &mut AuthInfo) {
    let Some(path) = user.token_file.as_ref().filter(|_| user.token.is_none()) else {
        return;
    };
    // What cannot be read is the client's to tell.
    if let Ok(text) = std::fs::read_to_string(path)
        && text.trim() != text
    {
        user.token = Some(text.trim().to_owned().into());
    }
}

fn client(mut config: Config, options: &Options) -> Result<Connected, LiveError> {
    trim_token(&mut config.auth_info);
    config.default_retry = false;
    config.read_timeout = None;
    config.connect_timeout = Some(CONNECT_TIMEOUT.min(options.request_timeout));
    if let Some(user) = &options.impersonate {
        config.auth_info.impersonate = Some(user.clone());
        config.auth_info.impersonate_groups =
            (!options.impersonate_groups.is_empty()).then(|| options.impersonate_groups.clone());
    }
    let server = address(&config.cluster_url);
    let client = kube::Client::try_from(config).map_err(|error| {
        let reason = match &error {
            kube::Error::Auth(error) => of_auth(error),
            other => words(other),
        };
        LiveError::Credentials {
            server: server.clone(),
            reason,
        }
    })?;
    Ok(Connected { client, server })
}

/// The address without a path or a password in it.
fn address(url: &http::Uri) -> String {
    let authority = url.authority().map_or("", http::uri::Authority::as_str);
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    format!("{}://{host}", url.scheme_str().unwrap_or("https"))
}

async fn config(options: &Options) -> Result<Config, LiveError> {
    let wanted = KubeConfigOptions {
        context: options.context.clone(),
        ..KubeConfigOptions::default()
    };
    let of_kubeconfig = |error: &KubeconfigError| LiveError::Kubeconfig { reason: words(error) };
    if let Some(path) = &options.kubeconfig {
        let file = Kubeconfig::read_from(path).map_err(|error| of_kubeconfig(&error))?;
        let config = Config::from_custom_kubeconfig(file, &wanted).await;
        return config.map_err(|error| of_kubeconfig(&error));
    }
    let error = match Config::from_kubeconfig(&wanted).await {
        Ok(config) => return Ok(config),
        Err(error) => error,
    };
    let in_pod = std::env::var_os("KUBERNETES_SERVICE_HOST").is_some();
    if options.context.is_some() || !in_pod {
        return Err(of_kubeconfig(&error));
    }
    Config::incluster().map_err(|error| LiveError::InCluster {
        reason: words(&error),
    })
}
