/* Problem documents (RFC 9457): how the API says that something went wrong. */
#ifndef MSA_CONSOLE_PROBLEM_H
#define MSA_CONSOLE_PROBLEM_H

#include "msa/base/view.h"
#include "msa/console/http.h"

#define PROBLEM_TYPE "application/problem+json"

/* Every problem has a type that stays: this and a word. Without one in the role's answer it is that of the status. */
#define PROBLEM_URN "urn:msad:problem:"

const char *problem_title(unsigned status); /* the reason phrase; "Error" where there is none */

/* The document's text, to be freed; NULL: out of memory. Members of `json`, if that is an object (a role's
 * own words: "detail", "errors" …), stand in it, too. */
char *problem_text(unsigned status, struct view json);

/* Short form: `detail` is for people. */
void problem_answer(struct http_request *r, unsigned status, const char *detail);

/* With the members of a role's answer. */
void problem_answer_json(struct http_request *r, unsigned status, struct view json);

#endif
