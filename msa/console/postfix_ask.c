#include "msa/console/postfix_ask.h"

#include <stdio.h>
#include <stdlib.h>

#include "msa/base/ipaddr.h"
#include "msa/base/log.h"
#include "msa/base/utf8.h"
#include "msa/console/console_private.h"

#define OP "postfix.judge"

void postfix_memory_init(struct postfix_memory *m)
{
    *m = (struct postfix_memory){.is_counted = false};
    buf_init(&m->recipients, POSTFIX_RECIPIENTS_MAX);
}

void postfix_memory_fini(struct postfix_memory *m)
{
    buf_fini(&m->recipients);
}

/* ---- what came before ---- */

static bool is_other_client(struct postfix_memory *m, const struct postfix_request *r)
{
    char client[sizeof m->client];
    snprintf(client, sizeof client, "%.*s %.*s %.*s", (int)r->client_address.n, r->client_address.p,
             (int)r->client_port.n, r->client_port.p, (int)r->sasl_username.n, r->sasl_username.p);
    if (view_eq(view_cstr(client), view_cstr(m->client)))
        return false;
    snprintf(m->client, sizeof m->client, "%s", client);
    return true;
}

static bool is_other_message(struct postfix_memory *m, const struct postfix_request *r, bool is_other_client)
{
    if (!is_other_client && r->instance.n > 0 && view_eq(r->instance, view_cstr(m->instance)))
        return false;
    (void)view_to_cstr(r->instance, m->instance, sizeof m->instance); /* the parser has measured it */
    m->is_counted = false;
    m->recipient_count = 0;
    buf_reset(&m->recipients);
    return true;
}

/* Several restrictions may ask about one recipient. */
static void note_recipient(struct postfix_memory *m, struct view recipient)
{
    struct view all = buf_view(&m->recipients);
    size_t n = recipient.n + 1;
    bool is_again = all.n >= n && view_eq(view_slice(all, all.n - n, all.n - 1), recipient) &&
                    (all.n == n || all.p[all.n - n - 1] == '\n');
    if (is_again || recipient.n == 0)
        return;
    m->recipient_count++;
    (void)buf_add(&m->recipients, recipient); /* full: fails, and the number alone is used */
    (void)buf_add_char(&m->recipients, '\n');
}

/* ---- the question ---- */

static const char *stage_of(enum postfix_state state)
{
    if (state == POSTFIX_DATA)
        return "data";
    return state == POSTFIX_END_OF_MESSAGE ? "end" : "mail";
}

/* All of them, if those that were heard of are all there are. */
static json_t *recipients_of(const struct postfix_memory *m, uint64_t count)
{
    json_t *list = json_array();
    struct view rest = buf_view(&m->recipients);
    if (buf_failed(&m->recipients) || m->recipient_count != count)
        return list;
    while (rest.n > 0) {
        struct view one = view_cut(&rest, '\n');
        json_array_append_new(list, json_stringn(one.p, one.n));
    }
    return list;
}

static bool add_message(struct postfix_memory *m, const struct postfix_request *r, json_t *args)
{
    uint64_t count = r->recipient_count ? r->recipient_count : m->recipient_count;
    if (r->state < POSTFIX_DATA)
        return true;
    if (m->recipient_count == 0)
        note_recipient(m, r->recipient);
    count = count ? count : 1;
    bool counts = !m->is_counted;
    m->is_counted = true;
    return json_object_set_new(args, "counts", json_boolean(counts)) == 0 &&
           json_object_set_new(args, "count", json_integer((json_int_t)count)) == 0 &&
           json_object_set_new(args, "recipients", recipients_of(m, count)) == 0 &&
           json_object_set_new(args, "bytes", json_integer((json_int_t)r->size)) == 0;
}

static bool is_text(const struct postfix_request *r)
{
    return utf8_is_valid(r->sasl_username) && utf8_is_valid(r->sender) && utf8_is_valid(r->recipient);
}

