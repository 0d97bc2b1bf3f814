/* type.h - process definitions in force, and those that older records are pinned to.
 *
 * The files of the process folder are compared with what the database holds; a process that changed
 * gets a new version, whose files are kept whole. A snapshot of all current definitions is shared,
 * immutable and reference-counted: a request takes it at its start (type_take) and keeps it to its
 * end; a reload swaps it. A record of an older version is read through the definition of that
 * version.
 */
#ifndef REC_TYPE_H
#define REC_TYPE_H

#include "base/arena.h"
#include "base/rc.h"
#include "lang/process.h"

struct ctx;
struct types;

struct types *types_create(void);
void types_destroy(struct types *t);

/* Read *.yaml of a folder (not below it), in the order of names, but not *.mapping.yaml, which say
 * how a log is imported. E_NOT_FOUND: no folder, no files. */
enum rc type_read_folder(struct ctx *cx, const char *folder, struct list *ret); /* process_file */

/* Load these files, store what is new in the database, and put them in force. A process that is in
 * force and has no file here stays as it was: its records outlive a file that is not there. With
 * findings of level error nothing changes and E_INVALID is returned; ret_findings holds them all.
 */
enum rc type_activate(struct ctx *cx, struct types *t, const struct process_file *files, int count,
                      struct list *ret_findings);

/* Whether these very files, with those of kept processes, were in force once, and still are. */
enum type_set { TYPE_SET_NEW, TYPE_SET_OLD, TYPE_SET_CURRENT };
enum rc type_find_set(struct ctx *cx, const struct process_file *files, int count,
                      enum type_set *ret);

/* Put in force what the database says is current, if that moved (another process activated). */
enum rc type_refresh(struct ctx *cx, struct types *t);

/* cx->defs for this unit of work; released when its arena is reset. */
void type_take(struct ctx *cx, struct types *t);

/* The definition that a record is pinned to. */
enum rc type_version(struct ctx *cx, int64_t version_id, const struct process **ret);

struct type_version {
    int64_t id, version, activated_at;
    const char *process, *hash;
};
enum rc type_versions(struct ctx *cx, const char *process, struct list *ret); /* newest first */
/* The files of one version: struct process_file. */
enum rc type_files(struct ctx *cx, int64_t version_id, struct list *ret);

#endif
