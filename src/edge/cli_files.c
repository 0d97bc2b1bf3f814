#include "edge/cli_files.h"

#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/settings.h"
#include "base/str.h"
#include "lang/process.h"

static enum rc add_file(struct ctx *cx, const char *path, struct list *to)
{
    const char *text;

    TRY(cli_read(cx, path, &text));
    struct process_file *f = list_add(cx->arena, to, sizeof(*f));
    *f = (struct process_file){str_equal(path, "-") ? "standard input" : path, text, strlen(text)};
    return OK;
}

static enum rc add_path(struct ctx *cx, const char *path, struct list *to)
{
    struct stat st;
    struct list names;

    if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode))
        return add_file(cx, path, to);
    TRY(folder_list(cx, path, ".yaml", &names));
    if (!names.count)
        return fail(cx, E_NOT_FOUND, NULL, "there are no process files (*.yaml) in %s", path);
    for (int i = 0; i < names.count; i++) {
        const char *name = ((const char **)names.at)[i];
        if (!str_ends(name, ".mapping.yaml"))
            TRY(add_file(cx, arena_printf(cx->arena, "%s/%s", path, name), to));
    }
    return OK;
}

enum rc files_read(struct ctx *cx, const struct cli *c, struct list *ret)
{
    struct list files = {0};

    if (!c->arg_count)
        TRY(add_path(cx, settings_text(c->settings, SETTING_PROCESSES), &files));
    for (int i = 0; i < c->arg_count; i++)
        TRY(add_path(cx, c->args[i], &files));
    *ret = files;
    return OK;
}
