#include "msa/console/problem.h"

#include <stdlib.h>

#include <jansson.h>

static const struct {
    unsigned status;
    const char *title;
} titles[] = {
    {400, "Bad Request"},        {403, "Forbidden"},
    {404, "Not Found"},          {405, "Method Not Allowed"},
    {409, "Conflict"},           {413, "Content Too Large"},
    {422, "Unprocessable Content"}, {429, "Too Many Requests"},
    {500, "Internal Server Error"}, {502, "Bad Gateway"},
    {503, "Service Unavailable"}, {504, "Gateway Timeout"},
    {507, "Insufficient Storage"},
};

const char *problem_title(unsigned status)
{
    for (size_t i = 0; i < sizeof titles / sizeof titles[0]; i++)
        if (titles[i].status == status)
            return titles[i].title;
    return "Error";
}

/* "type" is left out: that is about:blank, the status alone says which kind it is (RFC 9457 §4.2.1). */
char *problem_text(unsigned status, struct view json)
{
    json_t *document = json_pack("{s:s, s:i}", "title", problem_title(status), "status", (int)status);
    json_t *more = json.n > 0 ? json_loadb(json.p, json.n, JSON_REJECT_DUPLICATES, NULL) : NULL;
    if (document && json_is_object(more))
        json_object_update_missing(document, more);
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
