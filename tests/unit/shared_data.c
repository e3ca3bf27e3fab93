#include "tests/unit/shared_data.h"

#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool try_path(const char *root, const char *below, const char *name, char *out, size_t size)
{
    int n = snprintf(out, size, "%s%s/data/%s", root, below, name);
    return n > 0 && (size_t)n < size && access(out, R_OK) == 0;
}

/* The folder that holds the main checkout's .git, as git tells a worktree. */
static bool common_git_dir(char *out, size_t size)
{
    FILE *git = popen("git rev-parse --path-format=absolute --git-common-dir 2>/dev/null", "r");
    if (!git)
        return false;
    char *line = fgets(out, (int)size, git);
    pclose(git);
    if (!line)
        return false;
    out[strcspn(out, "\n")] = '\0';
    return true;
}

bool shared_data_path(const char *name, char *out, size_t out_size)
{
    char git_dir[512];
    const char *root = getenv("MSA_SHARED");
    if (root)
        return try_path(root, "", name, out, out_size);
    if (try_path("..", "/shared", name, out, out_size))
        return true;
    return common_git_dir(git_dir, sizeof git_dir) &&
           try_path(git_dir, "/../../shared", name, out, out_size);
}

FILE *shared_data_open(const char *name)
{
    char path[1024];
    FILE *f = shared_data_path(name, path, sizeof path) ? fopen(path, "r") : NULL;
    if (!f) {
        fprintf(stderr, "NOT TESTED: no shared data %s (set MSA_SHARED)\n", name);
        cr_skip_test("no shared data %s", name);
    }
    return f;
}

char *shared_data_slurp(const char *path, size_t *n_out)
{
    FILE *f = fopen(path, "rb");
    char *text = NULL;
    size_t n = 0, cap = 0;
    while (f && !feof(f)) {
        cap = cap ? cap * 2 : 65536;
        char *more = realloc(text, cap + 1);
        if (!more)
            abort();
        text = more;
        n += fread(text + n, 1, cap - n, f);
        if (ferror(f))
            break;
    }
    if (f)
        fclose(f);
    if (text)
        text[n] = '\0';
    *n_out = n;
    return text;
}
