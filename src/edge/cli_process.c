/* cli_process.c - the processes that a server has in force. */
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/str.h"
#include "base/yaml.h"
#include "edge/cli_ask.h"
#include "edge/cli_files.h"
#include "edge/cli_out.h"
#include "lang/process.h"

/* ---- list ----------------------------------------------------------------------------------- */

static const struct column process_columns[] = {
    {"NAME", "name", false}, {"LABEL", "label", false}, {"VERSION", "version", true}, {0}};

static const struct column version_columns[] = {
    {"VERSION", "version", true}, {"ACTIVATED", "activated", false}, {"HASH", "hash", false}, {0}};

static enum rc run_list(struct ctx *cx, struct cli *c)
{
    const char *path = "/api/v1/processes";
    struct answer a;

    if (c->arg_count)
        path = arena_printf(cx->arena, "%s/%s/versions", path, ask_encoded(cx->arena, c->args[0]));
    TRY(ask_get(cx, c, path, &a));
    const struct val *data = val_get(&a.body, "data");
    out_list(c, c->arg_count ? version_columns : process_columns, data ? *data : val_null());
    return OK;
}

/* ---- export --------------------------------------------------------------------------------- */

static enum rc current_version(struct ctx *cx, struct cli *c, const char *name, int64_t *ret)
{
    struct answer a;

    TRY(ask_get(cx, c,
                arena_printf(cx->arena, "/api/v1/processes/%s", ask_encoded(cx->arena, name)), &a));
    const struct val *version = val_get(&a.body, "version");
    *ret = version && version->kind == VAL_INT ? version->i : 0;
    return OK;
}

/* Whether this file says "process: NAME". */
static bool defines(struct ctx *cx, const struct member *file, const char *name)
{
    struct ctx quiet = {.arena = cx->arena};
    const struct yaml *root;

    if (file->val.kind != VAL_TEXT ||
        yaml_parse(&quiet, file->name, file->val.text, strlen(file->val.text), &root) != OK)
        return false;
    const struct yaml *process = yaml_get(root, "process");
    return process && process->kind == YAML_SCALAR && str_equal(process->text, name);
}

/* A name that leads out of the folder is none that we wrote. */
static enum rc write_files(struct ctx *cx, const char *folder, const struct val *files)
{
    TRY(folder_make(cx, folder));
    for (int i = 0; i < files->count; i++) {
        const struct member *m = &files->members[i];
        if (strchr(m->name, '/') || *m->name == '.' || m->val.kind != VAL_TEXT)
            return fail(cx, E_FAIL, NULL, "the server sent a file of a strange name");
        TRY(file_write(cx, arena_printf(cx->arena, "%s/%s", folder, m->name), m->val.text,
                       strlen(m->val.text)));
    }
    cli_tell("%d files in %s", files->count, folder);
    return OK;
}

static enum rc run_export(struct ctx *cx, struct cli *c)
{
    const char *name = c->args[0], *folder = cli_text(c, "to");
    int64_t version = cli_int(c, "version", 0);
    struct answer a;

    if (!version)
        TRY(current_version(cx, c, name, &version));
    TRY(ask_get(cx, c,
                arena_printf(cx->arena, "/api/v1/processes/%s/versions/%lld/files",
                             ask_encoded(cx->arena, name), (long long)version),
                &a));
    const struct val *files = val_get(&a.body, "files");
    if (!files || files->kind != VAL_MAP)
        return fail(cx, E_FAIL, NULL, "%s does not answer as fettle does", c->door->name);
    if (folder)
        return write_files(cx, folder, files);
    for (int i = 0; i < files->count; i++) {
        if (defines(cx, &files->members[i], name))
            buf_puts(&c->out, files->members[i].val.text);
    }
    return OK;
}

/* ---- activate ------------------------------------------------------------------------------- */

static const struct column finding_columns[] = {
    {"LEVEL", "level", false}, {"FILE", "file", false}, {"LINE", "line", true},
    {"RULE", "rule", false},   {"TEXT", "text", false}, {0},
};

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static enum rc run_activate(struct ctx *cx, struct cli *c)
{
    const bool is_check = cli_is(c, "dry-run");
    struct list files = {0};
    struct val_map map = {0}, body_map = {0};
    struct answer a;

    TRY(files_read(cx, c, &files));
    const struct process_file *f = files.at;
    for (int i = 0; i < files.count; i++)
        val_map_set(cx->arena, &map, base_name(f[i].name), val_text(f[i].text));
    val_map_set(cx->arena, &body_map, "files", val_from_map(&map));
    const struct val body = val_from_map(&body_map);
    TRY(ask(cx, c, HTTP_POST_, is_check ? "/api/v1/processes/check" : "/api/v1/processes/activate",
            &body, NULL, &a));
    const struct val *findings = val_get(&a.body, "findings");
    if (findings && findings->kind == VAL_LIST && findings->count)
        out_list(c, finding_columns, *findings);
    const struct val *is_valid = val_get(&a.body, "valid");
    c->code = is_valid && is_valid->flag ? EXIT_DONE : EXIT_FAILED;
    cli_tell(c->code    ? "%d files have errors: nothing changed"
             : is_check ? "%d files are fine"
                        : "%d files are in force",
             files.count);
    return OK;
}

/* ---- the rows ------------------------------------------------------------------------------- */

static const struct flag export_flags[] = {
    {"version", FLAG_INT, 0, "N", NULL, "that version; the current one unless said otherwise"},
    {"to", FLAG_FOLDER, 0, "FOLDER", NULL,
     "write all files that were read together with it, shared ones too"},
    {0},
};

static const struct flag activate_flags[] = {
    {"dry-run", FLAG_SWITCH, 'n', NULL, NULL, "only check them, as this server would"},
    {0},
};

const struct command process_commands[] = {
    {
        .words = "process list",
        .arguments = "[NAME]",
        .most = 1,
        .help = "The processes in force, or the versions of one",
        .examples = "fettle process list\n"
                    "fettle process list incident",
        .use = USE_SERVER | USE_OUTPUT,
        .run = run_list,
    },
    {
        .words = "process export",
        .arguments = "NAME",
        .least = 1,
        .most = 1,
        .help = "The file of a process as it is in force, or was",
        .examples = "fettle process export incident >incident.yaml\n"
                    "fettle process export incident --version 3 --to ./before",
        .flags = export_flags,
        .use = USE_SERVER,
        .run = run_export,
    },
    {
        .words = "process activate",
        .arguments = "[FOLDER|FILE...]",
        .most = -1,
        .help = "Put process files into force on a running server",
        .more = "Without arguments those of the setting 'processes'. With errors nothing changes.",
        .examples = "fettle process activate --dry-run ./process\n"
                    "fettle process activate ./process",
        .flags = activate_flags,
        .use = USE_SERVER | USE_OUTPUT,
        .run = run_activate,
    },
    {0},
};
