/* The server side of a smarthost as tests need it, without I/O: command lines in, replies out, by rules. */
#ifndef TESTS_UNIT_FAKE_SERVER_H
#define TESTS_UNIT_FAKE_SERVER_H

#include <stdbool.h>
#include <stddef.h>

#include "msa/base/buf.h"

/* For the first command that begins with `verb` the reply is given and the rule is used up. The greeting is asked for by
 * "", the reply to a body by "." and to a chunk by "BDAT". A verb without a rule gets a plain success. A reply
 * of "" says nothing, "!" drops the connection. */
struct smarthost_rule {
    const char *verb;
    const char *reply;
};

#define FAKE_RULES_MAX 64

struct fake_server;
typedef void fake_body_fn(struct fake_server *f); /* a body has come whole; f->body, f->transaction */

struct fake_server {
    const struct smarthost_rule *rules; /* ended by a NULL verb; may be NULL */
    bool *used;                         /* FAKE_RULES_MAX of them; may be shared by several servers */
    const char *offers; /* "PIPELINING SIZE=1000": words become lines of EHLO's answer, "=" a space */
    fake_body_fn *on_body; /* before its reply; may be NULL */
    void *arg;
    struct buf from_client; /* to be filled, then fake_server_hear */
    struct buf to_client;   /* to be sent and reset */
    struct buf said;        /* every command line, in order */
    struct buf body;        /* the last body, unstuffed, or the last chunk */
    struct buf transaction; /* command lines since the last MAIL */
    unsigned body_count;
    size_t chunk_left;
    bool is_in_data;
    bool is_dropped;
};

void fake_server_init(struct fake_server *f);
void fake_server_fini(struct fake_server *f);
void fake_server_greet(struct fake_server *f);
void fake_server_hear(struct fake_server *f);

#endif
