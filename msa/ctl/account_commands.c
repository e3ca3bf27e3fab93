/* The commands about settings of accounts. */
#include "msa/ctl/ctl_private.h"

#include <stdio.h>
#include <string.h>

#include "msa/base/err.h"
#include "msa/ctl/sender_maps.h"
#include "msa/ctl/settings.h"

#define OP_MANY        "settings.set-many"
#define PORTION_LOGINS 1000 /* what it takes at once */
#define PORTION_BYTES  (300u * 1024)
#define ERRORS_MAX     (1u << 20)

/* ---- one account ---- */

/* Puts the answer, or its member `key`, into `all` as `name`. */
static int add_part(struct ctl *ctl, json_t *all, const char *op, const char *key, const char *name)
{
    json_t *answer = NULL, *args = ctl_command_args(&ctl->line, ctl->line.words[0]);
    int rc = ctl_call(ctl, op, args, &answer);
    if (rc == CTL_EXIT_OK)
        json_object_set(all, name, key ? json_object_get(answer, key) : answer);
    json_decref(answer);
    json_decref(args);
    return rc;
}

int ctl_account_show(struct ctl *ctl)
{
    json_t *account = NULL, *args = ctl_command_args(&ctl->line, ctl->line.words[0]);
    int rc = ctl_call(ctl, ctl->line.command->op, args, &account);
    if (rc == CTL_EXIT_OK)
        rc = add_part(ctl, account, "settings.show", NULL, "settings");
    if (rc == CTL_EXIT_OK)
        rc = add_part(ctl, account, "restriction.list", "restrictions", "restrictions");
    if (account)
        ctl_show(ctl, account); /* auth knows it even while policy is away */
    json_decref(account);
    json_decref(args);
    return rc;
}

int ctl_account_set(struct ctl *ctl)
{
    char error[COMMAND_ERROR_MAX];
    json_t *answer = NULL, *args = json_object();
    int rc = ctl_settings(&ctl->line, args, error) < 0 ? ctl_complain(CTL_EXIT_USAGE, error)
                                                       : CTL_EXIT_OK;
    json_object_set_new(args, "login", json_string(ctl->line.words[0]));
    if (rc == CTL_EXIT_OK)
        rc = ctl_call(ctl, ctl->line.command->op, args, &answer);
    if (rc == CTL_EXIT_OK)
        ctl_show(ctl, answer);
    json_decref(answer);
    json_decref(args);
    return rc;
}

/* ---- many: portions, summed up ---- */

static json_t *new_total(void)
{
    return json_pack("{s:i, s:i, s:i, s:[], s:[], s:[]}", "looked_at", 0, "changed", 0, "failed", 0,
                     "logins", "missing", "errors");
}

static void add_to_total(json_t *total, const json_t *part)
{
    const char *key;
    json_t *sum;
    json_object_foreach(total, key, sum) {
        json_t *more = json_object_get(part, key);
        if (json_is_integer(sum))
            json_integer_set(sum, json_integer_value(sum) + json_integer_value(more));
        else if (json_is_array(more))
            json_array_extend(sum, more);
    }
}

static bool is_clean(const json_t *total)
{
    return json_integer_value(json_object_get(total, "failed")) == 0 &&
           json_array_size(json_object_get(total, "missing")) == 0;
}

/* For whoever waits: stdout is for the result. */
static void tell_progress(const json_t *total)
{
    fprintf(stderr, "msactl: %lld looked at, %lld changed\n",
            (long long)json_integer_value(json_object_get(total, "looked_at")),
            (long long)json_integer_value(json_object_get(total, "changed")));
}

/* One portion; *next_out, if not NULL, is where the page after it begins, NULL after the last. */
static int call_many(struct ctl *ctl, const json_t *args, json_t *total, json_t **next_out)
{
    json_t *part = NULL;
    int rc = ctl_call(ctl, OP_MANY, args, &part);
    if (rc == CTL_EXIT_OK)
        add_to_total(total, part);
    if (next_out)
        *next_out = json_incref(json_object_get(part, "next"));
    json_decref(part);
    return rc;
}

static int set_class(struct ctl *ctl, json_t *args, json_t *total)
{
    int rc = CTL_EXIT_OK;
    json_t *next = NULL;
    do {
        if (next)
            json_object_set_new(args, "after", next);
        next = NULL;
        rc = call_many(ctl, args, total, &next);
        tell_progress(total);
    } while (rc == CTL_EXIT_OK && next);
    json_decref(next);
    return rc;
}

