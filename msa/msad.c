/* msad: looks at the command line and becomes the supervisor, or the role that the supervisor wants. */
#include <stdio.h>

#include "msa/base/err.h"
#include "msa/proc/child.h"
#include "msa/proc/generation.h"
#include "msa/proc/options.h"
#include "msa/proc/roles.h"
#include "msa/proc/supervisor.h"

#define EXIT_USAGE 2

static void print(FILE *to, struct view text)
{
    if (text.n > 0)
        fwrite(text.p, 1, text.n, to);
}

/* -t and -T: everything that a start reads is read and tried. Mistakes go to stderr, all of them. */
static int check(const char *path, bool is_dump)
{
    struct generation *g = NULL;
    struct buf text;
    buf_init(&text, CONFIG_TEXT_MAX_BYTES);
    int err = generation_load(path, &g, &text);
    if (err < 0) {
        print(stderr, buf_view(&text));
    } else if (!is_dump) {
        print(stderr, buf_view(&g->warnings));
        printf("%s: good\n", path);
    } else if ((err = config_dump(g->config, true, &text)) == MSA_OK) {
        print(stdout, buf_view(&text));
    }
    generation_free(&g);
    buf_fini(&text);
    return err < 0 ? 1 : 0;
}

static int serve_role(const struct options *o)
{
    const struct role_spec *spec = role_spec_of(o->role);
    return spec ? child_main(spec, o->index, o->state_dir) : EXIT_USAGE;
}

int main(int argc, char **argv)
{
    struct options o;
    char error[OPTIONS_ERROR_MAX];
    if (options_parse(argc, argv, &o, error) < 0) {
        fprintf(stderr, "msad: %s\n%s", error, options_help);
        return EXIT_USAGE;
    }
    switch (o.action) {
    case OPTIONS_SERVE: return supervisor_main(o.file);
    case OPTIONS_CHECK: return check(o.file, false);
    case OPTIONS_DUMP: return check(o.file, true);
    case OPTIONS_ROLE: return serve_role(&o);
    case OPTIONS_VERSION: puts("msad " MSA_VERSION); return 0;
    case OPTIONS_HELP: fputs(options_help, stdout); return 0;
    }
    return EXIT_USAGE;
}
