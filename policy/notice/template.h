/* Templates of notices.
 *
 *   Subject: one line
 *
 *   The text, UTF-8, in lines that end in LF or CRLF. {{name}} stands for a value of the matter. A line whose
 *   placeholders all stand for nothing is left out, so one template serves with and without a country.
 *
 * Values come from strangers in part. Each goes in as one line without control characters, cut to
 * TEMPLATE_VALUE_MAX bytes, and is never looked at for placeholders again. Pure, any thread. */
#ifndef POLICY_NOTICE_TEMPLATE_H
#define POLICY_NOTICE_TEMPLATE_H

#include "msa/base/buf.h"
#include "msa/base/view.h"
#include "policy/notice/matter.h"

#define TEMPLATE_MAX       (32u << 10)
#define TEMPLATE_VALUE_MAX 1024

struct template_error {
    unsigned line;    /* from 1 */
    const char *what; /* a constant */
    struct view name; /* the unknown placeholder, in the template; else empty */
};

/* MSA_OK, or MSA_EINVAL with the first mistake in `error`. */
int template_check(struct view text, struct template_error *error);

/* Appends the subject (one line, without CR or LF) and the body (lines end in CRLF). MSA_EINVAL for a template that
 * template_check refuses, or the buffer's error. Dates are written for `offset_min` east of Greenwich. */
int template_fill(struct view text, const struct matter *m, int offset_min, struct buf *subject,
                  struct buf *body);

#endif
