/* map.h - names to pointers, inside an arena. Insert-only; keys are not copied. */
#ifndef BASE_MAP_H
#define BASE_MAP_H

struct arena;

struct map {
    struct arena *arena;
    struct map_slot *slots;
    int count;
    int room; /* a power of two, or 0 */
};

/* The value under key, or NULL. */
void *map_get(const struct map *m, const char *key);

/* Puts value under key; returns what was there before (which stays), or NULL when it was added. */
void *map_put(struct map *m, const char *key, void *value);

#endif
