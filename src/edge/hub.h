/* hub.h - who listens to what happens, live.
 *
 * A listener costs an entry here and an open reply in http/. One thread reads new events once,
 * asks for each principal that listens what of them it may see, and sends that to all its
 * listeners. It also looks now and then whether those who listen are still signed in.
 */
#ifndef EDGE_HUB_H
#define EDGE_HUB_H

#include <stdint.h>

#include "base/rc.h"

struct call;
struct ctx;
struct hub;
struct server;

struct hub *hub_create(struct server *s);
void hub_wake(struct hub *h);    /* something was committed; from any thread; NULL is fine */
void hub_stop(struct hub *h);    /* ends all streams; NULL is fine */
void hub_destroy(struct hub *h); /* NULL is fine */

/* Make this call a listener of what happens after that event, as cx->user. */
enum rc hub_listen(struct ctx *cx, struct call *c, int64_t after);

#endif
