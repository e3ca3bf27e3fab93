/* Frames of the milter protocol, version 6 (sendmail's libmilter, mfdef.h): a length of four octets, big endian,
 * a command of one, data. Pure; both directions. */
#ifndef POLICY_SCORE_SERVICES_MILTER_FRAME_H
#define POLICY_SCORE_SERVICES_MILTER_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "msa/base/buf.h"
#include "msa/base/view.h"

#define MILTER_VERSION   6
#define MILTER_CHUNK_MAX 65535 /* of data, in a frame of ours */
#define MILTER_FRAME_MAX (4 + 1 + 65536 + 64) /* that a milter may send, length included */

enum milter_command { /* ours */
    MILTER_ABORT = 'A',
    MILTER_BODY = 'B',
    MILTER_CONNECT = 'C',
    MILTER_MACRO = 'D',
    MILTER_END = 'E', /* of the message */
    MILTER_HELO = 'H',
    MILTER_HEADER = 'L',
    MILTER_MAIL = 'M',
    MILTER_EOH = 'N',
    MILTER_OPTIONS = 'O', /* also the answer to it */
    MILTER_QUIT = 'Q',
    MILTER_RCPT = 'R',
    MILTER_DATA = 'T',
};

enum milter_reply_command {
    MILTER_ADDRCPT = '+',
    MILTER_DELRCPT = '-',
    MILTER_ADDRCPT_PAR = '2',
    MILTER_SHUTDOWN = '4',
    MILTER_ACCEPT = 'a',
    MILTER_REPLBODY = 'b',
    MILTER_CONTINUE = 'c',
    MILTER_DISCARD = 'd',
    MILTER_CHGFROM = 'e',
    MILTER_CONN_FAIL = 'f',
    MILTER_ADDHEADER = 'h',
    MILTER_INSHEADER = 'i',
    MILTER_CHGHEADER = 'm',
    MILTER_PROGRESS = 'p',
    MILTER_QUARANTINE = 'q',
    MILTER_REJECT = 'r',
    MILTER_SKIP = 's',
    MILTER_TEMPFAIL = 't',
    MILTER_REPLYCODE = 'y',
};

enum milter_protocol { /* bits that a milter asks for */
    MILTER_NO_CONNECT = 0x01,
    MILTER_NO_HELO = 0x02,
    MILTER_NO_MAIL = 0x04,
    MILTER_NO_RCPT = 0x08,
    MILTER_NO_BODY = 0x10,
    MILTER_NO_HEADERS = 0x20,
    MILTER_NO_EOH = 0x40,
    MILTER_NR_HEADERS = 0x80, /* NR: it does not reply */
    MILTER_NO_DATA = 0x200,
    MILTER_MAY_SKIP = 0x400,
    MILTER_NR_CONNECT = 0x1000,
    MILTER_NR_HELO = 0x2000,
    MILTER_NR_MAIL = 0x4000,
    MILTER_NR_RCPT = 0x8000,
    MILTER_NR_DATA = 0x10000,
    MILTER_NR_EOH = 0x40000,
    MILTER_NR_BODY = 0x80000,
    MILTER_LEADING_SPACE = 0x100000, /* values keep the blank behind the colon, both ways */
};

#define MILTER_ALL_PROTOCOL 0x1fffffu
#define MILTER_ALL_ACTIONS  0x1ffu

struct milter_frame {
    char command;
    struct view data;
};

/* The frame at the front of `in`: its length with the four octets, 0 when it is not whole yet, or MSA_EPROTO for a
 * length that no milter sends. */
int milter_frame_parse(struct view in, struct milter_frame *out);

/* Appends a frame whose data are `data`. */
void milter_frame_add(struct buf *out, char command, struct view data);

struct milter_reply {
    char command;
    uint32_t index;    /* INSHEADER, CHGHEADER: place */
    struct view name;  /* of a field; an address */
    struct view value; /* of a field; QUARANTINE: reason */
    unsigned code;     /* REPLYCODE: 4xx or 5xx */
    struct view text;  /* REPLYCODE: its first line, without codes */
    uint32_t version, actions, protocol; /* OPTIONS */
};

/* MSA_OK, or MSA_EPROTO for a reply that is unknown or malformed. Views point into the frame. */
int milter_reply_parse(const struct milter_frame *f, struct milter_reply *out);

#endif
