/* thread.h - threads of a server: named, small, deaf to signals (the main thread hears those). */
#ifndef HTTP_THREAD_H
#define HTTP_THREAD_H

#include <pthread.h>

/* A server without one of its threads is of no use: failure ends the process. name: 15 bytes. */
pthread_t thread_start(const char *name, void *(*run)(void *), void *arg);

#endif
