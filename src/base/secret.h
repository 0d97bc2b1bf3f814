/* secret.h - values that must not be seen.
 *
 * A struct secret cannot be printed, formatted, logged or serialised: there is no function for it,
 * and it is not a string. The few places that need the bytes (login, the database URL, signing) ask
 * with secret_reveal(), which makes them easy to find. Its memory is wiped when its arena is reset.
 */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct secret;

struct secret *secret_create(struct arena *a, const char *bytes, size_t len);
const char *secret_reveal(const struct secret *s); /* NUL-terminated */
size_t secret_len(const struct secret *s);
bool secret_equal(const struct secret *a, const struct secret *b); /* constant time */

/* Random bytes from the operating system. */
void random_bytes(void *ret, size_t len);
/* len bytes of randomness as URL-safe base64 without padding. */
char *random_token(struct arena *a, size_t len);

/* SipHash-2-4 under a key that this process made for itself: for tables in memory that must stay
 * fast whatever names a client chooses. Never stored. */
uint64_t keyed_hash(const void *bytes, size_t len);

/* SHA-256 in lower-case hex: what is stored instead of tokens, and names of attachments. */
#define SHA256_HEX 65
void sha256_hex(const void *bytes, size_t len, char ret[static SHA256_HEX]);
struct sha256; /* incremental, for streams */
struct sha256 *sha256_create(struct arena *a);
void sha256_add(struct sha256 *h, const void *bytes, size_t len);
void sha256_finish(struct sha256 *h, char ret[static SHA256_HEX]);

/* Passwords: argon2id, 2 passes over 64 MiB (about 60 ms). Whoever calls bounds how many run at
 * once. NULL: there was no memory for it just now. */
char *password_hash(struct arena *a, const struct secret *password);
bool password_verify(const char *hash, const struct secret *password);
bool password_is_outdated(const char *hash); /* made with other parameters: hash again */

#endif
