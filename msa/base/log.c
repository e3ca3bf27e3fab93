#include "msa/base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "msa/base/clock.h"

#define GATHER_BYTES 16384
#define CUT_MARK     " cut=1"
/* A closing quote, the mark and the newline always fit behind it. */
#define TEXT_ROOM (LOG_LINE_MAX - 1 - sizeof CUT_MARK)

static const char *const level_names[] = {
    [LOG_LEVEL_DEBUG] = "debug",
    [LOG_LEVEL_INFO] = "info",
    [LOG_LEVEL_WARN] = "warn",
    [LOG_LEVEL_ERROR] = "error",
};

static const int syslog_severity[] = {
    [LOG_LEVEL_DEBUG] = LOG_DEBUG,
    [LOG_LEVEL_INFO] = LOG_INFO,
    [LOG_LEVEL_WARN] = LOG_WARNING,
    [LOG_LEVEL_ERROR] = LOG_ERR,
};

/* One per process. Lines may come from any thread of a role that has several; the gather
 * buffer is the loop thread's, others write at once (each line is a single write). */
static struct {
    char role[16];
    unsigned index;
    enum log_level lowest;
    enum log_target target;
    int fd;
    char gathered[GATHER_BYTES];
    size_t gathered_len;
} out = {.role = "msad", .lowest = LOG_LEVEL_INFO, .fd = STDERR_FILENO};

static _Thread_local bool is_loop_thread;

void log_setup(const char *role, unsigned index, enum log_level lowest)
{
    is_loop_thread = true;
    snprintf(out.role, sizeof out.role, "%s", role);
    out.index = index;
    out.lowest = lowest;
}

void log_set_target(enum log_target target, int fd)
{
    log_flush();
    out.target = target;
    out.fd = fd;
}

void log_set_level(enum log_level lowest)
{
    out.lowest = lowest;
}

static void write_all(const char *p, size_t n)
{
    while (n > 0) {
        ssize_t put = write(out.fd, p, n);
        if (put == -1 && errno == EINTR)
            continue;
        if (put <= 0)
            return; /* nobody is left who could be told */
        p += put;
        n -= (size_t)put;
    }
}

void log_flush(void)
{
    write_all(out.gathered, out.gathered_len);
    out.gathered_len = 0;
}

