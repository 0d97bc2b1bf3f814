/* arena.h - memory that lives exactly as long as one unit of work.
 *
 * A request, a job and a loaded process definition each own one arena. Nothing inside it is freed
 * on its own; arena_reset() returns it all at once and first runs the callbacks registered with
 * arena_defer(), newest first. Running out of memory, or past the arena's cap, ends the process:
 * no caller checks for NULL. An arena is used by one thread at a time.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

struct arena;

struct arena *arena_create(void);
void arena_reset(struct arena *a);   /* keeps the first blocks, up to 64 KiB, for reuse */
void arena_destroy(struct arena *a); /* NULL is fine */

/* What the arena may hold at most before it ends the process; 256 MiB unless said otherwise. */
void arena_limit(struct arena *a, size_t bytes);

void *arena_alloc(struct arena *a, size_t size);               /* zeroed, max-aligned; never NULL */
void *arena_array(struct arena *a, size_t count, size_t size); /* count * size, checked */
void *arena_copy(struct arena *a, const void *bytes, size_t size);
char *arena_strdup(struct arena *a, const char *s);              /* NULL gives NULL */
char *arena_strndup(struct arena *a, const char *s, size_t len); /* always terminated */
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
char *arena_vprintf(struct arena *a, const char *fmt, va_list args)
    __attribute__((format(printf, 2, 0)));

/* The allocation `at` of old_size bytes made larger, where it lies if it is the newest, else moved;
 * NULL begins one. The added bytes are not zeroed. */
void *arena_grow(struct arena *a, void *at, size_t old_size, size_t size);

size_t arena_used(const struct arena *a); /* bytes handed out since the last reset */

/* Run fn(arg) when the arena is reset; how files, statements and sockets end. */
void arena_defer(struct arena *a, void (*fn)(void *), void *arg);

/* An array in an arena; the member that holds it says of what. Grows by doubling. */
struct list {
    void *at;
    int count;
    int room;
};

/* Room for one more item of this size at the end, zeroed; the address is good until the next add.
 */
void *list_add(struct arena *a, struct list *l, size_t size);

#define ARRAY_LEN(a) ((int)(sizeof(a) / sizeof((a)[0])))

#endif
