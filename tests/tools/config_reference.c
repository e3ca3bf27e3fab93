/* Prints conf/REFERENCE.md: build/tests/config_reference > conf/REFERENCE.md */
#include <stdio.h>

#include "msa/config/config.h"

int main(void)
{
    struct buf text;
    buf_init(&text, CONFIG_TEXT_MAX_BYTES);
    int err = config_reference(&text);
    bool is_written = err == 0 && fwrite(buf_view(&text).p, 1, buf_len(&text), stdout) ==
                                      buf_len(&text) && fflush(stdout) == 0;
    buf_fini(&text);
    return is_written ? 0 : 1;
}
