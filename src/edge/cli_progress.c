#include "edge/cli_progress.h"

#include <stdio.h>

#include "base/time.h"

#define BAR 30
#define REDRAW_US (US_PER_S / 10)
#define LINE_US (5 * US_PER_S)

struct progress progress_begin(const struct cli *c, const char *what)
{
    const int64_t now = clock_monotonic();
    return (struct progress){.c = c, .what = what, .started_at = now, .told_at = now};
}

static void draw_bar(const struct progress *p, int percent, int64_t n, int64_t rate)
{
    char bar[BAR + 1];

    for (int i = 0; i < BAR; i++)
        bar[i] = i < percent * BAR / 100 ? '#' : '.';
    bar[BAR] = '\0';
    fprintf(stderr, "\r[%s] %3d %%  %lld %s, %lld/s \x1b[K", bar, percent, (long long)n, p->what,
            (long long)rate);
}

void progress_show(struct progress *p, int64_t done, int64_t whole, int64_t n)
{
    const int64_t now = clock_monotonic();
    const int percent = whole > 0 ? (int)(done * 100 / whole) : 0;
    const int64_t spent = now - p->started_at;
    const int64_t rate = spent > 0 ? n * US_PER_S / spent : 0;

    if (now - p->told_at < (p->c->is_watched ? REDRAW_US : LINE_US))
        return;
    p->told_at = now;
    p->is_shown = true;
    if (p->c->is_watched)
        draw_bar(p, percent, n, rate);
    else
        fprintf(stderr, "%d %%: %lld %s, %lld/s\n", percent, (long long)n, p->what,
                (long long)rate);
}

void progress_end(struct progress *p)
{
    if (p->is_shown && p->c->is_watched)
        fputs("\r\x1b[K", stderr);
    p->is_shown = false;
}
