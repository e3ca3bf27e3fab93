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
ops_fn ops_sign_in_verify, ops_app_password_check;                       /* ops_sign_in.c */
ops_fn ops_app_password_used;
ops_fn ops_app_password_add, ops_app_password_list, ops_app_password_remove, ops_sign_in_rules; /* ops_app_password.c */
ops_fn ops_totp_begin, ops_totp_confirm, ops_totp_off, ops_totp_check;   /* ops_totp.c */

/* Set call->detail and return the status. */
int ops_fail(struct ops_call *call, int status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
int ops_fail_store(struct ops_call *call, int err);
int ops_fail_login(struct ops_call *call);
int ops_fail_lookup(struct ops_call *call, enum msa_lookup found);
/* The name as an operator wrote it, into call->login. */
bool ops_take_login(struct ops_call *call, const char *text);
int ops_fail_arguments(struct ops_call *call, const json_error_t *error);

/* The secret of `a` from what was imported. MSA_OK, or negative with a detail. */
int ops_apply_secret(struct ops_call *call, const struct import_secret *secret,
                       struct account *a);

/* An app password's id, as operations say it. */
#define OPS_APP_ID_SIZE 17
void ops_app_format_id(uint64_t id, char out[OPS_APP_ID_SIZE]);

/* A change of what an account has beside its password. */
struct ops_factors {
    struct store_change change;
    struct account account;
    struct factors factors;
};

/* 200, with the account's records in `*out`, or the status of what is wrong; ops_factors_end either way. */
int ops_factors_begin(struct ops_call *call, const char *login, struct ops_factors *out);
/* Writes; with `is_void` what is remembered of the account's passwords is so no more. 200 or 5xx. */
int ops_factors_write(struct ops_call *call, struct ops_factors *x, bool is_void);
void ops_factors_end(struct ops_factors *x); /* wipes */

#endif
