/* The "relaxed" canonical forms of DKIM (RFC 6376 sections 3.4.2 and 3.4.4): what survives the usual mending of white
 * space on the way. Linear time, no memory that grows with the body. Pure, any thread. */
#ifndef RELAY_DKIM_CANON_H
#define RELAY_DKIM_CANON_H

#include <stdbool.h>
#include <stdint.h>

#include "msa/base/buf.h"
#include "msa/base/view.h"

/* Gets the canonical text in runs that are not empty. */
typedef void dkim_sink_fn(void *arg, struct view run);

#define DKIM_CANON_STAGE_BYTES 4096

struct dkim_body {
    dkim_sink_fn *sink;
    void *arg;
    uint64_t line_end_count; /* seen and not yet given: at the end of the body all but one go */
    bool has_space;          /* white space that goes unless something follows on its line */
    bool has_cr;             /* the last byte: a line end if LF follows, else a byte like others */
    bool has_text;           /* something was given */
    size_t staged;
    char stage[DKIM_CANON_STAGE_BYTES];
};

void dkim_body_init(struct dkim_body *b, dkim_sink_fn *sink, void *arg);
/* The body as it is sent, without dots stuffed, in pieces of any size. A bare CR or LF is a byte like others. */
void dkim_body_feed(struct dkim_body *b, struct view piece);
/* The body is over: one CRLF ends it, whether it had one, many or none; an empty one stays empty. */
void dkim_body_finish(struct dkim_body *b);

/* Appends "name:value" for a header field, without a line end. `body` is what stands behind the colon, folding
 * lines included, without the last CRLF. 0 or the buffer's error. */
int dkim_canon_field(struct view name, struct view body, struct buf *out);

#endif
