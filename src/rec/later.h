/* later.h - what records do later: timers that run actions, and cascades over linked records. */
#ifndef REC_LATER_H
#define REC_LATER_H

#include "job/job.h"

/* Kinds `timer` and `cascade`, for job_start(). */
extern const struct job_kind rec_job_kinds[];

#endif
