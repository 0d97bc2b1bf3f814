#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/ctx.h"
#include "base/secret.h"
#include "base/str.h"

/* errno as a failure: the sentence for whoever asked, the system's reason for the log. */
static enum rc fail_path(struct ctx *cx, const char *cannot, const char *path)
{
    const int reason = errno;
    if (reason == ENOENT || reason == ENOTDIR)
        return fail(cx, E_NOT_FOUND, NULL, "there is no %s", path);
    fail(cx, E_FAIL, NULL, "%s %s", cannot, path);
    errno = reason;
    return fail_detail(cx, E_FAIL, "%s: %m", path);
}

static enum rc read_all(struct ctx *cx, int fd, const char *path, size_t most, char **ret,
                        size_t *ret_len)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return fail_path(cx, "cannot read", path);
    if (S_ISDIR(st.st_mode))
        return fail(cx, E_FAIL, NULL, "%s is a folder", path);

    /* What a size says is a hint: pipes have none, and files change while they are read. */
    size_t room = st.st_size > 0 ? (size_t)st.st_size + 1 : 4096;
    if (room - 1 > most)
        room = most + 1;
    size_t len = 0;
    char *bytes = arena_grow(cx->arena, NULL, 0, room + 1);
    for (;;) {
        const ssize_t n = read(fd, bytes + len, room - len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fail_path(cx, "cannot read", path);
        if (n == 0)
            break;
        len += (size_t)n;
        if (len > most)
            return fail(cx, E_TOO_LARGE, NULL, "%s is larger than %zu bytes", path, most);
        if (len == room) {
            bytes = arena_grow(cx->arena, bytes, room + 1, room * 2 + 1);
            room *= 2;
        }
    }
    bytes[len] = '\0';
    *ret = bytes;
    if (ret_len)
        *ret_len = len;
    return OK;
}

enum rc file_read(struct ctx *cx, const char *path, size_t most, char **ret, size_t *ret_len)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fail_path(cx, "cannot read", path);
    const enum rc rc = read_all(cx, fd, path, most, ret, ret_len);
    close(fd);
    return rc;
}

static bool write_all(int fd, const char *bytes, size_t len)
{
    while (len) {
        const ssize_t n = write(fd, bytes, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        bytes += n;
        len -= (size_t)n;
    }
    return true;
}

static bool write_new(const char *path, const void *bytes, size_t len)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    const bool is_written = write_all(fd, bytes, len) && fsync(fd) == 0;
    const int reason = errno;
    close(fd);
    errno = reason;
    return is_written;
}

static const char *folder_of(struct arena *a, const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return ".";
    return slash == path ? "/" : arena_strndup(a, path, (size_t)(slash - path));
}

enum rc file_write(struct ctx *cx, const char *path, const void *bytes, size_t len)
{
    const char *name = arena_printf(cx->arena, "%s.%s.new", path, random_token(cx->arena, 6));
    if (!write_new(name, bytes, len) || rename(name, path) < 0) {
        const int reason = errno;
        unlink(name);
        errno = reason;
        return fail_path(cx, "cannot write", path);
    }
    return folder_sync(cx, folder_of(cx->arena, path));
}

enum rc folder_make(struct ctx *cx, const char *path)
{
    char *part = arena_strdup(cx->arena, path);
    for (char *p = part + 1;; p++) {
        if (*p != '/' && *p)
            continue;
        const char end = *p;
        *p = '\0';
        if (mkdir(part, 0700) < 0 && errno != EEXIST)
            return fail_path(cx, "cannot make the folder", part);
        if (!end)
            break;
        *p = end;
    }
    struct stat st;
    if (stat(path, &st) == 0 && !S_ISDIR(st.st_mode))
        return fail(cx, E_FAIL, NULL, "%s is not a folder", path);
    return OK;
}

enum rc folder_sync(struct ctx *cx, const char *path)
{
    const int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return fail_path(cx, "cannot open the folder", path);
    const bool is_synced = fsync(fd) == 0;
    const int reason = errno;
    close(fd);
    errno = reason;
    return is_synced ? OK : fail_path(cx, "cannot write the folder", path);
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

enum rc folder_list(struct ctx *cx, const char *path, const char *suffix, struct list *ret)
{
    DIR *folder = opendir(path);
    if (!folder)
        return fail_path(cx, "cannot read the folder", path);
    struct list names = {0};
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(folder);
        if (!entry)
            break;
        if (entry->d_name[0] == '.' || !str_ends(entry->d_name, suffix))
            continue;
        char **name = list_add(cx->arena, &names, sizeof(*name));
        *name = arena_strdup(cx->arena, entry->d_name);
    }
    const int reason = errno;
    closedir(folder);
    errno = reason;
    if (reason)
        return fail_path(cx, "cannot read the folder", path);
    if (names.count)
        qsort(names.at, (size_t)names.count, sizeof(char *), by_bytes);
    *ret = names;
    return OK;
}
