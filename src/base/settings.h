/* settings.h - what an operator may set, in one table.
 *
 * A setting comes from, in rising order: its default, the settings file (YAML, sections by dots),
 * the environment (FETTLE_SECTION__NAME, and FETTLE_SECTION__NAME_FILE for secrets kept in files),
 * the command line (--section.name=value). An unknown name anywhere is an error with a suggestion;
 * only FETTLE_CONFIG, _URL, _TOKEN, _SOCKET and _SOURCE are left to the command line and the tests.
 *
 * Durations are written "10 s", "30 min", "8 h", "2 days"; sizes "512 KiB", "50 MiB"; flags true or
 * false.
 *
 * The table in settings.c is the only list: reading, `fettle config show` and the manual page of
 * settings are made from it. Settings are read once at the start and are immutable then.
 */
#ifndef BASE_SETTINGS_H
#define BASE_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/rc.h"

struct arena;
struct buf;
struct ctx;
struct secret;

enum setting_kind { SET_TEXT, SET_INT, SET_FLAG, SET_DURATION, SET_SIZE, SET_SECRET, SET_PATH };

enum setting_id {
    SETTING_DATABASE,  /* secret: URL of PostgreSQL or "sqlite:" path; default DATA/fettle.db */
    SETTING_DATA,      /* folder of database, attachments and sockets */
    SETTING_PROCESSES, /* folder of process files */
    SETTING_LISTEN,    /* host:port, [v6]:port or unix:/path */
    SETTING_BASE_URL,  /* as users see it; links are made from it, never from Host */
    SETTING_SECURE_COOKIES, /* flag; off only for plain HTTP on loopback */
    SETTING_WORKERS,        /* threads that may block */
    SETTING_LOOPS,          /* event loops */
    SETTING_MAX_BODY,       /* bytes of a JSON body */
    SETTING_MAX_UPLOAD,     /* bytes of an attachment */
    SETTING_HEADER_TIMEOUT, /* from the first byte to the end of the headers */
    SETTING_BODY_TIMEOUT,
    SETTING_IDLE_TIMEOUT,
    SETTING_DRAIN_TIMEOUT, /* between SIGTERM and the end */
    SETTING_LOG_LEVEL,
    SETTING_LOG_FORMAT, /* text or json */
    SETTING_SESSION_IDLE,
    SETTING_SESSION_ABSOLUTE,
    SETTING_RATE_LIMIT, /* API requests a minute and principal */
    SETTING_LANGUAGE,   /* of texts for people whose language is unknown */
    SETTING_TIME_ZONE,  /* IANA name for people and calendars without one */
    SETTING_TEST_CLOCK, /* flag: tests may move the clock over the API; never in production */
    SETTING_COUNT
};

struct setting {
    const char *name; /* "http.listen" */
    enum setting_kind kind;
    const char *initial; /* default as written in a file; in <> where it follows from others */
    int64_t least, most; /* bounds of settings_int(); both 0: none but the kind's */
    const char *choices; /* the words allowed, with spaces between; NULL: any */
    const char *help;    /* one line */
};

/* The table, SETTING_COUNT rows in the order of the enum. */
const struct setting *settings_table(void);

struct settings; /* immutable once loaded; lives in the arena it was loaded into */

/* file may be NULL (then none is read); flags are the --name=value arguments, NULL at the end; a
 * flag may stand without a value ("--test.clock"). E_INVALID names file:line:column or variable or
 * flag, and the nearest known name; a file that is not there is E_NOT_FOUND. */
enum rc settings_load(struct ctx *cx, const char *file, const char *const *flags,
                      const struct settings **ret);

const char *settings_text(const struct settings *s, enum setting_id id); /* never NULL */
int64_t settings_int(const struct settings *s, enum setting_id id); /* bytes, microseconds, 0/1 */
const struct secret *settings_secret(const struct settings *s, enum setting_id id);
const char *settings_source(const struct settings *s, enum setting_id id); /* "default", a place */

/* "FETTLE_HTTP__LISTEN", and "from 1 to 1024" or "one of: text json" or "". */
const char *settings_variable(struct arena *a, enum setting_id id);
const char *settings_range(struct arena *a, enum setting_id id);

/* As a settings file with the source of each value behind it; secrets show as (set). */
enum settings_which { SETTINGS_CHANGED, SETTINGS_ALL };
void settings_print(const struct settings *s, enum settings_which which, struct buf *out);

/* All settings with default, variable and help as a table in Markdown, for the manual. */
void settings_manual(struct buf *out);

#endif
