/* Within ops.c and ops_import.c: what operations share. */
#ifndef AUTH_OPS_PRIVATE_H
#define AUTH_OPS_PRIVATE_H

#include <jansson.h>

#include "auth/ops.h"
#include "auth/import.h"

/* Returns the status; `*answer_out` is the caller's, NULL on failure. */
typedef int ops_fn(struct ops_call *call, json_t *args, json_t **answer_out);

ops_fn ops_import, ops_resolve;
ops_fn ops_token_add, ops_token_list, ops_token_remove, ops_token_check; /* ops_token.c */
ops_fn ops_sign_in_verify;                                               /* ops_sign_in.c */

/* Set call->detail and return the status. */
int ops_fail(struct ops_call *call, int status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
int ops_fail_store(struct ops_call *call, int err);
int ops_fail_login(struct ops_call *call);
int ops_fail_arguments(struct ops_call *call, const json_error_t *error);

/* The secret of `a` from what was imported. MSA_OK, or negative with a detail. */
int ops_apply_secret(struct ops_call *call, const struct import_secret *secret,
                       struct account *a);

#endif
