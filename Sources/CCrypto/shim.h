// The two digests that alerts and table versions need: SHA-256 (evidence, versions) and SHA-1 (UUIDv5).
#ifndef TOCSIN_CCRYPTO_SHIM_H
#define TOCSIN_CCRYPTO_SHIM_H

// The plain calls allocate nothing; those that OpenSSL 3 recommends look the digest up and allocate at each call.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

#endif