static void emit_syslog(const struct log_line *l)
{
    char datagram[LOG_LINE_MAX + 32];
    const char *body = strchr(l->text, ' '); /* syslogd sets the time itself */
    int n = snprintf(datagram, sizeof datagram, "<%d>msad:%.*s",
                     LOG_MAIL | syslog_severity[l->level], (int)l->len - 1 - (int)(body - l->text),
                     body);
    if (n > 0)
        send(out.fd, datagram, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void emit(const struct log_line *l)
{
    if (out.target == LOG_TO_SYSLOG) {
        emit_syslog(l);
        return;
    }
    if (!is_loop_thread) {
        write_all(l->text, l->len);
        return;
    }
    if (out.gathered_len + l->len > sizeof out.gathered)
        log_flush();
    memcpy(out.gathered + out.gathered_len, l->text, l->len);
    out.gathered_len += l->len;
    if (l->level >= LOG_LEVEL_WARN)
        log_flush();
}

/* ---- building a line ---- */

static void add_unchecked(struct log_line *l, const char *p, size_t n)
{
    memcpy(l->text + l->len, p, n);
    l->len = (uint16_t)(l->len + n);
}

static void add(struct log_line *l, const char *p, size_t n)
{
    l->is_cut = l->is_cut || l->len + n > TEXT_ROOM;
    if (!l->is_cut)
        add_unchecked(l, p, n);
}

/* The whole of it or nothing, so that a line is never cut within a key. */
static void add_key(struct log_line *l, const char *key, bool needs_quotes)
{
    uint16_t before = l->len;
    add(l, " ", 1);
    add(l, key, strlen(key));
    add(l, "=\"", needs_quotes ? 2 : 1);
    if (l->is_cut)
        l->len = before;
}

static bool is_plain(unsigned char c)
{
    return c > 0x20 && c < 0x7f && c != '"' && c != '\\';
}

/* "YYYY-MM-DDThh:mm:ss" is formatted once per second. */
static const char *timestamp(int64_t wall_s)
{
    static _Thread_local int64_t formatted_s = -1;
    static _Thread_local char text[32];
    if (wall_s != formatted_s) {
        struct tm tm;
        time_t t = (time_t)wall_s;
        gmtime_r(&t, &tm);
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
        formatted_s = wall_s;
    }
    return text;
}

void log_begin(struct log_line *l, enum log_level level, const char *event)
{
    l->level = level;
    l->len = 0;
    l->is_cut = false;
    l->is_on = level >= out.lowest;
    if (!l->is_on)
        return;
    int64_t wall_ms = clock_wall_ms();
    int n = snprintf(l->text, TEXT_ROOM, "%s.%03dZ %s[%u] %s %s", timestamp(wall_ms / 1000),
                     (int)(wall_ms % 1000), out.role, out.index, level_names[level], event);
    l->len = (uint16_t)(n < 0 ? 0 : n < (int)TEXT_ROOM ? n : (int)TEXT_ROOM - 1);
}

void log_view(struct log_line *l, const char *key, struct view value)
{
    bool needs_quotes = value.n == 0;
    if (!l->is_on || l->is_cut)
        return;
    for (size_t i = 0; i < value.n && !needs_quotes; i++)
        needs_quotes = value.p[i] == ' ' || value.p[i] == '=' || value.p[i] == '"';
    add_key(l, key, needs_quotes);
    if (l->is_cut)
        return;
    for (size_t i = 0; i < value.n && !l->is_cut; i++) {
        unsigned char c = (unsigned char)value.p[i];
        char hex[5];
        if (is_plain(c) || (c == ' ' && needs_quotes)) {
            add(l, (const char *)&value.p[i], 1);
        } else {
            snprintf(hex, sizeof hex, "\\x%02x", c);
            add(l, hex, 4);
        }
    }
    if (needs_quotes)
        add_unchecked(l, "\"", 1); /* also behind a cut value: TEXT_ROOM leaves the byte */
}

void log_str(struct log_line *l, const char *key, const char *value)
{
    if (value)
        log_view(l, key, view_cstr(value));
}

void log_num(struct log_line *l, const char *key, int64_t value)
{
    char digits[24];
    if (!l->is_on)
        return;
    int n = snprintf(digits, sizeof digits, "%" PRId64, value);
    log_view(l, key, view_of(digits, n > 0 ? (size_t)n : 0));
}

void log_ip(struct log_line *l, const char *key, const struct ipaddr *value)
{
    char text[IPADDR_TEXT_MAX];
    if (!l->is_on)
        return;
    ipaddr_format(value, text);
    log_str(l, key, text);
}

static void log_vtextf(struct log_line *l, const char *key, const char *fmt, va_list ap)
{
    char text[LOG_LINE_MAX]; /* what does not fit here makes the line a cut one */
    if (!l->is_on)
        return;
    int n = vsnprintf(text, sizeof text, fmt, ap);
    size_t len = n < 0 ? 0 : (size_t)n < sizeof text ? (size_t)n : sizeof text - 1;
    log_view(l, key, view_of(text, len));
}

void log_textf(struct log_line *l, const char *key, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    log_vtextf(l, key, fmt, ap);
    va_end(ap);
}

void log_end(struct log_line *l)
{
    if (l->len == 0)
        return;
    if (l->is_cut)
        add_unchecked(l, CUT_MARK, sizeof CUT_MARK - 1);
    l->text[l->len++] = '\n';
    emit(l);
    l->is_on = false;
    l->len = 0;
}

void log_msg(enum log_level level, const char *event, const char *fmt, ...)
{
    struct log_line l;
    va_list ap;
    log_begin(&l, level, event);
    va_start(ap, fmt);
    log_vtextf(&l, "text", fmt, ap);
    va_end(ap);
    log_end(&l);
}

bool log_is_due(int64_t *last_ms, int64_t every_ms)
{
    int64_t now_ms = clock_mono_ms();
    if (*last_ms != 0 && now_ms - *last_ms < every_ms)
        return false;
    *last_ms = now_ms;
    return true;
}
