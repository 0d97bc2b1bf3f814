/* file.h - files and folders as the few things we do with them.
 *
 * Whole small files into an arena and out to the disk so that they survive a power cut. What is
 * streamed (uploads, imports) is opened by its own module. Failures are E_NOT_FOUND where the path
 * leads nowhere and E_FAIL with the system's reason in err.detail.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stddef.h>

#include "base/arena.h"
#include "base/rc.h"

struct ctx;

/* The file's bytes with a NUL behind them. E_TOO_LARGE beyond `most` bytes. ret_len may be NULL. */
enum rc file_read(struct ctx *cx, const char *path, size_t most, char **ret, size_t *ret_len);

/* Replaces the file (mode 0600) as a whole: who reads meanwhile sees the old bytes or the new, and
 * when this returns OK the new ones are on the disk. The folder must exist. */
enum rc file_write(struct ctx *cx, const char *path, const void *bytes, size_t len);

/* Makes the folder and those above it, each for its owner only (0700). One that exists is fine. */
enum rc folder_make(struct ctx *cx, const char *path);

/* Makes the names in a folder durable: after creating, renaming or removing in it. */
enum rc folder_sync(struct ctx *cx, const char *path);

/* The names of the files in it that end with suffix and do not begin with a dot, sorted by bytes;
 * a list of const char *. */
enum rc folder_list(struct ctx *cx, const char *path, const char *suffix, struct list *ret);

#endif
