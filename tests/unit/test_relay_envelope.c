#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

#include "msa/base/err.h"
#include "relay/envelope.h"
#include "smarthost.h"

TestSuite(relay_envelope, .timeout = 60);

static struct message *full_message(void)
{
    struct message *m = smarthost_message("taro@example.jp", "a@x.jp b@x.jp c@x.jp", SMARTHOST_CONTENT);
    m->id = 0x0123456789abcdef;
    m->account = 77;
    cr_assert(ipaddr_parse(VIEW_LIT("2001:db8::7"), &m->client_ip));
    m->login = VIEW_LIT("taro@example.jp");
    m->pool = VIEW_LIT("overseas");
    m->envid = VIEW_LIT("x+2By");
    m->body_type = BODY_8BITMIME;
    m->dsn_ret = RET_FULL;
    m->flags = MESSAGE_SMTPUTF8 | MESSAGE_HELD_FOR_ROUTE;
    m->findings = VIEW_LIT("LINK_ELSEWHERE 1.5\n");
    m->arrival_ms = 1000;
    m->next_attempt_ms = -5;
    m->hold_until_ms = 3000;
    m->score_milli = -1500;
    m->attempt_count = 3;
    m->content.prepend = VIEW_LIT("Received: by us\r\n");
    m->rcpts[0].orcpt = VIEW_LIT("rfc822;A@x.jp");
    m->rcpts[0].notify = NOTIFY_FAILURE;
    message_answer(m, &m->rcpts[0], 450, "4.2.1", VIEW_LIT("later"));
    m->rcpts[1].state = RCPT_DELIVERED;
    return m;
}

static struct buf encode(const struct message *m)
{
    struct buf b;
    buf_init(&b, ENVELOPE_MAX_BYTES);
    cr_assert_eq(envelope_encode(m, &b), MSA_OK);
    return b;
}

Test(relay_envelope, comes_back_as_it_was_with_pending_recipients_only)
{
    struct message *m = full_message(), *back;
    struct buf b = encode(m);
    cr_assert_eq(envelope_decode(buf_view(&b), &back), MSA_OK);
    cr_expect_eq(back->id, m->id);
    cr_expect_eq(back->account, 77);
    cr_expect(ipaddr_eq(&back->client_ip, &m->client_ip));
    cr_expect(view_eq(back->login, m->login) && view_eq(back->pool, m->pool));
    cr_expect(view_eq(back->sender, m->sender) && view_eq(back->envid, m->envid));
    cr_expect_eq(back->flags, m->flags);
    cr_expect(view_eq(back->findings, m->findings));
    cr_expect_eq(back->dsn_ret, RET_FULL);
    cr_expect_eq(back->body_type, BODY_8BITMIME);
    cr_expect_eq(back->next_attempt_ms, -5);
    cr_expect_eq(back->score_milli, -1500);
    cr_expect_eq(back->attempt_count, 3);
    cr_expect_eq(back->content.prepend.n, m->content.prepend.n);
    cr_expect_eq(back->content.fd_bytes, strlen(SMARTHOST_CONTENT));
    cr_assert_eq(back->rcpt_count, 2);
    cr_expect(view_eq(back->rcpts[0].path, VIEW_LIT("a@x.jp")));
    cr_expect(view_eq(back->rcpts[0].orcpt, VIEW_LIT("rfc822;A@x.jp")));
    cr_expect_eq(back->rcpts[0].answer.code, 450);
    cr_expect_str_eq(back->rcpts[0].answer.enhanced, "4.2.1");
    cr_expect(view_eq(back->rcpts[0].answer.text, VIEW_LIT("later")));
    cr_expect(view_eq(back->rcpts[1].path, VIEW_LIT("c@x.jp")));
    message_free(&back);
    message_free(&m);
    buf_fini(&b);
}

Test(relay_envelope, head_alone_says_what_the_index_needs)
{
    struct message *m = full_message();
    struct buf b = encode(m);
    struct envelope_head h;
    cr_assert_eq(envelope_read_head(buf_view(&b), &h), MSA_OK);
    cr_expect_eq(h.rcpt_count, 2);
    cr_expect_eq(h.content_bytes, content_bytes(&m->content));
    cr_expect(view_eq(h.pool, VIEW_LIT("overseas")));
    message_free(&m);
    buf_fini(&b);
}

