#include "http/parse.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

#include <llhttp.h>

#include "base/str.h"
#include "http/target.h"

/* ---- the lines of a message ----------------------------------------------------------------- */

/* TAB to HIGH may stand in a value. */
enum kind { CONTROL, TAB, SPACE, COLON, TOKEN, HEX, MARK, HIGH, CR, LF, KINDS };

/* RFC 9110, 5.6.2: TOKEN and HEX are tchar; MARK is the rest of what can be seen. */
static const uint8_t kinds[256] = {
    ['\t'] = TAB,
    ['\n'] = LF,
    ['\r'] = CR,
    [' '] = SPACE,
    ['!'] = TOKEN,
    ['"'] = MARK,
    ['#' ... '\''] = TOKEN,
    ['(' ... ')'] = MARK,
    ['*' ... '+'] = TOKEN,
    [','] = MARK,
    ['-' ... '.'] = TOKEN,
    ['/'] = MARK,
    ['0' ... '9'] = HEX,
    [':'] = COLON,
    [';' ... '@'] = MARK,
    ['A' ... 'F'] = HEX,
    ['G' ... 'Z'] = TOKEN,
    ['[' ... ']'] = MARK,
    ['^' ... '`'] = TOKEN,
    ['a' ... 'f'] = HEX,
    ['g' ... 'z'] = TOKEN,
    ['{'] = MARK,
    ['|'] = TOKEN,
    ['}'] = MARK,
    ['~'] = TOKEN,
    [0x80 ... 0xff] = HIGH,
};

enum state {
    BAD,       /* refused */
    START,     /* before the request line */
    START_LF,  /* in the one empty line that may stand before it (RFC 9112, 2.2) */
    START_2,   /* after that */
    METHOD,    /* ... */
    TARGET_1,  /* its first byte */
    TARGET,    /* ... */
    VERSION_1, /* its first byte */
    VERSION,   /* ... */
    LINE_LF,   /* after the CR of a line */
    LINE,      /* at the beginning of a header line, or of the empty one */
    NAME,      /* ... */
    VALUE,     /* ... */
    END_LF,    /* after the CR of the empty line */
    END,       /* all lines seen */
    SIZE_1,    /* a chunk's size: its first digit */
    SIZE,      /* ... */
    EXTENSION, /* ... */
    SIZE_LF,   /* after the CR of the size line */
    DATA,      /* in a chunk's bytes, or in those of a body of known length */
    DATA_CR,   /* behind a chunk's bytes */
    DATA_LF,   /* ... */
    STATES
};

/* Whatever is not listed is BAD. */
static const uint8_t steps[STATES][KINDS] = {
    [START] = {[CR] = START_LF, [TOKEN] = METHOD, [HEX] = METHOD},
    [START_LF] = {[LF] = START_2},
    [START_2] = {[TOKEN] = METHOD, [HEX] = METHOD},
    [METHOD] = {[TOKEN] = METHOD, [HEX] = METHOD, [SPACE] = TARGET_1},
    [TARGET_1] = {[TOKEN] = TARGET, [HEX] = TARGET, [COLON] = TARGET, [MARK] = TARGET},
    [TARGET] =
        {[TOKEN] = TARGET, [HEX] = TARGET, [COLON] = TARGET, [MARK] = TARGET, [SPACE] = VERSION_1},
    [VERSION_1] = {[TOKEN] = VERSION, [HEX] = VERSION},
    [VERSION] = {[TOKEN] = VERSION, [HEX] = VERSION, [MARK] = VERSION, [CR] = LINE_LF},
    [LINE_LF] = {[LF] = LINE},
    [LINE] = {[TOKEN] = NAME, [HEX] = NAME, [CR] = END_LF},
    [NAME] = {[TOKEN] = NAME, [HEX] = NAME, [COLON] = VALUE},
    [VALUE] = {[TAB... HIGH] = VALUE, [CR] = LINE_LF},
    [END_LF] = {[LF] = END},
    [SIZE_1] = {[HEX] = SIZE},
    [SIZE] = {[HEX] = SIZE, [MARK] = EXTENSION, [CR] = SIZE_LF},
    [EXTENSION] = {[TOKEN] = EXTENSION, [HEX] = EXTENSION, [MARK] = EXTENSION, [CR] = SIZE_LF},
    [SIZE_LF] = {[LF] = DATA},
    [DATA_CR] = {[CR] = DATA_LF},
    [DATA_LF] = {[LF] = SIZE_1},
};

/* ---- the head, still coming in -------------------------------------------------------------- */

/* Where head_scan() looks up from its walk. */
static const bool pauses[STATES] = {[BAD] = true, [VERSION_1] = true, [LINE] = true, [END] = true};

