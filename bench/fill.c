/* fill.c - a database with so many demo records, for the other programs to measure on.
 *
 *   fill URL RECORDS TOKENS
 *
 * Prints one line of JSON: how long it took and how much was written. API tokens of the agents go
 * into the file TOKENS; with 0 records only those are made.
 */
#include <stdio.h>
#include <stdlib.h>

#include "auth/auth.h"
#include "auth/people.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/secret.h"
#include "desk.h"
#include "edge/demo.h"

static void show(int64_t done, int64_t of, void *arg)
{
    (void)arg;
    if (done % 10000 == 0)
        fprintf(stderr, "\r%lld of %lld", (long long)done, (long long)of);
}

/* One token for each agent, a line each: requests are limited by person. */
static void write_tokens(struct ctx *cx, const char *path)
{
    static const char *const agents[] = {"desk1",      "desk2",    "desk3",    "workplace1",
                                         "workplace2", "network1", "network2", "apps1",
                                         "apps2",      "servers1", "database1"};
    struct buf b = {.arena = cx->arena};

    for (int i = 0; i < ARRAY_LEN(agents); i++) {
        struct token token;
        struct secret *secret;
        int64_t person;
        must(cx, person_find(cx, agents[i], &person), agents[i]);
        must(cx, token_create(cx, person, "bench", "read write", 0, &token, &secret), "token");
        buf_printf(&b, "%s\n", secret_reveal(secret));
    }
    must(cx, file_write(cx, path, b.at, b.len), path);
}

int main(int argc, char **argv)
{
    const char *folder = getenv("BENCH_PROCESSES");
    struct demo_result made = {0};
    struct desk d;

    if (argc != 4) {
        fprintf(stderr, "usage: fill URL RECORDS TOKENS\n");
        return 2;
    }
    desk_open(&d, argv[1], folder ? folder : "process");
    const int64_t began = meter_now(), cpu = meter_cpu();
    const struct demo_options o = {.records = must_int(argv[2]), .progress = show};
    if (o.records)
        must(&d.cx, demo_load(&d.cx, &o, &made), "demo");
    printf("{\"records\": %lld, \"events\": %lld, \"seconds\": %.3f, \"cpu_seconds\": %.3f}\n",
           (long long)made.records, (long long)made.events, (double)(meter_now() - began) / 1e9,
           (double)(meter_cpu() - cpu) / 1e9);
    write_tokens(&d.cx, argv[3]);
    desk_close(&d);
    return 0;
}
