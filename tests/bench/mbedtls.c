/* What MicroPython's modules cryptolib and hashlib have mbedTLS do for a chunk of sound. A function
   is entered as MicroPython enters native code; arguments are plain numbers and addresses. */

#include <stddef.h>

#include "mbedtls/aes.h"
#include "mbedtls/sha256.h"

enum { AES_BLOCK = 16, KEY_BITS = 256, HASH_BLOCK = 64, DIGEST = 32 };

/* schedule(context, key): once for each recording. */
int schedule(void *self, size_t count, size_t keywords, void **arguments)
{
    mbedtls_aes_init(arguments[0]);
    return mbedtls_aes_setkey_enc(arguments[0], arguments[1], KEY_BITS);
}

/* encrypt(context, input, output, size): aes.encrypt in mode ECB. */
int encrypt(void *self, size_t count, size_t keywords, void **arguments)
{
    const unsigned char *input = arguments[1], *end = input + (size_t)arguments[3];
    unsigned char *output = arguments[2];
    for (; input < end; input += AES_BLOCK, output += AES_BLOCK)
        mbedtls_aes_crypt_ecb(arguments[0], MBEDTLS_AES_ENCRYPT, input, output);
    return 0;
}

/* tag(digest, inner, outer, part, size, part, size, ...): ear.privacy.keys.Hmac.tag. */
int tag(void *self, size_t count, size_t keywords, void **arguments)
{
    unsigned char digest[DIGEST];
    mbedtls_sha256_context hash;

    mbedtls_sha256_init(&hash);
    mbedtls_sha256_starts(&hash, 0);
    mbedtls_sha256_update(&hash, arguments[1], HASH_BLOCK);
    for (size_t at = 3; at < count; at += 2)
        mbedtls_sha256_update(&hash, arguments[at], (size_t)arguments[at + 1]);
    mbedtls_sha256_finish(&hash, digest);

    mbedtls_sha256_init(&hash);
    mbedtls_sha256_starts(&hash, 0);
    mbedtls_sha256_update(&hash, arguments[2], HASH_BLOCK);
    mbedtls_sha256_update(&hash, digest, DIGEST);
    return mbedtls_sha256_finish(&hash, arguments[0]);
}
