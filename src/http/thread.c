#include "http/thread.h"

#include <signal.h>
#include <stddef.h>

#include "base/rc.h"

enum { STACK = 512 << 10 };

pthread_t thread_start(const char *name, void *(*run)(void *), void *arg)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_attr_t attr;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, STACK);

    /* The new thread inherits the mask. */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_t thread;
    if (pthread_create(&thread, &attr, run, arg) != 0)
        BUG("no thread could be started");
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
    pthread_setname_np(thread, name);
    return thread;
}
