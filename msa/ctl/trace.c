#include "msa/ctl/trace.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "msa/base/err.h"
#include "msa/base/table.h"

#define COUNT_MAX 1000000

bool trace_account(struct view name, char out[TRACE_TEXT_MAX])
{
    out[0] = '\0';
    if (name.n == 0 || name.n >= TRACE_TEXT_MAX)
        return false;
    for (size_t i = 0; i < name.n; i++)
        if ((unsigned char)name.p[i] < 0x20 || name.p[i] == 0x7f)
            return false;
    for (size_t i = 0; i < name.n; i++)
        out[i] = ascii_lower(name.p[i]);
    out[name.n] = '\0';
    return true;
}

/* Needs no secrecy, but should be the same in each run. */
static const uint8_t sender_key[16] = "msad trace from";

uint64_t trace_sender(struct view address)
{
    char lower[TRACE_TEXT_MAX];
    if (!trace_account(address, lower))
        return 0;
    return siphash13(sender_key, lower, address.n) | 1;
}

static bool take_kind(json_t *line, enum trace_kind *out)
{
    static const struct {
        const char *name;
        enum trace_kind kind;
    } kinds[] = {{"auth-ok", TRACE_LOGIN},
                 {"auth-fail", TRACE_LOGIN_FAILED},
                 {"submit", TRACE_SUBMIT},
                 {"mra-ok", TRACE_MAILBOX}};
    const char *name = json_string_value(json_object_get(line, "ev"));
    for (size_t i = 0; name && i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(name, kinds[i].name) != 0)
            continue;
        *out = kinds[i].kind;
        return true;
    }
    return false;
}

static bool take_text(json_t *line, const char *key, char *out, size_t out_size)
{
    json_t *value = json_object_get(line, key);
    if (!json_is_string(value))
        return false;
    return view_to_cstr(view_of(json_string_value(value), json_string_length(value)), out,
                        out_size);
}

static bool take_time(json_t *line, int64_t *out)
{
    double t = json_number_value(json_object_get(line, "t"));
    if (!(t > 0 && t < 1e11))
        return false;
    *out = (int64_t)llround(t * 1000);
    return true;
}

static uint64_t count_or(json_t *line, const char *key, uint64_t otherwise, uint64_t max)
{
    json_int_t n = json_integer_value(json_object_get(line, key));
    if (n <= 0)
        return otherwise;
    return (uint64_t)n < max ? (uint64_t)n : max;
}

static int take_event(json_t *line, struct trace_event *out)
{
    char ip[IPADDR_TEXT_MAX], account[TRACE_TEXT_MAX], sender[TRACE_TEXT_MAX];
    if (!take_kind(line, &out->kind) || !take_time(line, &out->at_ms) ||
        !take_text(line, "acct", account, sizeof account) ||
        !take_text(line, "ip", ip, sizeof ip) || !ipaddr_parse(view_cstr(ip), &out->ip))
        return MSA_EINVAL;
    if (!trace_account(view_cstr(account), out->account) &&
        out->kind != TRACE_LOGIN_FAILED)
        return MSA_EINVAL;
    if (!take_text(line, "cc", out->country, sizeof out->country))
        out->country[0] = '\0';
    if (take_text(line, "mfrom", sender, sizeof sender))
        out->sender_hash = trace_sender(view_cstr(sender));
    out->recipients = (uint32_t)count_or(line, "rcpts", 1, COUNT_MAX);
    out->bytes = count_or(line, "size", 0, UINT32_MAX);
    out->wrong_password = count_or(line, "pw", 0, UINT64_MAX);
    return MSA_OK;
}

void trace_event_init(struct trace_event *t)
{
    t->at_ms = 0;
    t->kind = TRACE_LOGIN;
    t->account[0] = t->country[0] = '\0';
    t->ip = (struct ipaddr){{0}};
    t->wrong_password = t->sender_hash = t->bytes = 0;
    t->recipients = t->attempts = 1;
    t->signs_in = false;
}

int trace_parse_json(struct view line, struct trace_event *out)
{
    trace_event_init(out);
    json_t *object = json_loadb(line.p, line.n, JSON_REJECT_DUPLICATES, NULL);
    int err = json_is_object(object) ? take_event(object, out) : MSA_EINVAL;
    json_decref(object);
    return err;
}
