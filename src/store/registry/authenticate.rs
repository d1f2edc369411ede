//! When a registry is told who asks: after a challenge, wherever it comes, and where it refuses without one.

use reqwest::Method;
use reqwest::StatusCode;

use super::answer::Answer;
use super::auth::Scope;
use super::auth::Ticket;
use super::call::Call;
use super::challenge;
use super::client::Host;
use crate::store::StoreError;

/// What was done about authentication for one call: one new token, and another one only where the registry asked for
/// more; and one question which authentication it wants.
#[derive(Default)]
pub(super) struct Asked {
    introduced: bool,
    refusals: u32,
}

impl Asked {
    fn refused_once_more(&mut self, changed: bool, answer: &Answer) -> Result<(), StoreError> {
        self.refusals += 1;
        match self.refusals {
            1 => Ok(()),
            2 if changed => Ok(()),
            _ => Err(answer.error()),
        }
    }
}

impl Host {
    /// What is to be done after an answer that may mean that authentication is wanted: the answer, if that is all there
    /// is to it; `None` where the call is worth making again.
    ///
    /// 1. A 401 with a challenge is met, or an error.
    /// 2. A 403 with a challenge to an anonymous request is met if there is a credential.
    /// 3. After a 401, 403 or 404 without one to an anonymous request, the root of the API is asked for a challenge.
    /// 4. Where that has none either, a 401 or 403 is taken to want Basic.
    pub(super) async fn authenticate(
        &self,
        call: &Call,
        ticket: Option<&Ticket>,
        mut answer: Answer,
        asked: &mut Asked,
    ) -> Result<Option<Answer>, StoreError> {
        let insists = answer.status == StatusCode::UNAUTHORIZED;
        if answer.status != StatusCode::NOT_FOUND {
            answer.who = self.auth.who(&call.scope).await;
        }
        let challenged = challenge::is_there(&answer.headers);
        if insists && (challenged || ticket.is_some()) {
            let changed = self.auth.refused(&call.scope, ticket, &answer).await?;
            asked.refused_once_more(changed, &answer)?;
            return Ok(None);
        }
        if ticket.is_some() || asked.introduced {
            return if insists { Err(answer.error()) } else { Ok(Some(answer)) };
        }
        asked.introduced = true;
        let met = match answer.status {
            StatusCode::FORBIDDEN if challenged && self.auth.has_credential(&call.scope).await? => {
                self.auth.offered(&call.scope, &answer).await?
            }
            status => self.introduce(call, status).await?,
        };
        match met {
            true => Ok(None),
            false if insists => Err(answer.error()),
            false => Ok(Some(answer)),
        }
    }

    /// Asks the registry, once, which authentication it wants, if there is a credential for it; whether that is known
    /// now. A registry that is open to all may hide what is not, instead of asking for authentication.
    async fn introduce(&self, call: &Call, status: StatusCode) -> Result<bool, StoreError> {
        let hidden = status == StatusCode::NOT_FOUND;
        let useful = match hidden {
            // Not every name that is not there is worth starting a credential helper.
            true => self.auth.is_known(&call.scope).await,
            false => self.auth.has_credential(&call.scope).await?,
        };
        if useful && !self.auth.is_challenged() {
            self.introduced.get_or_try_init(|| self.ping(call)).await?;
        }
        Ok(self.auth.is_challenged() || (useful && !hidden && self.auth.assume_basic(&call.scope).await?))
    }

    /// Asks the root of the API for a challenge. One that comes with a 200 or 403 is one as well.
    async fn ping(&self, call: &Call) -> Result<(), StoreError> {
        let mut url = self.base.clone();
        url.set_path("/v2/");
        let Scope { repository, access } = call.scope.clone();
        let ping = Call::new(Method::GET, url, &repository, access, call.what.clone());
        let answer = self.once(&ping, None, &mut None).await.map_err(|trouble| trouble.error(&call.what))?;
        match answer.status {
            _ if answer.foreign || challenge::asked(&answer.headers).is_none() => Ok(()),
            StatusCode::UNAUTHORIZED => self.auth.refused(&call.scope, None, &answer).await.map(drop),
            _ => self.auth.offered(&call.scope, &answer).await.map(drop),
        }
    }
}
