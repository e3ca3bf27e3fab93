#include "msa/io/fetch.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "msa/base/buf.h"
#include "msa/base/err.h"
#include "msa/base/list.h"
#include "msa/base/wipe_alloc.h"

#define CONNECTIONS_MAX      32
#define HOST_CONNECTIONS_MAX 8
#define IDLE_CONNECTIONS_MAX 8

struct fetcher {
    struct loop *loop;
    CURLM *multi;
    struct timer timer;
    struct list transfers;
    uint64_t last_id;
};

struct transfer {
    struct list link;
    uint64_t id;
    CURL *easy;
    struct curl_slist *headers;
    struct curl_slist *resolve;
    struct buf answer;
    int file_fd; /* the caller's */
    uint64_t file_offset;
    uint64_t file_bytes;
    uint64_t file_at; /* bytes already given to curl */
    fetch_fn *fn;
    void *arg;
    char error[CURL_ERROR_SIZE];
};

/* ---- URLs ---- */

static bool is_local_name(const char *host)
{
    struct view v = view_cstr(host);
    return view_eq_nocase(v, VIEW_LIT("localhost"));
}

static bool take_host(CURLU *u, struct fetch_url *out)
{
    char *host = NULL;
    bool is_good = curl_url_get(u, CURLUPART_HOST, &host, 0) == CURLUE_OK;
    struct view v = is_good ? view_cstr(host) : VIEW_EMPTY;
    if (v.n > 1 && v.p[0] == '[')
        v = view_slice(v, 1, v.n - 1);
    is_good = v.n > 0 && view_to_cstr(v, out->host, sizeof out->host);
    curl_free(host);
    return is_good;
}

static bool take_port(CURLU *u, struct fetch_url *out)
{
    char *port = NULL;
    bool is_good =
        curl_url_get(u, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK;
    unsigned long number = is_good ? strtoul(port, NULL, 10) : 0;
    out->port = (uint16_t)number;
    curl_free(port);
    return number > 0 && number <= UINT16_MAX;
}

static bool take_scheme(CURLU *u, struct fetch_url *out)
{
    char *scheme = NULL, *user = NULL;
    bool is_good = curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK;
    out->is_tls = is_good && view_eq(view_cstr(scheme), VIEW_LIT("https"));
    is_good = out->is_tls || (is_good && view_eq(view_cstr(scheme), VIEW_LIT("http")));
    if (curl_url_get(u, CURLUPART_USER, &user, 0) == CURLUE_OK)
        is_good = false;
    curl_free(scheme);
    curl_free(user);
    return is_good;
}

int fetch_url_parse(const char *url, struct fetch_url *out)
{
    struct ipaddr ip;
    CURLU *u = curl_url();
    *out = (struct fetch_url){.port = 0};
    bool is_good = u && curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK &&
                   take_scheme(u, out) && take_host(u, out) && take_port(u, out);
    curl_url_cleanup(u);
    out->is_name =
        is_good && !is_local_name(out->host) && !ipaddr_parse(view_cstr(out->host), &ip);
    return is_good ? MSA_OK : MSA_EINVAL;
}

/* ---- the end of one ---- */

static void transfer_free(struct fetcher *f, struct transfer *t)
{
    if (t->easy) {
        curl_multi_remove_handle(f->multi, t->easy);
        curl_easy_cleanup(t->easy);
    }
    curl_slist_free_all(t->headers);
    curl_slist_free_all(t->resolve);
    buf_fini(&t->answer);
    list_remove(&t->link);
    free(t);
}

static int err_of(CURLcode code)
{
    switch (code) {
    case CURLE_OK:
        return MSA_OK;
    case CURLE_OUT_OF_MEMORY:
        return MSA_ENOMEM;
    case CURLE_OPERATION_TIMEDOUT:
        return MSA_ETIMEOUT;
    case CURLE_WRITE_ERROR:
    case CURLE_FILESIZE_EXCEEDED:
        return MSA_ETOOBIG;
    default:
        return MSA_ECLOSED;
    }
}

/* Taken out of curl before `fn`, which may start another or cancel any. */
static void finish(struct fetcher *f, struct transfer *t, CURLcode code)
{
    long status = 0;
    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_multi_remove_handle(f->multi, t->easy);
    list_remove(&t->link);
    list_init(&t->link);
    const struct fetch_result result = {
        .err = err_of(code),
        .status = code == CURLE_OK ? (unsigned)status : 0,
        .body = buf_view(&t->answer),
        .text = t->error[0] ? t->error : curl_easy_strerror(code),
    };
    t->fn(t->arg, &result);
    transfer_free(f, t);
}

static void finish_all(struct fetcher *f)
{
    CURLMsg *m;
    int left;
    while ((m = curl_multi_info_read(f->multi, &left)) != NULL) {
        char *t = NULL;
        if (m->msg != CURLMSG_DONE)
            continue;
        CURLcode code = m->data.result; /* `m` is gone with the handle */
        curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &t);
        finish(f, (struct transfer *)(void *)t, code);
    }
}

