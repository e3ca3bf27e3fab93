/* "ADDRESS:PORT" as the tools take it, an IPv6 address in brackets. */
#ifndef TESTS_COMMON_ENDPOINT_H
#define TESTS_COMMON_ENDPOINT_H

#include <stdbool.h>
#include <sys/socket.h>

/* False: it is none. Port 0 is one. */
bool endpoint_parse(const char *text, struct sockaddr_storage *out, socklen_t *length_out);

#endif
