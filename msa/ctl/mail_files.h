/* Messages in files and directories: single ones, mailboxes ("mbox", a "From " line before each message, RFC 4155), and
 * directories of .eml files or in Maildir form. What is read is the operator's own. */
#ifndef MSA_CTL_MAIL_FILES_H
#define MSA_CTL_MAIL_FILES_H

#include <stdbool.h>

#include "msa/base/view.h"

/* False ends the walk. */
typedef bool mail_file_fn(void *arg, struct view message);

/* Each message of what a file holds, without its "From " line; nothing else is changed. False: `fn` has said so. */
bool mail_file_split(struct view file, mail_file_fn *fn, void *arg);

/* Each file below `path` in the order of names: itself if it is a file or "-"; of a directory *.eml, and all that stands
 * in directories called "cur" and "new". False from `fn` ends the walk; what
 * cannot be read is complained of, and sets `*failed_out`. True: all of it went well. */
typedef bool mail_path_fn(void *arg, const char *path);
bool mail_path_walk(const char *path, mail_path_fn *fn, void *arg, bool *failed_out);

#endif
