/* QR codes of texts (ISO 18004), by libqrencode, whose header nothing else includes. */
#ifndef AUTH_QR_H
#define AUTH_QR_H

#include <jansson.h>

#include "msa/base/view.h"

/* A list of as many texts as the code has rows, '1' for dark; error correction level M, without the quiet zone.
 * A new list; NULL: no memory, or too long a text. */
json_t *qr_rows(struct view text);

#endif
