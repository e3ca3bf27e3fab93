/* HTTP to msad's control socket. Blocks; only msactl uses it. */
#ifndef MSA_CTL_TRANSPORT_H
#define MSA_CTL_TRANSPORT_H

#include <stdbool.h>

#include "msa/base/buf.h"
#include "msa/base/view.h"

#define TRANSPORT_ANSWER_MAX (4u << 20)
#define TRANSPORT_ERROR_MAX  512

struct transport;

/* NULL: out of memory. Nothing is connected yet. */
struct transport *transport_new(const char *socket_path);
void transport_free(struct transport **t);

/* GET of `path` when `body` is NULL, else POST of that JSON. 0 with the HTTP status and the body in `answer`
 * (made by the caller, secret if it may hold mail); negative with a text that says what to do. */
int transport_call(struct transport *t, const char *path, const struct view *body,
                   unsigned *status_out, struct buf *answer, char error[TRANSPORT_ERROR_MAX]);

/* GET of `path`, whose answer goes on: `fn` gets its pieces until it returns false or the answer ends. Result as
 * above; a refusal's body goes to `fn`, too. */
typedef bool transport_piece_fn(void *arg, struct view piece);
int transport_follow(struct transport *t, const char *path, transport_piece_fn *fn, void *arg, unsigned *status_out,
                     char error[TRANSPORT_ERROR_MAX]);

#endif
