//! Authentication after a refusal: how a 401, 403 or 404 response, with or without a challenge, leads to a retry with a
//! credential.

use reqwest::Method;
use reqwest::StatusCode;
use tracing::debug;

use super::authenticator::Authorization;
use super::challenge;
use super::client::RegistryClient;
use super::request::ApiRequest;
use super::response::ApiResponse;
use super::scope::TokenScope;
use crate::store::StoreError;

/// The bound on authentication retries of one request: one new token, a second one only if the challenge added actions,
/// and one probe for a challenge.
#[derive(Default)]
pub(super) struct AuthAttempts {
    challenge_probed: bool,
    refusals: u32,
}

impl AuthAttempts {
    /// Counts a refusal.
    ///
    /// # Errors
    /// The error of the response, if no retry is left.
    fn refused_once_more(&mut self, changed: bool, response: &ApiResponse) -> Result<(), StoreError> {
        self.refusals += 1;
        match self.refusals {
            1 => Ok(()),
            2 if changed => Ok(()),
            _ => Err(response.error()),
        }
    }
}

impl RegistryClient {
    /// Handles a response that may ask for authentication: returns `None` to send the request again, now with
    /// authorization, or the response as the final one.
    ///
    /// 1. After a 401 with a challenge, retry with a credential or fail.
    /// 2. After a 403 with a challenge to an anonymous request, retry if there is a credential.
    /// 3. After a 401, 403 or 404 without a challenge to an anonymous request, probe `/v2/` for a challenge.
    /// 4. If `/v2/` sends none either, assume Basic after a 401 or 403.
    ///
    /// # Errors
    /// [`StoreError::Denied`] if there is no credential for a 401, or after a second 401.
    pub(super) async fn authenticate(
        &self,
        request: &ApiRequest,
        authorization: Option<&Authorization>,
        mut response: ApiResponse,
        asked: &mut AuthAttempts,
    ) -> Result<Option<ApiResponse>, StoreError> {
        let insists = response.status == StatusCode::UNAUTHORIZED;
        if response.status != StatusCode::NOT_FOUND {
            response.credential_source = self.auth.credential_source(&request.scope).await;
        }
        let challenged = challenge::is_present(&response.headers);
        if let Some(credential_source) = &response.credential_source {
            let credential = self.transport.untrusted(credential_source);
            debug!(status = response.status.as_u16(), challenged, %credential, "access was refused");
        }
        if insists && (challenged || authorization.is_some()) {
            let changed = self.auth.refused(&request.scope, authorization, &response).await?;
            asked.refused_once_more(changed, &response)?;
            return Ok(None);
        }
        if authorization.is_some() || asked.challenge_probed {
            return if insists { Err(response.error()) } else { Ok(Some(response)) };
        }
        asked.challenge_probed = true;
        let met = match response.status {
            StatusCode::FORBIDDEN if challenged && self.auth.has_credential(&request.scope).await? => {
                self.auth.offered(&request.scope, &response).await?
            }
            status => self.probe_challenge(request, status).await?,
        };
        match met {
            true => Ok(None),
            false if insists => Err(response.error()),
            false => Ok(Some(response)),
        }
    }

    /// Stores the challenge of the response to a request that is sent only once, if it is a 401, and names the credential
    /// in it.
    ///
    /// # Errors
    /// [`StoreError::Denied`] if another attempt cannot have a better authorization.
    pub(super) async fn keep_challenge(
        &self,
        request: &ApiRequest,
        authorization: Option<&Authorization>,
        response: &mut ApiResponse,
    ) -> Result<(), StoreError> {
        if response.status != StatusCode::UNAUTHORIZED {
            return Ok(());
        }
        response.credential_source = self.auth.credential_source(&request.scope).await;
        self.auth.refused(&request.scope, authorization, response).await.map(drop)
    }

    /// Probes the registry for its challenge, once, if there is a credential for it; returns whether a challenge is
    /// known now. This is also done after a 404, since a registry may hide private content instead of asking for
    /// authentication.
    async fn probe_challenge(&self, request: &ApiRequest, status: StatusCode) -> Result<bool, StoreError> {
        let hidden = status == StatusCode::NOT_FOUND;
        let useful = match hidden {
            // A 404 is common, so it must not start a credential helper each time.
            true => self.auth.is_known(&request.scope).await,
            false => self.auth.has_credential(&request.scope).await?,
        };
        if useful && !self.auth.is_challenged() {
            self.challenge_probed.get_or_try_init(|| self.ping(request)).await?;
        }
        Ok(self.auth.is_challenged() || (useful && !hidden && self.auth.assume_basic(&request.scope).await?))
    }

    /// Requests `/v2/` without authorization and stores its challenge, even from a 200 or 403 response.
    async fn ping(&self, request: &ApiRequest) -> Result<(), StoreError> {
        debug!(host = %self.transport.shown_host(&self.base), "asking for a challenge");
        let mut url = self.base.clone();
        url.set_path("/v2/");
        let TokenScope { repository, access } = request.scope.clone();
        let ping = ApiRequest::new(Method::GET, url, &repository, access, request.what.clone());
        let response = self.send_once(&ping, None, &mut None).await.map_err(|error| error.error(&request.what))?;
        match response.status {
            _ if response.foreign || challenge::strongest(&response.headers).is_none() => Ok(()),
            StatusCode::UNAUTHORIZED => self.auth.refused(&request.scope, None, &response).await.map(drop),
            _ => self.auth.offered(&request.scope, &response).await.map(drop),
        }
    }
}
