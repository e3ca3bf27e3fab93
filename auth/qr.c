#include "auth/qr.h"

#include <qrencode.h>

#include "msa/base/secret.h"

#define TEXT_MAX  2048
#define WIDTH_MAX 177 /* version 40 */

json_t *qr_rows(struct view text)
{
    char row[WIDTH_MAX];
    if (text.n == 0 || text.n > TEXT_MAX)
        return NULL;
    QRcode *code = QRcode_encodeData((int)text.n, (const unsigned char *)text.p, 0, QR_ECLEVEL_M);
    json_t *rows = code && code->width <= WIDTH_MAX ? json_array() : NULL;
    size_t width = rows ? (size_t)code->width : 0;
    for (size_t y = 0; y < width; y++) {
        for (size_t x = 0; x < width; x++)
            row[x] = code->data[y * width + x] & 1 ? '1' : '0'; /* the other bits say what it is part of */
        json_array_append_new(rows, json_stringn(row, width));
    }
    if (code)
        secret_wipe(code->data, (size_t)code->width * (size_t)code->width);
    QRcode_free(code);
    return rows;
}
