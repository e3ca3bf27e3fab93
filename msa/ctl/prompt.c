#include "msa/ctl/prompt.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "msa/base/err.h"
#include "msa/base/secret.h"

static int fail(char error[PROMPT_ERROR_MAX], const char *text)
{
    snprintf(error, PROMPT_ERROR_MAX, "%s", text);
    return MSA_EINVAL;
}

/* Ctrl-C ends the question, but not before the terminal echoes again. */
static volatile sig_atomic_t is_interrupted;

static void on_interrupt(int signo)
{
    (void)signo;
    is_interrupted = 1;
}

/* Up to end of file, or to the first line end where that is a terminal's. */
static int read_up_to_line_end(int fd, struct buf *out)
{
    for (;;) {
        char *at = buf_reserve(out, 1);
        if (!at)
            return MSA_ETOOBIG;
        ssize_t n = read(fd, at, buf_room(out));
        if (n == -1 && errno == EINTR && !is_interrupted)
            continue;
        if (n <= 0)
            return n == 0 ? MSA_OK : MSA_EIO;
        buf_commit(out, (size_t)n);
        struct view all = buf_view(out);
        if (isatty(fd) && view_find(all, '\n') < all.n)
            return MSA_OK;
    }
}

int prompt_read_line(int fd, struct buf *out, char error[PROMPT_ERROR_MAX])
{
    int err = read_up_to_line_end(fd, out);
    struct view all = buf_view(out);
    if (err < 0)
        return fail(error, err == MSA_ETOOBIG ? "the password is too long" : "cannot read it");
    size_t end = view_find(all, '\n');
    if (end + 1 < all.n)
        return fail(error, "there is more than one line");
    if (end > 0 && end < all.n && all.p[end - 1] == '\r')
        end--;
    if (end == 0)
        return fail(error, "there is no password");
    buf_truncate(out, end);
    return MSA_OK;
}

static int open_silent(struct termios *before)
{
    int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (fd == -1 || tcgetattr(fd, before) == -1) {
        if (fd != -1)
            close(fd);
        return -1;
    }
    struct termios silent = *before;
    silent.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK);
    tcsetattr(fd, TCSAFLUSH, &silent);
    return fd;
}

static int ask(int fd, const char *what, const char *login, struct buf *out,
               char error[PROMPT_ERROR_MAX])
{
    dprintf(fd, "%s %s: ", what, login);
    int err = prompt_read_line(fd, out, error);
    dprintf(fd, "\n");
    return err;
}

static int ask_twice(int fd, const char *login, struct buf *out, char error[PROMPT_ERROR_MAX])
{
    struct buf again;
    buf_init_secret(&again, PROMPT_PASSWORD_MAX);
    int err = ask(fd, "password for", login, out, error);
    if (err == MSA_OK)
        err = ask(fd, "once more for", login, &again, error);
    if (err == MSA_OK && !secret_eq(buf_view(out), buf_view(&again)))
        err = fail(error, "the two are not the same");
    buf_fini(&again);
    return err;
}

int prompt_password(const char *login, struct buf *out, char error[PROMPT_ERROR_MAX])
{
    struct termios before;
    struct sigaction usual;
    const struct sigaction ours = {.sa_handler = on_interrupt}; /* no SA_RESTART: read returns */
    int fd = open_silent(&before);
    if (fd == -1)
        return fail(error, "there is no terminal to ask at: use --stdin");
    sigaction(SIGINT, &ours, &usual);
    int err = ask_twice(fd, login, out, error);
    tcsetattr(fd, TCSAFLUSH, &before);
    sigaction(SIGINT, &usual, NULL);
    close(fd);
    return err;
}
