/* Inside msa/io: the parts of a connection, for conn.c, conn_read.c, conn_write.c and conn_tls.c. */
#ifndef MSA_IO_CONN_PRIVATE_H
#define MSA_IO_CONN_PRIVATE_H

#include <openssl/ssl.h>
#include <sys/types.h>

#include "msa/io/conn.h"

enum conn_phase {
    CONN_CONNECTING = 0,
    CONN_OPEN,      /* in clear or under TLS */
    CONN_TLS_SOON,  /* clear output leaves first, nothing is read */
    CONN_HANDSHAKE,
    CONN_CLOSING,   /* output and close_notify leave, then FIN */
    CONN_LINGER,    /* input is thrown away until the peer's end */
    CONN_DEAD,      /* memory goes at the end of the turn */
};

/* conn_write_file under way. */
struct conn_file {
    int fd; /* the owner's */
    uint64_t offset;
    uint64_t left_bytes;
    struct buf behind; /* written after it */
};

struct conn {
    struct loop *loop;
    struct watch *watch;
    const struct conn_events *events; /* NULL once the owner has let go */
    void *owner;
    struct loop_hook hook; /* SEND: flush; FREE once dead */
    struct loop_hook soon; /* WORK: input that waits in here, not in the kernel; END once closing */
    struct timer patience; /* of conn_close */
    struct buf in;
    struct buf out;
    struct conn_file *file;
    SSL *ssl;
    struct tls_server *tls_server; /* a reference, for what SSL's callbacks need */
    struct tls_trust *tls_trust;   /* likewise; NULL: the client is not asked */
    struct tls_facts *facts;
    char *error; /* NULL: "" */
    size_t input_max_bytes;
    struct ipaddr remote;
    struct ipaddr local;
    uint16_t remote_port;
    uint16_t local_port;
    int fd;
    uint32_t linger_left_bytes; /* to be thrown away before patience ends */
    uint8_t phase; /* enum conn_phase */
    uint8_t end;   /* enum conn_end: happened, not yet reported */
    uint8_t interest;            /* what the watch is set to */
    bool is_reading;             /* the owner wants input */
    bool is_full;                /* high water: reading rests until conn_in is asked for */
    bool is_forced;              /* report what is buffered, though nothing new came */
    bool is_blocked;             /* the kernel takes no more output now */
    bool read_wants_write : 1;   /* TLS: SSL_read goes on when the socket is writable */
    bool write_wants_read : 1;   /* and the reverse */
    bool is_tls_broken : 1;      /* no close_notify any more */
    bool is_linger_pointless : 1;
};

/* ---- conn.c ---- */

/* Sets the watch to what the phase waits for. `is_exact`: also gives up what is no longer wanted; otherwise
 * that is left for when it fires, which it mostly never does, and spares a system call. */
void conn_update_watch(struct conn *c, bool is_exact);
void conn_set_end(struct conn *c, enum conn_end end, const char *error);
bool conn_has_failed(const struct conn *c); /* an end after which nothing can be written either */
/* Tells the owner, then dies. */
void conn_report_end(struct conn *c);
void conn_die(struct conn *c);
/* A closing connection has nothing left to write. */
void conn_begin_linger(struct conn *c);

/* ---- conn_read.c ---- */

void conn_read_soon(struct conn *c);
void conn_read(struct conn *c, bool is_ready); /* the socket is readable */
void conn_linger_read(struct conn *c);

/* ---- conn_write.c ---- */

void conn_flush_soon(struct conn *c);
void conn_flush(struct conn *c);

/* ---- conn_tls.c ---- */

/* As read(2) and write(2), but -1 without errno: either nothing goes now, or c->end is set. */
ssize_t conn_tls_read(struct conn *c, char *p, size_t n);
ssize_t conn_tls_write(struct conn *c, const char *p, size_t n);
bool conn_tls_has_pending(const struct conn *c);
void conn_tls_begin(struct conn *c);     /* the clear output has left */
void conn_tls_handshake(struct conn *c); /* a step of it */
bool conn_tls_shutdown(struct conn *c);  /* false: to be called again when the socket is writable */
void conn_tls_free(struct conn *c);

#endif
