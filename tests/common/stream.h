/* struct stream: one non-blocking connection of a test program, plain or TLS, on a libev loop.
 *
 * The product's own I/O is not used here on purpose: these programs judge it. Bytes that arrive are in
 * `in` when the input callback runs, which takes what it understands; bytes put into `out` leave
 * when the callback returns, or at stream_flush. A callback may close and free the stream and its owner, and
 * says so by returning STREAM_GONE: nothing of the stream is touched afterwards. */
#ifndef TESTS_COMMON_STREAM_H
#define TESTS_COMMON_STREAM_H

#include <ev.h>
#include <openssl/ssl.h>
#include <stdbool.h>

#include "msa/base/buf.h"

#define STREAM_IN_MAX  (512u << 10)
#define STREAM_OUT_MAX (4u << 20)

enum stream_verdict { STREAM_GO_ON = 0, STREAM_GONE };

struct stream_events {
    enum stream_verdict (*on_ready)(void *arg);   /* connected, or a TLS handshake is done */
    enum stream_verdict (*on_input)(void *arg);   /* something new is in `in` */
    enum stream_verdict (*on_drained)(void *arg); /* all of `out` has left; NULL: not of interest */
    enum stream_verdict (*on_closed)(void *arg, const char *why); /* by the peer, or an error */
};

struct stream {
    struct ev_loop *loop;
    struct ev_io io;
    const struct stream_events *events;
    void *arg;
    SSL *ssl; /* owned; NULL while plain */
    struct buf in;
    struct buf out;
    int fd; /* owned; -1 when closed */
    bool is_connecting;
    bool is_handshaking;
    bool is_held; /* reads nothing */
    bool ssl_wants_write;
};

/* Takes over `fd` (connected, or connecting if said so) and makes it non-blocking. */
void stream_open(struct stream *s, struct ev_loop *loop, int fd, bool is_connecting,
                 const struct stream_events *events, void *arg);

/* Starts a handshake; bytes still in `in` are the plaintext and stay there. False: out of memory. */
bool stream_start_tls(struct stream *s, SSL_CTX *ctx, bool is_server);

/* Sends what can be sent now. STREAM_GONE as from a callback. */
enum stream_verdict stream_flush(struct stream *s);

void stream_hold(struct stream *s, bool is_held); /* no reading until told again */
enum stream_verdict stream_resume(struct stream *s); /* ends a hold and looks at what is there already */

/* Closes and frees what the stream owns; safe when it is closed already. With `reset` the peer sees a
 * connection reset. */
void stream_close(struct stream *s, bool reset);

#endif
