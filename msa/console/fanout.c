/* One question to many processes; the answer waits for the slowest, or for its deadline. */
#include "msa/console/console_private.h"

#include <stdlib.h>

#include "msa/base/err.h"
#include "msa/console/problem.h"

#define ANSWER_WITHIN_MS 5000

struct fanout {
    struct http_request *request;
    fanout_fn *fn;
    json_t *statuses;
    unsigned waiting_count;
};

struct branch {
    struct fanout *fanout;
    enum role role;
    unsigned index;
};

static void finish(struct fanout *f)
{
    f->fn(f->request, f->statuses);
    json_decref(f->statuses);
    free(f);
}

static void done_one(struct fanout *f)
{
    if (--f->waiting_count == 0)
        finish(f);
}

static json_t *list_of(struct fanout *f, enum role role)
{
    json_t *list = json_object_get(f->statuses, role_name(role));
    if (!list) {
        list = json_array();
        json_object_set_new(f->statuses, role_name(role), list);
    }
    return list;
}

static json_t *status_in(const struct chan_message *m)
{
    struct msg_admin_answer answer;
    if (!m || msg_admin_answer_decode(m->payload, &answer) < 0 || answer.status >= 400)
        return NULL;
    return json_loadb(answer.json.p, answer.json.n, JSON_REJECT_DUPLICATES, NULL);
}

/* By index, however the answers come. */
static void add_in_order(json_t *list, json_t *status, unsigned index)
{
    size_t at = 0;
    while (at < json_array_size(list) &&
           json_integer_value(json_object_get(json_array_get(list, at), "index")) < index)
        at++;
    json_array_insert_new(list, at, status);
}

static void on_answer(void *arg, struct chan_message *m, int err)
{
    struct branch *b = arg;
    json_t *status = status_in(m);
    if (!json_is_object(status)) {
        json_decref(status);
        status = json_pack("{s:s}", "error", msa_strerror(m ? MSA_EPROTO : err));
    }
    json_object_set_new(status, "index", json_integer(b->index));
    add_in_order(list_of(b->fanout, b->role), status, b->index);
    done_one(b->fanout);
    free(b);
}

static void ask_one(struct fanout *f, struct chan *c, const char *op)
{
    struct msg_admin_ask ask = {.op = view_cstr(op), .actor = http_request_actor(f->request)};
    struct branch *b = calloc(1, sizeof *b);
    if (!b)
        return;
    *b = (struct branch){f, chan_peer(c), chan_peer_index(c)};
    if (CHAN_ASK(c, admin_ask, &ask, ANSWER_WITHIN_MS, on_answer, b, NULL) < 0)
        free(b);
    else
        f->waiting_count++;
}

static const char *status_op_of(enum role role)
{
    for (size_t i = 0; i < console_status_count; i++)
        if (console_statuses[i].role == role)
            return console_statuses[i].op;
    return NULL;
}

void fanout_start(struct console *c, struct http_request *r, fanout_fn *fn)
{
    struct fanout *f = calloc(1, sizeof *f);
    if (!f) {
        problem_answer(r, 503, "out of memory");
        return;
    }
    *f = (struct fanout){.request = r, .fn = fn, .statuses = json_object(), .waiting_count = 1};
    for (size_t i = 0; i < console_status_count; i++)
        list_of(f, console_statuses[i].role); /* a role that is away shows as an empty list */
    for (size_t i = 0; i < c->peer_count; i++) {
        const char *op = status_op_of(chan_peer(c->peers[i]));
        if (op)
            ask_one(f, c->peers[i], op);
    }
    done_one(f);
}
