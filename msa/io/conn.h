/* struct conn: one byte stream over TCP (or, outgoing, a Unix socket), with TLS or without, client or server side.
 *
 * Input gathers in conn_in (bounded; reading stops at high water and goes on when the owner has
 * taken bytes). Output gathers in a bounded buffer and is written once at the end of the turn: one
 * write, one TLS record per reply group. Both buffers give their memory back while empty, and wipe what
 * went through them: it may hold passwords.
 *
 * Events never come from inside a call of this header. After on_closed, or after
 * conn_abort/conn_close by the owner, no further event comes; the object is freed at the end of the turn.
 * The end of input (EOF, truncated) is reported behind the input before it, and only while reading is on: an
 * owner that stops reading while it works on a command answers also who has half closed. */
#ifndef MSA_IO_CONN_H
#define MSA_IO_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "msa/base/buf.h"
#include "msa/base/ipaddr.h"
#include "msa/io/loop.h"
#include "msa/io/tls.h"

struct conn;

enum conn_end {
    CONN_END_NONE = 0,
    CONN_END_EOF,          /* the peer closed (over TLS: with close_notify) */
    CONN_END_TRUNCATED,    /* over TLS: the stream ended without close_notify */
    CONN_END_RESET,
    CONN_END_CONNECT,      /* could not connect; see conn_error */
    CONN_END_TLS,          /* handshake or record failure; see conn_error */
    CONN_END_NO_MEMORY,
    CONN_END_FILE,         /* the file of conn_write_file could not be read to its end */
};

const char *conn_end_name(enum conn_end end);

/* Lives as long as the connection: a static const. */
struct conn_events {
    void (*on_connected)(void *owner);           /* outgoing: TCP is up */
    void (*on_tls_ready)(void *owner);           /* handshake done; conn_tls_facts is valid */
    void (*on_input)(void *owner);               /* conn_in has grown */
    void (*on_output_drained)(void *owner);      /* may be NULL: output went empty */
    void (*on_closed)(void *owner, enum conn_end end);
};

struct conn_limits {
    size_t input_max_bytes;  /* high water of conn_in */
    size_t output_max_bytes; /* an append beyond it fails */
};

/* Takes `fd` over and makes it non-blocking, with TCP_NODELAY. NULL: out of memory, fd closed. */
struct conn *conn_new_accepted(struct loop *loop, int fd, const struct conn_limits *limits,
                               const struct conn_events *events, void *owner);

/* Connects from `source` (NULL: the kernel's choice). Never blocks; the result is an event. NULL: out of
 * memory or descriptors. */
struct conn *conn_new_outgoing(struct loop *loop, const struct ipaddr *remote, uint16_t port,
                               const struct ipaddr *source, const struct conn_limits *limits,
                               const struct conn_events *events, void *owner);

/* The same to the socket `path`, which may be 107 bytes long; conn_remote is no address. */
struct conn *conn_new_outgoing_unix(struct loop *loop, const char *path, const struct conn_limits *limits,
                                    const struct conn_events *events, void *owner);

/* STARTTLS or implicit TLS. MSA_EPROTO if plaintext is already buffered (injection), in either direction
 * of trust: the caller must end the session. MSA_EINVAL in a wrong state (TLS is on, or not connected), MSA_ENOMEM.
 * Replies queued before are sent in clear first; until on_tls_ready nothing is read as input and conn_write
 * refuses. The connection keeps what it needs of `tls`, which may be freed. */
int conn_start_tls_server(struct conn *c, struct tls_server *tls);
/* The same, and the client is asked for a certificate; `trust` NULL: it is not. */
int conn_start_tls_server_asking(struct conn *c, struct tls_server *tls, struct tls_trust *trust);
int conn_start_tls_client(struct conn *c, struct tls_client *tls, const char *server_name);

bool conn_is_tls(const struct conn *c);
const struct tls_facts *conn_tls_facts(const struct conn *c); /* NULL before on_tls_ready */
/* Gives the facts' 450 bytes back, in an idle session; conn_tls_facts is NULL until conn_tls_facts_make has made
 * them anew (false: out of memory, or no TLS). */
void conn_tls_facts_drop(struct conn *c);
bool conn_tls_facts_make(struct conn *c);

/* Take from the front with buf_take. Ask for it each time: the call is what starts reading again after high
 * water. */
struct buf *conn_in(struct conn *c);
/* MSA_ETOOBIG beyond output_max_bytes, MSA_EAGAIN between conn_start_tls_* and on_tls_ready, MSA_ECLOSED,
 * MSA_ENOMEM; on failure nothing is queued. Fine before on_connected. */
int conn_write(struct conn *c, struct view bytes);
size_t conn_output_len(const struct conn *c); /* bytes not yet given to the kernel, of a file too */
/* Streams `len` bytes of `fd` from `offset` behind what is queued, in pieces, reading by pread as
 * output drains; `fd` must stay open until on_output_drained or the end. One at a time (MSA_EAGAIN); what is
 * written after it goes behind it. If the file is shorter the connection ends (CONN_END_FILE). */
int conn_write_file(struct conn *c, int fd, uint64_t offset, uint64_t len);

void conn_read_stop(struct conn *c);  /* no more on_input until conn_read_start */
void conn_read_start(struct conn *c); /* reports input already buffered, too, in the next turn */

/* Writes what is queued, close_notify, FIN, waits for the peer's end so that no reset can overtake the last
 * reply, closes: 5 s in all. With a file under way, or no handshake done yet, as conn_abort. */
void conn_close(struct conn **c);
void conn_abort(struct conn **c);  /* at once */

const char *conn_error(const struct conn *c); /* text for the log, "" if none */
const struct ipaddr *conn_remote(const struct conn *c);
uint16_t conn_remote_port(const struct conn *c);
const struct ipaddr *conn_local(const struct conn *c);
uint16_t conn_local_port(const struct conn *c);
size_t conn_memory_bytes(const struct conn *c); /* ours: object and buffers, without OpenSSL's */

#endif
