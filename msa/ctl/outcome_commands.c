/* The command that reads what became of mail: a bounce, or a list. */
#include "msa/ctl/ctl_private.h"

#include <stdio.h>

#include "msa/base/err.h"
#include "msa/mail/dsn.h"

#define BOUNCE_MAX (32u << 20)

struct outcomes {
    struct ctl *ctl;
    const char *login; /* whose mail it was, as the operator says; NULL: he does not */
    struct dsn_about about;
    json_int_t reported, passed_over, refused;
    int rc;
};

/* Takes `args`. What msad refuses, an unknown login for example, is told and the next one goes on. */
static void report(struct outcomes *o, json_t *args)
{
    json_t *answer = NULL;
    int rc = ctl_call(o->ctl, o->ctl->line.command->op, args, &answer);
    o->reported += rc == CTL_EXIT_OK;
    o->refused += rc != CTL_EXIT_OK;
    o->rc = rc == CTL_EXIT_OK ? o->rc : rc;
    json_decref(answer);
    json_decref(args);
}

static bool is_over(const struct outcomes *o)
{
    return o->rc == CTL_EXIT_UNREACHABLE;
}

/* ---- a bounce ---- */

/* Which message it was tells more surely whose it was than to whom the bounce went, which may be an alias. A new
 * reference, NULL: nothing of it is text. */
static json_t *whose(const struct outcomes *o)
{
    json_t *args = json_object();
    if (o->login) {
        json_object_set_new(args, "login", json_string(o->login));
        return args;
    }
    if (o->about.queue_id[0])
        json_object_set_new(args, "id", json_string(o->about.queue_id));
    if (o->about.message_id[0])
        json_object_set_new(args, "message_id", json_string(o->about.message_id));
    if (o->about.to[0])
        json_object_set_new(args, "login", json_string(o->about.to));
    return args;
}

static bool report_recipient(void *arg, const struct dsn_recipient *r)
{
    struct outcomes *o = arg;
    if (!r->is_failed || (r->status[0] == '\0' && r->code == 0)) {
        o->passed_over++;
        return true;
    }
    json_t *args = whose(o);
    if (args && json_object_set_new(args, "recipient", json_string(r->address)) < 0) {
        json_decref(args);
        args = NULL;
    }
    if (args && r->status[0])
        json_object_set_new(args, "status", json_string(r->status));
    if (args && r->code)
        json_object_set_new(args, "code", json_integer(r->code));
    if (args)
        report(o, args); /* else: an address that is no UTF-8 */
    o->passed_over += !args;
    return !is_over(o);
}

static bool ignore(void *arg, const struct dsn_recipient *r)
{
    (void)arg, (void)r;
    return false;
}

/* Read twice: what came back stands behind the recipients. */
static int import_bounce(struct outcomes *o, struct view text)
{
    struct dsn_about again;
    if (dsn_read(text, &o->about, ignore, NULL) < 0)
        return ctl_complain(CTL_EXIT_LOCAL, "it is neither a bounce (RFC 3464) nor JSON objects, one a line");
    if (!o->login && !o->about.queue_id[0] && !o->about.message_id[0] && !o->about.to[0])
        return ctl_complain(CTL_EXIT_USAGE, "whose mail was it? Give --user LOGIN");
    (void)dsn_read(text, &again, report_recipient, o);
    return o->rc;
}

/* ---- a list ---- */

static int import_lines(struct outcomes *o, struct view rest)
{
    while (rest.n > 0 && !is_over(o)) {
        struct view line = view_trim(view_cut(&rest, '\n'));
        if (line.n == 0)
            continue;
        json_t *args = json_loadb(line.p, line.n, JSON_REJECT_DUPLICATES, NULL);
        if (json_is_object(args)) {
            report(o, args);
            continue;
        }
        json_decref(args);
        o->refused++;
        o->rc = ctl_complain(CTL_EXIT_REFUSED, "a line is no JSON object");
    }
    return o->rc;
}

int ctl_outcome_import(struct ctl *ctl)
{
    struct buf text;
    struct outcomes o = {.ctl = ctl, .rc = CTL_EXIT_OK};
    buf_init(&text, BOUNCE_MAX);
    for (size_t i = 0; i < ctl->line.given_count; i++)
        o.login = ctl->line.given[i].value; /* the one option there is */
    int rc = ctl_read_whole(ctl->line.words[0], &text) < 0 ? CTL_EXIT_LOCAL : CTL_EXIT_OK;
    struct view all = buf_view(&text);
    if (rc == CTL_EXIT_OK)
        rc = view_has_prefix(view_trim(all), VIEW_LIT("{")) ? import_lines(&o, all) : import_bounce(&o, all);
    json_t *total = json_pack("{s:I, s:I, s:I}", "reported", o.reported, "passed_over", o.passed_over,
                              "refused", o.refused);
    if (o.reported + o.passed_over + o.refused > 0)
        ctl_show(ctl, total);
    json_decref(total);
    buf_fini(&text);
    return rc;
}
