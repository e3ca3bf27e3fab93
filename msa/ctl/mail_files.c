#include "msa/ctl/mail_files.h"

#include <errno.h>
#include <fts.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* ---- mailboxes ---- */

/* "From somebody Tue Jul  1 09:00:00 2025": the year, or a zone behind it, and a time. */
static bool is_separator(struct view line)
{
    line = view_trim(line);
    return view_has_prefix(line, VIEW_LIT("From ")) && line.n > 20 && ascii_is_digit(line.p[line.n - 1]) &&
           view_find(line, ':') < line.n;
}

/* Where the next message begins at the latest: behind an empty line. */
static size_t end_of_first(struct view rest)
{
    bool is_after_empty = false;
    struct view ahead = rest;
    while (ahead.n > 0) {
        struct view line = view_cut(&ahead, '\n');
        if (is_after_empty && is_separator(line))
            return (size_t)(line.p - rest.p);
        is_after_empty = line.n == 0 || view_eq(line, VIEW_LIT("\r"));
    }
    return rest.n;
}

bool mail_file_split(struct view file, mail_file_fn *fn, void *arg)
{
    bool goes_on = true;
    if (!view_has_prefix(file, VIEW_LIT("From ")))
        return file.n == 0 || fn(arg, file);
    while (file.n > 0 && goes_on) {
        (void)view_cut(&file, '\n'); /* the "From " line */
        size_t end = end_of_first(file);
        struct view message = view_slice(file, 0, end);
        file = view_slice(file, end, file.n);
        goes_on = message.n == 0 || fn(arg, message);
    }
    return goes_on;
}

/* ---- directories ---- */

static int by_name(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

static bool is_mail(const FTSENT *e)
{
    const char *folder = e->fts_parent && e->fts_level > 0 ? e->fts_parent->fts_name : "";
    return e->fts_level == 0 || view_has_suffix_nocase(view_cstr(e->fts_name), VIEW_LIT(".eml")) ||
           (e->fts_name[0] != '.' && (strcmp(folder, "cur") == 0 || strcmp(folder, "new") == 0));
}

static bool complain(const char *path, int error)
{
    fprintf(stderr, "msactl: %s: %s\n", path, strerror(error));
    return true;
}

bool mail_path_walk(const char *path, mail_path_fn *fn, void *arg, bool *failed_out)
{
    char *paths[] = {(char *)(uintptr_t)path, NULL};
    bool goes_on = true;
    FTSENT *e;
    if (strcmp(path, "-") == 0)
        return fn(arg, path);
    FTS *walk = fts_open(paths, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, by_name);
    if (!walk) {
        *failed_out = complain(path, errno);
        return false;
    }
    while (goes_on && (e = fts_read(walk)) != NULL) {
        if (e->fts_info == FTS_F && is_mail(e))
            goes_on = fn(arg, e->fts_path);
        else if (e->fts_info == FTS_NS || e->fts_info == FTS_ERR || e->fts_info == FTS_DNR)
            *failed_out = complain(e->fts_path, e->fts_errno);
    }
    fts_close(walk);
    return goes_on && !*failed_out;
}
