/* Who listens to what happens (GET /api/v1/events): server-sent events to operators and the desk, each what is for
 * it. A reader is cut when more than EVENT_STREAM_BYTES_MAX wait for it, and its right is looked at again with each
 * heartbeat and whenever a session or a token ends. In the loop's thread. */
#ifndef MSA_CONSOLE_EVENT_STREAMS_H
#define MSA_CONSOLE_EVENT_STREAMS_H

#include <jansson.h>

#include "msa/console/console_private.h"

#define EVENT_STREAMS_MAX            64
#define EVENT_STREAMS_PER_CALLER_MAX 4
#define EVENT_STREAM_BYTES_MAX       (256u * 1024) /* all that is kept fits, for who comes again */
#define EVENT_HEARTBEAT_MS           15000

void event_streams_init(struct console *c);
void event_streams_fini(struct console *c); /* once no server is left */

/* Something that console itself knows. `o` is taken over. */
void event_streams_tell(struct console *c, enum news_kind kind, json_t *o);

/* What roles tell. */
chan_handler_fn event_streams_on_event;

/* A session or a token may have ended: who listens by it is cut. */
void event_streams_recheck(struct console *c);

#endif