/* ---- curl and the loop ---- */

/* curl knows a descriptor by its number, the watch by itself: one of these hangs at each.
 */
struct socket {
    struct fetcher *fetcher;
    curl_socket_t fd;
    struct watch *watch;
};

static void on_ready(void *arg, unsigned ready)
{
    struct socket *s = arg;
    struct fetcher *f = s->fetcher;
    int running;
    int mask = (ready & IO_READ ? CURL_CSELECT_IN : 0) |
               (ready & IO_WRITE ? CURL_CSELECT_OUT : 0);
    curl_multi_socket_action(f->multi, s->fd, mask, &running); /* may free `s` */
    finish_all(f);
}

static void socket_free(struct fetcher *f, struct socket *s)
{
    curl_multi_assign(f->multi, s->fd, NULL);
    watch_free(&s->watch);
    free(s);
}

static struct socket *socket_new(struct fetcher *f, curl_socket_t fd, unsigned interest)
{
    struct socket *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    *s = (struct socket){.fetcher = f, .fd = fd};
    s->watch = watch_new(f->loop, fd, interest, on_ready, s);
    if (!s->watch) {
        free(s);
        return NULL;
    }
    curl_multi_assign(f->multi, fd, s);
    return s;
}

/* Without memory for a watch the transfer ends by its timeout. */
static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket)
{
    (void)easy;
    struct fetcher *f = arg;
    struct socket *s = socket;
    unsigned interest =
        (what & CURL_POLL_IN ? IO_READ : 0) | (what & CURL_POLL_OUT ? IO_WRITE : 0);
    if (what == CURL_POLL_REMOVE) {
        if (s)
            socket_free(f, s);
    } else if (s) {
        watch_set(s->watch, interest);
    } else {
        (void)socket_new(f, fd, interest);
    }
    return 0;
}

