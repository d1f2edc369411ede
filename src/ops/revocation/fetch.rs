//! `EvidenceFetcher`: fetches CRLs and OCSP responses from the addresses in verified chains.
//!
//! The invariant: an address is asked only if it stands in a certificate of a chain that leads to an anchor of the
//! operator, which is this anchor or stands below it; and an answer is kept only if its signature is genuine for that certificate: by its issuer
//! in the chain, or by a responder that this issuer has authorized. Certificates above the anchor may be anybody's, so
//! their addresses are not asked. The steps for each certificate up to the anchor that has an issuer:
//!
//! 1. Take the addresses of its CRL distribution points and OCSP responders.
//! 2. Ask each address once for all certificates: a CRL by GET (RFC 5280 section 4.2.1.13), an OCSP responder with a
//!    `CertID` by SHA-1, and by SHA-256 if that gave nothing. A short request is sent by GET, and by POST if the responder
//!    has no answer to that; a long one by POST (RFC 6960 appendix A.1).
//! 3. Parse the answer, and keep it if it is genuine. Whether it is fresh, and what it says, is judged where it is used: a
//!    stale one may hold a revocation.
//! 4. For each OCSP responder that the issuer has authorized in an answer that was kept, without id-pkix-ocsp-nocheck: ask
//!    for the CRLs that its certificate names, too. Without them the answer proves nothing.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::digest::Digest;
use crate::limits::Limits;
use crate::ops::revocation::FetchFault;
use crate::ops::revocation::FetchProblem;
use crate::store::web::AddressRule;
use crate::store::web::WebClient;
use crate::store::web::WebMethod;
use crate::store::web::WebRequest;
use crate::text::Untrusted;
use crate::time::Time;
use crate::trust::RevocationBundle;
use crate::trust::RevocationDocument;
use crate::x509::Certificate;
use crate::x509::CertificateLabel;
use crate::x509::CertificateRevocationList;
use crate::x509::FreshnessRule;
use crate::x509::OcspCertIdHash;
use crate::x509::OcspRequest;
use crate::x509::OcspResponse;
use crate::x509::RevocationAddress;
use crate::x509::StatusEvidence;
use crate::x509::StatusEvidenceError;
use crate::x509::VerifiedChain;

/// Fetches revocation evidence for one command: answers are kept, so that each address is asked once, and the limit of
/// requests is one for all chains.
#[derive(Debug)]
pub struct EvidenceFetcher {
    answers: BTreeMap<Question, Result<RevocationDocument, FetchFault>>,
    client: WebClient,
    limits: Limits,
    problems: Vec<FetchProblem>,
    requests: u64,
    rule: AddressRule,
}

/// What the addresses of chains answered.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct FetchedEvidence {
    /// The certificates, by the digest of their DER, about which at least one address gave genuine evidence, and no
    /// address failed that could be asked, in them or in the certificates of the responders that answered.
    pub answered: BTreeSet<Digest>,
    /// What was fetched and is genuine.
    pub bundle: RevocationBundle,
    /// The addresses from which nothing was kept, each once for each certificate.
    pub problems: Vec<FetchProblem>,
}

/// What an address is asked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Question {
    address: String,
    /// The OCSP request; `None` for a CRL.
    ocsp: Option<OcspRequest>,
}

/// A certificate of a chain, by its position, or a delegate that answers for it.
#[derive(Clone, Copy)]
struct Link<'a> {
    /// Whose status is asked for: a certificate of the chain, or its delegate.
    certificate: &'a Certificate,
    chain: &'a VerifiedChain,
    /// Whether it is the delegate.
    is_delegate: bool,
    issuer: &'a Certificate,
    position: usize,
}

impl EvidenceFetcher {
    /// A fetcher that connects to public addresses, and to hosts in `rule` that the operator allows.
    pub fn new(client: WebClient, rule: AddressRule, limits: Limits) -> Self {
        Self { answers: BTreeMap::new(), client, limits, problems: Vec::new(), requests: 0, rule }
    }

