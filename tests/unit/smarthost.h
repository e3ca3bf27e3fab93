/* A scripted smarthost for tests of the client engine: no sockets, replies from a list of rules. */
#ifndef TESTS_UNIT_SMARTHOST_H
#define TESTS_UNIT_SMARTHOST_H

#include <stdbool.h>
#include <stddef.h>

#include "fake_server.h"
#include "relay/client.h"

struct smarthost_run {
    /* to be set */
    const struct smarthost_rule *rules;
    const char *offers; /* "PIPELINING SIZE=1000": words become lines of EHLO's answer, "=" a space */
    struct client_settings settings;
    size_t piece;       /* bytes fed at once; 0: all there is */
    struct message **messages; /* NULL at the end; sent one after the other */
    bool has_bad_certificate;
    /* what came of it */
    enum client_want want;
    enum client_failure failure;
    unsigned sent_count;         /* messages that got all their answers */
    bool was_refused_here;       /* client_begin said no */
    bool may_have_sent;          /* at the end */
    struct buf said;             /* every command line, in order */
    struct buf body;             /* the last body, unstuffed, or the last chunk */
    unsigned body_count;
};

void smarthost_run(struct smarthost_run *run);
void smarthost_fini(struct smarthost_run *run);

/* Sends one message to `recipients` (words) from taro@example.jp; its answers are settled. The caller frees both, with
 * smarthost_done. */
struct message *smarthost_send(struct smarthost_run *run, const char *recipients, const char *content);
void smarthost_done(struct smarthost_run *run, struct message *m);
/* All command lines of the run, as text. */
const char *smarthost_said(const struct smarthost_run *run);
/* Every word of `codes` is the answer's code of one recipient, 0 for none. */
void smarthost_expect_codes(const struct message *m, const char *codes, size_t piece);

#define SMARTHOST_CONTENT "Subject: a\r\n\r\nfirst\r\n.dot\r\nlast\r\n"

/* Sizes of the pieces in which replies are fed; the first means all at once. */
extern const size_t smarthost_pieces[5];
#define EACH_PIECE(i) for (size_t i = 0; i < sizeof smarthost_pieces / sizeof smarthost_pieces[0]; i++)

/* A message with these recipients (words) and this content, all in memory. */
struct message *smarthost_message(const char *sender, const char *recipients, const char *content);

#endif
