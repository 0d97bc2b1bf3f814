/* log.h - one structured line per thing worth telling an operator.
 *
 * Only edge/, job/, http/ and main() log; everybody else returns a failure. A line is a message and
 * named values; it is written to standard error as text ("time level message name=value ...", for a
 * person or journald) or as one JSON object per line. Values are escaped: nothing a user sends can
 * forge a line. Personal data does not belong here: name records and people by number or id.
 *
 *   log_write(LOG_INFO, "request", LOG_TEXT("path", path), LOG_NUM("status", 200));
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

struct log_value {
    const char *name;
    const char *text; /* NULL: the number counts */
    int64_t num;
};

#define LOG_TEXT(n, s) ((struct log_value){.name = (n), .text = (s) ? (s) : ""})
#define LOG_NUM(n, v) ((struct log_value){.name = (n), .num = (v)})
#define log_write(level, message, ...)                                                             \
    log_line(level, message, (const struct log_value[]){__VA_ARGS__ __VA_OPT__(, ){0}})

void log_setup(enum log_level least, bool as_json);              /* before threads start */
bool log_level_from_name(const char *name, enum log_level *ret); /* "error", ... "debug" */

/* A line has at most 4 KiB, which a pipe takes whole: a longer value is cut and ends with "...",
 * and the values behind it may be missing. */
void log_line(enum log_level level, const char *message, const struct log_value *values);

#endif
