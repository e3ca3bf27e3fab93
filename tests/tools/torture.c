/* Each allocation fails once: a scenario runs with the first one failing, then with the second, and so on until
 * it needs no more. It must come to an end each time, in order or not, and give everything back (under
 * make test-torture the leak sanitizer looks). Only calls from our own objects fail (ld --wrap): what the
 * libraries do without memory is theirs. */
#include <errno.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "msa/base/clock.h"
#include "msa/base/err.h"
#include "msa/base/log.h"
#include "msa/io/conn.h"
#include "msa/io/threads.h"
#include "msa/ipc/chan.h"
#include "policy/score/content/document.h"

/* ---- memory that ends ---- */

static long left = -1; /* allocations until one fails; -1: none does */
static bool has_failed;

static bool fails_now(void)
{
    if (left < 0 || left-- > 0)
        return false;
    has_failed = true;
    return true;
}

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);

void *__wrap_malloc(size_t n)
{
    return fails_now() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return fails_now() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n)
{
    return fails_now() ? NULL : __real_realloc(p, n);
}

static void must(bool condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "torture: %s\n", what);
    abort();
}

static void turns(struct loop *loop, int count)
{
    while (count-- > 0)
        loop_run_once(loop, false);
}

/* ---- channels: questions with descriptors and long answers ---- */

static struct chan *asking, *answering;
static int settled_count, asked_count;

static void on_answer(void *arg, struct chan_message *m, int err)
{
    (void)arg, (void)m, (void)err;
    settled_count++;
}

static int on_ask(void *owner, struct chan *c, struct chan_message *m)
{
    static char header[8192];
    (void)owner;
    struct msg_score_answer a = {.added_header = view_of(header, sizeof header)};
    CHAN_SEND(c, score_answer, m->id, &a);
    return MSA_OK;
}

static void on_chan_closed(void *owner, struct chan *c)
{
    (void)owner, (void)c;
}

static chan_handlers ask_handlers = {0};
static chan_handlers answer_handlers = {[IPC_score_ask] = on_ask};

static void ask(void)
{
    static char list[100000];
    struct msg_score_ask m = {.recipients = view_of(list, sizeof list)};
    struct buf *b = chan_ask_begin(asking, IPC_score_ask);
    msg_score_ask_encode(&m, b);
    chan_attach_fd(asking, STDIN_FILENO);
    if (chan_ask_end(asking, 100, on_answer, NULL, NULL) == MSA_OK)
        asked_count++;
}

static void torture_chan(void)
{
    int fds[2];
    must(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0, "no socketpair");
    struct loop *loop = loop_new();
    if (!loop) {
        close(fds[0]);
        close(fds[1]);
        return;
    }
    struct chan_settings set = {.loop = loop, .self = ROLE_SMTP, .peer = ROLE_SCORE,
                                .handlers = ask_handlers, .on_closed = on_chan_closed};
    settled_count = asked_count = 0;
    asking = chan_new(fds[0], &set);
    set = (struct chan_settings){.loop = loop, .self = ROLE_SCORE, .peer = ROLE_SMTP,
                                 .handlers = answer_handlers, .on_closed = on_chan_closed};
    answering = chan_new(fds[1], &set);
    for (int i = 0; i < 3 && asking; i++) {
        ask();
        turns(loop, 6);
    }
    clock_advance_for_test(1000); /* what was not answered is too late now */
    turns(loop, 2);
    must(settled_count == asked_count, "a question was not answered, or twice");
    chan_free(&asking);
    chan_free(&answering);
    loop_free(&loop);
}

/* ---- connections under TLS ---- */

struct end {
    struct conn *c;
    bool is_ready;
    size_t got_bytes;
    int closed_count;
};

static void on_tls_ready(void *owner)
{
    ((struct end *)owner)->is_ready = true;
}

static void on_input(void *owner)
{
    struct end *e = owner;
    struct buf *in = conn_in(e->c);
    size_t n = buf_len(in) / 2; /* some is left each time */
    e->got_bytes += n;
    buf_take(in, n);
}

static void on_closed(void *owner, enum conn_end end)
{
    struct end *e = owner;
    must(end != CONN_END_NONE, "closed for no reason");
    e->closed_count++;
    e->c = NULL;
}

static const struct conn_events events = {
    .on_tls_ready = on_tls_ready, .on_input = on_input, .on_closed = on_closed};
static const struct conn_limits limits = {.input_max_bytes = 5000, .output_max_bytes = 100000};

static char chain_pem[4096], key_pem[4096];

