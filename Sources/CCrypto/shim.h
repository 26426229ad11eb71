// The two digests that alerts and table versions need: SHA-256 (evidence, versions) and SHA-1 (UUIDv5).
#ifndef TOCSIN_CCRYPTO_SHIM_H
#define TOCSIN_CCRYPTO_SHIM_H

#include <openssl/evp.h>
#include <openssl/sha.h>

#endif
