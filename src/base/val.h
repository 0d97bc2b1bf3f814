/* val.h - a value of a type that is known only at run time.
 *
 * What a record's field holds, what a JSON document says, what an expression yields. The kind says
 * how the value is stored, not what it means; the meaning is the field's type (lang/process.h):
 *
 *   flag                       VAL_FLAG
 *   number, money              VAL_INT   scaled by the field's decimals (money: minor units)
 *   instant, duration          VAL_INT   microseconds (instant: since 1970, UTC)
 *   date                       VAL_INT   days since 1970-01-01
 *   person, group, ..., link   VAL_INT   id
 *   text, choice, tree choice  VAL_TEXT  (tree choice: path joined by '/')
 *   links                      VAL_LIST  of VAL_INT
 *   missing                    VAL_NULL
 *
 * VAL_REAL exists only at the edge: a JSON number with a fraction or exponent.
 * Values are immutable once made and live in an arena; copying the struct shares what it points to.
 */
#ifndef BASE_VAL_H
#define BASE_VAL_H

#include <stdbool.h>
#include <stdint.h>

struct arena;
struct map;

enum val_kind { VAL_NULL, VAL_FLAG, VAL_INT, VAL_REAL, VAL_TEXT, VAL_LIST, VAL_MAP };

struct val {
    enum val_kind kind;
    int count; /* of a list's items or a map's members */
    union {
        bool flag;
        int64_t i;
        double real;
        const char *text;             /* NUL-terminated UTF-8, never NULL */
        const struct val *items;      /* count of them */
        const struct member *members; /* count of them, in the order written, names unique */
    };
};

struct member {
    const char *name;
    struct val val;
};

static inline struct val val_null(void)
{
    return (struct val){.kind = VAL_NULL};
}

static inline struct val val_flag(bool flag)
{
    return (struct val){.kind = VAL_FLAG, .flag = flag};
}

static inline struct val val_int(int64_t i)
{
    return (struct val){.kind = VAL_INT, .i = i};
}

/* NULL gives the missing value. */
static inline struct val val_text(const char *text)
{
    return text ? (struct val){.kind = VAL_TEXT, .text = text} : val_null();
}

bool val_is_null(struct val v);
bool val_equal(struct val a, struct val b); /* deep; the order of members is no matter */

/* The member of that name, or NULL; NULL too when v is NULL or not a map. */
const struct val *val_get(const struct val *v, const char *name);
const char *val_get_text(const struct val *v, const char *name); /* NULL unless a text */

struct val val_copy(struct arena *a, struct val v); /* deep, into a longer-lived arena */

/* A map under construction: struct val_map m = {0}; val_map_set(a, &m, "x", v); m as a value.
 * Setting a name again replaces its value. Names are not copied. */
struct val_map {
    struct member *at;
    int count;
    int room;
    struct map *index; /* of a long map: name to place; NULL while it is short */
};
void val_map_set(struct arena *a, struct val_map *m, const char *name, struct val v);
struct val val_from_map(const struct val_map *m);

#endif