    /// Fetches the evidence about all certificates of `chains` up to the trusted ones. `now` is written down as the time of
    /// the fetch.
    pub async fn fetch(&mut self, chains: &[Arc<VerifiedChain>], now: Time) -> FetchedEvidence {
        let mut fetched = FetchedEvidence::default();
        let mut failed = BTreeSet::new();
        for chain in chains {
            for (position, (certificate, issuer)) in chain.up_to_trusted().enumerate() {
                let link = Link { certificate, chain, is_delegate: false, issuer, position };
                let digest = certificate.digest();
                for address in certificate.revocation_addresses() {
                    match self.keep(link, &address, (&mut fetched.bundle, now)).await {
                        Ok(document) => {
                            fetched.answered.insert(digest);
                            if self.fetch_for_delegates(link, &document, (&mut fetched, now)).await.is_err() {
                                failed.insert(digest);
                            }
                        }
                        Err(fault) => {
                            if !fault.is_never_asked() {
                                failed.insert(digest);
                            }
                            fetched.add_problem(certificate, &address, fault);
                        }
                    }
                }
            }
        }
        fetched.answered.retain(|certificate| !failed.contains(certificate));
        for problem in &fetched.problems {
            if !self.problems.contains(problem) {
                self.problems.push(problem.clone());
            }
        }
        fetched
    }

    /// The addresses from which nothing was kept so far, each once for each certificate.
    pub fn problems(&self) -> &[FetchProblem] {
        &self.problems
    }

    /// Step 4 for one answer about the certificate of `link`.
    ///
    /// # Errors
    /// [`DelegateNotAnswered`] if an address failed that could be asked: the delegate may be revoked by now, whatever else
    /// is known about it.
    async fn fetch_for_delegates(
        &mut self,
        link: Link<'_>,
        document: &RevocationDocument,
        (fetched, now): (&mut FetchedEvidence, Time),
    ) -> Result<(), DelegateNotAnswered> {
        let mut result = Ok(());
        for delegate in link.delegates(document, now, &self.limits) {
            let of_delegate = Link { certificate: &delegate, is_delegate: true, ..link };
            let addresses = delegate.revocation_addresses();
            for address in addresses.into_iter().filter(|address| matches!(address, RevocationAddress::Crl(_))) {
                if let Err(fault) = self.keep(of_delegate, &address, (&mut fetched.bundle, now)).await {
                    if !fault.is_never_asked() {
                        result = Err(DelegateNotAnswered);
                    }
                    fetched.add_problem(&delegate, &address, fault);
                }
            }
        }
        result
    }

    /// Asks one address about one certificate, and keeps and returns the answer if it is genuine.
    async fn keep(
        &mut self,
        link: Link<'_>,
        address: &RevocationAddress,
        (bundle, now): (&mut RevocationBundle, Time),
    ) -> Result<RevocationDocument, FetchFault> {
        match address {
            RevocationAddress::Crl(uri) => {
                self.keep_answer(link, Question { address: uri.clone(), ocsp: None }, (bundle, now)).await
            }
            RevocationAddress::Ocsp(uri) => {
                let mut result = Err(FetchFault::NoRequest);
                for hash in [OcspCertIdHash::Sha1, OcspCertIdHash::Sha256] {
                    let Some(request) = OcspRequest::new(link.certificate, link.issuer, hash) else { continue };
                    let question = Question { address: uri.clone(), ocsp: Some(request) };
                    result = self.keep_answer(link, question, (&mut *bundle, now)).await;
                    // Another CertID helps only if the responder answered, and did not know this one.
                    match result {
                        Err(FetchFault::NotAbout | FetchFault::Unreadable(_)) => {}
                        _ => break,
                    }
                }
                result
            }
        }
    }

    async fn keep_answer(
        &mut self,
        link: Link<'_>,
        question: Question,
        (bundle, now): (&mut RevocationBundle, Time),
    ) -> Result<RevocationDocument, FetchFault> {
        let address = question.address.clone();
        let document = match self.answers.get(&question) {
            Some(known) => known.clone(),
            None => {
                let answer = self.ask(&question).await;
                self.answers.insert(question, answer.clone());
                answer
            }
        }?;
        link.check(&document, now, &self.limits)?;
        bundle.add(document.clone(), (&address, now), &self.limits).map_err(FetchFault::Bundle)?;
        Ok(document)
    }

    async fn ask(&mut self, question: &Question) -> Result<RevocationDocument, FetchFault> {
        let Some(request) = &question.ocsp else {
            // A CRL in PEM is no longer than this: base64 is longer by a third, and has line ends.
            let most = self.limits.revocation.crl_bytes.saturating_mul(3) / 2;
            let body = self.send(&question.address, WebMethod::Get, most).await?;
            return crl(body, &self.limits).map(RevocationDocument::Crl).map_err(FetchFault::Unreadable);
        };
        let most = self.limits.revocation.ocsp_bytes;
        if let Some(url) = get_url(&question.address, request) {
            let body = self.send(&url, WebMethod::Get, most).await;
            match body.and_then(|body| self.response(&body)) {
                Err(fault) if fault.may_be_of_the_method() => {}
                answer => return answer,
            }
        }
        let method = WebMethod::Post { body: request.der().to_vec(), content_type: OcspRequest::MEDIA_TYPE };
        let body = self.send(&question.address, method, most).await?;
        self.response(&body)
    }

