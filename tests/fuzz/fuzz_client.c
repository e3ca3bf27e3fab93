/* A smarthost's bytes against the client engine. First byte: settings and message; the rest is what the
 * smarthost says, cut by 0xff into what comes before the next thing we send. Nothing it says may deliver a message that
 * was not sent whole, keep one that was refused, or let a control character out. */
#include "relay/client.h"
#include "tests/fuzz/fuzz.h"

#define CONTENT "Subject: a\r\n\r\n.dot\r\nend\r\n"

static struct message *make_message(unsigned kind)
{
    struct message *m = message_new();
    must(m != NULL);
    m->sender = VIEW_LIT("t@example.jp");
    m->rcpt_count = 1 + kind % 3;
    m->rcpts = arena_alloc(&m->arena, 3 * sizeof *m->rcpts);
    for (uint32_t i = 0; i < m->rcpt_count; i++)
        m->rcpts[i].path = VIEW_LIT("a@example.com");
    m->content.memory = VIEW_LIT(CONTENT);
    m->header_bytes = 12;
    return m;
}

struct seen {
    bool is_body_given;
    unsigned message_count;
};

static void give_body(struct client *c, struct message *m, struct seen *seen)
{
    struct view piece = m->content.memory, run;
    while (client_body(c, &piece, &run) > 0)
        must(run.n > 0);
    must(client_body_end(c) == 0);
    seen->is_body_given = true;
}

static void check_answers(struct message *m, const struct seen *seen)
{
    message_settle(m);
    for (uint32_t i = 0; i < m->rcpt_count; i++) {
        const struct answer *a = &m->rcpts[i].answer;
        must(m->rcpts[i].state != RCPT_DELIVERED || (seen->is_body_given && a->code / 100 == 2));
        must(a->code != 0);
        for (size_t k = 0; k < a->text.n; k++)
            must(a->text.p[k] >= 0x20 && a->text.p[k] < 0x7f);
    }
}

/* One step further; false when the session is over or waits for more. */
static bool go_on(struct client *c, enum client_want want, struct message **m, struct seen *seen)
{
    buf_reset(&c->out);
    switch (want) {
    case CLIENT_WANT_TLS: client_on_tls(c, true); return true;
    case CLIENT_WANT_BODY: give_body(c, *m, seen); return true;
    case CLIENT_WANT_WORK:
        if (*m)
            check_answers(*m, seen);
        message_free(m);
        if (seen->message_count++ == 3)
            return false;
        *m = make_message(seen->message_count);
        seen->is_body_given = false;
        (void)client_begin(c, *m);
        return true;
    default: return false;
    }
}

static void converse(struct client *c, struct view said)
{
    struct seen seen = {0};
    struct message *m = NULL;
    struct buf in;
    buf_init(&in, 1u << 20);
    while (said.n > 0 && c->phase != CLIENT_DEAD) {
        buf_add(&in, view_cut(&said, (char)0xff));
        for (int i = 0; i < 32 && go_on(c, client_step(c, &in, true), &m, &seen); i++)
            ;
    }
    client_lose(c, VIEW_LIT("lost"));
    if (m && c->phase != CLIENT_IDLE)
        check_answers(m, &seen);
    message_free(&m);
    buf_fini(&in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view in = fuzz_view(data, size);
    unsigned kind = size > 0 ? data[0] : 0;
    const struct client_settings settings = {
        .ehlo_name = "h",
        .tls = (enum config_relay_tls)(kind % 3),
        .is_tls_implicit = (kind & 4) != 0,
        .user = kind & 8 ? "u" : "",
        .password = "p",
        .mechanism = (enum config_relay_mechanism)((kind >> 4) % 3),
    };
    struct client c;
    client_init(&c, &settings);
    converse(&c, view_slice(in, 1, in.n));
    client_fini(&c);
    return 0;
}
