#include "base/settings.h"

#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/secret.h"
#include "base/str.h"

/* ---- showing ----------------------------------------------------------------------------------
 */

/* Words that need no quotes in YAML; anything doubtful gets them. */
static bool is_plain(const char *s)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 ._/:+-";
    const size_t len = strlen(s);
    return len && strspn(s, allowed) == len && s[0] != ' ' && s[0] != '-' && s[0] != ':' &&
           s[len - 1] != ' ' && s[len - 1] != ':' && !strstr(s, ": ");
}

static void print_value(const struct settings *s, enum setting_id id, struct buf *out)
{
    if (settings_table()[id].kind == SET_SECRET)
        buf_puts(out, secret_len(settings_secret(s, id)) ? "(set)" : "''");
    else if (is_plain(settings_text(s, id)))
        buf_puts(out, settings_text(s, id));
    else
        json_text(&(struct json){.out = out}, settings_text(s, id));
    buf_printf(out, "  # %s\n", settings_source(s, id));
}

/* How many bytes of a name are its section: "http" of "http.listen". */
static size_t section_len(const char *name)
{
    const char *dot = strchr(name, '.');
    return dot ? (size_t)(dot - name) : 0;
}

void settings_print(const struct settings *s, enum settings_which which, struct buf *out)
{
    const char *last = "";
    for (int i = 0; i < SETTING_COUNT; i++) {
        const enum setting_id id = (enum setting_id)i;
        if (which == SETTINGS_CHANGED && str_equal(settings_source(s, id), "default"))
            continue;
        const char *name = settings_table()[i].name;
        const size_t len = section_len(name);
        if (len && (len != section_len(last) || memcmp(last, name, len) != 0))
            buf_printf(out, "%.*s:\n", (int)len, name);
        buf_printf(out, len ? "  %s: " : "%s: ", len ? name + len + 1 : name);
        print_value(s, id, out);
        last = name;
    }
}

void settings_manual(struct buf *out)
{
    buf_puts(out, "| Setting | Default | Variable | Meaning |\n|---|---|---|---|\n");
    for (int i = 0; i < SETTING_COUNT; i++) {
        const struct setting *row = &settings_table()[i];
        const char *range = settings_range(out->arena, (enum setting_id)i);
        buf_printf(out, "| `%s` | `%s` | `%s` | %s", row->name, row->initial,
                   settings_variable(out->arena, (enum setting_id)i), row->help);
        if (*range)
            buf_printf(out, " (%s)", range);
        buf_puts(out, " |\n");
    }
}
