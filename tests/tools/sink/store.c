/* Where accepted messages go: a file each with its description in JSON beside it, a line of JSON each in one
 * log, or a line for people. All is written before the client gets its 250. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "msa/base/clock.h"
#include "tests/common/json.h"
#include "tests/tools/sink/session.h"

static bool write_all(int fd, struct view v)
{
    while (v.n > 0) {
        ssize_t n = write(fd, v.p, v.n);
        if (n == -1 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        v = view_slice(v, (size_t)n, v.n);
    }
    return true;
}

static bool write_file(const char *path, struct view v)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd == -1)
        return false;
    bool is_ok = write_all(fd, v);
    return close(fd) == 0 && is_ok;
}

static void describe(struct session *s, struct buf *json)
{
    struct sink *sink = s->sink;
    buf_add_char(json, '{');
    put_json_num(json, "n", (int64_t)sink->counts.messages);
    put_json_num(json, "time_ms", clock_wall_ms());
    put_json_num(json, "session", (int64_t)s->number);
    put_json_str(json, "peer", view_cstr(s->peer));
    put_json_str(json, "helo", view_cstr(s->helo));
    put_json_str(json, "tls", view_cstr(s->stream.ssl ? SSL_get_version(s->stream.ssl) : ""));
    put_json_bool(json, "authenticated", s->is_authenticated);
    message_describe(&s->message, json);
    buf_add_cstr(json, "}\n");
}

/* The description appears last and whole: who sees it may read the message. */
static bool store_files(struct session *s, struct view json)
{
    char message[4096], part[4096], done[4096];
    const struct sink *sink = s->sink;
    int n = snprintf(message, sizeof message, "%s/%013lld.%08llu.eml", sink->store_dir,
                     (long long)sink->started_ms, (unsigned long long)sink->counts.messages);
    if (n < 0 || (size_t)n + 8 > sizeof message)
        return false;
    snprintf(part, sizeof part, "%.*s.part", n - 4, message);
    snprintf(done, sizeof done, "%.*s.json", n - 4, message);
    return write_file(message, buf_view(&s->message.whole)) && write_file(part, json) &&
           rename(part, done) == 0;
}

static void print_safely(struct view v, size_t max)
{
    for (size_t i = 0; i < v.n && i < max; i++)
        putchar(v.p[i] >= 0x20 && v.p[i] < 0x7f ? v.p[i] : '?');
    if (v.n > max)
        fputs("...", stdout);
}

static void print_demo(const struct session *s)
{
    struct rcpt *r, *tmp;
    const char *separator = " to=";
    fputs("smarthost: message from=<", stdout);
    print_safely(view_cstr(s->message.from), 80);
    putchar('>');
    LIST_FOREACH(r, tmp, &s->message.rcpts, struct rcpt, link) {
        printf("%s<", separator);
        print_safely(view_cstr(r->address), 80);
        putchar('>');
        separator = ",";
    }
    fputs(" subject=\"", stdout);
    print_safely(message_field(&s->message, "Subject"), 60);
    printf("\" size=%llu%s%s\n", (unsigned long long)s->message.size_bytes,
           s->stream.ssl ? " tls=" : "", s->stream.ssl ? SSL_get_version(s->stream.ssl) : "");
    fflush(stdout);
}

bool store_message(struct session *s)
{
    struct sink *sink = s->sink;
    struct counts *c = &sink->counts;
    const struct body *body = &s->message.body;
    bool is_ok = true;
    c->messages++;
    c->recipients += s->message.rcpt_count;
    c->bytes += s->message.size_bytes;
    c->bare_line_ends += body->bare_cr_count + body->bare_lf_count;
    c->nuls += body->nul_count;
    c->bad_dots += body->bad_dot_count;
    if (sink->hash_fd != -1 || sink->store_dir) {
        struct buf json;
        buf_init(&json, 64u << 20);
        describe(s, &json);
        is_ok = !buf_failed(&json) && !buf_failed(&s->message.whole);
        if (is_ok && sink->store_dir)
            is_ok = store_files(s, buf_view(&json));
        if (is_ok && sink->hash_fd != -1)
            is_ok = write_all(sink->hash_fd, buf_view(&json));
        buf_fini(&json);
        if (!is_ok)
            perror("sink: cannot record a message");
    }
    if (is_ok && sink->is_demo)
        print_demo(s);
    return is_ok;
}

void counts_print(const struct sink *sink)
{
    const struct counts *c = &sink->counts;
    struct buf json;
    buf_init(&json, 4096);
    buf_add_char(&json, '{');
    put_json_num(&json, "sessions", (int64_t)c->sessions);
    put_json_num(&json, "open_sessions", (int64_t)c->open_sessions);
    put_json_num(&json, "tls_sessions", (int64_t)c->tls_sessions);
    put_json_num(&json, "transactions", (int64_t)c->transactions);
    put_json_num(&json, "messages", (int64_t)c->messages);
    put_json_num(&json, "recipients", (int64_t)c->recipients);
    put_json_num(&json, "bytes", (int64_t)c->bytes);
    put_json_num(&json, "refused", (int64_t)c->refused);
    put_json_num(&json, "bare_line_ends", (int64_t)c->bare_line_ends);
    put_json_num(&json, "nuls", (int64_t)c->nuls);
    put_json_num(&json, "bad_dots", (int64_t)c->bad_dots);
    put_json_num(&json, "early_input", (int64_t)c->early_input);
    buf_add_cstr(&json, "}\n");
    write_all(STDOUT_FILENO, buf_view(&json));
    buf_fini(&json);
}