static size_t walk(int *state, const char *bytes, size_t len)
{
    int at = *state;
    size_t i = 0;
    do
        at = steps[at][kinds[(unsigned char)bytes[i++]]];
    while (i < len && !pauses[at]);
    *state = at;
    return i;
}

/* Method and spaces beside the target are not what makes a request line too long. */
enum { LINE_EXTRA = 32 };

/* Ordered so that the first byte that breaks a rule decides, however the bytes come in. */
static int scan_verdict(const struct head_scan *scan)
{
    if (!scan->has_target && scan->done > HTTP_MAX_TARGET + LINE_EXTRA)
        return 414;
    if (scan->done > HTTP_MAX_HEAD || scan->lines > HTTP_MAX_HEADERS + 1)
        return 431;
    if (scan->state == BAD)
        return 400;
    return scan->state == END ? HEAD_DONE : HEAD_MORE;
}

int head_scan(struct head_scan *scan, const char *bytes, size_t len)
{
    if (scan->done == 0)
        scan->state = START;
    if (len > HTTP_MAX_HEAD + 1)
        len = HTTP_MAX_HEAD + 1;
    int verdict = HEAD_MORE;
    while (scan->done < len && verdict == HEAD_MORE) {
        scan->done += walk(&scan->state, bytes + scan->done, len - scan->done);
        scan->lines += scan->state == LINE;
        verdict = scan_verdict(scan);
        scan->has_target |= scan->state == VERSION_1;
    }
    return verdict;
}

/* ---- llhttp --------------------------------------------------------------------------------- */

_Static_assert(sizeof(llhttp_t) <= sizeof(((struct parse *)0)->machine), "llhttp_t has grown");

static llhttp_t *machine(struct parse *p)
{
    return (llhttp_t *)(void *)p->machine;
}

/* Where llhttp sees the header lines of the head at hand. */
struct head {
    struct parse *parse;
    const char *target;
    size_t target_len;
    int count;
    struct line {
        const char *name, *value; /* value: NULL until seen */
        size_t name_len, value_len;
    } lines[HTTP_MAX_HEADERS];
    bool is_complete;
};

static int on_url(llhttp_t *m, const char *at, size_t len)
{
    struct head *head = m->data;
    head->target = at;
    head->target_len = len;
    return 0;
}

static int on_field(llhttp_t *m, const char *at, size_t len)
{
    struct head *head = m->data;
    if (!head)
        return 0; /* a trailer: looked at, not kept (RFC 9110, 6.5.1) */
    if (head->count == HTTP_MAX_HEADERS)
        return HPE_USER;
    head->lines[head->count++] = (struct line){.name = at, .name_len = len};
    return 0;
}

static int on_value(llhttp_t *m, const char *at, size_t len)
{
    struct head *head = m->data;
    if (!head)
        return 0;
    if (head->count == 0 || head->lines[head->count - 1].value)
        return HPE_USER;
    head->lines[head->count - 1].value = at;
    head->lines[head->count - 1].value_len = len;
    return 0;
}

static int on_headers_complete(llhttp_t *m)
{
    struct head *head = m->data;
    if (!head)
        return HPE_USER;
    head->is_complete = true;
    head->parse->keeps_alive = llhttp_should_keep_alive(m);
    m->upgrade = 0; /* we never switch protocols: the request is served as it stands */
    return 0;
}

static struct parse *parse_of(llhttp_t *m)
{
    return (struct parse *)(void *)((char *)m - offsetof(struct parse, machine));
}

static int on_body(llhttp_t *m, const char *at, size_t len)
{
    struct parse *p = parse_of(m);
    if (p->piece)
        return HPE_USER;
    p->piece = at;
    p->piece_len = len;
    return 0;
}

static int on_chunk_header(llhttp_t *m)
{
    struct parse *p = parse_of(m);
    p->is_chunk_begun = true;
    p->left = m->content_length > INT64_MAX ? -1 : (int64_t)m->content_length;
    return 0;
}

static int on_message_complete(llhttp_t *m)
{
    parse_of(m)->is_complete = true;
    return 0;
}

static const llhttp_settings_t settings = {
    .on_url = on_url,
    .on_header_field = on_field,
    .on_header_value = on_value,
    .on_headers_complete = on_headers_complete,
    .on_body = on_body,
    .on_chunk_header = on_chunk_header,
    .on_message_complete = on_message_complete,
};

/* ---- the request line ----------------------------------------------------------------------- */