Test(relay_envelope, any_flipped_bit_and_any_cut_is_found)
{
    struct message *m = full_message(), *back;
    struct buf b = encode(m);
    struct envelope_head h;
    char *copy = malloc(buf_len(&b) + 1);
    for (size_t bit = 0; bit < buf_len(&b) * 8; bit++) {
        memcpy(copy, b.data, buf_len(&b));
        copy[bit / 8] ^= (char)(1 << bit % 8);
        cr_expect_eq(envelope_decode(view_of(copy, buf_len(&b)), &back), MSA_ECORRUPT, "bit %zu", bit);
        cr_expect_eq(envelope_read_head(view_of(copy, buf_len(&b)), &h), MSA_ECORRUPT);
    }
    for (size_t n = 0; n < buf_len(&b); n++)
        cr_expect_eq(envelope_decode(view_of(b.data, n), &back), MSA_ECORRUPT, "cut at %zu", n);
    memcpy(copy, b.data, buf_len(&b));
    copy[buf_len(&b)] = 0;
    cr_expect_eq(envelope_decode(view_of(copy, buf_len(&b) + 1), &back), MSA_ECORRUPT);
    free(copy);
    message_free(&m);
    buf_fini(&b);
}

/* A record as it was written before there were findings: taken with this form's writer of then. */
static const unsigned char old_record[] = {
    0x4d, 0x53, 0x51, 0x31, 0xcd, 0x00, 0x00, 0x00, 0x37, 0x5a, 0x35, 0x82, 0xba, 0xb4, 0xe8, 0xa2,
    0xef, 0xcd, 0xab, 0x89, 0x67, 0x45, 0x23, 0x01, 0x4d, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0xe8, 0x03, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x24, 0xfa, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x05, 0x00, 0x00, 0x00,
    0x08, 0x00, 0x00, 0x00, 0x6f, 0x76, 0x65, 0x72, 0x73, 0x65, 0x61, 0x73, 0x20, 0x01, 0x0d, 0xb8,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x07, 0x0f, 0x00, 0x00, 0x00,
    0x74, 0x61, 0x72, 0x6f, 0x40, 0x65, 0x78, 0x61, 0x6d, 0x70, 0x6c, 0x65, 0x2e, 0x6a, 0x70, 0x0f,
    0x00, 0x00, 0x00, 0x74, 0x61, 0x72, 0x6f, 0x40, 0x65, 0x78, 0x61, 0x6d, 0x70, 0x6c, 0x65, 0x2e,
    0x6a, 0x70, 0x05, 0x00, 0x00, 0x00, 0x78, 0x2b, 0x32, 0x42, 0x79, 0x06, 0x00, 0x00, 0x00, 0x61,
    0x40, 0x78, 0x2e, 0x6a, 0x70, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x06, 0x00, 0x00, 0x00, 0x63, 0x40, 0x78, 0x2e, 0x6a, 0x70, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
};

Test(relay_envelope, record_of_the_form_before_is_read_and_changed_in_place)
{
    struct message *m;
    unsigned char copy[sizeof old_record];
    memcpy(copy, old_record, sizeof copy);
    cr_assert_eq(envelope_set_held((char *)copy, sizeof copy, HELD_FOR_RULE, 0), MSA_OK);
    cr_assert_eq(envelope_decode(view_of((char *)copy, sizeof copy), &m), MSA_OK);
    cr_expect_eq(m->id, 0x0123456789abcdef);
    cr_expect(view_eq(m->envid, VIEW_LIT("x+2By")));
    cr_expect_eq(m->findings.n, 0);
    cr_expect_eq(m->rcpt_count, 2);
    cr_expect_eq(m->flags, MESSAGE_SMTPUTF8 | MESSAGE_HELD_FOR_RULE);
    message_free(&m);
    cr_assert_eq(envelope_decode(view_of((const char *)old_record, sizeof old_record), &m), MSA_OK);
    cr_expect_eq(m->flags, MESSAGE_SMTPUTF8 | MESSAGE_HELD_FOR_ACCOUNT, "what was held is for the account");
    message_free(&m);
}

