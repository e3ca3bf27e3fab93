/* Local parts: characters, quoting and its removal (RFC 5321 section 4.1.2, RFC 5322 section
 * 3.2).
 *
 * "Plain" is a local part as its bytes are meant, without quotes and backslashes. Pure, any
 * thread. */
#ifndef MSA_MAIL_LOCAL_PART_H
#define MSA_MAIL_LOCAL_PART_H

#include <stdbool.h>
#include <stddef.h>

#include "msa/base/view.h"

/* atext of RFC 5322 with RFC 6532: any octet above 127 counts, its UTF-8 is checked elsewhere. */
bool char_is_atext(char c);

/* Atoms with single dots between them, as written without quotes. */
bool local_is_dot_atom(struct view v);

/* Takes a quoted string of RFC 5321 (printable ASCII, UTF-8) with its quotes off the front of
 * `*in`. False when there is none. */
bool local_take_quoted(struct view *in, struct view *quoted_out);

/* Writes the content of a quoted string: quotes and backslashes off. `dst` holds quoted.n
 * bytes; the length. */
size_t local_unquote(struct view quoted, char *dst);

/* Writes `plain` as it must stand before an "@": unchanged if it is a dot-atom, else in quotes
 * with a backslash before each quote and backslash. `dst` holds 2 * plain.n + 2 bytes; the
 * length. */
size_t local_quote(struct view plain, char *dst);

#endif
