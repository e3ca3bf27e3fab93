/* Prints conf/REPLIES.md; tests/unit/test_smtp_replies.c compares it with the file. */
#include <stdio.h>

#include "smtp/replies.h"

int main(void)
{
    struct buf out;
    buf_init(&out, 1 << 16);
    if (reply_document(&out) != 0)
        return 1;
    fwrite(buf_view(&out).p, 1, buf_len(&out), stdout);
    buf_fini(&out);
    return 0;
}
