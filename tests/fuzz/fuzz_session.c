/* The whole session engine: client bytes, answers of the other roles, lost roles, time and sudden ends in any order.
 * The made-up world (tests/common/smtp_fake.c) asserts what must hold whatever comes: one question at a time,
 * nothing written to a client that is cut off, every reservation settled exactly once, every session over.
 *
 * First byte: how the session begins. Then bytes of the client; 0xfe begins a control: one of the letters
 * below and, for most, a byte of argument. */
#include <string.h>

#include "msa/base/clock.h"
#include "msa/base/log.h"
#include "smtp/deadlines.h"
#include "smtp/txn.h"
#include "tests/common/smtp_fake.h"
#include "tests/fuzz/fuzz.h"

#define CONTROL       0xfe
#define BEGIN_SIGNED  (1 << 3)
#define SEGMENT_BYTES 4096

static const char settings[] =
    "hostname mx.example.jp;\n"
    "listener test { address 127.0.0.1:1587; }\n"
    "tls { certificate { cert_file /a.pem; key_file /a.key; } }\n"
    "limits { message_size 64K; header_size 4K; header_field_size 4K; auth_failures 20; }\n"
    "queue { body_inline_limit 512; }\n"
    "submission { sender replace; }\n"
    "pool main { smarthost 192.0.2.25:25; }\n";

static struct config *config;

int LLVMFuzzerInitialize(int *argc, char ***argv);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    struct config_errors errors;
    (void)argc, (void)argv;
    config_errors_init(&errors);
    must(config_parse_text(view_cstr(settings), "fuzz", &config, &errors) == 0);
    config_errors_fini(&errors);
    log_setup("fuzz", 0, LOG_LEVEL_ERROR);
    return 0;
}

/* An answer for the next question of a kind: verdict, oddities. */
static void set_answer(struct fake *f, uint8_t arg)
{
    struct fake_answer a = {.is_set = true, .code = arg >> 4 & 7};
    enum fake_kind kind = (enum fake_kind)(arg % FAKE_KIND_COUNT);
    a.is_lost = arg >> 7;
    a.may_score = a.may_normalize = a.is_held = arg & 1;
    a.sender_field = arg >> 1 & 1;
    a.delay_ms = arg & 2 ? 700 : 0;
    a.foreign_code = (uint16_t)(arg * 3);
    if (kind == FAKE_SCORE)
        memcpy(a.text, "X-Score: 1\r\n", 13);
    else if (kind == FAKE_ACCEPT)
        memcpy(a.text, "so it is\r\n250 not", 18);
    f->answers[kind] = a;
}

/* A handshake that is due, and nothing else, may be finished. */
static void finish_tls(struct fake *f)
{
    if (f->session.wait == WAIT_TLS)
        fake_finish_tls(f);
}

static void answer_one(struct fake *f)
{
    if (f->open != FAKE_KIND_COUNT)
        fake_answer_open(f);
}

static void change_reader(struct fake *f, uint8_t arg)
{
    f->output_len = arg & 1 ? 1u << 20 : 0;
    if (f->output_len == 0 && !f->is_closed)
        smtp_session_on_drained(&f->session);
}

static void control(struct fake *f, uint8_t letter, uint8_t arg)
{
    enum fake_kind kind = (enum fake_kind)(arg % FAKE_KIND_COUNT);
    switch (letter) {
    case 'a': set_answer(f, arg); break;
    case 'h': f->is_held[kind] = arg & 0x80; break;
    case 'r': answer_one(f); break;
    case 'l': fake_lose(f, kind); break;
    case 'b': f->is_away[kind] = false; break;
    case 't': finish_tls(f); break;
    case 'p': fake_pass(f, arg * 500); break;
    case 'k': smtp_session_kill(&f->session, VIEW_LIT("stolen")); break;
    case 'e': fake_eof(f); break;
    case 'd': f->site.is_draining = true; smtp_session_drain(&f->session, arg & 1); break;
    case 's': change_reader(f, arg); break;
    case 'f': f->is_disk_full = arg & 1; break;
    default: break;
    }
    fake_pump(f);
}

/* Bytes up to the next control; false when there are none left. */
static bool play(struct fake *f, struct view *in)
{
    size_t n = view_find(*in, (char)CONTROL);
    if (n > 0) {
        n = n < SEGMENT_BYTES ? n : SEGMENT_BYTES;
        fake_send(f, view_slice(*in, 0, n));
        fake_pump(f);
    } else if (in->n >= 3) {
        n = 3;
        control(f, (uint8_t)in->p[1], (uint8_t)in->p[2]);
    } else {
        n = in->n;
    }
    *in = view_slice(*in, n, in->n);
    return in->n > 0 && !f->is_over;
}

static void sign_in(struct fake *f)
{
    fake_send(f, VIEW_LIT("EHLO x\r\n"));
    fake_pump(f);
    fake_send(f, VIEW_LIT("AUTH PLAIN AHRhcm9AZXhhbXBsZS5qcABzZWNyZXQ=\r\n"));
    fake_pump(f);
    must(f->session.flags & SMTP_AUTHED);
}

/* Whatever went to relay says as many bytes as are there, and has no line end but CR LF. */
static void check_last_message(const struct fake *f)
{
    must(f->accept_fd == -1 || f->header_bytes <= f->body_bytes);
    must(buf_len(&f->prepend) <= 16384);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fake f;
    struct view in = view_of((const char *)data, size);
    uint8_t how = size > 0 ? data[0] : 0;
    unsigned flags = 0;
    flags |= how & 1 ? SMTP_IMPLICIT_TLS : 0;
    flags |= how & (2 | BEGIN_SIGNED) ? SMTP_AUTH_IN_CLEAR : 0;
    flags |= how & 4 ? SMTP_MAY_XCLIENT : 0;
    if (how & BEGIN_SIGNED)
        flags &= ~(unsigned)SMTP_IMPLICIT_TLS;

    clock_set_for_test(1000000, 1780000000000);
    fake_init(&f, config);
    fake_start(&f, flags, "192.0.2.7");
    fake_pump(&f);
    if (how & BEGIN_SIGNED)
        sign_in(&f);
    in = view_slice(in, 1, in.n);
    while (play(&f, &in))
        continue;
    check_last_message(&f);
    fake_fini(&f);
    return 0;
}
