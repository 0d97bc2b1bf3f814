#include "auth/policy.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "base/secret.h"
#include "base/str.h"
#include "lang/words.h"

enum { LEAST_CHARACTERS = 12, SHORTEST_TELLING = 4 };

/* Words, folded, that leaked passwords are made of most often. A password is refused when nothing
 * but digits and signs is around one of them, or several times the same. */
static const char *const common[] = {
    "password",
    "passwort",
    "motdepasse",
    "passw",
    "p@ssword",
    "p@ssw",
    "passwd",
    "pass",
    "qwerty",
    "qwertyuiop",
    "qwertz",
    "qwertzuiop",
    "azerty",
    "azertyuiop",
    "asdfghjkl",
    "asdfgh",
    "zxcvbnm",
    "zxcvbn",
    "qazwsx",
    "qazwsxedc",
    "zaqwsx",
    "qweasd",
    "qweasdzxc",
    "letmein",
    "welcome",
    "bienvenue",
    "willkommen",
    "administrator",
    "administrateur",
    "admin",
    "root",
    "user",
    "guest",
    "test",
    "testtest",
    "login",
    "changeme",
    "changeit",
    "default",
    "secret",
    "support",
    "servicedesk",
    "helpdesk",
    "computer",
    "internet",
    "iloveyou",
    "football",
    "baseball",
    "basketball",
    "superman",
    "batman",
    "princess",
    "sunshine",
    "monkey",
    "dragon",
    "master",
    "shadow",
    "michael",
    "jennifer",
    "trustno",
    "whatever",
    "starwars",
    "summer",
    "winter",
    "spring",
    "autumn",
    "sommer",
    "printemps",
    "hiver",
    "ete",
    "automne",
    "hello",
    "bonjour",
    "soleil",
    "doudou",
    "loulou",
    "chouchou",
    "abc",
    "correcthorsebatterystaple",
    NULL,
};

static int characters(const char *s)
{
    int n = 0;
    for (; *s; s++)
        n += ((unsigned char)*s & 0xc0) != 0x80;
    return n;
}

/* The letters alone: what is left of "Password-2026!". */
static char *letters(struct ctx *cx, const char *s)
{
    char *out = arena_strdup(cx->arena, s);
    size_t n = 0;
    for (; *s; s++)
        if (!strchr("0123456789 !\"#$%&'()*+,-./:;<=>?[\\]^_`{|}~", *s))
            out[n++] = *s;
    out[n] = '\0';
    return out;
}

/* Is s one of the common ones, once or several times over? */
static bool is_common(const char *s)
{
    for (int i = 0; common[i]; i++) {
        const size_t len = strlen(common[i]);
        const char *at = s;
        while (strncmp(at, common[i], len) == 0)
            at += len;
        if (at != s && !*at)
            return true;
    }
    return false;
}

/* "123456789012", "aaaaaaaaaaab", "abcdefghijkl": most steps from one byte to the next are none or
 * one (or from 9 to 0). */
static bool is_row(const char *s)
{
    int steps = 0;
    int small = 0;
    for (; s[0] && s[1]; s++, steps++) {
        const int step = abs(s[1] - s[0]);
        small += step <= 1 || step == 9;
    }
    return 4 * small >= 3 * steps;
}

/* Does the password hold the word or, for names, one of its parts? Short ones tell nothing. */
static bool holds_part(struct ctx *cx, const char *folded, const char *word)
{
    if (!word)
        return false;
    char *rest = words_fold(cx->arena, word);
    while (*rest) {
        const size_t len = strcspn(rest, " @.,-_");
        const char *part = arena_strndup(cx->arena, rest, len);
        if (len >= SHORTEST_TELLING && strstr(folded, part))
            return true;
        rest += len;
        rest += strspn(rest, " @.,-_");
    }
    return false;
}

static enum rc refuse(struct ctx *cx, const char *text)
{
    return fail(cx, E_INVALID, "password", "%s", text);
}

enum rc policy_check(struct ctx *cx, const struct secret *password, const char *login,
                     const char *name)
{
    const char *text = secret_reveal(password);
    const size_t len = secret_len(password);
    if (len > PASSWORD_MOST_BYTES)
        return refuse(cx, "must be at most 1024 bytes long");
    if (strlen(text) != len || !str_is_utf8(text, len))
        return refuse(cx, "must be text");
    if (characters(text) < LEAST_CHARACTERS)
        return refuse(cx, "must be at least 12 characters long; a few words make a good one");

    char *folded = words_fold(cx->arena, text);
    char *core = letters(cx, folded);
    const enum rc rc = holds_part(cx, folded, login)  ? refuse(cx, "must not hold the login")
                       : holds_part(cx, folded, name) ? refuse(cx, "must not hold the name")
                       : strstr(folded, "fettle")
                           ? refuse(cx, "must not hold the name of this product")
                       : is_row(folded) ? refuse(cx, "must not be a row of neighbouring characters")
                       : is_common(core) ? refuse(cx, "is one that many people use")
                                         : OK;
    memset(folded, 0, strlen(folded));
    memset(core, 0, strlen(core));
    return rc;
}
