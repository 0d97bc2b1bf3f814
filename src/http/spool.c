#include "http/spool.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/log.h"
#include "base/str.h"
#include "http/memory.h"
#include "http/thread.h"

enum what { DATA, FINISH, REMOVE, GO_HOME };

/* Travels to the spooler and, as a letter, back to the loop. */
struct piece {
    struct letter letter;
    struct spool *spool;
    enum what what;
    bool is_broken; /* on the way back: the file cannot be written */
    size_t len;
    char bytes[];
};

struct spool {
    struct spooler *spooler;
    struct loop *loop;
    void (*on_progress)(void *arg); /* NULL: abandoned */
    void *arg;
    size_t waiting;
    enum spool_state state;

    /* the spooler's, until the piece that finishes has come back */
    struct arena *arena;
    struct sha256 *hash;
    const char *path; /* NULL: no file yet */
    int fd;
    bool is_broken;
    char sha256[SHA256_HEX];
};

struct spooler {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t work;
    struct letter *first, **last;
    char dir[];
};

/* ---- the spooler's side --------------------------------------------------------------------- */

static const char prefix[] = "upload-";

static bool open_file(struct spool *s)
{
    char *path = arena_printf(s->arena, "%s/%sXXXXXX", s->spooler->dir, prefix);
    s->fd = mkostemp(path, O_CLOEXEC);
    if (s->fd < 0)
        return false;
    s->path = path;
    s->hash = sha256_create(s->arena);
    return true;
}

static bool write_all(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        const ssize_t n = write(fd, bytes, len);
        if (n <= 0)
            return false;
        bytes += n;
        len -= (size_t)n;
    }
    return true;
}

static void add(struct spool *s, const struct piece *piece)
{
    if (s->is_broken || (!s->path && !open_file(s)) ||
        !write_all(s->fd, piece->bytes, piece->len)) {
        s->is_broken = true;
        return;
    }
    sha256_add(s->hash, piece->bytes, piece->len);
}

static void finish(struct spool *s, const struct piece *piece)
{
    (void)piece;
    if (s->is_broken)
        return;
    sha256_finish(s->hash, s->sha256);
    s->is_broken = close(s->fd) < 0;
    s->fd = -1;
}

static void remove_file(struct spool *s, const struct piece *piece)
{
    (void)piece;
    if (s->fd >= 0)
        close(s->fd);
    if (s->path)
        unlink(s->path);
}

static void (*const tasks[])(struct spool *s, const struct piece *piece) = {
    [DATA] = add,
    [FINISH] = finish,
    [REMOVE] = remove_file,
};

static struct piece *next_piece(struct spooler *sp)
{
    pthread_mutex_lock(&sp->lock);
    while (!sp->first)
        pthread_cond_wait(&sp->work, &sp->lock);
    struct letter *letter = sp->first;
    sp->first = letter->next;
    if (!sp->first)
        sp->last = &sp->first;
    pthread_mutex_unlock(&sp->lock);
    return (struct piece *)(void *)letter;
}

static void *run(void *arg)
{
    struct spooler *sp = arg;
    for (;;) {
        struct piece *piece = next_piece(sp);
        if (piece->what == GO_HOME) {
            free(piece);
            return NULL;
        }
        tasks[piece->what](piece->spool, piece);
        piece->is_broken = piece->spool->is_broken;
        loop_post(piece->spool->loop, &piece->letter);
    }
}

/* ---- the loop's side ------------------------------------------------------------------------ */

static void spool_free(struct spool *s)
{
    arena_destroy(s->arena);
    free(s);
}

/* A piece has come back. */
static void on_return(struct letter *letter)
{
    struct piece *piece = (struct piece *)(void *)letter;
    struct spool *s = piece->spool;
    const enum what what = piece->what;
    s->waiting -= piece->len;
    if (piece->is_broken)
        s->state = SPOOL_FAILED;
    else if (what == FINISH)
        s->state = SPOOL_DONE;
    free(piece);
    if (what == REMOVE)
        spool_free(s);
    else if (s->on_progress)
        s->on_progress(s->arg);
}

static void push(struct spooler *sp, struct spool *s, enum what what, const char *bytes, size_t len)
{
    struct piece *piece = memory_get(sizeof(*piece) + len);
    *piece = (struct piece){.letter.read = on_return, .spool = s, .what = what, .len = len};
    if (len)
        memcpy(piece->bytes, bytes, len);
    pthread_mutex_lock(&sp->lock);
    *sp->last = &piece->letter;
    sp->last = &piece->letter.next;
    pthread_cond_signal(&sp->work);
    pthread_mutex_unlock(&sp->lock);
}

struct spool *spool_begin(struct spooler *sp, struct loop *loop, void (*on_progress)(void *arg),
                          void *arg)
{
    struct spool *s = memory_get(sizeof(*s));
    *s = (struct spool){.spooler = sp,
                        .loop = loop,
                        .on_progress = on_progress,
                        .arg = arg,
                        .arena = arena_create(),
                        .fd = -1};
    return s;
}

void spool_add(struct spool *s, const char *bytes, size_t len)
{
    s->waiting += len;
    push(s->spooler, s, DATA, bytes, len);
}

void spool_finish(struct spool *s)
{
    push(s->spooler, s, FINISH, NULL, 0);
}

void spool_abandon(struct spool *s)
{
    s->on_progress = NULL;
    push(s->spooler, s, REMOVE, NULL, 0);
}

enum spool_state spool_state(const struct spool *s)
{
    return s->state;
}

size_t spool_waiting(const struct spool *s)
{
    return s->waiting;
}

char *spool_take(struct spool *s, struct arena *a, char ret_sha256[static SHA256_HEX])
{
    char *path = arena_strdup(a, s->path);
    memcpy(ret_sha256, s->sha256, SHA256_HEX);
    spool_free(s);
    return path;
}

/* ---- life ----------------------------------------------------------------------------------- */

enum { LEFT_BEHIND_S = 24 * 3600 };

static void remove_if_old(int dir_fd, const char *name)
{
    struct stat st;
    if (!str_starts(name, prefix) || fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return;
    if (S_ISREG(st.st_mode) && st.st_mtime < time(NULL) - LEFT_BEHIND_S)
        unlinkat(dir_fd, name, 0);
}

static void sweep(const char *path)
{
    mkdir(path, 0700);
    DIR *dir = opendir(path);
    if (!dir) {
        log_write(LOG_WARNING, "uploads will fail: their folder cannot be read",
                  LOG_TEXT("folder", path));
        return;
    }
    for (const struct dirent *entry; (entry = readdir(dir));)
        remove_if_old(dirfd(dir), entry->d_name);
    closedir(dir);
}

struct spooler *spooler_start(const char *dir)
{
    sweep(dir);
    struct spooler *sp = memory_get(sizeof(*sp) + strlen(dir) + 1);
    memcpy(sp->dir, dir, strlen(dir) + 1);
    pthread_mutex_init(&sp->lock, NULL);
    pthread_cond_init(&sp->work, NULL);
    sp->last = &sp->first;
    sp->thread = thread_start("http-spool", run, sp);
    return sp;
}

void spooler_stop(struct spooler *sp)
{
    if (!sp)
        return;
    push(sp, NULL, GO_HOME, NULL, 0);
    pthread_join(sp->thread, NULL);
    pthread_cond_destroy(&sp->work);
    pthread_mutex_destroy(&sp->lock);
    free(sp);
}