static void on_time(void *arg)
{
    struct fetcher *f = arg;
    int running;
    curl_multi_socket_action(f->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    finish_all(f);
}

/* From inside curl, so it only sets the timer: also with 0 ms, which is the loop's next
 * turn. */
static int on_timer_wanted(CURLM *multi, long after_ms, void *arg)
{
    (void)multi;
    struct fetcher *f = arg;
    if (after_ms < 0)
        timer_stop(&f->timer);
    else if (timer_start(&f->timer, f->loop, after_ms) < 0)
        return -1;
    return 0;
}

/* ---- one request ---- */

static size_t on_answer(char *p, size_t size, size_t count, void *arg)
{
    struct transfer *t = arg;
    return buf_append(&t->answer, p, size * count) == MSA_OK ? size * count
                                                             : 0; /* less: it fails */
}

/* A file that is shorter than was said: the request fails. */
static size_t on_file(char *p, size_t size, size_t count, void *arg)
{
    struct transfer *t = arg;
    uint64_t left = t->file_bytes - t->file_at;
    size_t want = size * count < left ? size * count : (size_t)left;
    ssize_t n;
    if (want == 0)
        return 0;
    do
        n = pread(t->file_fd, p, want, (off_t)(t->file_offset + t->file_at));
    while (n == -1 && errno == EINTR);
    if (n <= 0)
        return CURL_READFUNC_ABORT;
    t->file_at += (uint64_t)n;
    return (size_t)n;
}

/* A connection that was kept, and had ended meanwhile: curl begins again on a new one. */
static int on_file_seek(void *arg, curl_off_t offset, int origin)
{
    struct transfer *t = arg;
    if (origin != SEEK_SET || offset < 0 || (uint64_t)offset > t->file_bytes)
        return CURL_SEEKFUNC_FAIL;
    t->file_at = (uint64_t)offset;
    return CURL_SEEKFUNC_OK;
}

static bool add_line(struct curl_slist **list, const char *line)
{
    struct curl_slist *longer = curl_slist_append(*list, line);
    if (longer)
        *list = longer;
    return longer != NULL;
}

/* "Expect:" without a value: no waiting for a 100. */
static bool add_headers(struct transfer *t, const struct fetch_request *r)
{
    bool is_good = add_line(&t->headers, "Expect:");
    for (size_t i = 0; i < FETCH_HEADERS_MAX && r->headers[i]; i++)
        is_good = is_good && add_line(&t->headers, r->headers[i]);
    for (size_t i = 0; i < r->more_header_count; i++)
        is_good = is_good && add_line(&t->headers, r->more_headers[i]);
    return is_good;
}

/* "+host:port:address,…": the plus lets it expire in curl's cache. */
static bool add_addresses(struct transfer *t, const struct fetch_url *url,
                          const struct fetch_request *r)
{
    struct buf line;
    buf_init(&line, 4096);
    buf_addf(&line, "+%s:%u:", url->host, url->port);
    for (size_t i = 0; i < r->address_count && i < FETCH_ADDRESSES_MAX; i++) {
        char ip[IPADDR_TEXT_MAX];
        ipaddr_format(&r->addresses[i], ip);
        buf_addf(&line, ipaddr_is_v4(&r->addresses[i]) ? "%s%s" : "%s[%s]",
                 i > 0 ? "," : "", ip);
    }
    buf_add_char(&line, '\0');
    bool is_good = !buf_failed(&line) && add_line(&t->resolve, buf_view(&line).p);
    buf_fini(&line);
    return is_good;
}

#define SET(option, value) \
    is_good = is_good && curl_easy_setopt(t->easy, option, value) == CURLE_OK

static bool set_bounds(struct transfer *t, const struct fetch_request *r)
{
    bool is_good = true;
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_TIMEOUT_MS, (long)r->timeout_ms);
    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)r->timeout_ms);
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_PROXY, ""); /* or http_proxy in the environment would count */
    SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    SET(CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)r->answer_max_bytes);
    SET(CURLOPT_DNS_CACHE_TIMEOUT, 60L);
    return is_good;
}

static bool set_trust(struct transfer *t, const struct fetch_request *r)
{
    bool is_good = true;
    SET(CURLOPT_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_SSL_VERIFYHOST, 2L);
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (r->ca_pem && r->ca_pem[0]) {
        struct curl_blob pem = {(void *)(uintptr_t)r->ca_pem, strlen(r->ca_pem),
                                CURL_BLOB_COPY};
        SET(CURLOPT_CAINFO, NULL);
        SET(CURLOPT_CAPATH, NULL);
        SET(CURLOPT_CAINFO_BLOB, &pem);
    }
    return is_good;
}

static bool set_body(struct transfer *t, const struct fetch_request *r)
{
    bool is_good = true;
    SET(CURLOPT_POST, 1L);
    if (!r->is_file) {
        SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body.n);
        SET(CURLOPT_COPYPOSTFIELDS, r->body.n > 0 ? r->body.p : "");
        return is_good;
    }
    t->file_fd = r->file_fd;
    t->file_offset = r->file_offset;
    t->file_bytes = r->file_bytes;
    SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->file_bytes);
    SET(CURLOPT_READFUNCTION, on_file);
    SET(CURLOPT_READDATA, t);
    SET(CURLOPT_SEEKFUNCTION, on_file_seek);
    SET(CURLOPT_SEEKDATA, t);
    return is_good;
}