/* Never fails: made before the torture begins. */
static void make_certificate(void)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x = X509_new();
    BIO *bio = BIO_new(BIO_s_mem());
    must(key && x && bio, "no certificate");
    X509_set_pubkey(x, key);
    X509_gmtime_adj(X509_getm_notBefore(x), 0);
    X509_gmtime_adj(X509_getm_notAfter(x), 86400);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
                               (const unsigned char *)"mail.example.jp", -1, -1, 0);
    X509_sign(x, key, EVP_sha256());
    PEM_write_bio_X509(bio, x);
    must(BIO_read(bio, chain_pem, sizeof chain_pem - 1) > 0, "no certificate");
    PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
    must(BIO_read(bio, key_pem, sizeof key_pem - 1) > 0, "no key");
    BIO_free(bio);
    X509_free(x);
    EVP_PKEY_free(key);
}

static void talk(struct loop *loop, struct end *s, struct end *c, struct tls_server *server,
                 struct tls_client *client)
{
    static char text[20000];
    if (conn_start_tls_server(s->c, server) < 0 ||
        conn_start_tls_client(c->c, client, "mail.example.jp") < 0)
        return;
    for (int i = 0; i < 20 && s->c && c->c && !(s->is_ready && c->is_ready); i++)
        turns(loop, 1);
    for (int i = 0; i < 3 && s->c && c->c; i++) {
        conn_write(c->c, view_of(text, sizeof text));
        conn_write_file(c->c, STDIN_FILENO, 0, 10); /* cannot be read: an end of its own */
        turns(loop, 6);
    }
}

static void torture_conn(void)
{
    char error[TLS_ERROR_MAX];
    struct tls_certificate pem = {view_cstr(chain_pem), view_cstr(key_pem)};
    struct tls_server_settings set = {.certificates = &pem, .certificate_count = 1};
    struct tls_client_settings client_set = {.is_verified = false};
    struct end s = {0}, c = {0};
    int fds[2];
    struct loop *loop = loop_new();
    struct tls_server *server = tls_server_new(&set, error);
    struct tls_client *client = tls_client_new(&client_set, error);
    if (loop && server && client) {
        must(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0, "no socketpair");
        s.c = conn_new_accepted(loop, fds[0], &limits, &events, &s);
        c.c = conn_new_accepted(loop, fds[1], &limits, &events, &c);
        if (s.c && c.c)
            talk(loop, &s, &c, server, client);
        if (s.c)
            conn_close(&s.c);
        if (c.c)
            conn_close(&c.c);
        turns(loop, 4);
    }
    tls_server_free(&server);
    tls_client_free(&client);
    loop_free(&loop);
}

/* ---- threads ---- */

static int done_count;

static void run_job(struct job *job)
{
    (void)job;
}

static void job_done(struct job *job)
{
    (void)job;
    done_count++;
}

static void torture_threads(void)
{
    struct loop *loop = loop_new();
    struct threads *t = loop ? threads_new(loop, 2, 4) : NULL;
    struct job job = {.run = run_job, .done = job_done};
    done_count = 0;
    if (t && threads_submit(t, &job) == MSA_OK) {
        threads_free(&t);
        must(done_count == 1, "a job was not completed");
    }
    threads_free(&t);
    loop_free(&loop);
}

/* ---- documents ---- */

/* Either the whole document or none: a message is never judged by a part of it. */
static void torture_document(void)
{
    static const char message[] =
        "Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
        "Content-Type: text/plain; charset=iso-2022-jp; name*=utf-8''%E5%B1%B1\r\n\r\n"
        "\x1b$B;3\x1b(B http://x.example\r\n--b\r\nContent-Type: text/html\r\nContent-ID: <x>\r\n\r\n"
        "<a href=http://y.example>z</a><p style='display:none'>h\r\n--b--\r\n";
    struct document_reader *r = document_reader_new();
    const struct document *d = NULL;
    if (r && document_read(r, view_cstr(message), &d) == MSA_OK)
        must(d->part_count == 3 && d->link_count == 2 && d->text.n > 20 && d->hidden_text.n == 1,
             "a document lacks something");
    document_reader_free(r);
}

/* ---- all ---- */

static int open_fd_count(void)
{
    int count = 0;
    for (int fd = 0; fd < 200; fd++)
        count += dup2(fd, fd) == fd;
    return count;
}

static void torture(const char *name, void (*scenario)(void))
{
    long n = 0;
    scenario(); /* libraries take what they keep for good */
    int before = open_fd_count();
    do {
        left = n++;
        has_failed = false;
        scenario();
        left = -1;
        must(open_fd_count() == before, "a descriptor was left open");
    } while (has_failed);
    must(n > 3, "nothing was ever allocated");
    printf("torture: %s: %ld allocations\n", name, n - 1);
}

int main(void)
{
    clock_set_for_test(1000000, 1700000000000);
    log_set_level(LOG_LEVEL_ERROR);
    make_certificate();
    torture("chan", torture_chan);
    torture("conn", torture_conn);
    torture("threads", torture_threads);
    torture("document", torture_document);
    puts("torture: 4 passed, 0 failed");
    return 0;
}
