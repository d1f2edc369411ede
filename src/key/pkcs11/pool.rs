//! `Pool`: the PKCS#11 sessions of one key, for signing in parallel; at most as many as the token allows.

use std::sync::Condvar;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

use cryptoki::error::Error;
use cryptoki::error::RvError;
use cryptoki::session::Session;

use crate::key::pkcs11::Pkcs11Token;
use crate::key::pkcs11::TokenError;
use crate::key::pkcs11::error;

/// The sessions of one key. In PKCS#11 a login applies to all sessions of the process with a token.
pub(super) struct Pool {
    state: Mutex<PoolState>,
    freed: Condvar,
    token: Pkcs11Token,
}

struct PoolState {
    free: Vec<Session>,
    /// The number of open sessions, free or in use.
    open: usize,
    max_sessions: usize,
    /// The error after which the token is not used any more.
    lost: Option<TokenError>,
}

impl Pool {
    /// A pool that starts with a logged-in session.
    pub(super) fn new(token: Pkcs11Token, first: Session) -> Self {
        Self::of(token, first, MAX_SESSIONS)
    }

    /// A pool of one session, so that calls are serialized; after an error it is closed.
    pub(super) fn serialized(token: Pkcs11Token, only: Session) -> Self {
        Self::of(token, only, 1)
    }

    fn of(token: Pkcs11Token, first: Session, max_sessions: usize) -> Self {
        let state = PoolState { free: vec![first], open: 1, max_sessions, lost: None };
        Self { state: Mutex::new(state), freed: Condvar::new(), token }
    }

    /// Runs `work` in a free session, and waits for one if needed. A session is closed after an error. If the token,
    /// the session or the login was lost, no new session is opened either.
    pub(super) fn with_session<T>(&self, work: impl FnOnce(&Session) -> Result<T, Error>) -> Result<T, TokenError> {
        let session = self.acquire()?;
        match work(&session) {
            Ok(done) => {
                self.lock().free.push(session);
                self.freed.notify_one();
                Ok(done)
            }
            Err(error) => {
                let error = self.token_error(&error);
                // Closed before another thread may open one in its place.
                drop(session);
                let mut state = self.lock();
                state.open = state.open.saturating_sub(1);
                // Closing the last session ends the login.
                if matches!(error, TokenError::Lost { .. }) || state.open == 0 {
                    state.lost.get_or_insert_with(|| error.clone());
                }
                drop(state);
                self.freed.notify_all();
                Err(error)
            }
        }
    }

    /// The limit of sessions: that of the token, if it reported one.
    pub(super) fn max_sessions(&self) -> usize {
        self.lock().max_sessions
    }

    /// Takes a free session, opens one within the limit, or waits for one. Once the token was lost it always fails.
    fn acquire(&self) -> Result<Session, TokenError> {
        let mut state = self.lock();
        loop {
            if let Some(lost) = &state.lost {
                return Err(lost.clone());
            }
            if let Some(session) = state.free.pop() {
                return Ok(session);
            }
            if state.open < state.max_sessions {
                // Opened under the lock: it is quick, and other threads would open too many at the same time.
                match self.token.context().open_ro_session(self.token.slot()) {
                    Ok(session) => {
                        state.open += 1;
                        return Ok(session);
                    }
                    // The token has no more sessions, so the open ones have to do.
                    Err(Error::Pkcs11(RvError::SessionCount, _)) if state.open > 0 => state.max_sessions = state.open,
                    Err(error) => return Err(self.token_error(&error)),
                }
            }
            if state.free.is_empty() {
                state = self.freed.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }

    fn token_error(&self, error: &Error) -> TokenError {
        match error {
            Error::Pkcs11(
                code @ (RvError::CryptokiNotInitialized
                | RvError::DeviceError
                | RvError::DeviceRemoved
                | RvError::SessionClosed
                | RvError::SessionHandleInvalid
                | RvError::TokenNotPresent
                | RvError::UserNotLoggedIn),
                _,
            ) => TokenError::Lost { token: self.token.name().label.clone(), code: error::name(*code) },
            Error::Pkcs11(RvError::PinLocked, _) => {
                TokenError::PinLocked { token: self.token.name().label.clone(), tried: true }
            }
            other => TokenError::of(other),
        }
    }

    fn lock(&self) -> MutexGuard<'_, PoolState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The largest number of sessions in a pool.
const MAX_SESSIONS: usize = 16;