static bool set_request(struct transfer *t, const struct fetch_request *r)
{
    bool is_good = set_body(t, r);
    SET(CURLOPT_URL, r->url);
    if (r->unix_socket && r->unix_socket[0])
        SET(CURLOPT_UNIX_SOCKET_PATH, r->unix_socket);
    SET(CURLOPT_HTTPHEADER, t->headers);
    SET(CURLOPT_RESOLVE, t->resolve);
    SET(CURLOPT_WRITEFUNCTION, on_answer);
    SET(CURLOPT_WRITEDATA, t);
    SET(CURLOPT_ERRORBUFFER, t->error);
    SET(CURLOPT_PRIVATE, t);
    return is_good;
}

static struct transfer *transfer_new(struct fetcher *f, const struct fetch_request *r,
                                     const struct fetch_url *url)
{
    struct transfer *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    list_init(&t->link);
    buf_init(&t->answer, r->answer_max_bytes);
    t->easy = curl_easy_init();
    if (t->easy && add_headers(t, r) && (!url->is_name || add_addresses(t, url, r)) &&
        set_bounds(t, r) && set_trust(t, r) && set_request(t, r))
        return t;
    transfer_free(f, t);
    return NULL;
}

int fetch_start(struct fetcher *f, const struct fetch_request *request, fetch_fn *fn,
                void *arg, uint64_t *id_out)
{
    struct fetch_url url;
    if (fetch_url_parse(request->url, &url) < 0 ||
        (url.is_name && request->address_count == 0))
        return MSA_EINVAL;
    struct transfer *t = transfer_new(f, request, &url);
    if (!t)
        return MSA_ENOMEM;
    t->fn = fn;
    t->arg = arg;
    t->id = ++f->last_id;
    if (curl_multi_add_handle(f->multi, t->easy) != CURLM_OK) {
        transfer_free(f, t);
        return MSA_ENOMEM;
    }
    list_append(&f->transfers, &t->link);
    *id_out = t->id;
    return MSA_OK;
}

void fetch_cancel(struct fetcher *f, uint64_t id)
{
    struct transfer *t, *next;
    LIST_FOREACH(t, next, &f->transfers, struct transfer, link)
    {
        if (t->id == id) {
            transfer_free(f, t);
            return;
        }
    }
}

/* ---- the whole ---- */

void fetcher_limit(struct fetcher *f, unsigned total_count, unsigned host_count)
{
    curl_multi_setopt(f->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)total_count);
    curl_multi_setopt(f->multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)host_count);
}

struct fetcher *fetcher_new(struct loop *loop)
{
    struct fetcher *f = calloc(1, sizeof *f);
    if (!f)
        return NULL;
    f->loop = loop;
    list_init(&f->transfers);
    timer_init(&f->timer, on_time, f);
    /* Passwords and tokens pass through its copies of headers and bodies. */
    if (curl_global_init_mem(CURL_GLOBAL_DEFAULT, wipe_malloc, wipe_free, wipe_realloc, wipe_strdup, wipe_calloc) ==
        CURLE_OK)
        f->multi = curl_multi_init();
    if (!f->multi) {
        free(f);
        return NULL;
    }
    curl_multi_setopt(f->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(f->multi, CURLMOPT_SOCKETDATA, f);
    curl_multi_setopt(f->multi, CURLMOPT_TIMERFUNCTION, on_timer_wanted);
    curl_multi_setopt(f->multi, CURLMOPT_TIMERDATA, f);
    fetcher_limit(f, CONNECTIONS_MAX, HOST_CONNECTIONS_MAX);
    curl_multi_setopt(f->multi, CURLMOPT_MAXCONNECTS, (long)IDLE_CONNECTIONS_MAX);
    return f;
}

void fetcher_free(struct fetcher **f)
{
    struct transfer *t;
    if (!*f)
        return;
    while ((t = LIST_FIRST(&(*f)->transfers, struct transfer, link)) != NULL)
        transfer_free(*f, t);
    curl_multi_cleanup((*f)->multi);
    timer_stop(&(*f)->timer);
    curl_global_cleanup();
    free(*f);
    *f = NULL;
}