/* As many as fit one operation; blank lines and those that begin with "#" do not count. */
static json_t *next_logins(struct view *rest)
{
    json_t *logins = json_array();
    size_t bytes = 0;
    while (rest->n > 0 && json_array_size(logins) < PORTION_LOGINS && bytes < PORTION_BYTES) {
        struct view line = view_trim(view_cut(rest, '\n'));
        if (line.n == 0 || line.p[0] == '#')
            continue;
        bytes += line.n + 4;
        if (json_array_append_new(logins, json_stringn(line.p, line.n)) < 0)
            json_array_append_new(logins, json_string("(not UTF-8)")); /* told as missing */
    }
    return logins;
}

static int set_listed(struct ctl *ctl, json_t *args, json_t *total)
{
    struct buf text;
    int rc = CTL_EXIT_OK;
    buf_init(&text, CTL_FILE_MAX);
    if (ctl_read_whole(ctl->line.words[0], &text) < 0)
        rc = CTL_EXIT_LOCAL;
    struct view rest = buf_view(&text);
    while (rest.n > 0 && rc == CTL_EXIT_OK) {
        json_object_set_new(args, "logins", next_logins(&rest));
        rc = call_many(ctl, args, total, NULL);
        tell_progress(total);
    }
    buf_fini(&text);
    return rc;
}

/* What was done is shown even where a later portion failed. */
static int show_total(struct ctl *ctl, int rc, json_t *total)
{
    ctl_show(ctl, total);
    return rc == CTL_EXIT_OK && !is_clean(total) ? CTL_EXIT_REFUSED : rc;
}

int ctl_account_set_many(struct ctl *ctl)
{
    char error[COMMAND_ERROR_MAX];
    bool is_class = (ctl->line.options & COMMAND_OPT_ALL_OF_CLASS) != 0;
    json_t *set = json_object(), *args = ctl_command_args(&ctl->line, NULL), *total = new_total();
    int rc = CTL_EXIT_OK;
    json_object_set(args, "set", set);
    if (is_class == (ctl->line.word_count == 1))
        rc = ctl_complain(CTL_EXIT_USAGE, "whose? Give a FILE of logins, or --all-of-class CLASS");
    else if (ctl_settings(&ctl->line, set, error) < 0)
        rc = ctl_complain(CTL_EXIT_USAGE, error);
    else
        rc = show_total(ctl,
                        is_class ? set_class(ctl, args, total) : set_listed(ctl, args, total), total);
    json_decref(set);
    json_decref(args);
    json_decref(total);
    return rc;
}

/* ---- senders as Postfix knows them ---- */

/* `arg`: an object of lists, by login. */
static void add_pair(void *arg, struct view login, struct view sender)
{
    json_t *all = arg, *list = json_object_getn(all, login.p, login.n);
    if (!list && json_object_setn_new(all, login.p, login.n, json_array()) == 0)
        list = json_object_getn(all, login.p, login.n);
    json_array_append_new(list, json_stringn(sender.p, sender.n));
}

static int set_senders(struct ctl *ctl, json_t *by_login, json_t *total)
{
    const char *login;
    json_t *senders;
    int rc = CTL_EXIT_OK;
    json_object_foreach(by_login, login, senders) {
        json_t *args = json_pack("{s:[s], s:{s:O}, s:b}", "logins", login, "set", "senders_add",
                                 senders, "dry_run",
                                 (ctl->line.options & COMMAND_OPT_DRY_RUN) != 0);
        rc = call_many(ctl, args, total, NULL);
        json_decref(args);
        if (rc != CTL_EXIT_OK)
            break;
    }
    return rc;
}

int ctl_account_import_senders(struct ctl *ctl)
{
    struct buf text, errors;
    json_t *by_login = json_object(), *total = new_total();
    buf_init(&text, CTL_FILE_MAX);
    buf_init(&errors, ERRORS_MAX);
    int rc = ctl_read_whole(ctl->line.words[0], &text) < 0 ? CTL_EXIT_LOCAL : CTL_EXIT_OK;
    if (rc == CTL_EXIT_OK) {
        struct sender_maps_result read =
            sender_maps_read(buf_view(&text), ctl->line.words[0], add_pair, by_login, &errors);
        ctl_print(stderr, &errors);
        rc = show_total(ctl, set_senders(ctl, by_login, total), total);
        if (rc == CTL_EXIT_OK && read.error_count > 0)
            rc = CTL_EXIT_REFUSED;
    }
    buf_fini(&text);
    buf_fini(&errors);
    json_decref(by_login);
    json_decref(total);
    return rc;
}
