/* fill.c - a database with so many demo records, for the other programs to measure on.
 *
 *   fill URL RECORDS [PROCESS-FOLDER]
 *
 * Prints one line of JSON: how long it took, how much was written, and a token of an agent.
 */
#include <stdio.h>
#include <stdlib.h>

#include "auth/auth.h"
#include "auth/people.h"
#include "base/secret.h"
#include "desk.h"
#include "edge/demo.h"

static void show(int64_t done, int64_t of, void *arg)
{
    (void)arg;
    if (done % 10000 == 0)
        fprintf(stderr, "\r%lld of %lld", (long long)done, (long long)of);
}

static const char *make_token(struct ctx *cx, const char *login)
{
    struct token token;
    struct secret *secret;
    int64_t person;

    must(cx, person_find(cx, login, &person), login);
    must(cx, token_create(cx, person, "bench", "read write", 0, &token, &secret), "token");
    return secret_reveal(secret);
}

int main(int argc, char **argv)
{
    struct desk d;
    struct demo_result made;

    if (argc < 3) {
        fprintf(stderr, "usage: fill URL RECORDS [PROCESS-FOLDER]\n");
        return 2;
    }
    desk_open(&d, argv[1], argc > 3 ? argv[3] : "process");
    const int64_t began = meter_now(), cpu = meter_cpu();
    const struct demo_options o = {.records = must_int(argv[2]), .progress = show};
    must(&d.cx, demo_load(&d.cx, &o, &made), "demo");
    const double seconds = (double)(meter_now() - began) / 1e9;
    printf("{\"records\": %lld, \"events\": %lld, \"seconds\": %.3f, \"cpu_seconds\": %.3f, "
           "\"token\": \"%s\"}\n",
           (long long)made.records, (long long)made.events, seconds,
           (double)(meter_cpu() - cpu) / 1e9, make_token(&d.cx, "desk1"));
    desk_close(&d);
    return 0;
}
