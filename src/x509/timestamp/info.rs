//! `TstInfo`: what a timestamp says (RFC 3161 section 2.4.2).

use std::time::Duration;

use crate::x509::Oid;
use crate::x509::der;
use crate::x509::fields::Fields;
use crate::x509::timestamp::GenTime;
use crate::x509::timestamp::MessageImprint;
use crate::x509::timestamp::TimestampError;
use crate::x509::timestamp::TimestampRule;
use crate::x509::timestamp::algorithm;
use crate::x509::timestamp::cms::wrong_version;
use crate::x509::timestamp::error::malformed;
use crate::x509::timestamp::error::undecoded;
use crate::x509::timestamp::gen_time;
use crate::x509::timestamp::gen_time::TimeFault;

/// What a timestamp says.
///
/// The name of the authority (`tsa`) and the ordering are not kept: the authority is the one whose certificate the signed
/// attributes name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TstInfo {
    pub(super) gen_time: GenTime,
    pub(super) imprint: MessageImprint,
    /// The content of the INTEGER.
    pub(super) nonce: Option<Vec<u8>>,
    pub(super) policy: Oid,
    /// The content of the INTEGER.
    pub(super) serial: Vec<u8>,
}

/// The fields of a TSTInfo, before they are judged.
struct Parts<'a> {
    accuracy: Option<&'a [u8]>,
    extensions: Option<&'a [u8]>,
    gen_time: &'a [u8],
    imprint: &'a [u8],
    nonce: Option<&'a [u8]>,
    policy: &'a [u8],
    serial: &'a [u8],
    version: u8,
}

impl TstInfo {
    /// Reads a TSTInfo, which is DER also where the token is BER.
    pub(super) fn read(der: &[u8]) -> Result<Self, TimestampError> {
        let what = || malformed("TSTInfo");
        der::check(der).map_err(|error| undecoded(error, "TSTInfo"))?;
        let parts = Parts::read(der).ok_or_else(what)?;
        wrong_version("TSTInfo", parts.version, 1)?;
        let policy = Oid::from_content(parts.policy).ok_or_else(what)?;
        let imprint = MessageImprint::read(parts.imprint)?;
        let gen_time = gen_time(parts.gen_time, parts.accuracy, &policy)?;
        extensions(parts.extensions)?;
        let (nonce, serial) = (parts.nonce.map(<[u8]>::to_vec), parts.serial.to_vec());
        Ok(Self { gen_time, imprint, nonce, policy, serial })
    }
}

impl<'a> Parts<'a> {
    fn read(der: &'a [u8]) -> Option<Self> {
        let mut fields = Fields::sequence(der)?;
        let (version, policy, imprint) =
            (fields.small()?, fields.content(der::OBJECT_ID)?, fields.content(der::SEQUENCE)?);
        let (serial, gen_time) = (fields.integer()?, fields.content(der::GENERALIZED_TIME)?);
        let accuracy = fields.content(der::SEQUENCE);
        // The ordering.
        fields.content(der::BOOLEAN);
        let nonce = fields.content(der::INTEGER);
        // The name of the authority.
        fields.content(TAGGED_0);
        let extensions = fields.content(TAGGED_1);
        fields.end()?;
        Some(Self { accuracy, extensions, gen_time, imprint, nonce, policy, serial, version })
    }
}

/// The time with its accuracy. Without one the clock is taken to be exact, but by the baseline policy of ETSI, which
/// requires a second or better (ETSI EN 319 421, "Time-stamp policies"; notation reads it in the same way).
fn gen_time(content: &[u8], accuracy: Option<&[u8]>, policy: &Oid) -> Result<GenTime, TimestampError> {
    let refused = |found| TimestampError::refused(TimestampRule::GenTime).by(found);
    let undetermined = |found| TimestampError::undetermined(TimestampRule::GenTime).by(found);
    let exact = gen_time::generalized(content).map_err(|fault| match fault {
        TimeFault::Finer => undetermined("a fraction finer than a nanosecond"),
        TimeFault::Malformed => refused("genTime"),
    })?;
    let stated = match accuracy {
        None => Duration::ZERO,
        Some(content) => gen_time::accuracy(content).ok_or_else(|| refused("accuracy"))?,
    };
    let accuracy = match stated.is_zero() && policy.as_content() == ETSI_BASELINE_POLICY {
        true => Duration::from_secs(1),
        false => stated,
    };
    GenTime::new(exact, accuracy).ok_or_else(|| undetermined("a time beyond the year 9999"))
}

/// RFC 3161 section 2.4.2: no extension is known. One that is not critical may be ignored (RFC 5280 section 4.2).
fn extensions(content: Option<&[u8]>) -> Result<(), TimestampError> {
    let what = || malformed("extensions of the TSTInfo");
    let mut rest = Fields::of(content.unwrap_or_default());
    while !rest.is_empty() {
        let mut fields = Fields::of(rest.content(der::SEQUENCE).ok_or_else(what)?);
        let id = fields.content(der::OBJECT_ID).ok_or_else(what)?;
        let critical = fields.content(der::BOOLEAN);
        fields.content(der::OCTET_STRING).ok_or_else(what)?;
        fields.end().ok_or_else(what)?;
        if critical.is_some_and(|content| content != [0]) {
            return Err(TimestampError::undetermined(TimestampRule::CriticalExtension).by(algorithm::shown(id)));
        }
    }
    Ok(())
}

/// 0.4.0.2023.1.1: best practices time-stamp policy, ETSI EN 319 421.
const ETSI_BASELINE_POLICY: &[u8] = &[0x04, 0, 0x8f, 0x67, 1, 1];
const TAGGED_0: u8 = 0xa0;
const TAGGED_1: u8 = 0xa1;
