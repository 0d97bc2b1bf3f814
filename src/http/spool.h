/* spool.h - uploads go to disk while they come in.
 *
 * One thread hashes and writes for all loops, so that neither a slow disk nor SHA-256 holds up the
 * sockets. The loop gives it pieces and hears of each one written; when too many wait, the loop
 * stops reading from that sender. Everything here is called on the loop's thread.
 */
#ifndef HTTP_SPOOL_H
#define HTTP_SPOOL_H

#include <stddef.h>
#include <stdint.h>

#include "base/secret.h"
#include "http/loop.h"

struct arena;
struct spooler;
struct spool;

/* Makes the folder (0700) if need be and removes what a crash left there more than a day ago. */
struct spooler *spooler_start(const char *dir);
void spooler_stop(struct spooler *sp); /* after all uploads ended; NULL is fine */

enum spool_state { SPOOL_OPEN, SPOOL_DONE, SPOOL_FAILED };

/* on_progress(arg) is called on the loop's thread after each piece; not after spool_abandon(). */
struct spool *spool_begin(struct spooler *sp, struct loop *loop, void (*on_progress)(void *arg),
                          void *arg);
void spool_add(struct spool *s, const char *bytes, size_t len);
void spool_finish(struct spool *s);  /* that was all: DONE or FAILED will follow */
void spool_abandon(struct spool *s); /* removes the file, ends the upload */
enum spool_state spool_state(const struct spool *s);
size_t spool_waiting(const struct spool *s); /* bytes not yet written */

/* Of a finished upload: the file becomes the caller's, the upload ends. */
char *spool_take(struct spool *s, struct arena *a, char ret_sha256[static SHA256_HEX]);

#endif
