/* One mail transaction at the sink: envelope, what is measured of the body, and its record. */
#ifndef TESTS_TOOLS_SINK_MESSAGE_H
#define TESTS_TOOLS_SINK_MESSAGE_H

#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "msa/base/arena.h"
#include "msa/base/buf.h"
#include "msa/base/list.h"
#include "tests/tools/sink/body.h"

struct rcpt {
    struct list link;
    const char *address;
    const char *params;
};

struct message {
    bool is_open; /* MAIL was taken */
    struct arena arena;
    const char *from;
    const char *from_params;
    struct list rcpts;
    size_t rcpt_count;
    bool is_bdat;
    bool wants_details; /* hashes and head; not in a run that only counts */
    bool keeps_whole;
    struct body body;
    uint64_t size_bytes;
    struct buf head;  /* header section, as far as HEAD_MAX goes */
    bool head_is_done;
    struct buf whole; /* only if it is to be stored */
    EVP_MD_CTX *whole_sha;
    EVP_MD_CTX *body_sha; /* from behind the empty line */
};

void message_init(struct message *m, bool wants_details, bool keeps_whole);
void message_fini(struct message *m);

/* Both false when memory for this transaction is used up. */
bool message_open(struct message *m, struct view from, struct view params);
bool message_add_rcpt(struct message *m, struct view address, struct view params);
void message_reset(struct message *m); /* no transaction */

void message_begin_body(struct message *m, bool is_stuffed);
void message_put(void *message, struct view v); /* a body_put_fn */

/* The first value of a header field, on its first line; empty if there is none. */
struct view message_field(const struct message *m, const char *name);

/* The members of a JSON object that tell all about the message. Ends the hashes. */
void message_describe(struct message *m, struct buf *json);

#endif
