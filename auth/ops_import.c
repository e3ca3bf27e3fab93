/* account.import: many lines in one transaction. A line that cannot be taken is reported and the
 * others go in; a store that fails takes none.
 *
 * Whoever replaces a secret ends the account's sessions, as account.passwd does; its app passwords stay, as the owner has
 * changed nothing. The same secret again ends none, so that a nightly import of a whole file can be lived with. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/ops_private.h"
#include "msa/base/err.h"
#include "msa/base/secret.h"

#define IMPORT_ERRORS_MAX 100 /* reported; further ones are only counted */

struct importing {
    struct store_change change;
    json_t *errors;
    size_t added, replaced, skipped, failed;
    bool may_replace;
    uint64_t *changed; /* ids of accounts, one at most for each line; NULL unless may_replace */
    size_t changed_count;
};

/* A password is never the same: it is stored with another salt each time. */
static bool is_same(const struct account *a, const struct account *b)
{
    return a->kind == b->kind && strcmp(a->secret, b->secret) == 0 && a->is_disabled == b->is_disabled;
}

static int import_account(struct ops_call *call, struct importing *in,
                          const struct import_secret *secret)
{
    struct account a;
    struct view login = view_cstr(call->login);
    enum msa_lookup found = store_get(&in->change, login, &a);
    if (found == MSA_RETRY) {
        snprintf(call->detail, sizeof call->detail, "the record of this account is damaged");
        return MSA_ECORRUPT;
    }
    if (found == MSA_FOUND && !in->may_replace) {
        in->skipped++;
        account_wipe(&a);
        return MSA_OK;
    }
    struct account before = a;
    int err = ops_apply_secret(call, secret, &a);
    a.is_disabled = a.is_disabled || secret->is_locked;
    a.changed_ms = call->snapshot->now_wall_ms;
    a.generation++;
    if (err == MSA_OK && found == MSA_FOUND) {
        store_replace(&in->change, login, &a);
        if (!is_same(&before, &a))
            in->changed[in->changed_count++] = a.id;
        in->replaced++;
    } else if (err == MSA_OK) {
        a.created_ms = call->snapshot->now_wall_ms;
        err = store_add(&in->change, login, &a);
        in->added += err == MSA_OK;
        if (err < 0)
            snprintf(call->detail, sizeof call->detail, "%s", msa_strerror(err));
    }
    account_wipe(&before);
    account_wipe(&a);
    return err;
}

static void import_line(struct ops_call *call, struct importing *in, size_t number,
                        struct view line)
{
    struct view login;
    struct import_secret secret;
    int err = import_parse_line(line, &login, &secret, call->detail, sizeof call->detail);
    if (err == MSA_OK) {
        verify_canonical(call->rules, login, call->login);
        if (call->login[0] != '\0') {
            err = import_account(call, in, &secret);
        } else {
            err = MSA_EINVAL;
            ops_fail_login(call);
        }
    }
    secret_wipe(&secret, sizeof secret);
    if (err == MSA_OK || err == MSA_ENOENT)
        return;
    if (in->failed++ < IMPORT_ERRORS_MAX)
        json_array_append_new(in->errors, json_pack("{s:I, s:s}", "line", (json_int_t)number,
                                                    "detail", call->detail));
}

static int import_lines(struct ops_call *call, struct importing *in, json_t *lines)
{
    size_t i;
    json_t *line;
    store_begin(call->store, &in->change);
    json_array_foreach(lines, i, line) {
        import_line(call, in, i + 1, view_of(json_string_value(line), json_string_length(line)));
    }
    int err = store_commit(&in->change);
    store_abort(&in->change);
    call->login[0] = '\0';
    call->detail[0] = '\0';
    return err;
}

int ops_import(struct ops_call *call, json_t *args, json_t **answer_out)
{
    json_error_t error;
    json_t *lines;
    int may_replace = 0;
    if (json_unpack_ex(args, &error, JSON_STRICT, "{s:o, s?b}", "lines", &lines, "replace",
                       &may_replace) < 0)
        return ops_fail_arguments(call, &error);
    if (!json_is_array(lines) || json_array_size(lines) > OPS_IMPORT_LINES_MAX)
        return ops_fail(call, 400, "lines must be an array of at most %d strings",
                    OPS_IMPORT_LINES_MAX);
    struct importing in = {.errors = json_array(), .may_replace = may_replace};
    in.changed = may_replace ? calloc(json_array_size(lines) + 1, sizeof *in.changed) : NULL;
    int err = may_replace && !in.changed ? MSA_ENOMEM : import_lines(call, &in, lines);
    if (err < 0) {
        free(in.changed);
        json_decref(in.errors);
        return ops_fail_store(call, err);
    }
    call->replaced = in.changed;
    call->replaced_count = in.changed_count;
    *answer_out = json_pack("{s:I, s:I, s:I, s:I, s:o}", "added", (json_int_t)in.added, "replaced",
                            (json_int_t)in.replaced, "skipped", (json_int_t)in.skipped, "failed",
                            (json_int_t)in.failed, "errors", in.errors);
    return 200;
}