    fn response(&self, body: &[u8]) -> Result<RevocationDocument, FetchFault> {
        let response = OcspResponse::parse(body, &self.limits);
        response.map(RevocationDocument::Ocsp).map_err(FetchFault::Unreadable)
    }

    /// The body of the answer to one request, of at most `most` bytes.
    async fn send(&mut self, url: &str, method: WebMethod, most: u64) -> Result<Vec<u8>, FetchFault> {
        let request = WebRequest::new(url, method, most).map_err(FetchFault::Address)?;
        let limit = self.limits.revocation.requests;
        if self.requests >= limit {
            return Err(FetchFault::TooMany { limit });
        }
        self.requests = self.requests.saturating_add(1);
        let answer = self.client.send(&request, &self.rule).await.map_err(FetchFault::Web)?;
        Ok(answer.body)
    }
}

impl FetchedEvidence {
    fn add_problem(&mut self, certificate: &Certificate, address: &RevocationAddress, fault: FetchFault) {
        let address = Untrusted::new(address.uri());
        let problem = FetchProblem { address, certificate: CertificateLabel::of(certificate), fault };
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }
}

/// An address in the certificate of a delegate did not answer.
#[derive(Clone, Copy, Debug)]
struct DelegateNotAnswered;

impl Link<'_> {
    /// The delegates that signed `document`, and whose status is looked for.
    fn delegates(&self, document: &RevocationDocument, now: Time, limits: &Limits) -> Vec<Certificate> {
        let pool = pool(document, limits).unwrap_or_default();
        pool.delegates(self.chain, self.position, now, limits)
    }

    /// Whether `document` is genuine evidence about the certificate.
    fn check(&self, document: &RevocationDocument, now: Time, limits: &Limits) -> Result<(), FetchFault> {
        let pool = pool(document, limits).map_err(FetchFault::Unreadable)?;
        let any_age = &FreshnessRule::ANY_AGE;
        let at = (self.chain, self.position);
        let status = match self.is_delegate {
            true => pool.delegate_status(at, self.certificate, any_age, now, limits),
            false => pool.statuses(self.chain, any_age, now, limits).into_iter().nth(self.position),
        };
        let evidence = status.map(|status| status.evidence).unwrap_or_default();
        match evidence.first() {
            None => Err(FetchFault::NotAbout),
            Some(_) if evidence.iter().any(|one| one.genuine) => Ok(()),
            Some(one) => Err(FetchFault::NotGenuine(one.problems.iter().map(|problem| problem.rule).collect())),
        }
    }
}

/// A pool of this document alone.
fn pool(document: &RevocationDocument, limits: &Limits) -> Result<StatusEvidence, StatusEvidenceError> {
    let mut pool = StatusEvidence::new();
    match document {
        RevocationDocument::Crl(crl) => pool.add_crl(crl.clone(), limits),
        RevocationDocument::Ocsp(response) => pool.add_ocsp_response(response.clone(), limits),
    }?;
    Ok(pool)
}

/// The URL of an OCSP request by GET (RFC 6960 appendix A.1): the base64 of the request, percent-encoded, below the address.
/// `None` if that is 255 bytes or more, or if the address has a query or a fragment.
fn get_url(address: &str, request: &OcspRequest) -> Option<String> {
    let encoded = STANDARD.encode(request.der()).replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    let url = format!("{}/{encoded}", address.strip_suffix('/').unwrap_or(address));
    (url.len() < 255 && !address.contains(['?', '#'])).then_some(url)
}

/// A CRL in DER, as RFC 5280 section 4.2.1.13 has it, or the only one in a PEM file, as some servers give it.
fn crl(body: Vec<u8>, limits: &Limits) -> Result<CertificateRevocationList, StatusEvidenceError> {
    match body.starts_with(b"-----BEGIN ") {
        false => CertificateRevocationList::parse(body, limits),
        true => match CertificateRevocationList::parse_bundle(&body, limits) {
            Ok(all) if all.count() == 1 => Ok(all.first().clone()),
            _ => Err(StatusEvidenceError::Malformed { clause: "RFC 7468 section 6", what: "CRL in PEM" }),
        },
    }
}
