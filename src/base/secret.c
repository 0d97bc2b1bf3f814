#include "base/secret.h"

#include <sodium.h>
#include <pthread.h>
#include <string.h>

#include "base/arena.h"
#include "base/rc.h"

struct secret {
    size_t len;
    char at[];
};

struct sha256 {
    crypto_hash_sha256_state state;
};

static unsigned char hash_key[crypto_shorthash_KEYBYTES];

static void start_once(void)
{
    if (sodium_init() < 0)
        BUG("libsodium does not start");
    randombytes_buf(hash_key, sizeof(hash_key));
}

static void start(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, start_once);
}

static void wipe(void *arg)
{
    struct secret *s = arg;
    sodium_memzero(s->at, s->len);
}

struct secret *secret_create(struct arena *a, const char *bytes, size_t len)
{
    struct secret *s = arena_alloc(a, sizeof(*s) + len + 1);
    s->len = len;
    if (len)
        memcpy(s->at, bytes, len);
    arena_defer(a, wipe, s);
    return s;
}

const char *secret_reveal(const struct secret *s)
{
    return s->at;
}

size_t secret_len(const struct secret *s)
{
    return s->len;
}

bool secret_equal(const struct secret *a, const struct secret *b)
{
    return a->len == b->len && sodium_memcmp(a->at, b->at, a->len) == 0;
}

void random_bytes(void *ret, size_t len)
{
    start();
    randombytes_buf(ret, len);
}

char *random_token(struct arena *a, size_t len)
{
    const int variant = sodium_base64_VARIANT_URLSAFE_NO_PADDING;
    unsigned char *bytes = arena_alloc(a, len);
    random_bytes(bytes, len);
    const size_t room = sodium_base64_encoded_len(len, variant);
    char *token = arena_alloc(a, room);
    sodium_bin2base64(token, room, bytes, len, variant);
    sodium_memzero(bytes, len);
    return token;
}

uint64_t keyed_hash(const void *bytes, size_t len)
{
    start();
    uint64_t hash;
    crypto_shorthash((unsigned char *)&hash, bytes, len, hash_key);
    return hash;
}

void sha256_hex(const void *bytes, size_t len, char ret[static SHA256_HEX])
{
    unsigned char hash[crypto_hash_sha256_BYTES];
    start();
    crypto_hash_sha256(hash, bytes, len);
    sodium_bin2hex(ret, SHA256_HEX, hash, sizeof(hash));
}

struct sha256 *sha256_create(struct arena *a)
{
    start();
    struct sha256 *h = arena_alloc(a, sizeof(*h));
    crypto_hash_sha256_init(&h->state);
    return h;
}

void sha256_add(struct sha256 *h, const void *bytes, size_t len)
{
    crypto_hash_sha256_update(&h->state, bytes, len);
}

void sha256_finish(struct sha256 *h, char ret[static SHA256_HEX])
{
    unsigned char hash[crypto_hash_sha256_BYTES];
    crypto_hash_sha256_final(&h->state, hash);
    sodium_bin2hex(ret, SHA256_HEX, hash, sizeof(hash));
}

char *password_hash(struct arena *a, const struct secret *password)
{
    start();
    char *hash = arena_alloc(a, crypto_pwhash_STRBYTES);
    const int rc = crypto_pwhash_str_alg(
        hash, password->at, password->len, crypto_pwhash_argon2id_OPSLIMIT_INTERACTIVE,
        crypto_pwhash_argon2id_MEMLIMIT_INTERACTIVE, crypto_pwhash_ALG_ARGON2ID13);
    return rc == 0 ? hash : NULL;
}

bool password_verify(const char *hash, const struct secret *password)
{
    start();
    return crypto_pwhash_str_verify(hash, password->at, password->len) == 0;
}

bool password_is_outdated(const char *hash)
{
    return crypto_pwhash_str_needs_rehash(hash, crypto_pwhash_argon2id_OPSLIMIT_INTERACTIVE,
                                          crypto_pwhash_argon2id_MEMLIMIT_INTERACTIVE) != 0;
}
