/* parse.h - bytes of one request become a struct request.
 *
 * llhttp is the parser. Before it sees a byte, that byte has passed a small automaton of ours that
 * knows the lines of a message (RFC 9112, 2-3 and 7.1) and refuses what llhttp lets through: bare
 * CR or LF, folded headers, controls, odd spaces, signs in lengths. What has passed both is checked
 * for meaning: one Host, lengths, codings. A request must satisfy all three and they must agree on
 * where it ends, so no two readers of the same bytes can see different requests.
 *
 * No sockets and no memory of its own: the bytes of a head stay with the caller until all of it is
 * there (head_scan() remembers how far it looked), then parse_head() copies them into the arena.
 */
#ifndef HTTP_PARSE_H
#define HTTP_PARSE_H

#include <stdalign.h>

#include "http/http.h"

/* ---- head ----------------------------------------------------------------------------------- */

struct head_scan {
    size_t done; /* bytes looked at */
    int state;
    int lines;       /* that ended so far */
    bool has_target; /* its end was seen */
};
enum { HEAD_MORE = 0, HEAD_DONE = 1 };

/* Looks at what came in since the last call; bytes is everything since the head began. HEAD_DONE:
 * the head is the first scan->done bytes. Otherwise HEAD_MORE, or the status of the refusal. */
int head_scan(struct head_scan *scan, const char *bytes, size_t len);

struct parse {
    struct request *rq;
    int64_t length; /* of the body, as announced; -1: chunked */
    bool is_chunked;
    bool is_http10;
    bool keeps_alive;      /* the sender expects to go on after the reply */
    bool expects_continue; /* waits for "100 Continue" before sending the body */
    bool is_complete;      /* the last byte of the request was seen */

    /* within the body */
    int state;
    int64_t left;   /* of the body or chunk */
    int digits;     /* of the chunk's size; then bytes of its extensions */
    int line_bytes; /* of extensions and trailers, all together */
    const char *piece;
    size_t piece_len;
    bool is_chunk_begun;                   /* llhttp has seen the size line of the chunk */
    alignas(8) unsigned char machine[128]; /* llhttp_t */
};

/* Fills rq (its arena is set) from a complete head. 0, or the status of the refusal. */
int parse_head(struct parse *p, struct request *rq, const char *bytes, size_t len);

/* ---- body ----------------------------------------------------------------------------------- */

/* Takes what it can of the bytes: *ret_piece is the part of the body found, *ret_len may be 0.
 * Returns how many bytes were used; call again until all are used or p->is_complete. A refusal is
 * returned as (size_t)-1: 400, close. */
#define PARSE_REFUSED ((size_t)-1)
size_t parse_body(struct parse *p, const char *bytes, size_t len, const char **ret_piece,
                  size_t *ret_len);

#endif
