/* An answer without an end. While nothing is to be sent its connection rests with libmicrohttpd. */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "msa/base/err.h"
#include "msa/console/http_private.h"

static ssize_t read_stream(void *cls, uint64_t at, char *out, size_t max)
{
    struct http_stream *s = cls;
    struct view waiting = buf_view(&s->bytes);
    size_t n = waiting.n < max ? waiting.n : max;
    (void)at;
    if (n > 0) {
        memcpy(out, waiting.p, n);
        buf_take(&s->bytes, n);
        return (ssize_t)n;
    }
    if (s->is_ending)
        return MHD_CONTENT_READER_END_OF_STREAM;
    s->is_suspended = true;
    MHD_suspend_connection(s->connection);
    return 0;
}

static void stream_free(void *cls)
{
    struct http_stream *s = cls;
    list_remove(&s->link);
    s->gone(s->arg, s);
    buf_fini(&s->bytes);
    free(s);
}

void http_stream_discard(struct http_stream *s)
{
    stream_free(s);
}

struct MHD_Response *http_stream_response(struct http_stream *s)
{
    return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 4096, read_stream, s, stream_free);
}

static void wake(struct http_stream *s)
{
    if (!s->is_suspended)
        return;
    s->is_suspended = false;
    MHD_resume_connection(s->connection);
    http_run_soon(s->server);
}

int http_stream_write(struct http_stream *s, struct view bytes)
{
    int err = s->is_ending ? MSA_ECLOSED : buf_add(&s->bytes, bytes);
    if (err == MSA_OK)
        wake(s);
    return err;
}

void http_stream_end(struct http_stream *s)
{
    s->is_ending = true;
    wake(s);
}

/* libmicrohttpd sees the end of the connection, wherever it waits, and closes it. */
void http_stream_cut(struct http_stream *s)
{
    if (s->fd != -1)
        (void)shutdown(s->fd, SHUT_RDWR);
    http_stream_end(s);
}

void http_server_end_streams(struct http_server *s)
{
    struct http_stream *one, *next;
    LIST_FOREACH(one, next, &s->streams, struct http_stream, link) {
        http_stream_end(one);
    }
}
