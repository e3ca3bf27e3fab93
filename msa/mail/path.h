/* Reverse-path and forward-path of MAIL and RCPT (RFC 5321 section 4.1.2, RFC 6531 section 3.3).
 *
 * A path keeps views into the command line. For comparing and for keys there is one canonical form:
 * the local part unquoted where that is possible and else quoted as little as possible, an "@", the
 * domain in lower case A-labels. Two paths are the same address exactly when these are equal; the
 * case of a local part is its host's business and is kept.
 *
 * Pure, any thread, never blocks. */
#ifndef MSA_MAIL_PATH_H
#define MSA_MAIL_PATH_H

#include <stdbool.h>
#include <stddef.h>

#include "msa/base/view.h"

#define PATH_LOCAL_MAX     64  /* characters; RFC 5321 section 4.5.3.1.1 knows ASCII only */
#define PATH_DOMAIN_MAX    255 /* octets */
#define PATH_MAX_OCTETS    256 /* with the brackets */
#define PATH_MAX_UTF8      512 /* the same when something is not ASCII */
#define PATH_CANONICAL_SIZE 1024 /* a buffer that holds any canonical form and a NUL */

enum path_kind {
    PATH_REVERSE = 0, /* may be <> */
    PATH_FORWARD = 1, /* may be <postmaster> */
};

enum path_flag {
    PATH_REFUSE_ROUTE = 1 << 0, /* a source route is an error instead of being dropped */
    PATH_STRAY_DOTS = 1 << 1,   /* dots may stand side by side, first and last in an unquoted local part */
};

struct path {
    struct view address; /* local@domain as written, without brackets and route; empty for <> */
    struct view local;   /* as written: a quoted local part keeps its quotes */
    struct view domain;  /* as written; a literal keeps its brackets; empty for <postmaster> */
    bool is_null;        /* <> */
    bool is_utf8;        /* not all ASCII: needs SMTPUTF8, and is valid UTF-8 */
    bool is_literal;     /* the domain is an address literal */
    bool had_route;      /* a source route was dropped */
    bool has_stray_dots; /* no address of the RFC until local_quote has been at the local part */
};

/* Takes a path in angle brackets off the front of `*in`; what follows (nothing, or a space and the
 * parameters) stays there. 0; MSA_EINVAL for bad syntax; MSA_ETOOBIG beyond a length; `*in` is left
 * alone on failure. */
int path_parse(struct view *in, enum path_kind kind, unsigned flags, struct path *out);

/* The same for an address without brackets (configuration, AUTH=, a login name with a domain):
 * the whole of `text`, no route, neither empty nor postmaster alone. */
int path_parse_address(struct view text, struct path *out);

/* Writes the canonical form with a NUL behind it; its length, or MSA_EINVAL when the domain is no
 * name IDNA allows. <> gives the empty string, <postmaster> "postmaster". */
int path_canonical(const struct path *p, char dst[static PATH_CANONICAL_SIZE]);

/* Both equal in canonical form. False also when one has none. */
bool path_eq(const struct path *a, const struct path *b);

#endif
