/* Charsets of old mail to UTF-8, for display and for the features of the content score only:
 * nothing decoded here is ever parsed again or compared with an address.
 *
 * Only charsets of a fixed list are converted: iconv loads a module for any name it is given,
 * and names come from strangers (CVE-2024-2961 was such a module). All converters are opened by
 * charsets_new, so a role calls it before its sandbox closes. ISO-2022-JP is unfolded to EUC
 * here, because mail in it uses NEC and IBM characters (circled digits) that iconv's own
 * converter refuses.
 *
 * One thread at a time for each `struct charsets`; never blocks after charsets_new. */
#ifndef MSA_MAIL_CHARSET_H
#define MSA_MAIL_CHARSET_H

#include "msa/base/buf.h"
#include "msa/base/view.h"

struct charsets;

/* NULL without memory. A converter the system lacks is left out. */
struct charsets *charsets_new(void);
void charsets_free(struct charsets *cs);

/* Bytes of UTF-8 that one byte becomes at most: malformed JIS X 0212 gives three replacements for two bytes. */
#define CHARSET_GROWTH 5

/* Without converters (`cs` NULL) every charset is read for its ASCII alone, the rest as U+FFFD: for a role that
 * has to see the addresses in a text, and not to open a converter on a stranger's word.
 *
 * Appends `bytes` as UTF-8, what is malformed as U+FFFD; control characters stay as they are.
 * MSA_ENOENT for a charset that is not on the list; MSA_ENOMEM; or the buffer's error, with
 * what fitted appended. */
int charset_to_utf8(struct charsets *cs, struct view label, struct view bytes, struct buf *out);

#endif
