/* login.h - how often somebody may try; inside auth only. */
#ifndef AUTH_LOGIN_H
#define AUTH_LOGIN_H

#include <stdint.h>

#include "base/time.h"

#define LOGIN_WINDOW_US (15 * US_PER_MIN)

/* How long after its last failure, which was the n-th in a row, a person may be tried again. Never
 * for good: whoever could lock others out would do so. */
int64_t login_pause_us(int64_t failed);

#endif
