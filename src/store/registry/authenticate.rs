//! Authentication after a refusal: with a challenge, wherever it comes, and without one.

use reqwest::Method;
use reqwest::StatusCode;

use super::authenticator::Authorization;
use super::challenge;
use super::client::RegistryClient;
use super::request::ApiRequest;
use super::response::ApiResponse;
use super::scope::TokenScope;
use crate::store::StoreError;

/// What was done about authentication for one call: one new token, and another one only where the registry asked for
/// more; and one question which authentication it wants.
#[derive(Default)]
pub(super) struct AuthAttempts {
    challenge_probed: bool,
    refusals: u32,
}

impl AuthAttempts {
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
    /// What is to be done after an answer that may mean that authentication is wanted: the answer, if that is all there
    /// is to it; `None` where the call is worth making again.
    ///
    /// 1. A 401 with a challenge is met, or an error.
    /// 2. A 403 with a challenge to an anonymous request is met if there is a credential.
    /// 3. After a 401, 403 or 404 without one to an anonymous request, the root of the API is asked for a challenge.
    /// 4. Where that has none either, a 401 or 403 is taken to want Basic.
    pub(super) async fn authenticate(
        &self,
        request: &ApiRequest,
        authorization: Option<&Authorization>,
        mut response: ApiResponse,
        asked: &mut AuthAttempts,
    ) -> Result<Option<ApiResponse>, StoreError> {
        let insists = response.status == StatusCode::UNAUTHORIZED;
        if response.status != StatusCode::NOT_FOUND {
            response.who = self.auth.who(&request.scope).await;
        }
        let challenged = challenge::is_there(&response.headers);
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

    /// Asks the registry, once, which authentication it wants, if there is a credential for it; whether that is known
    /// now. A registry that is open to all may hide what is not, instead of asking for authentication.
    async fn probe_challenge(&self, request: &ApiRequest, status: StatusCode) -> Result<bool, StoreError> {
        let hidden = status == StatusCode::NOT_FOUND;
        let useful = match hidden {
            // Not every name that is not there is worth starting a credential helper.
            true => self.auth.is_known(&request.scope).await,
            false => self.auth.has_credential(&request.scope).await?,
        };
        if useful && !self.auth.is_challenged() {
            self.challenge_probed.get_or_try_init(|| self.ping(request)).await?;
        }
        Ok(self.auth.is_challenged() || (useful && !hidden && self.auth.assume_basic(&request.scope).await?))
    }

    /// Asks the root of the API for a challenge. One that comes with a 200 or 403 is one as well.
    async fn ping(&self, request: &ApiRequest) -> Result<(), StoreError> {
        let mut url = self.base.clone();
        url.set_path("/v2/");
        let TokenScope { repository, access } = request.scope.clone();
        let ping = ApiRequest::new(Method::GET, url, &repository, access, request.what.clone());
        let response = self.send_once(&ping, None, &mut None).await.map_err(|error| error.error(&request.what))?;
        match response.status {
            _ if response.foreign || challenge::asked(&response.headers).is_none() => Ok(()),
            StatusCode::UNAUTHORIZED => self.auth.refused(&request.scope, None, &response).await.map(drop),
            _ => self.auth.offered(&request.scope, &response).await.map(drop),
        }
    }
}
