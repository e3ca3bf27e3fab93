/* The score process reads documents inside its sandbox: a converter that had to open a
 * file there would end it. */
#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "msa/base/err.h"
#include "msa/proc/sandbox.h"
#include "policy/score/content/document.h"

TestSuite(document_sandbox, .timeout = 30);

/* A letter in each charset that mail uses, and what it is. */
static const struct {
    const char *charset;
    const char *bytes;
    const char *want;
} letters[] = {
    {"utf-8", "\xe5\xb1\xb1", "\xe5\xb1\xb1"},
    {"iso-2022-jp", "\x1b$B;3\x1b(B", "\xe5\xb1\xb1"},
    {"iso-2022-jp", "\x1b(I1\x1b(B", "\xef\xbd\xb1"},
    {"shift_jis", "\x8e\x52", "\xe5\xb1\xb1"},
    {"euc-jp", "\xbb\xb3", "\xe5\xb1\xb1"},
    {"iso-8859-1", "\xe9", "\xc3\xa9"},
    {"iso-8859-15", "\xa4", "\xe2\x82\xac"},
    {"windows-1252", "\x80", "\xe2\x82\xac"},
    {"windows-1251", "\xc0", "\xd0\x90"},
    {"koi8-r", "\xeb", "\xd0\x9a"},
    {"gb2312", "\xc9\xbd", "\xe5\xb1\xb1"},
    {"big5", "\xa4\x73", "\xe5\xb1\xb1"},
    {"euc-kr", "\xb1\xe8", "\xea\xb9\x80"},
    {"iso-2022-kr",
     "\x1b$)C\x0e"
     "1h\x0f",
     "\xea\xb9\x80"},
};
#define LETTERS (sizeof letters / sizeof letters[0])

/* 0, or 1 and the number of the letter that was read wrongly. */
static int read_letters(struct document_reader *r, int fd)
{
    for (size_t i = 0; i < LETTERS; i++) {
        char message[200];
        const struct document *d;
        int n = snprintf(message, sizeof message,
                         "Content-Type: text/plain; charset=%s\r\n\r\n%s",
                         letters[i].charset, letters[i].bytes);
        if (pwrite(fd, message, (size_t)n, 0) != n ||
            document_read_fd(r, fd, (uint64_t)n, &d) < 0)
            return 100;
        if (!view_has_prefix(d->text, view_cstr(letters[i].want)))
            return 1 + (int)i;
    }
    return 0;
}

Test(document_sandbox, reads_every_charset_inside)
{
    struct document_reader *r = document_reader_new();
    int status = 0, fd = memfd_create("message", MFD_CLOEXEC);
    cr_assert(r && fd != -1);
    pid_t pid = fork();
    if (pid == 0) {
        const struct rlimit no_core = {0, 0};
        setrlimit(RLIMIT_CORE, &no_core);
        if (sandbox_seccomp(0) < 0)
            _exit(101);
        _exit(read_letters(r, fd));
    }
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_expect(WIFEXITED(status), "killed by %d", WTERMSIG(status));
    cr_expect_eq(WEXITSTATUS(status), 0, "%d", WEXITSTATUS(status));
    close(fd);
    document_reader_free(r);
}
