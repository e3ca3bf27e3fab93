/* What an earlier line said that a later one refers to: by queue id (Postfix) or session
 * (msad), who it was and from where. Bounded: the oldest goes first. */
#ifndef MSA_CTL_LOG_JOIN_H
#define MSA_CTL_LOG_JOIN_H

#include <stddef.h>

#include "msa/base/ipaddr.h"
#include "msa/base/view.h"
#include "msa/ctl/trace.h"

struct log_join;

struct log_join *log_join_new(size_t max); /* NULL: out of memory */
void log_join_free(struct log_join **j);

/* Replaces what is known under the key. When memory is out it stays unknown. */
void log_join_put(struct log_join *j, struct view key, const struct trace_event *from);
/* Fills account, ip and country. False: nothing is known. */
bool log_join_get(struct log_join *j, struct view key, struct trace_event *out);
void log_join_forget(struct log_join *j, struct view key);

#endif