/* 0, or the status of the refusal. What we do not implement is 501, what we refuse to is 405. */
static int read_method(const char *s, size_t len, enum http_method *ret)
{
    for (int m = 0; m < HTTP_METHODS; m++) {
        const char *name = http_method_name((enum http_method)m);
        if (strlen(name) == len && memcmp(name, s, len) == 0) {
            *ret = (enum http_method)m;
            return 0;
        }
    }
    if ((len == 7 && memcmp(s, "CONNECT", len) == 0) || (len == 5 && memcmp(s, "TRACE", len) == 0))
        return 405;
    return 501;
}

static int read_version(struct parse *p, const char *s, size_t len)
{
    if (len != 8 || memcmp(s, "HTTP/", 5) != 0 || kinds[(unsigned char)s[5]] != HEX || s[5] > '9' ||
        s[6] != '.' || kinds[(unsigned char)s[7]] != HEX || s[7] > '9')
        return 400;
    if (s[5] != '1' || s[7] > '1')
        return 505;
    p->is_http10 = s[7] == '0';
    return 0;
}

/* The automaton has seen to it that there are exactly two spaces. */
static int read_request_line(struct parse *p, const char *line, size_t *ret_target_len)
{
    const char *target = strchr(line, ' ') + 1;
    const char *version = strchr(target, ' ') + 1;
    const size_t target_len = (size_t)(version - 1 - target);
    int status = read_version(p, version, strcspn(version, "\r"));
    if (!status)
        status = read_method(line, (size_t)(target - 1 - line), &p->rq->method);
    if (!status && target_len > HTTP_MAX_TARGET)
        status = 414;
    p->rq->target = target;
    *ret_target_len = target_len;
    return status;
}

/* ---- the meaning of header fields ----------------------------------------------------------- */

static int check_host(struct parse *p, const char *value)
{
    (void)p;
    return target_is_authority(value) ? 0 : 400;
}

static int check_length(struct parse *p, const char *value)
{
    const size_t len = strspn(value, "0123456789");
    if (len == 0 || len > 19 || value[len] || !str_to_int(value, &p->length))
        return 400;
    return 0;
}

static int check_coding(struct parse *p, const char *value)
{
    p->is_chunked = true;
    return !p->is_http10 && strcasecmp(value, "chunked") == 0 ? 0 : 400;
}

static int check_expect(struct parse *p, const char *value)
{
    p->expects_continue = !p->is_http10;
    return strcasecmp(value, "100-continue") == 0 ? 0 : 417;
}

/* Fields that may be sent once only; two could be read differently by us and by a proxy. */
static const struct rule {
    const char *name;
    int (*check)(struct parse *p, const char *value); /* 0 or a status; NULL: anything */
} rules[] = {
    {"host", check_host},     {"content-length", check_length}, {"transfer-encoding", check_coding},
    {"expect", check_expect}, {"content-type", NULL},           {"authorization", NULL},
};

static int check_field(struct parse *p, const struct http_pair *field, unsigned *seen)
{
    for (int i = 0; i < ARRAY_LEN(rules); i++) {
        if (field->name[0] != rules[i].name[0] || strcmp(field->name, rules[i].name) != 0)
            continue;
        if (*seen & 1u << i)
            return 400;
        *seen |= 1u << i;
        return rules[i].check ? rules[i].check(p, field->value) : 0;
    }
    return 0;
}

/* A refusal of framing (400) counts more than one of meaning (417): all fields are looked at. */
static int check_fields(struct parse *p)
{
    const struct http_pair *field = p->rq->headers.at;
    unsigned seen = 0;
    int worst = 0;
    for (int i = 0; i < p->rq->headers.count; i++) {
        const int status = check_field(p, &field[i], &seen);
        if (status && worst != 400)
            worst = status;
    }
    const bool has_host = seen & 1, has_length = seen & 2;
    if ((!has_host && !p->is_http10) || (has_length && p->is_chunked))
        return 400;
    return worst;
}

/* ---- the head ------------------------------------------------------------------------------- */

