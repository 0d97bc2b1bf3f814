/* upload.h - files that people send: what they are, what they are called, where they are kept.
 *
 * A file is kept under the SHA-256 of its content (blobs/ab/abcdef...), so the same file is kept
 * once and no name that a user chose ever reaches the file system. Its type is what its first bytes
 * say, out of a short list; whatever else it may be is bytes.
 */
#ifndef EDGE_UPLOAD_H
#define EDGE_UPLOAD_H

#include "edge/route.h"

/* A name to show and to offer for saving: the last part of a path, without control characters and
 * marks that reorder text, not hidden, at most 200 bytes. Never empty. */
const char *upload_clean_name(struct arena *a, const char *name);

/* The name that the request states: ?name=, else Content-Disposition (RFC 6266). */
const char *upload_name(const struct request *rq);

/* From the first bytes: "image/png", ..., "text/plain", or "application/octet-stream". */
const char *upload_sniff(const unsigned char *bytes, size_t len);
enum rc upload_type(struct ctx *cx, const char *path, const char **ret);

/* Keep the spooled body of the request; when this returns OK it is on the disk. Inside or outside
 * of a transaction: a file that nothing names is only waste. */
enum rc upload_keep(struct ctx *cx, const struct call *c);

const char *upload_path(struct arena *a, const struct server *s, const char *sha256);

/* Content-Disposition for a download under that name. */
const char *upload_disposition(struct arena *a, const char *name);

#endif