json_t *postfix_question(struct postfix_memory *m, const struct postfix_request *r, const char **action_out)
{
    struct ipaddr ip;
    struct view at = ipaddr_parse(r->client_address, &ip) ? r->client_address : VIEW_EMPTY;
    *action_out = POSTFIX_ACTION_PASS;
    if (r->sasl_username.n == 0 || r->state == POSTFIX_OTHER)
        return NULL;
    if (!is_text(r)) {
        *action_out = "REJECT 5.6.7 an address is no UTF-8";
        return NULL;
    }
    bool begins = is_other_client(m, r), is_first = is_other_message(m, r, begins);
    if (r->state == POSTFIX_RCPT)
        note_recipient(m, r->recipient);
    json_t *args = json_pack("{s:s%, s:s%, s:s%, s:s, s:b, s:b}", "login", r->sasl_username.p, r->sasl_username.n,
                             "ip", at.n ? at.p : "", at.n, "sender", r->sender.n ? r->sender.p : "", r->sender.n,
                             "stage", stage_of(r->state), "begins", (int)begins, "is_first", (int)is_first);
    if (args && add_message(m, r, args))
        return args;
    json_decref(args);
    m->client[0] = '\0';
    *action_out = POSTFIX_ACTION_AWAY;
    return NULL;
}

/* ---- the answer ---- */

static const struct {
    const char *verdict;
    const char *action;
    const char *otherwise; /* without a text */
} words[] = {
    {"allow", POSTFIX_ACTION_PASS, ""},
    {"defer", "DEFER 4.7.1", "not now; try again later"},
    {"refuse", "REJECT 5.7.1", "refused by policy"},
    {"hold", "HOLD", "held by policy"},
};

bool postfix_action(struct view json, char action_out[POSTFIX_ACTION_MAX], int64_t *delay_ms_out)
{
    json_t *answer = json_loadb(json.n ? json.p : "", json.n, JSON_REJECT_DUPLICATES, NULL);
    struct view verdict = view_cstr(json_string_value(json_object_get(answer, "verdict")));
    const char *text = json_string_value(json_object_get(answer, "text"));
    bool is_known = false;
    *delay_ms_out = json_integer_value(json_object_get(answer, "delay_ms"));
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (!view_eq(verdict, view_cstr(words[i].verdict)))
            continue;
        is_known = true;
        snprintf(action_out, POSTFIX_ACTION_MAX, "%s%s%.180s", words[i].action, i > 0 ? " " : "",
                 i == 0 ? "" : text && text[0] ? text : words[i].otherwise);
    }
    for (char *p = action_out; is_known && *p; p++) /* one line, whatever is in it */
        *p = (unsigned char)*p < ' ' || *p == 0x7f ? ' ' : *p;
    json_decref(answer);
    return is_known;
}

/* ---- asking ---- */

struct asking {
    postfix_answer_fn *fn;
    void *arg;
};

static void on_answer(void *arg, unsigned status, struct view json)
{
    struct asking a = *(struct asking *)arg;
    char action[POSTFIX_ACTION_MAX] = POSTFIX_ACTION_AWAY;
    struct postfix_answer answer = {.action = action};
    free(arg);
    answer.is_away = status != 200 || !postfix_action(json, action, &answer.delay_ms);
    if (answer.is_away)
        answer.delay_ms = 0;
    a.fn(a.arg, &answer);
}

void postfix_ask(struct console *console, json_t *args, postfix_answer_fn *fn, void *arg)
{
    static const struct postfix_answer away = {.action = POSTFIX_ACTION_AWAY, .is_away = true};
    struct asking *a = calloc(1, sizeof *a);
    char *text = json_dumps(args, JSON_COMPACT);
    json_decref(args);
    if (a && text) {
        *a = (struct asking){fn, arg};
        console_ask(console, console_op_find(VIEW_LIT(OP)), VIEW_LIT("postfix"), view_cstr(text), on_answer, a);
    } else {
        free(a);
        fn(arg, &away);
    }
    free(text);
}
