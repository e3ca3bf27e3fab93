/* The fields of a header block, read as tolerant programs read them: LF or CRLF, folded
 * lines belong to the field before them, and a line that is no field does no harm. (The
 * strict reading, on which decisions about the sender rest, is msa/mail/header.h.) */
#ifndef POLICY_SCORE_CONTENT_FIELDS_H
#define POLICY_SCORE_CONTENT_FIELDS_H

#include <stdbool.h>
#include <stddef.h>

#include "msa/base/view.h"
#include "policy/score/content/document.h"

struct fields {
    struct document_field *list; /* room for `max`, the caller's */
    size_t count;
    size_t max;
    bool has_bad_line; /* neither field nor folded line */
    bool is_cut_short; /* more than `max` */
};

/* The length of `line` without its LF or CRLF. */
size_t fields_line_length(struct view line);

/* True if `line` (without its end) begins a field: a name of visible ASCII, blanks, a
 * colon. */
bool fields_is_field(struct view line);

/* Splits `block`, into which the fields then are views. The block's empty line is not in
 * it. */
void fields_split(struct fields *f, struct view block);

/* The first field called `name` behind `after`, or from the start if that is NULL. */
const struct document_field *fields_find(const struct document_field *list, size_t count,
                                         struct view name,
                                         const struct document_field *after);

#endif
