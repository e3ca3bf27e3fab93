/* The one canonical form of a login name, made once, before any look-up, counter, lock or log
 * line.
 *
 * Every way to type a name gives the same bytes or is refused: SASLprep (RFC 4013: width,
 * composition, invisible characters), then case folding as in RFC 3454 table B.2 (which makes
 * "ss" of a sharp s), and the domain by IDNA. Applied to its own result it changes nothing.
 * PRECIS (RFC 8265) would be the younger way; no library for C has it. Pure, any thread, never
 * blocks. */
#ifndef MSA_MAIL_LOGIN_H
#define MSA_MAIL_LOGIN_H

#include "msa/base/buf.h"
#include "msa/base/view.h"

#define LOGIN_TYPED_MAX    255 /* octets */
#define LOGIN_SIZE         512 /* holds any canonical form and a NUL */
#define LOGIN_PASSWORD_MAX 1024

/* Writes the form of `typed`, with "@" and `default_domain` (in A-labels, empty for none) if it
 * has no domain. Its length, or MSA_EINVAL for an empty name, control characters, malformed
 * UTF-8, characters RFC 3454 does not know, space at an end, more than one "@" or a domain that
 * is none; MSA_ETOOBIG. */
int login_canonical(struct view typed, struct view default_domain, char out[static LOGIN_SIZE]);

/* Appends the password as it is to be checked: SASLprep, or its bytes as they are where that is
 * not possible. `out` should be a secret buf. MSA_EINVAL if it is empty or holds a NUL,
 * MSA_ETOOBIG over LOGIN_PASSWORD_MAX, or the buffer's error. */
int login_prepare_password(struct view raw, struct buf *out);

#endif
