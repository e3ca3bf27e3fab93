/* The doors of `console { postfix_policy … }`: a Postfix that still takes mail asks before it does, by its policy
 * delegation protocol (postfix_request.h), and policy decides as it does for sessions here.
 *
 * Postfix's smtpd serves one client at a time and keeps one connection to us. So what belongs to one of its sessions
 * or messages is remembered with the connection, and nowhere else: whether a sign-in and a message have been judged,
 * and the recipients so far. A connection made anew in between judges once more.
 *
 *   first request of a client   a sign-in: what stands against the account, countries, overseas
 *   first of a message          may it use this sender
 *   DATA                        quotas; where Postfix does not ask then, END-OF-MESSAGE
 *   END-OF-MESSAGE              size; hold
 *
 * Who has not signed in is none of ours: DUNNO. While policy is away it is DEFER: nobody sends without limit. What
 * cannot be read ends the connection, upon which Postfix says 451 to its client. One thread, the loop's. */
#ifndef MSA_CONSOLE_POSTFIX_DOOR_H
#define MSA_CONSOLE_POSTFIX_DOOR_H

#include <stddef.h>
#include <stdint.h>

#include "msa/base/ipaddr.h"

#define POSTFIX_DOORS_MAX   8
#define POSTFIX_CLIENTS_MAX 1000 /* smtpd processes; further ones wait in the backlog */

struct console;
struct postfix_doors;

/* NULL: out of memory. */
struct postfix_doors *postfix_doors_new(struct console *console);
void postfix_doors_free(struct postfix_doors **doors);

/* Takes `fd` over. MSA_OK, MSA_EFULL, MSA_ENOMEM. */
int postfix_doors_open(struct postfix_doors *doors, const struct ipaddr *ip, uint16_t port, int fd);
void postfix_doors_close(struct postfix_doors *doors, const struct ipaddr *ip, uint16_t port);

/* Nothing new is asked; what has been is answered. */
void postfix_doors_drain(struct postfix_doors *doors);
size_t postfix_doors_waiting(const struct postfix_doors *doors); /* questions under way */

#endif