/* The lines become strings where they lie: behind a name comes its colon, behind a value a CR. */
static void keep_field(struct request *rq, char *text, const struct line *line)
{
    char *name = text + (line->name - text);
    name[line->name_len] = '\0';
    for (char *c = name; *c; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
    /* llhttp says of an empty value that it begins with the next line. */
    size_t len = line->value_len;
    char *value = len > 0 ? text + (line->value - text) : name + line->name_len;
    while (len > 0 && (value[len - 1] == ' ' || value[len - 1] == '\t'))
        len--;
    value[len] = '\0';
    struct http_pair *field = list_add(rq->arena, &rq->headers, sizeof(*field));
    field->name = name;
    field->value = value;
}

static bool run_machine(struct parse *p, struct head *head, const char *text, size_t len)
{
    llhttp_init(machine(p), HTTP_REQUEST, &settings);
    machine(p)->data = head;
    const bool is_parsed = llhttp_execute(machine(p), text, len) == HPE_OK;
    machine(p)->data = NULL;
    return is_parsed && head->is_complete;
}

/* Both automatons have to see the same request: its version, where it begins and ends. */
static bool agrees(struct parse *p)
{
    const llhttp_t *m = machine(p);
    const bool has_body = p->is_chunked || p->length > 0;
    return m->http_major == 1 && m->http_minor == (p->is_http10 ? 0 : 1) &&
           p->is_complete == !has_body &&
           (p->is_chunked || m->content_length == (uint64_t)p->length);
}

static int parse_lines(struct parse *p, char *text, size_t len)
{
    struct head head;
    head.parse = p;
    head.target = NULL;
    head.count = 0;
    head.is_complete = false;

    size_t target_len;
    const int status = read_request_line(p, text, &target_len);
    if (status)
        return status;
    if (!run_machine(p, &head, text, len) || head.target != p->rq->target ||
        head.target_len != target_len)
        return 400;
    text[head.target - text + (ptrdiff_t)target_len] = '\0';
    for (int i = 0; i < head.count; i++)
        keep_field(p->rq, text, &head.lines[i]);
    return 0;
}

int parse_head(struct parse *p, struct request *rq, const char *bytes, size_t len)
{
    const size_t skip = bytes[0] == '\r' ? 2 : 0;
    *p = (struct parse){.rq = rq};
    int status = parse_lines(p, arena_strndup(rq->arena, bytes + skip, len - skip), len - skip);
    if (!status)
        status = check_fields(p);
    if (!status && !agrees(p))
        status = 400;
    if (!status)
        status = target_parse(rq, request_header(rq, "host"));
    p->state = p->is_chunked ? SIZE_1 : DATA;
    p->left = p->is_chunked ? 0 : p->length;
    return status;
}

/* ---- the body ------------------------------------------------------------------------------- */

enum {
    MAX_DIGITS = 15,        /* of a chunk's size */
    MAX_LINE_BYTES = 16384, /* of extensions and trailers in one request */
};

/* Gives bytes that have passed the automaton to llhttp. */
static bool feed(struct parse *p, const char *bytes, size_t len)
{
    p->piece = NULL;
    p->piece_len = 0;
    return llhttp_execute(machine(p), bytes, len) == HPE_OK;
}

static size_t feed_data(struct parse *p, const char *bytes, size_t len)
{
    const size_t n = (int64_t)len > p->left ? (size_t)p->left : len;
    if (!feed(p, bytes, n) || p->piece_len != n)
        return PARSE_REFUSED;
    p->left -= (int64_t)n;
    if (p->left == 0 && p->is_chunked)
        p->state = DATA_CR;
    if (p->is_complete != (p->left == 0 && !p->is_chunked))
        return PARSE_REFUSED;
    return n;
}

/* After the line end of a chunk's size: its bytes follow, or the trailer when it is the last. */
static bool begin_chunk(struct parse *p)
{
    if (!p->is_chunk_begun || p->left < 0)
        return false;
    p->state = p->left > 0 ? DATA : LINE;
    p->is_chunk_begun = false;
    p->digits = 0;
    return true;
}

/* Sizes, extensions and trailers are bounded; an extension begins with a semicolon. */
static bool count_byte(struct parse *p, int before, char c)
{
    if (p->state == SIZE)
        return ++p->digits <= MAX_DIGITS;
    if (before == SIZE && p->state == EXTENSION && c != ';')
        return false;
    const bool is_counted = p->state == EXTENSION || before < SIZE_1;
    return !is_counted || ++p->line_bytes <= MAX_LINE_BYTES;
}

static bool step_line(struct parse *p, char c)
{
    const int before = p->state;
    p->state = steps[before][kinds[(unsigned char)c]];
    if (p->state == BAD || !count_byte(p, before, c) || !feed(p, &c, 1) || p->piece)
        return false;
    if (before == SIZE_LF && !begin_chunk(p))
        return false;
    return p->is_complete == (p->state == END);
}

/* The lines between the bytes of a chunked body are short: one byte at a time. */
static size_t feed_lines(struct parse *p, const char *bytes, size_t len)
{
    size_t n = 0;
    while (n < len && p->state != DATA && p->state != END)
        if (!step_line(p, bytes[n++]))
            return PARSE_REFUSED;
    return n;
}

size_t parse_body(struct parse *p, const char *bytes, size_t len, const char **ret_piece,
                  size_t *ret_len)
{
    p->piece = NULL;
    p->piece_len = 0;
    const size_t n = p->state == DATA ? feed_data(p, bytes, len) : feed_lines(p, bytes, len);
    if (n == PARSE_REFUSED)
        return n;
    *ret_piece = p->piece;
    *ret_len = p->piece_len;
    return n;
}
