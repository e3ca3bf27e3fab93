/* The configuration in force as text for people. */
#include <inttypes.h>

#include "msa/ctl/grid.h"
#include "msa/ctl/json_at.h"
#include "msa/ctl/show.h"

void show_config(const json_t *answer, struct buf *out)
{
    size_t i;
    const json_t *s;
    struct grid g;
    grid_init(&g, "IN SETTING VALUE SAID-BY");
    json_array_foreach(json_object_get(answer, "settings"), i, s) {
        struct view file = text_at(s, "file");
        grid_begin_row(&g);
        grid_add(&g, text_at(s, "block"));
        grid_add(&g, text_at(s, "key"));
        grid_add(&g, text_at(s, "value"));
        if (file.n > 0)
            grid_addf(&g, "%.*s:%" PRId64, (int)file.n, file.p, number_at(s, "line"));
        else
            grid_add(&g, VIEW_LIT("default"));
    }
    grid_write(&g, out);
    grid_fini(&g);
}
