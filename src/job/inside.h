/* inside.h - what the files of job/ share. */
#ifndef JOB_INSIDE_H
#define JOB_INSIDE_H

#include "db/db.h"

/* A row of the table as struct job, in the order in which all statements name its columns. */
extern const struct col job_cols[];

#endif
