/* wheel.h - many deadlines, cheap to move.
 *
 * A ring of slots, each for one tick; a deadline hangs in the slot of its tick, and one that is
 * further away than the ring is long is simply looked at once a round. Setting, moving and clearing
 * take constant time and no memory, so every connection moves its deadline at every step.
 */
#ifndef HTTP_WHEEL_H
#define HTTP_WHEEL_H

#include <stdint.h>

struct deadline {
    struct deadline *next, **link; /* link: what points here; NULL while not set */
    int64_t at;
    void (*fire)(struct deadline *d); /* it is cleared before; may set any deadline */
};

enum { WHEEL_SLOTS = 256 };

struct wheel {
    struct deadline *slots[WHEEL_SLOTS];
    int64_t tick_us;
    int64_t turned; /* ticks up to here were looked at */
    int count;
};

void wheel_init(struct wheel *w, int64_t tick_us, int64_t now);
void wheel_set(struct wheel *w, struct deadline *d, int64_t at); /* fires within a tick after at */
void wheel_clear(struct wheel *w, struct deadline *d);
void wheel_turn(struct wheel *w, int64_t now); /* fires what is due */

#endif
