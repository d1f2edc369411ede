#!/usr/bin/env bash
# Makes the files of this folder. See README.md.
set -Eeuo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
cat >ca.cnf <<'CNF'
[ca]
default_ca = authority
[authority]
database = index.txt
crlnumber = crlnumber
default_md = sha256
default_crl_days = 36500
crl_extensions = list
[list]
authorityKeyIdentifier = keyid
[req]
prompt = no
distinguished_name = name
[name]
[root]
subjectKeyIdentifier = hash
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign,digitalSignature
[leaf]
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
keyUsage = critical,digitalSignature
[responder]
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
keyUsage = critical,digitalSignature
extendedKeyUsage = OCSPSigning
noCheck = ignored
CNF
: >index.txt
echo 1000 >crlnumber
certificate() { # name, section, serial number, options
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1.key" 2>/dev/null
    openssl req -x509 -new -config ca.cnf -extensions "$2" -key "$1.key" -subj "/CN=$1" -days 36500 \
        -set_serial "$3" -out "$1.pem" "${@:4}"
}
certificate authority root 1
for number in 2 3 4; do
    certificate "revoked$number" leaf $number -CA authority.pem -CAkey authority.key
done
certificate responder responder 9 -CA authority.pem -CAkey authority.key
by=(-config ca.cnf -cert authority.pem -keyfile authority.key)
openssl ca "${by[@]}" -revoke revoked2.pem -crl_reason superseded 2>/dev/null
openssl ca "${by[@]}" -revoke revoked3.pem -crl_compromise 20260101000000Z 2>/dev/null
openssl ca "${by[@]}" -revoke revoked4.pem 2>/dev/null
openssl ca "${by[@]}" -gencrl -out list.pem 2>/dev/null
openssl crl -in list.pem -outform DER -out "$here/list.crl"
openssl ocsp -issuer authority.pem -cert revoked2.pem -no_nonce -reqout request.der 2>/dev/null
openssl ocsp -index index.txt -CA authority.pem -rsigner responder.pem -rkey responder.key -reqin request.der \
    -respout "$here/response.ocsp" -ndays 36500 >/dev/null 2>&1
openssl x509 -in authority.pem -outform DER -out "$here/authority.der"
openssl x509 -in revoked2.pem -outform DER -out "$here/revoked.der"
