/* Secrets: wiped after use, compared in constant time, never logged. */
#ifndef MSA_BASE_SECRET_H
#define MSA_BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>

#include "msa/base/view.h"

void secret_wipe(void *p, size_t n);             /* is not optimised away; NULL with n 0 is fine */
bool secret_eq(struct view a, struct view b);   /* time depends on the lengths alone */
void secret_random(void *p, size_t n);           /* from the kernel; aborts if it cannot give any */

#endif
