#include "http/wheel.h"

#include <stddef.h>

void wheel_init(struct wheel *w, int64_t tick_us, int64_t now)
{
    *w = (struct wheel){.tick_us = tick_us, .turned = now / tick_us};
}

void wheel_clear(struct wheel *w, struct deadline *d)
{
    if (!d->link)
        return;
    *d->link = d->next;
    if (d->next)
        d->next->link = d->link;
    d->link = NULL;
    w->count--;
}

/* Rounded up, so that nothing fires early; never into the tick being looked at. */
static struct deadline **slot_of(struct wheel *w, int64_t at)
{
    int64_t tick = at / w->tick_us + 1;
    if (tick <= w->turned)
        tick = w->turned + 1;
    return &w->slots[tick % WHEEL_SLOTS];
}

void wheel_set(struct wheel *w, struct deadline *d, int64_t at)
{
    wheel_clear(w, d);
    struct deadline **slot = slot_of(w, at);
    d->at = at;
    d->next = *slot;
    d->link = slot;
    if (d->next)
        d->next->link = &d->next;
    *slot = d;
    w->count++;
}

/* What is due moves to a list of its own first: firing may set or clear any deadline, those still
 * waiting in that list too. */
static void fire_slot(struct wheel *w, struct deadline **slot, int64_t now)
{
    struct deadline *due = NULL;
    for (struct deadline *d = *slot, *next; d; d = next) {
        next = d->next;
        if (d->at > now)
            continue;
        wheel_clear(w, d);
        d->next = due;
        d->link = &due;
        if (due)
            due->link = &d->next;
        due = d;
        w->count++;
    }
    while (due) {
        struct deadline *d = due;
        wheel_clear(w, d);
        d->fire(d);
    }
}

void wheel_turn(struct wheel *w, int64_t now)
{
    const int64_t last = now / w->tick_us;
    if (last - w->turned > WHEEL_SLOTS)
        w->turned = last - WHEEL_SLOTS;
    while (w->turned < last) {
        w->turned++;
        fire_slot(w, &w->slots[w->turned % WHEEL_SLOTS], now);
    }
}