Test(relay_envelope, hold_flags_are_changed_in_place)
{
    struct message *m = full_message();
    struct buf b = encode(m);
    struct envelope_head h;
    for (unsigned held_for = 0; held_for <= HELD_FOR_ALL; held_for++) {
        cr_assert_eq(envelope_set_held(b.data, buf_len(&b), held_for, 2999), MSA_OK);
        cr_assert_eq(envelope_read_head(buf_view(&b), &h), MSA_OK);
        cr_expect_eq(message_held_for(h.flags), held_for);
        cr_expect_eq(h.flags & ~MESSAGE_HELD, MESSAGE_SMTPUTF8);
        cr_expect_eq(h.hold_until_ms, 3000);
    }
    cr_assert_eq(envelope_set_held(b.data, buf_len(&b), 0, 4000), MSA_OK);
    cr_assert_eq(envelope_read_head(buf_view(&b), &h), MSA_OK);
    cr_expect_eq(h.hold_until_ms, 4000, "a release makes it younger, never older");
    b.data[20] ^= 1;
    cr_expect_eq(envelope_set_held(b.data, buf_len(&b), HELD_FOR_RULE, 0), MSA_ECORRUPT);
    message_free(&m);
    buf_fini(&b);
}

/* ---- from an accept question ---- */

static struct buf question(struct msg_relay_accept_ask *q, const char *path, const char *orcpt)
{
    struct buf list, b;
    buf_init(&list, 4096);
    buf_init(&b, 8192);
    const struct msg_recipient r = {.path = view_cstr(path), .orcpt = view_cstr(orcpt)};
    items_add_recipient(&list, &r);
    q->recipients = buf_view(&list);
    msg_relay_accept_ask_encode(q, &b);
    cr_assert_not(buf_failed(&b));
    buf_fini(&list);
    return b;
}

static int accept_one(struct msg_relay_accept_ask q, const char *path, const char *orcpt)
{
    struct message *m;
    struct buf b = question(&q, path, orcpt);
    int err = message_from_accept(buf_view(&b), -1, &m);
    buf_fini(&b);
    message_free(&m);
    return err;
}

Test(relay_envelope, question_that_could_break_a_command_line_is_malformed)
{
    const struct msg_relay_accept_ask good = {
        .message = 1, .sender = VIEW_LIT("t@example.jp"), .recipient_count = 1};
    cr_expect_eq(accept_one(good, "a@example.com", "rfc822;a"), MSA_OK);
    cr_expect_eq(accept_one(good, "a@example.com>\r\nRCPT TO:<b", ""), MSA_EPROTO);
    cr_expect_eq(accept_one(good, "", ""), MSA_EPROTO);
    cr_expect_eq(accept_one(good, "a@example.com", "rfc822;a b"), MSA_EPROTO);
    cr_expect_eq(accept_one(good, "a@example.com", "rfc822;a\r\n"), MSA_EPROTO);
    struct msg_relay_accept_ask bad = good;
    bad.sender = VIEW_LIT("a\nb@x");
    cr_expect_eq(accept_one(bad, "a@example.com", ""), MSA_EPROTO);
    bad = good;
    bad.recipient_count = 2;
    cr_expect_eq(accept_one(bad, "a@example.com", ""), MSA_EPROTO);
    bad = good;
    bad.recipient_count = 0;
    cr_expect_eq(accept_one(bad, "a@example.com", ""), MSA_EPROTO);
    bad = good;
    bad.body_bytes = 5;
    cr_expect_eq(accept_one(bad, "a@example.com", ""), MSA_EPROTO, "a body of which nothing came");
    bad.body = VIEW_LIT("A:\r\n");
    cr_expect_eq(accept_one(bad, "a@example.com", ""), MSA_EPROTO, "a body that came in part");
    bad.body_bytes = 4;
    cr_expect_eq(accept_one(bad, "a@example.com", ""), MSA_OK);
    bad.is_large = true;
    cr_expect_eq(accept_one(bad, "a@example.com", ""), MSA_EPROTO, "a large one without a descriptor");
    bad = good;
    bad.body_type = 9;
    cr_expect_eq(accept_one(bad, "a@example.com", ""), MSA_EPROTO);
    bad = good;
    bad.dsn_envid = VIEW_LIT("a b");
    cr_expect_eq(accept_one(bad, "a@example.com", ""), MSA_EPROTO);
}
