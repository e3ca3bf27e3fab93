/* What a submission server may mend in a header (RFC 6409 section 8), and nothing else: fields are put in
 * front or left out whole, every other byte of the header stays as it came.
 *
 *   - Received goes in front, always.
 *   - Date and Message-ID go in front when they are missing.
 *   - Bcc is left out.
 *   - Sender: when policy says so. Its verdict comes after the body, so where the configuration says
 *     "replace", Sender fields are held back from the descriptor and the old or the new one
 *     goes in front. */
#ifndef SMTP_FIXUP_H
#define SMTP_FIXUP_H

#include <stdbool.h>

#include "msa/base/buf.h"
#include "msa/base/view.h"
#include "smtp/session.h"

#define FIXUP_PREPEND_MAX 16384 /* relay_accept_ask.prepend */

#define FIXUP_MESSAGE_ID_MAX  (IPC_MESSAGE_ID_MAX + 1)

bool fixup_keeps_field(struct view name, bool remove_bcc, bool hold_sender);

/* Writes what goes before the message of s->txn: its header is complete, its route is known. 0 or the
 * buffer's error. */
int fixup_write_prepend(const struct smtp_session *s, struct buf *out);

/* The Message-ID that it leaves with, without brackets; points into the header or to `out`. "": none, or too long. */
struct view fixup_message_id(const struct smtp_session *s, char out[FIXUP_MESSAGE_ID_MAX]);

#endif
