/* The configuration parser. What it accepts must survive the way back: dump and snapshot are read
 * again and written again, to the same bytes. */
#include <stdint.h>
#include <stdlib.h>

#include "msa/config/config.h"

static void must(bool condition)
{
    if (!condition)
        abort();
}

static void try_dump(const struct config *cfg, struct buf *text)
{
    struct config_errors errs;
    struct config *again;
    struct buf second;
    config_errors_init(&errs);
    buf_init(&second, CONFIG_TEXT_MAX_BYTES);
    buf_reset(text);
    if (config_dump(cfg, true, text) == 0) {
        must(config_parse_text(buf_view(text), "dump", &again, &errs) == 0);
        buf_reset(text);
        must(config_dump(cfg, false, text) == 0 && config_dump(again, false, &second) == 0);
        must(view_eq(buf_view(text), buf_view(&second)));
        config_free(&again);
    }
    buf_fini(&second);
    config_errors_fini(&errs);
}

static void try_snapshot(const struct config *cfg, enum config_role role, struct buf *text)
{
    struct config_errors errs;
    struct config *again;
    struct buf second;
    config_errors_init(&errs);
    buf_init(&second, CONFIG_TEXT_MAX_BYTES);
    buf_reset(text);
    if (config_serialize(cfg, role, text) == 0) {
        must(config_parse_snapshot(buf_view(text), role, &again, &errs) == 0);
        must(config_serialize(again, role, &second) == 0);
        must(view_eq(buf_view(text), buf_view(&second)));
        config_free(&again);
    }
    buf_fini(&second);
    config_errors_fini(&errs);
}

static void try_text(struct view text, struct buf *scratch)
{
    struct config_errors errs;
    struct config *cfg;
    config_errors_init(&errs);
    int err = config_parse_text(text, "fuzz", &cfg, &errs);
    must((err == 0) == (errs.count + errs.dropped_count == 0));
    must((err == 0) == (cfg != NULL));
    if (err == 0) {
        try_dump(cfg, scratch);
        for (unsigned role = CONFIG_ROLE_SUPERVISOR; role <= CONFIG_ROLE_CONSOLE; role <<= 1)
            try_snapshot(cfg, role, scratch);
    }
    buf_reset(scratch);
    config_errors_print(&errs, scratch);
    config_free(&cfg);
    config_errors_fini(&errs);
}

/* The least that is a whole configuration, so that inputs need not find it themselves. */
static const char minimal[] =
    "hostname a.example; listener l { address 127.0.0.1:1; auth_without_tls yes; }\n"
    "pool p { smarthost [::1]:2; }\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view input = view_of((const char *)data, size);
    struct buf text, scratch;
    if (size > 65536)
        return 0;
    buf_init(&text, 128u << 10);
    buf_init(&scratch, CONFIG_TEXT_MAX_BYTES);
    try_text(input, &scratch);
    buf_add_cstr(&text, minimal);
    buf_add(&text, input);
    try_text(buf_view(&text), &scratch);
    buf_fini(&text);
    buf_fini(&scratch);
    return 0;
}
