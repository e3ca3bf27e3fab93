#include "msa/console/problem.h"

#include <stdlib.h>

#include <jansson.h>

static const struct {
    unsigned status;
    const char *kind; /* the last part of its type */
    const char *title;
} kinds[] = {
    {400, "malformed", "Bad Request"},
    {401, "unauthorized", "Unauthorized"},
    {403, "forbidden", "Forbidden"},
    {404, "not-found", "Not Found"},
    {405, "method", "Method Not Allowed"},
    {409, "conflict", "Conflict"},
    {413, "too-large", "Content Too Large"},
    {415, "media-type", "Unsupported Media Type"},
    {421, "host", "Misdirected Request"},
    {422, "unprocessable", "Unprocessable Content"},
    {429, "too-many", "Too Many Requests"},
    {500, "internal", "Internal Server Error"},
    {502, "bad-answer", "Bad Gateway"},
    {503, "unavailable", "Service Unavailable"},
    {504, "timeout", "Gateway Timeout"},
    {507, "full", "Insufficient Storage"},
};

static size_t find(unsigned status)
{
    size_t i = 0;
    while (i < sizeof kinds / sizeof kinds[0] && kinds[i].status != status)
        i++;
    return i;
}

const char *problem_title(unsigned status)
{
    size_t i = find(status);
    return i < sizeof kinds / sizeof kinds[0] ? kinds[i].title : "Error";
}

static const char *kind_of(unsigned status)
{
    size_t i = find(status);
    return i < sizeof kinds / sizeof kinds[0] ? kinds[i].kind : "error";
}

char *problem_text(unsigned status, struct view json)
{
    json_t *document = json_pack("{s:s, s:i}", "title", problem_title(status), "status", (int)status);
    json_t *more = json.n > 0 ? json_loadb(json.p, json.n, JSON_REJECT_DUPLICATES, NULL) : NULL;
    if (document && json_is_object(more))
        json_object_update_missing(document, more);
    if (document && !json_object_get(document, "type"))
        json_object_set_new(document, "type", json_sprintf(PROBLEM_URN "%s", kind_of(status)));
    char *text = document ? json_dumps(document, JSON_COMPACT) : NULL;
    json_decref(document);
    json_decref(more);
    return text;
}

void problem_answer_json(struct http_request *r, unsigned status, struct view json)
{
    char *text = problem_text(status, json);
    http_answer(r, status, PROBLEM_TYPE, view_cstr(text));
    free(text);
}

void problem_answer(struct http_request *r, unsigned status, const char *detail)
{
    json_t *more = json_pack("{s:s}", "detail", detail);
    char *json = more ? json_dumps(more, JSON_COMPACT) : NULL;
    problem_answer_json(r, status, view_cstr(json));
    free(json);
    json_decref(more);
}
