//! ECDSA malleability: anybody can compute (r, n - s) from a signature (r, s), and both are valid.

use der::Decode as _;
use der::Encode as _;
use der::asn1::UintRef;

use crate::key::algorithm::encoding::EcdsaSignature;
use crate::key::identifier::Curve;

/// The canonical form (low-S) of an ECDSA signature: (r, s) or (r, n - s), whichever has the smaller second number, in
/// DER. `None` if `signature` does not consist of two numbers below the group order.
pub(in crate::key) fn low_s(curve: Curve, signature: &[u8]) -> Option<Vec<u8>> {
    let EcdsaSignature { r, s } = EcdsaSignature::from_der(signature).ok()?;
    let given = padded(s.as_bytes(), curve.len())?;
    let other = difference(order(curve), &given)?;
    let s = given.min(other);
    EcdsaSignature { r, s: UintRef::new(&s).ok()? }.to_der().ok()
}

fn padded(number: &[u8], length: usize) -> Option<Vec<u8>> {
    let mut padded = vec![0; length.checked_sub(number.len())?];
    padded.extend_from_slice(number);
    Some(padded)
}

/// `from - number`, both big-endian and of equal length; `None` if it is negative.
fn difference(from: &[u8], number: &[u8]) -> Option<Vec<u8>> {
    let mut borrowed = false;
    let mut digits = Vec::with_capacity(from.len());
    for (from, number) in from.iter().zip(number).rev() {
        let (digit, under) = from.overflowing_sub(*number);
        let (digit, again) = digit.overflowing_sub(u8::from(borrowed));
        borrowed = under || again;
        digits.push(digit);
    }
    digits.reverse();
    (!borrowed).then_some(digits)
}

/// The order of the group of `curve`. NIST SP 800-186 section 3.2.1.
const fn order(curve: Curve) -> &'static [u8] {
    match curve {
        Curve::P256 => &P256,
        Curve::P384 => &P384,
        Curve::P521 => &P521,
    }
}

const P256: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa,
    0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

const P384: [u8; 48] = [
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xc7, 0x63, 0x4d, 0x81, 0xf4, 0x37, 0x2d, 0xdf, 0x58, 0x1a, 0x0d, 0xb2, 0x48, 0xb0,
    0xa7, 0x7a, 0xec, 0xec, 0x19, 0x6a, 0xcc, 0xc5, 0x29, 0x73,
];

const P521: [u8; 66] = [
    0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfa, 0x51, 0x86, 0x87, 0x83,
    0xbf, 0x2f, 0x96, 0x6b, 0x7f, 0xcc, 0x01, 0x48, 0xf7, 0x09, 0xa5, 0xd0, 0x3b, 0xb5, 0xc9, 0xb8, 0x89, 0x9c, 0x47,
    0xae, 0xbb, 0x6f, 0xb7, 0x1e, 0x91, 0x38, 0x64, 0x09,
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::KeyKind;
    use crate::key::PrivateKey;
    use crate::key::Signer as _;
    use crate::key::algorithm::ecdsa_der;

    #[test]
    fn both_signatures_have_one_canonical_form() {
        for (kind, curve) in [(KeyKind::P256, Curve::P256), (KeyKind::P384, Curve::P384)] {
            let key = PrivateKey::generate(kind).unwrap();
            for number in 0..16_u8 {
                let made = key.sign(&[number]).unwrap().as_bytes().to_vec();
                let signature = EcdsaSignature::from_der(&made).unwrap();
                let given = padded(signature.s.as_bytes(), curve.len()).unwrap();
                let s = difference(order(curve), &given).unwrap();
                let other = EcdsaSignature { r: signature.r, s: UintRef::new(&s).unwrap() }.to_der().unwrap();
                assert!(key.public_key().verify(&[number], &other).is_ok());
                assert_ne!(made, other);
                let normal = key.public_key().canonical_signature(&made);
                assert_eq!(normal, key.public_key().canonical_signature(&other));
                assert!(*normal == *made || *normal == *other);
            }
        }
    }

    #[test]
    fn a_number_outside_of_the_group_has_no_canonical_form() {
        for (curve, length) in [(Curve::P256, 32), (Curve::P384, 48), (Curve::P521, 66)] {
            let mut fixed = vec![0; length - 1];
            fixed.push(1);
            fixed.resize(2 * length, 0xff);
            assert_eq!(low_s(curve, &ecdsa_der(curve, &fixed).unwrap()), None);
            assert_eq!(low_s(curve, b"no DER"), None);
            let mut one = vec![0; 2 * length];
            one[length - 1] = 1;
            one[2 * length - 1] = 1;
            let low = ecdsa_der(curve, &one).unwrap();
            assert_eq!(low_s(curve, &low).as_ref(), Some(&low));
            let other = difference(order(curve), &one[length..]).unwrap();
            one[length..].copy_from_slice(&other);
            let high = ecdsa_der(curve, &one).unwrap();
            assert_eq!(low_s(curve, &high), Some(low));
        }
    }
}
