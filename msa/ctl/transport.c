#include "msa/ctl/transport.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "msa/base/err.h"

#define SILENCE_S 60L
#define WITHIN_MS 120000L /* longer than console waits for any role */

struct transport {
    CURL *curl;
    struct curl_slist *headers;
    char *socket_path;
};

struct transport *transport_new(const char *socket_path)
{
    struct transport *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->curl = curl_easy_init();
    t->socket_path = strdup(socket_path);
    /* "Expect: 100-continue" would only cost a round trip here. */
    t->headers = curl_slist_append(NULL, "Expect:");
    if (t->headers && curl_slist_append(t->headers, "Content-Type: application/json") && t->curl &&
        t->socket_path)
        return t;
    transport_free(&t);
    return NULL;
}

void transport_free(struct transport **t)
{
    if (!*t)
        return;
    curl_easy_cleanup((*t)->curl);
    curl_slist_free_all((*t)->headers);
    free((*t)->socket_path);
    free(*t);
    *t = NULL;
}

static size_t on_body(char *data, size_t size, size_t n, void *arg)
{
    return buf_append(arg, data, size * n) < 0 ? 0 : size * n;
}

static void explain(const struct transport *t, CURLcode code, char error[TRANSPORT_ERROR_MAX])
{
    const char *path = t->socket_path;
    if (code == CURLE_COULDNT_CONNECT && access(path, F_OK) == -1 && errno == ENOENT)
        snprintf(error, TRANSPORT_ERROR_MAX,
                 "msad is not running: there is no socket at %s (another place? -f FILE or -s SOCKET)",
                 path);
    else if (code == CURLE_COULDNT_CONNECT && access(path, R_OK | W_OK) == -1)
        snprintf(error, TRANSPORT_ERROR_MAX,
                 "%s: %s (msactl is for root, msad's own user and members of its group)", path,
                 strerror(errno));
    else if (code == CURLE_COULDNT_CONNECT)
        snprintf(error, TRANSPORT_ERROR_MAX,
                 "msad is not running: the socket %s is there, but nobody answers", path);
    else
        snprintf(error, TRANSPORT_ERROR_MAX, "%s: %s", path, curl_easy_strerror(code));
}

static void prepare(struct transport *t, const char *path)
{
    char url[256];
    CURL *c = t->curl;
    snprintf(url, sizeof url, "http://msad%s", path);
    curl_easy_reset(c);
    curl_easy_setopt(c, CURLOPT_URL, url);
    curl_easy_setopt(c, CURLOPT_UNIX_SOCKET_PATH, t->socket_path);
    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http");
    curl_easy_setopt(c, CURLOPT_PROXY, ""); /* http_proxy is not for us */
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_HTTPHEADER, t->headers);
}

static int perform(struct transport *t, unsigned *status_out, char error[TRANSPORT_ERROR_MAX])
{
    long status = 0;
    CURLcode code = curl_easy_perform(t->curl);
    if (code != CURLE_OK) {
        explain(t, code, error);
        return MSA_ECLOSED;
    }
    curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &status);
    *status_out = (unsigned)status;
    return MSA_OK;
}

int transport_call(struct transport *t, const char *path, const struct view *body,
                   unsigned *status_out, struct buf *answer, char error[TRANSPORT_ERROR_MAX])
{
    CURL *c = t->curl;
    prepare(t, path);
    curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, WITHIN_MS);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, answer);
    if (body) {
        curl_easy_setopt(c, CURLOPT_POST, 1L);
        curl_easy_setopt(c, CURLOPT_POSTFIELDS, body->p);
        curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body->n);
    }
    return perform(t, status_out, error);
}

struct follower {
    transport_piece_fn *fn;
    void *arg;
};

static size_t on_piece(char *data, size_t size, size_t n, void *arg)
{
    const struct follower *f = arg;
    return f->fn(f->arg, view_of(data, size * n)) ? size * n : 0;
}

int transport_follow(struct transport *t, const char *path, transport_piece_fn *fn, void *arg, unsigned *status_out,
                     char error[TRANSPORT_ERROR_MAX])
{
    struct follower f = {fn, arg};
    prepare(t, path);
    curl_easy_setopt(t->curl, CURLOPT_LOW_SPEED_LIMIT, 1L); /* a heartbeat comes each quarter of a minute */
    curl_easy_setopt(t->curl, CURLOPT_LOW_SPEED_TIME, SILENCE_S);
    curl_easy_setopt(t->curl, CURLOPT_WRITEFUNCTION, on_piece);
    curl_easy_setopt(t->curl, CURLOPT_WRITEDATA, &f);
    return perform(t, status_out, error);
}
