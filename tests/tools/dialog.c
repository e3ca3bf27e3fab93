/* Plays transcripts (tests/dialog/README.md tells their language) against the session engine, without sockets
 * and other processes: each once in the segments as written and once byte by byte.
 *
 *   dialog DIRECTORY [PART-OF-NAME]        every *.dlg below; exit status 1 if any failed */
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "msa/base/log.h"
#include "tests/tools/dialog/play.h"

static struct {
    const char *part;
    unsigned passed;
    unsigned failed;
} run;

static void play_one(const char *path, bool bytewise)
{
    struct play p;
    play_init(&p, path, bytewise);
    if (play_file(&p)) {
        run.passed++;
    } else if (!p.is_skipped) {
        run.failed++;
        printf("FAIL %s:%u%s: %s\n", path, p.line_number, bytewise ? " (byte by byte)" : "",
               p.error);
    }
    play_fini(&p);
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

static bool is_wanted(const FTSENT *e)
{
    size_t n = strlen(e->fts_path);
    return e->fts_info == FTS_F && n > 4 && strcmp(e->fts_path + n - 4, ".dlg") == 0 &&
           (!run.part || strstr(e->fts_path, run.part));
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: dialog DIRECTORY [PART-OF-NAME]\n");
        return 2;
    }
    char *roots[] = {argv[1], NULL};
    run.part = argc > 2 && argv[2][0] ? argv[2] : NULL;
    log_setup("dialog", 0, LOG_LEVEL_ERROR);
    FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, by_name);
    for (FTSENT *e; tree && (e = fts_read(tree)) != NULL;) {
        if (!is_wanted(e))
            continue;
        play_one(e->fts_path, false);
        play_one(e->fts_path, true);
    }
    if (tree)
        fts_close(tree);
    printf("%u passed, %u failed\n", run.passed, run.failed);
    return run.failed > 0 || run.passed == 0;
}
